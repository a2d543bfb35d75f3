//! XChaCha20-Poly1305 with a random 24-byte nonce in front of the ciphertext.
//!
//! `seal = nonce24 | XChaCha20Poly1305(key, nonce, plaintext, aad)`. Random nonces are safe here because 192 bits make a
//! repeat under one key negligible. The cipher does not commit to its key; every key used here is committed to
//! elsewhere (SPEC 1.5).

use super::{CryptoError, random};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use zeroize::Zeroizing;

/// Bytes of the nonce.
pub const NONCE: usize = 24;
/// Bytes that sealing adds: nonce and tag.
pub const OVERHEAD: usize = NONCE + 16;

/// Seals `plaintext` and binds `aad`.
pub fn seal(key: &[u8; 32], plaintext: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let nonce = random::array::<NONCE>()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad })
        .map_err(|_| CryptoError::Malformed)?;
    let mut out = Vec::with_capacity(NONCE + sealed.len());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made with the same key and `aad`.
pub fn open(key: &[u8; 32], sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>().ok_or(CryptoError::Malformed)?;
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg, aad })
        .map(Zeroizing::new)
        .map_err(|_| CryptoError::Unauthentic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_the_same_key_context_and_bytes() {
        let sealed = seal(&[1; 32], b"value", b"context").unwrap();
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(&*open(&[1; 32], &sealed, b"context").unwrap(), b"value");
        assert!(open(&[2; 32], &sealed, b"context").is_err());
        assert!(open(&[1; 32], &sealed, b"contexT").is_err());
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(open(&[1; 32], &flipped, b"context").is_err(), "byte {at}");
        }
        assert!(open(&[1; 32], &sealed[..10], b"context").is_err());
    }
}
