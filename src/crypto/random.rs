//! Randomness from the operating system.

use super::{CryptoError, SecretKey};
use chacha20poly1305::aead::Generate;
use zeroize::Zeroize;

/// `N` fresh random bytes.
pub fn array<const N: usize>() -> Result<[u8; N], CryptoError>
where
    [u8; N]: Generate,
{
    <[u8; N]>::try_generate().map_err(|_| CryptoError::Randomness)
}

/// Fills `out` with random bytes.
pub fn fill(out: &mut [u8]) -> Result<(), CryptoError> {
    for chunk in out.chunks_mut(32) {
        let mut bytes = array::<32>()?;
        for (to, from) in chunk.iter_mut().zip(&bytes) {
            *to = *from;
        }
        bytes.zeroize();
    }
    Ok(())
}

/// A fresh random key.
pub fn key() -> Result<SecretKey, CryptoError> {
    SecretKey::from_fn(|bytes| fill(bytes))
}
