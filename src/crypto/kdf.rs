//! Key derivation: HKDF-SHA256 (RFC 5869) between keys, Argon2id (RFC 9106) from a passphrase.
//!
//! Cost is an argument; bounds are checked before any memory is taken, so that a hostile file cannot ask for a
//! terabyte or for no work at all (SPEC 1.4, R41).

use super::{CryptoError, SecretKey};
use crate::domain::Passphrase;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// Argon2id cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The cost for new files, and the least that is accepted in old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfPolicy {
    /// Used when a file is written.
    pub cost: KdfCost,
    /// Files with less memory than this are refused.
    pub floor_kib: u32,
}

/// The most memory that a file may ask for: 4 GiB.
pub const MAX_MEMORY_KIB: u32 = 4 << 20;

impl KdfPolicy {
    /// RFC 9106's second recommended choice: 64 MiB, 3 passes, 4 lanes.
    pub const STANDARD: Self =
        Self { cost: KdfCost { memory_kib: 64 << 10, passes: 3, lanes: 4 }, floor_kib: 64 << 10 };

    /// Ok if a file with this cost may be opened or written.
    pub fn accept(&self, cost: KdfCost) -> Result<(), CryptoError> {
        let memory = self.floor_kib..=MAX_MEMORY_KIB;
        let fine = memory.contains(&cost.memory_kib)
            && (1..=16).contains(&cost.passes)
            && (1..=8).contains(&cost.lanes);
        if fine { Ok(()) } else { Err(CryptoError::KdfBounds) }
    }
}

/// Argon2id of the NFKC form of `passphrase`: 32 bytes. The memory blocks are wiped.
pub fn from_passphrase(
    passphrase: &Passphrase,
    salt: &[u8; 16],
    cost: KdfCost,
) -> Result<SecretKey, CryptoError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))
        .map_err(|_| CryptoError::KdfBounds)?;
    let mut memory: Vec<Block> = Vec::new();
    memory.try_reserve_exact(params.block_count()).map_err(|_| CryptoError::Memory)?;
    memory.resize(params.block_count(), Block::default());
    // NFKC makes a character at most 18 times as long (UAX #15); a string that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(passphrase.expose().len().saturating_mul(18)));
    text.extend(passphrase.expose().nfkc());
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let key = SecretKey::from_fn(|out| {
        argon
            .hash_password_into_with_memory(text.as_bytes(), salt, out, memory.as_mut_slice())
            .map_err(|_| CryptoError::KdfBounds)
    });
    memory.iter_mut().for_each(Zeroize::zeroize);
    key
}

/// `HKDF-SHA256(key, info = label)`, no salt: the inputs are uniform keys. 32 bytes into `out`.
pub fn derive_into(key: &[u8; 32], label: &str, out: &mut [u8; 32]) -> Result<(), CryptoError> {
    Hkdf::<Sha256>::new(None, key).expand(label.as_bytes(), out).map_err(|_| CryptoError::Malformed)
}

/// As [`derive_into`], into a locked page: for keys that are kept.
pub fn derive(key: &[u8; 32], label: &str) -> Result<SecretKey, CryptoError> {
    SecretKey::from_fn(|out| derive_into(key, label, out))
}

/// As [`derive_into`], for keys that live as long as one call.
pub fn derive_brief(key: &[u8; 32], label: &str) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let mut out = Zeroizing::new([0; 32]);
    derive_into(key, label, &mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_passphrases_are_the_same() {
        let cost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };
        let one = from_passphrase(&Passphrase::new("caf\u{e9}".into()), &[1; 16], cost).unwrap();
        let two = from_passphrase(&Passphrase::new("cafe\u{301}".into()), &[1; 16], cost).unwrap();
        assert!(*one.expose() == *two.expose());
    }

    #[test]
    fn costs_outside_the_bounds_are_refused() {
        let ok = KdfPolicy::STANDARD.cost;
        assert!(KdfPolicy::STANDARD.accept(ok).is_ok());
        for bad in [
            KdfCost { memory_kib: (64 << 10) - 1, ..ok },
            KdfCost { memory_kib: MAX_MEMORY_KIB + 1, ..ok },
            KdfCost { memory_kib: u32::MAX, ..ok },
            KdfCost { passes: 0, ..ok },
            KdfCost { passes: 17, ..ok },
            KdfCost { lanes: 0, ..ok },
            KdfCost { lanes: 9, ..ok },
        ] {
            assert_eq!(KdfPolicy::STANDARD.accept(bad), Err(CryptoError::KdfBounds));
        }
    }

    #[test]
    fn hkdf_matches_an_independent_computation() {
        // RFC 5869 with an empty salt: PRK = HMAC(0*32, IKM); OKM = HMAC(PRK, info | 0x01). Computed with Python's hmac.
        let out = derive_brief(&[0x0b; 32], "sc1/test").unwrap();
        assert_eq!(crate::domain::scope::hex(&out[..]), HKDF_VECTOR);
    }
    const HKDF_VECTOR: &str = "c3e823b813498833e996b44e45b236efb0051d87042058d8c98961c5346fb285";
}
