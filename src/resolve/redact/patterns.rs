//! All spellings of all values, arranged so that a stream is searched for every one of them in a single pass.
//!
//! A sieve (a keyed hash of the next six bytes into a bitmap) rejects almost every position at the speed of memory. What
//! passes is looked up among the heads: the first 256 bytes of each spelling, sorted, each knowing the longest other head
//! that begins it. So the longest head at a position is found by one binary search, whatever the values are.
//!
//! The heads are plaintext. They live in one block that is wiped when it is dropped; what is derived from them (hashes
//! under a key of this process, lengths, order) is not a secret. The block is not locked into memory: it may be swapped.

use super::spelling::{Form, Spelling, forms};
use std::hash::{BuildHasher, Hasher, RandomState};
use zeroize::Zeroizing;

/// The shortest spelling that is looked for.
pub(super) const SHORTEST: usize = 6;
/// So much of a spelling is compared at once; what is longer goes on as a [`Rest`].
pub(super) const HEAD: usize = 256;

/// Bytes of a page of heads while they are collected.
const PAGE: usize = 64 << 10;
const SIX_BYTES: u64 = 0xffff_ffff_ffff;
const NONE: u32 = u32::MAX;

/// One spelling of one value, while all are collected.
#[derive(Clone, Copy)]
struct Spelled {
    /// Where in the [`Draft`] at most [`HEAD`] bytes of it stand: page, start, length.
    place: (usize, usize, usize),
    owner: u32,
    /// Set if there is more of it.
    goes_on: Option<Form>,
}

/// The heads of all spellings while they are collected, in pages that never grow: growing would leave copies behind.
#[derive(Default)]
struct Draft {
    pages: Vec<Zeroizing<Vec<u8>>>,
    spelled: Vec<Spelled>,
}

/// A spelling, or the first [`HEAD`] bytes that longer ones share.
struct Head {
    start: usize,
    length: usize,
    /// Whose value it is: an index given by the caller.
    owner: u32,
    /// The longest other head that this one begins with.
    parent: u32,
    /// Where its spellings go on: a range of `rests`.
    rests: (u32, u32),
}

/// The part of a long spelling behind its head.
pub(super) struct Rest {
    /// Whose value it is.
    pub(super) owner: u32,
    pub(super) form: Form,
}

/// What stands at a position.
pub(super) enum Found {
    /// No spelling.
    Nothing,
    /// This one, and no longer one is possible.
    Whole(Match),
    /// More bytes must come before it is known; the longest so far, if any is complete.
    Undecided(Option<Match>),
}

/// A spelling that was found.
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) owner: u32,
    /// Which rests go on behind it.
    pub(super) rests: std::ops::Range<u32>,
}

/// See the head of this file.
pub(super) struct Patterns {
    text: Zeroizing<Vec<u8>>,
    heads: Vec<Head>,
    rests: Vec<Rest>,
    /// Ranges of heads that share their first six bytes, and a hash table of them.
    groups: Vec<(usize, usize)>,
    slots: Vec<u32>,
    sieve: Vec<u64>,
    key: u64,
    sieve_shift: u32,
    slot_shift: u32,
}

impl Patterns {
    /// Of these values, known by their index. Each has at least [`SHORTEST`] bytes.
    pub(super) fn of(values: &[&[u8]]) -> Self {
        let mut draft = Draft::default();
        for (owner, value) in (0u32..).zip(values) {
            draft.spell(owner, value);
        }
        let Draft { pages, mut spelled } = draft;
        let head = |it: &Spelled| slice(&pages, it.place);
        spelled.sort_unstable_by(|a, b| head(a).cmp(head(b)).then(a.owner.cmp(&b.owner)));
        Self::arranged(&pages, &spelled)
    }

