//! 32-byte secrets in an arena of shared pages: locked against swapping where the system allows it, wiped on drop.
//!
//! A locked page costs 4 KiB of a budget that is small on many systems (`ulimit -l`), so sixty-four keys share one; a
//! vault with hundreds of scopes stays under 64 KiB (SPEC R38). Each slot has its own lock because a page is shared: that is
//! what lets a slot be wiped without a copy of the key ever standing elsewhere, and without `unsafe`.
//!
//! A key has no `Debug`, `Display`, `Clone`, `PartialEq` or `Serialize`. Failing to lock memory is a warning, never an
//! error (SPEC R39): ask [`memory_is_locked`].

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use zeroize::Zeroize;

/// Keys in a page: as many as leave room for each slot's lock, and as many as a `u64` has bits.
const SLOTS: usize = 64;
static LOCK_FAILED: AtomicBool = AtomicBool::new(false);
/// Every page with its free slots. A page goes when its last key goes, except for one that is kept for the next.
static ARENA: Mutex<Vec<Arc<Page>>> = Mutex::new(Vec::new());

/// False once any key could not be locked into memory (usually a low `ulimit -l`).
pub fn memory_is_locked() -> bool {
    !LOCK_FAILED.load(Ordering::Relaxed)
}

/// How many bytes of memory are taken for keys: the number of pages times their size.
pub fn arena_bytes() -> usize {
    arena().len() * size_of::<Slots>()
}

#[repr(C, align(4096))]
struct Slots([RwLock<[u8; 32]>; SLOTS]);

struct Page {
    // First, so that the page is unlocked (all its keys are wiped by then) before it is freed: fields are dropped in this
    // order, and unlocking memory that was given back fails or unlocks somebody else's.
    _lock: Option<region::LockGuard>,
    slots: Box<Slots>,
    /// One bit a slot, set while it is free; read and written under the arena's lock only.
    free: Mutex<u64>,
}

impl Page {
    fn new() -> Self {
        let slots = Box::new(Slots([const { RwLock::new([0; 32]) }; SLOTS]));
        let lock = region::lock(std::ptr::from_ref(&*slots).cast::<u8>(), size_of::<Slots>()).ok();
        if lock.is_none() {
            LOCK_FAILED.store(true, Ordering::Relaxed);
        }
        Self { _lock: lock, slots, free: Mutex::new(u64::MAX) }
    }

    /// Takes a free slot.
    fn claim(&self) -> Option<usize> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = free.trailing_zeros();
        *free &= !1_u64.checked_shl(slot)?;
        usize::try_from(slot).ok()
    }
}

fn arena() -> MutexGuard<'static, Vec<Arc<Page>>> {
    ARENA.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A slot of its own in a page of the arena.
fn claim() -> (Arc<Page>, usize) {
    let mut pages = arena();
    let found = pages.iter().find_map(|page| Some((Arc::clone(page), page.claim()?)));
    found.unwrap_or_else(|| {
        let page = Arc::new(Page::new());
        let slot = page.claim().unwrap_or_default(); // a new page has only free slots
        pages.push(Arc::clone(&page));
        (page, slot)
    })
}

/// 32 secret bytes.
pub struct SecretKey {
    page: Arc<Page>,
    slot: usize,
}

impl SecretKey {
    /// Lets `fill` write the key straight into its locked page, so that no copy is left on the stack.
    pub fn from_fn<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let (page, slot) = claim();
        let key = Self { page, slot };
        if let Some(bytes) = key.page.slots.0.get(slot) {
            fill(&mut bytes.write().unwrap_or_else(PoisonError::into_inner))?;
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

    /// The bytes, where they are: nothing is copied.
    pub fn expose(&self) -> Exposed<'_> {
        let slot = self.page.slots.0.get(self.slot);
        Exposed(slot.map(|bytes| bytes.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        if let Some(bytes) = self.page.slots.0.get(self.slot) {
            bytes.write().unwrap_or_else(PoisonError::into_inner).zeroize();
        }
        let mut pages = arena();
        let mut free = self.page.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free |= 1 << self.slot;
        if *free == u64::MAX && pages.len() > 1 {
            pages.retain(|page| !Arc::ptr_eq(page, &self.page));
        }
    }
}

/// A look at a key in its page.
pub struct Exposed<'a>(Option<RwLockReadGuard<'a, [u8; 32]>>);

impl Deref for Exposed<'_> {
    type Target = [u8; 32];
    fn deref(&self) -> &[u8; 32] {
        const EMPTY: &[u8; 32] = &[0; 32];
        self.0.as_deref().unwrap_or(EMPTY) // a slot that was claimed exists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_was_given() {
        assert_eq!(*SecretKey::copy_of(&[9; 32]).expose(), [9; 32]);
    }

    #[test]
    fn hundreds_of_keys_share_pages_and_none_sees_another() {
        let keys: Vec<SecretKey> = (0..200_u8).map(|n| SecretKey::copy_of(&[n; 32])).collect();
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(*key.expose(), [u8::try_from(n).unwrap(); 32]);
        }
        let pages: std::collections::HashSet<_> = keys.iter().map(|key| Arc::as_ptr(&key.page)).collect();
        // other tests of this process hold keys too, so the first page may be a shared one
        assert!(pages.len() <= 5, "{} pages for 200 keys", pages.len());
    }

    #[test]
    fn a_slot_is_wiped_before_it_is_given_away() {
        let key = SecretKey::copy_of(&[7; 32]);
        let (page, slot) = (Arc::clone(&key.page), key.slot);
        drop(key);
        // another test may have taken the slot by now, with a key of its own, but never with ours
        assert_ne!(*page.slots.0[slot].read().unwrap(), [7; 32]);
    }

    #[test]
    fn a_key_whose_filling_failed_leaves_nothing_behind() {
        let mut place = (std::ptr::null(), 0);
        let failed = SecretKey::from_fn(|bytes| {
            bytes.fill(0xAA);
            place = (std::ptr::from_ref(bytes), 1);
            Err("no")
        });
        assert!(failed.is_err() && place.1 == 1);
        assert!(
            arena().iter().all(|page| page.slots.0.iter().all(|slot| *slot.read().unwrap() != [0xAA; 32]))
        );
    }

    #[test]
    fn a_page_of_slots_is_one_page() {
        assert_eq!(size_of::<Slots>(), 4096);
    }
}
