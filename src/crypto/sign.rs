//! Ed25519 (RFC 8032), strict verification only: small-order keys and non-canonical signatures are refused, so that
//! two clients never disagree about one signature (SPEC 1.3, R13).

use super::CryptoError;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

/// A detached signature, 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// A public key that is a point and not a weak one, ready to verify with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyKey(VerifyingKey);

impl VerifyKey {
    /// Refuses encodings that are not a point or not the canonical one, and points of small order.
    pub fn parse(bytes: &[u8; 32]) -> Result<Self, CryptoError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| CryptoError::PublicKey)?;
        // An encoding with y >= p decodes too, but other implementations refuse it: only the canonical one is ours.
        let canonical = key.to_edwards().compress().as_bytes() == bytes;
        if key.is_weak() || !canonical { Err(CryptoError::PublicKey) } else { Ok(Self(key)) }
    }

    /// The encoded point.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// True if `signature` over `message` is valid and canonical.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
    }
}

/// A signing key for a run of signatures; wiped on drop.
pub struct SignKey(SigningKey);

impl SignKey {
    pub(super) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }

    /// The encoded public point.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_order_and_invalid_keys_are_refused() {
        let mut identity_point = [0u8; 32];
        identity_point[0] = 1;
        assert!(VerifyKey::parse(&identity_point).is_err());
        assert!(VerifyKey::parse(&[0; 32]).is_err());
        assert!(VerifyKey::parse(&[0xff; 32]).is_err());
    }

    #[test]
    fn non_canonical_s_is_refused() {
        // Adding the group order L to S gives a second encoding of the same signature.
        let key = SignKey::from_seed(&[3; 32]);
        let good = key.sign(b"m");
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut bad = good;
        let mut carry = 0u16;
        for (at, byte) in order.iter().enumerate() {
            let sum = u16::from(bad.0[32 + at]) + u16::from(*byte) + carry;
            bad.0[32 + at] = sum as u8;
            carry = sum >> 8;
        }
        let public = VerifyKey::parse(&key.public()).unwrap();
        assert!(public.verifies(b"m", &good));
        assert!(!public.verifies(b"m", &bad));
    }
}
