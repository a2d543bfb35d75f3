//! The search itself: one multiplication and one look into a bitmap for each byte, the rest only where it hits.
//!
//! The bitmap (32 KiB, so that it stays in the first cache; more for many needles) is indexed by the top bits of the hash
//! of a window; then the 24-bit mark is looked up, and only then is the whole needle hashed and compared. A hit is therefore the needle
//! itself, but for a chance of 2^-128.

use super::{FingerprintSet, Key, MARK_BITS, Print, Shape, WINDOW, mark_of};
use zeroize::Zeroize;

/// Bits of a hash that choose a bit of the bitmap: at least, and at most.
const BITMAP_BITS: (u32, u32) = (18, 22);
/// So many bits of the bitmap for each needle, if there is room.
const SPARSE: usize = 32;
/// Bits of a mark that choose a bucket.
const BUCKET_BITS: u32 = 16;

/// One needle found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins in the data.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The number that its owner was given.
    pub owner: u32,
    /// How it is written.
    pub shape: Shape,
}

/// A set made ready to search; shared between threads.
pub struct Matcher {
    key: Key,
    bitmap: Vec<u64>,
    /// How far a hash is shifted to become a place in the bitmap.
    shift: u32,
    /// Where the prints of each bucket begin.
    buckets: Vec<u32>,
    /// Sorted by mark, offset and length.
    prints: Vec<Print>,
    longest: usize,
}

impl Drop for Matcher {
    fn drop(&mut self) {
        self.prints.zeroize();
        self.bitmap.zeroize();
    }
}

impl Matcher {
    /// Takes the set over.
    pub fn new(mut set: FingerprintSet) -> Self {
        let mut prints = std::mem::take(&mut set.prints);
        let key = Key { factor: set.key.factor, summand: set.key.summand, mac: set.key.mac };
        prints.sort_unstable_by_key(|print| (print.mark, print.offset, print.len, print.owner));
        let (least, most) = BITMAP_BITS;
        let bits = (prints.len() * SPARSE).next_power_of_two().ilog2().clamp(least, most);
        let shift = u64::BITS - bits;
        let mut bitmap = vec![0_u64; 1 << (bits - 6)];
        for print in &prints {
            let (word, bit) = place(u64::from(print.mark) << (u64::BITS - MARK_BITS), shift);
            if let Some(word) = bitmap.get_mut(word) {
                *word |= bit;
            }
        }
        let mut buckets = Vec::with_capacity((1 << BUCKET_BITS) + 1);
        let mut at = 0;
        for bucket in 0..=(1_u32 << BUCKET_BITS) {
            while prints.get(at).is_some_and(|print| bucket_of(print.mark) < bucket) {
                at += 1;
            }
            buckets.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let longest = prints.iter().map(|print| print.len as usize).max().unwrap_or(0);
        Self { key, bitmap, shift, buckets, prints, longest }
    }

    /// Length of the longest needle: two pieces of a stream must overlap by one byte less for nothing to be missed.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// True if nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.prints.is_empty()
    }

    /// Tells every needle that is in `data` as a whole and ends behind `after`.
    pub fn search(&self, data: &[u8], after: usize, mut found: impl FnMut(Hit)) {
        if self.prints.is_empty() {
            return;
        }
        let (factor, summand, shift) = (self.key.factor, self.key.summand, self.shift);
        let bitmap = self.bitmap.as_slice();
        for (at, window) in data.array_windows::<WINDOW>().enumerate() {
            let spread = u64::from_le_bytes(*window).wrapping_mul(factor).wrapping_add(summand);
            let (word, bit) = place(spread, shift);
            if bitmap.get(word).is_some_and(|word| word & bit != 0) {
                self.look(data, at, mark_of(spread), after, &mut found);
            }
        }
    }

    /// The bitmap has a bit for the window at `at`: compares whole needles.
    #[cold]
    #[inline(never)]
    fn look(&self, data: &[u8], at: usize, mark: u32, after: usize, found: &mut impl FnMut(Hit)) {
        let bucket = bucket_of(mark) as usize;
        let bound = |bucket: usize| self.buckets.get(bucket).map_or(0, |at| *at as usize);
        let prints = self.prints.get(bound(bucket)..bound(bucket + 1)).unwrap_or_default();
        // Many owners may have the same value: it is hashed once.
        let mut hashed: Option<(usize, usize, [u8; 16])> = None;
        for print in prints.iter().filter(|print| print.mark == mark) {
            let Some(start) = at.checked_sub(print.offset as usize) else { continue };
            let end = start.saturating_add(print.len as usize);
            if end <= after {
                continue;
            }
            let Some(whole) = data.get(start..end) else { continue };
            let mac = match hashed {
                Some((s, e, mac)) if (s, e) == (start, end) => mac,
                _ => self.key.mac(whole),
            };
            hashed = Some((start, end, mac));
            if mac == print.mac
                && let Some(shape) = Shape::from_byte(print.shape)
            {
                found(Hit { start, end, owner: print.owner, shape });
            }
        }
    }
}

/// Word and bit of the bitmap for a hash.
#[inline]
fn place(spread: u64, shift: u32) -> (usize, u64) {
    let place = spread >> (shift & 63);
    ((place >> 6) as usize, 1 << (place & 63))
}

fn bucket_of(mark: u32) -> u32 {
    mark >> (MARK_BITS - BUCKET_BITS)
}
