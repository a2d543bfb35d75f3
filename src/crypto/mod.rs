//! Every cryptographic primitive of sealbox, in one small room: bytes in, bytes out.
//!
//! Owns key derivation, AEAD, signatures, boxes, the identity file and the byte formats they need. Knows nothing of
//! chains, stores or people. SPEC 1.3 fixes the primitives by the magic `SC1`; there is no negotiation. Long-lived
//! keys live in [`SecretKey`] (in shared locked pages, wiped); every use of a key has its own HKDF label.

pub mod aead;
pub mod boxes;
pub mod fingerprint;
pub mod format;
pub mod generate;
pub mod identity;
pub mod identity_file;
pub mod kdf;
pub mod random;
pub mod records;
pub mod scope_keys;
pub mod secret_key;
pub mod sign;
pub mod strength;

pub use boxes::SealedBox;
pub use identity::{Identity, PublicId, RecoveryKey};
pub use kdf::{KdfCost, KdfPolicy};
pub use records::{RecordContext, SealedInterval};
pub use scope_keys::{FullKey, MetaKey, SealedName, Subject};
pub use secret_key::SecretKey;
pub use sign::{Signature, VerifyKey};

use sha2::{Digest, Sha256};

/// Why a cryptographic operation did not give a result. Deliberately coarse: it says nothing about why a
/// ciphertext did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Authentication failed: wrong key, wrong context, or changed bytes.
    #[error("does not open: wrong key or changed bytes")]
    Unauthentic,
    /// The bytes are not in the one canonical form.
    #[error("malformed bytes")]
    Malformed,
    /// The format is known to a newer version only.
    #[error("made by a newer version of sealbox")]
    Newer,
    /// KDF parameters outside the accepted bounds (SPEC 1.4).
    #[error("key-derivation parameters are outside the accepted bounds")]
    KdfBounds,
    /// Not enough memory for the KDF.
    #[error("not enough memory to derive the key")]
    Memory,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
    /// A public key that is not a point, or a weak one.
    #[error("not a usable public key")]
    PublicKey,
}

/// SHA-256 of a secret key and then a message: tells equal messages apart from others, to nobody without the key. For
/// comparing within one process; never stored, never sent.
pub fn sha256_keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(key);
    hash.update(message);
    hash.finalize().into()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
