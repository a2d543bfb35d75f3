//! A 32-byte secret on a page of its own: locked against swapping where the system allows it, wiped on drop.
//!
//! Has no `Debug`, `Display`, `Clone`, `PartialEq` or `Serialize`. Failing to lock memory is a warning, never an
//! error (SPEC R39): ask [`memory_is_locked`].

use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroize;

const PAGE: usize = 4096;
static LOCK_FAILED: AtomicBool = AtomicBool::new(false);

/// False once any key could not be locked into memory (usually a low `ulimit -l`).
pub fn memory_is_locked() -> bool {
    !LOCK_FAILED.load(Ordering::Relaxed)
}

#[repr(C, align(4096))]
struct Page([u8; PAGE]);

/// 32 secret bytes.
pub struct SecretKey {
    // First, so that the page is unlocked (and by `drop` below already wiped) before it is freed: fields are dropped in
    // this order, and unlocking memory that was given back fails or unlocks somebody else's.
    _lock: Option<region::LockGuard>,
    page: Box<Page>,
}

impl SecretKey {
    /// Lets `fill` write the key straight into its locked page, so that no copy is left on the stack.
    pub fn from_fn<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let page = Box::new(Page([0; PAGE]));
        let lock = region::lock(page.0.as_ptr(), PAGE).ok();
        if lock.is_none() {
            LOCK_FAILED.store(true, Ordering::Relaxed);
        }
        let mut key = Self { _lock: lock, page };
        if let Some(bytes) = key.page.0.first_chunk_mut::<32>() {
            fill(bytes)?;
        }
        Ok(key)
    }

    /// Takes a copy of `bytes`; the caller wipes its own.
    pub fn copy_of(bytes: &[u8; 32]) -> Self {
        let filled = Self::from_fn(|page| {
            page.copy_from_slice(bytes);
            Ok::<(), std::convert::Infallible>(())
        });
        match filled {
            Ok(key) => key,
            Err(never) => match never {},
        }
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        const EMPTY: &[u8; 32] = &[0; 32];
        self.page.0.first_chunk::<32>().unwrap_or(EMPTY) // a page is longer than 32 bytes
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_was_given() {
        assert_eq!(SecretKey::copy_of(&[9; 32]).expose(), &[9; 32]);
    }
}
