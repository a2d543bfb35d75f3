//! Keyed fingerprints: finds many values in a stream in one pass, without holding a value.
//!
//! A [`FingerprintSet`] is made where the values are and used where the files are. For every shape of a value (as it is,
//! base64, hexadecimal, escaped) it keeps a 24-bit mark of one window of eight bytes, a length, and 16 bytes of a keyed
//! hash of the whole; the key is random for each set. No value stands in it; but whoever holds a set holds its key, can try
//! guesses against it, and can work out some bytes of a value from the marks, all of a short one. So it goes only to who
//! may resolve the values anyway, is wiped, never printed, and never written to a disk.

mod matcher;
mod shapes;

pub use matcher::{Hit, Matcher};
pub use shapes::Shape;

use super::{CryptoError, random};
use crate::domain::{SecretValue, leak::TooVague};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of the window that is looked for first; a shorter value cannot be searched for without noise.
pub const WINDOW: usize = 8;
/// The longest fingerprint, in bytes of what is in a file; of a longer shape only the beginning is looked for.
pub const MAX_NEEDLE: usize = 16 * 1024;
/// Bits of a mark.
const MARK_BITS: u32 = 24;
/// How far into a needle the window may be.
const MAX_OFFSET: usize = 1024;
const KEY: usize = 48;
const PRINT: usize = 33;

/// What one scan looks for. Has no `Debug`, `Clone` or `Serialize`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct FingerprintSet {
    key: Key,
    prints: Vec<Print>,
}

/// The key of one set.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Key {
    /// Odd.
    factor: u64,
    summand: u64,
    mac: [u8; 32],
}

/// One needle.
#[derive(Zeroize)]
struct Print {
    /// [`MARK_BITS`] bits of the keyed hash of the window.
    mark: u32,
    /// Where the window is in the needle.
    offset: u32,
    /// Length of the needle.
    len: u32,
    /// Whose it is: a number that the caller gave.
    owner: u32,
    shape: u8,
    /// Keyed hash of the whole needle.
    mac: [u8; 16],
}

impl Key {
    fn from_bytes(bytes: &[u8; KEY]) -> Option<Self> {
        let (factor, rest) = bytes.split_first_chunk::<8>()?;
        let (summand, mac) = rest.split_first_chunk::<8>()?;
        Some(Self {
            factor: u64::from_le_bytes(*factor) | 1,
            summand: u64::from_le_bytes(*summand),
            mac: *mac.first_chunk::<32>()?,
        })
    }

    /// A multiply-shift hash: two windows share a mark with a chance of 2 in 2^24, and one costs a multiplication.
    fn spread(&self, window: &[u8; WINDOW]) -> u64 {
        u64::from_le_bytes(*window).wrapping_mul(self.factor).wrapping_add(self.summand)
    }

    fn mark(&self, window: &[u8; WINDOW]) -> u32 {
        mark_of(self.spread(window))
    }

    /// The length is known where this is compared, so a prefix key is enough.
    fn mac(&self, needle: &[u8]) -> [u8; 16] {
        let whole: [u8; 32] = Sha256::new().chain_update(self.mac).chain_update(needle).finalize().into();
        let mut half = [0; 16];
        half.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        half
    }
}

/// The mark is the top of the hash.
fn mark_of(spread: u64) -> u32 {
    u32::try_from(spread >> (u64::BITS - MARK_BITS)).unwrap_or(u32::MAX)
}

impl FingerprintSet {
    /// An empty set with a fresh key.
    pub fn new() -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; KEY]);
        random::fill(bytes.as_mut_slice())?;
        let key = Key::from_bytes(&bytes).ok_or(CryptoError::Randomness)?;
        Ok(Self { key, prints: Vec::new() })
    }

    /// Adds every shape of a value under the number `owner`. White space around it does not count.
    ///
    /// # Errors
    /// [`TooVague`] if it would be found where it is not.
    pub fn add(&mut self, owner: u32, value: &SecretValue) -> Result<(), TooVague> {
        for (shape, needle) in shapes::of(value.expose())? {
            let Some((offset, window)) = anchor(&needle) else { continue };
            self.prints.push(Print {
                mark: self.key.mark(window),
                offset: number(offset),
                len: number(needle.len()),
                owner,
                shape: shape as u8,
                mac: self.key.mac(&needle),
            });
        }
        Ok(())
    }

    /// How many needles are in it.
    pub fn len(&self) -> usize {
        self.prints.len()
    }

    /// True if nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.prints.is_empty()
    }

    /// The set as bytes, to cross the door of the service; they are as sensitive as the set.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(KEY + self.prints.len() * PRINT));
        out.extend_from_slice(&self.key.factor.to_le_bytes());
        out.extend_from_slice(&self.key.summand.to_le_bytes());
        out.extend_from_slice(&self.key.mac);
        for print in &self.prints {
            for word in [print.mark, print.offset, print.len, print.owner] {
                out.extend_from_slice(&word.to_le_bytes());
            }
            out.push(print.shape);
            out.extend_from_slice(&print.mac);
        }
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (key, rest) = bytes.split_first_chunk::<KEY>().ok_or(CryptoError::Malformed)?;
        let (prints, []) = rest.as_chunks::<PRINT>() else { return Err(CryptoError::Malformed) };
        let key = Key::from_bytes(key).ok_or(CryptoError::Malformed)?;
        let prints: Option<Vec<Print>> = prints.iter().map(Print::from_bytes).collect();
        Ok(Self { key, prints: prints.ok_or(CryptoError::Malformed)? })
    }
}

impl Print {
    fn from_bytes(bytes: &[u8; PRINT]) -> Option<Self> {
        let (words, rest) = bytes.split_first_chunk::<16>()?;
        let (words, _) = words.as_chunks::<4>();
        let [mark, offset, len, owner] = words else { return None };
        let (shape, mac) = rest.split_first()?;
        let print = Self {
            mark: u32::from_le_bytes(*mark),
            offset: u32::from_le_bytes(*offset),
            len: u32::from_le_bytes(*len),
            owner: u32::from_le_bytes(*owner),
            shape: *shape,
            mac: *mac.first_chunk::<16>()?,
        };
        let end = (print.offset as usize).checked_add(WINDOW)?;
        let sound = end <= print.len as usize
            && print.len as usize <= MAX_NEEDLE
            && print.mark >> MARK_BITS == 0
            && Shape::from_byte(print.shape).is_some();
        sound.then_some(print)
    }
}

/// The window by which a needle is noticed: the most varied one, because the beginning of a value (`https://`,
/// `-----BEGIN`) may be in every file.
fn anchor(needle: &[u8]) -> Option<(usize, &[u8; WINDOW])> {
    let windows = needle.array_windows::<WINDOW>().take(MAX_OFFSET).enumerate();
    // `max_by_key` gives the last of equals, which is further from a common beginning.
    windows.max_by_key(|(_, window)| variety(window.as_slice()))
}

/// Different bytes, and kinds of bytes counted twice.
fn variety(bytes: &[u8]) -> usize {
    let different =
        bytes.iter().enumerate().filter(|(at, byte)| !bytes.iter().take(*at).any(|b| b == *byte)).count();
    different + 2 * shapes::kinds(bytes)
}

/// A length, which is below [`MAX_NEEDLE`].
fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
