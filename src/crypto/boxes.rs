//! Boxes: a scope key sealed to one member by HPKE (RFC 9180) base mode, DHKEM(X25519) / HKDF-SHA256 /
//! ChaCha20-Poly1305.
//!
//! `box = enc32 | ciphertext48`, `info = "sc1/box"`, `aad = scope | g | recipient sign_pk | 'K' or 'M'`. The key that comes
//! out is checked against the commitment in the signed entry by the caller.

use super::{CryptoError, SecretKey};
use crate::domain::KeyClass;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use zeroize::Zeroizing;

const INFO: &[u8] = b"sc1/box";
/// Bytes of one box.
pub const BOX: usize = 80;

/// A key sealed to one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedBox(pub [u8; BOX]);

/// What a box is bound to.
#[derive(Debug, Clone, Copy)]
pub struct BoxContext<'a> {
    /// The scope's id; zeros inside a genesis entry, whose id does not exist yet.
    pub scope: &'a [u8; 32],
    /// The generation of the key inside.
    pub generation: u32,
    /// The recipient's signing key.
    pub recipient: &'a [u8; 32],
    /// Which key is inside.
    pub class: KeyClass,
}

impl BoxContext<'_> {
    fn aad(&self) -> Vec<u8> {
        let class = if self.class == KeyClass::Full { b'K' } else { b'M' };
        [self.scope.as_slice(), &self.generation.to_be_bytes(), self.recipient, &[class]].concat()
    }
}

/// The public half of an X25519 secret.
pub fn public_of(secret: &[u8; 32]) -> Result<[u8; 32], CryptoError> {
    let secret =
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(secret).map_err(|_| CryptoError::Malformed)?;
    let public = X25519HkdfSha256::sk_to_pk(&secret).to_bytes();
    <[u8; 32]>::try_from(public.as_slice()).map_err(|_| CryptoError::Malformed)
}

/// Seals `key` to the X25519 key `to`.
pub fn seal(to: &[u8; 32], context: BoxContext<'_>, key: &[u8; 32]) -> Result<SealedBox, CryptoError> {
    let to = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(to).map_err(|_| CryptoError::PublicKey)?;
    let (enc, sealed) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &to,
        INFO,
        key,
        &context.aad(),
    )
    .map_err(|_| CryptoError::PublicKey)?;
    let bytes = [enc.to_bytes().as_slice(), &sealed].concat();
    bytes.try_into().map(SealedBox).map_err(|_| CryptoError::Malformed)
}

/// Opens a box with the X25519 secret `secret`.
pub fn open(
    secret: &[u8; 32],
    context: BoxContext<'_>,
    sealed: &SealedBox,
) -> Result<SecretKey, CryptoError> {
    let secret =
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(secret).map_err(|_| CryptoError::Malformed)?;
    let (enc, text) = sealed.0.split_at(32);
    let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(enc).map_err(|_| CryptoError::Malformed)?;
    let key = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret,
        &enc,
        INFO,
        text,
        &context.aad(),
    )
    .map(Zeroizing::new)
    .map_err(|_| CryptoError::Unauthentic)?;
    let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| CryptoError::Malformed)?;
    Ok(SecretKey::copy_of(key))
}