    fn arranged(pages: &[Zeroizing<Vec<u8>>], spelled: &[Spelled]) -> Self {
        let groups = || spelled.chunk_by(|a, b| slice(pages, a.place) == slice(pages, b.place));
        let size = groups().filter_map(<[_]>::first).map(|first| first.place.2);
        let mut text = Zeroizing::new(Vec::with_capacity(size.sum())); // like a page, it never grows
        let (mut heads, mut rests) = (Vec::new(), Vec::new());
        let mut open: Vec<(u32, &[u8])> = Vec::new(); // heads that the next one may begin with, longest last
        for same in groups() {
            let Some(Spelled { place, owner, .. }) = same.first() else { continue };
            let head = slice(pages, *place);
            while open.last().is_some_and(|(_, begun)| !head.starts_with(begun)) {
                open.pop();
            }
            let first = rests.len() as u32;
            let going_on = same.iter().filter_map(|it| Some(Rest { owner: it.owner, form: it.goes_on? }));
            rests.extend(going_on);
            let parent = open.last().map_or(NONE, |(number, _)| *number);
            open.push((heads.len() as u32, head));
            heads.push(Head {
                start: text.len(),
                length: head.len(),
                owner: *owner,
                parent,
                rests: (first, rests.len() as u32),
            });
            text.extend_from_slice(head);
        }
        let mut patterns = Self {
            text,
            heads,
            rests,
            groups: Vec::new(),
            slots: Vec::new(),
            sieve: Vec::new(),
            key: RandomState::new().build_hasher().finish() | 1,
            sieve_shift: 0,
            slot_shift: 0,
        };
        patterns.index();
        patterns
    }

    /// Fills the groups, the hash table and the sieve.
    fn index(&mut self) {
        let mut start = 0;
        while start < self.heads.len() {
            let six = self.six(start);
            let end = (start..self.heads.len()).find(|n| self.six(*n) != six).unwrap_or(self.heads.len());
            self.groups.push((start, end));
            start = end;
        }
        // 64 bits a group: one position in 64 passes by chance
        let sieve_bits = (self.groups.len() * 64).next_power_of_two().clamp(1 << 12, 1 << 22);
        let slots = (self.groups.len() * 4).next_power_of_two();
        self.sieve_shift = 64 - sieve_bits.trailing_zeros();
        self.slot_shift = 64 - slots.trailing_zeros().max(1);
        self.sieve = vec![0; sieve_bits / 64];
        self.slots = vec![NONE; slots.max(2)];
        for (number, (first, _)) in (0u32..).zip(self.groups.clone()) {
            let hash = self.hash(self.six(first));
            let bit = hash >> self.sieve_shift;
            if let Some(word) = self.sieve.get_mut((bit >> 6) as usize) {
                *word |= 1 << (bit & 63);
            }
            let mut at = (hash >> self.slot_shift) as usize;
            while self.slots.get(at).is_some_and(|taken| *taken != NONE) {
                at = (at + 1) & (self.slots.len() - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = number;
            }
        }
    }

    fn head(&self, number: usize) -> &[u8] {
        let head = self.heads.get(number);
        head.and_then(|head| self.text.get(head.start..head.start + head.length)).unwrap_or_default()
    }

    fn six(&self, number: usize) -> u64 {
        six_bytes(self.head(number)).unwrap_or_default()
    }

    fn hash(&self, six: u64) -> u64 {
        six.wrapping_mul(self.key)
    }

    /// True if some spelling may begin with these six bytes.
    fn passes(&self, six: u64) -> bool {
        let bit = self.hash(six) >> self.sieve_shift;
        self.sieve.get((bit >> 6) as usize).is_some_and(|word| word >> (bit & 63) & 1 == 1)
    }

    /// The first position from `from` on where a spelling may begin. With `last`, no more bytes will come; otherwise the
    /// last five positions count too if a spelling begins with what is there.
    pub(super) fn candidate(&self, text: &[u8], from: usize, last: bool) -> Option<usize> {
        let rest = text.get(from..)?;
        for (at, window) in rest.array_windows::<8>().enumerate() {
            if self.passes(u64::from_le_bytes(*window) & SIX_BYTES) {
                return Some(from + at);
            }
        }
        for at in rest.len().saturating_sub(7)..rest.len() {
            let tail = rest.get(at..).unwrap_or_default();
            let possible = match six_bytes(tail) {
                Some(six) => self.passes(six),
                None => !last && self.begins_some(tail),
            };
            if possible {
                return Some(from + at);
            }
        }
        None
    }

    /// True if a spelling begins with these bytes.
    fn begins_some(&self, bytes: &[u8]) -> bool {
        let (mut low, mut high) = (0, self.heads.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.head(middle) < bytes { low = middle + 1 } else { high = middle }
        }
        low < self.heads.len() && self.head(low).starts_with(bytes)
    }

    /// What begins at the start of `text`. With `last`, no more bytes will come.
    pub(super) fn at(&self, text: &[u8], last: bool) -> Found {
        let Some(six) = six_bytes(text) else {
            return if last { Found::Nothing } else { Found::Undecided(None) };
        };
        let Some((first, end)) = self.group(six) else { return Found::Nothing };
        let text = text.get(..HEAD).unwrap_or(text);
        let (mut low, mut high) = (first, end);
        while low < high {
            let middle = low.midpoint(high);
            if self.head(middle) <= text { low = middle + 1 } else { high = middle }
        }
        // Heads that begin with all of the text stand right behind it; of those that the text begins with, the longest
        // is the one before it, or begins that one.
        let longer = !last && text.len() < HEAD && low < end && self.head(low).starts_with(text);
        let found = low.checked_sub(1).filter(|before| *before >= first).and_then(|before| {
            let agreed = self.head(before).iter().zip(text).take_while(|(a, b)| a == b).count();
            let mut head = self.heads.get(before)?;
            while head.length > agreed {
                head = self.heads.get(usize::try_from(head.parent).ok()?)?;
            }
            Some(Match { length: head.length, owner: head.owner, rests: head.rests.0..head.rests.1 })
        });
        match found {
            found if longer => Found::Undecided(found),
            Some(found) => Found::Whole(found),
            None => Found::Nothing,
        }
    }

    fn group(&self, six: u64) -> Option<(usize, usize)> {
        let mut at = (self.hash(six) >> self.slot_shift) as usize;
        loop {
            let group = self.groups.get(usize::try_from(*self.slots.get(at)?).ok()?)?;
            if self.six(group.0) == six {
                return Some(*group);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// How a long spelling goes on.
    pub(super) fn rest(&self, number: u32) -> Option<&Rest> {
        self.rests.get(usize::try_from(number).ok()?)
    }

    /// True if there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }
}

impl Draft {
    /// Adds every spelling of a value, each once.
    fn spell(&mut self, owner: u32, value: &[u8]) {
        let first = self.spelled.len();
        for form in forms(value) {
            if self.pages.last().is_none_or(|page| page.len() + HEAD > page.capacity()) {
                self.pages.push(Zeroizing::new(Vec::with_capacity(PAGE)));
            }
            let number = self.pages.len() - 1;
            let Some(page) = self.pages.last_mut() else { return };
            let (mut spelling, start) = (Spelling::new(form), page.len());
            while page.len() < start + HEAD
                && let Some(byte) = spelling.next(value)
            {
                page.push(byte);
            }
            let place = (number, start, page.len() - start);
            let goes_on = spelling.next(value).map(|_| form);
            let head = slice(&self.pages, place);
            let mut before = self.spelled.get(first..).unwrap_or_default().iter();
            // a value may have thousands of lines; two that are equal become one head later
            let known = goes_on.is_none()
                && !matches!(form, Form::Line(..))
                && before.any(|it| it.goes_on.is_none() && slice(&self.pages, it.place) == head);
            if known || head.len() < SHORTEST {
                if let Some(page) = self.pages.last_mut() {
                    page.truncate(start);
                }
            } else {
                self.spelled.push(Spelled { place, owner, goes_on });
            }
        }
    }
}

fn slice(pages: &[Zeroizing<Vec<u8>>], (page, start, length): (usize, usize, usize)) -> &[u8] {
    pages.get(page).and_then(|page| page.get(start..start + length)).unwrap_or_default()
}

fn six_bytes(text: &[u8]) -> Option<u64> {
    let [a, b, c, d, e, f] = *text.first_chunk::<SHORTEST>()?;
    Some(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
}
