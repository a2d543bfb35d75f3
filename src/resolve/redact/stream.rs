//! One stream on its way through a redaction, whatever pieces it comes in.
//!
//! Owns what is held back: the shortest tail that may still become a value, never more than 255 bytes. A long value
//! is not held: once its first 256 bytes have come it is hidden for as far as it agrees. Invariant: every byte that belongs
//! to a spelling found in the stream is hidden, also where spellings overlap; every other byte passes unchanged, once, in
//! order.

use super::Redaction;
use super::patterns::{Found, HEAD, Match};
use super::spelling::Spelling;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A tail shorter than this is let go when nothing follows (SPEC R27).
const WORTH_HOLDING: usize = 4;
/// So much is looked at in one go.
const PIECE: usize = 32 << 10;
/// So many overlapping copies of one long spelling are followed at once. More can only come from a value that repeats
/// itself; their heads are hidden all the same.
const OVERLAPS: usize = 8;

/// One stream.
pub struct Redactor {
    redaction: Arc<Redaction>,
    /// What has come and may still be part of a value, then the piece at hand. Never grows: its memory is wiped.
    work: Zeroizing<Vec<u8>>,
    /// Everything before this position of `work` was shown or hidden already.
    done: usize,
    runs: Vec<Run>,
}

/// A long spelling whose head was found, followed as far as the stream agrees with it.
struct Run {
    rest: u32,
    spelling: Spelling,
    /// Where it stopped agreeing or, while it is alive, the end of `work`.
    end: usize,
    alive: bool,
}

impl Redactor {
    /// For one stream, from its first byte.
    pub fn new(redaction: Arc<Redaction>) -> Self {
        Self { redaction, work: Zeroizing::new(Vec::with_capacity(PIECE + HEAD)), done: 0, runs: Vec::new() }
    }

    /// Takes what the program wrote; appends to `out` what may be shown by now.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if self.redaction.is_empty() {
            return out.extend_from_slice(chunk);
        }
        for piece in chunk.chunks(PIECE) {
            self.work.extend_from_slice(piece);
            for run in &mut self.runs {
                run.advance(&self.redaction, &self.work);
                self.done = self.done.max(run.end);
            }
            self.process(false, out);
        }
    }

    /// Nothing came for a while (under 50 ms): lets go of a held tail, unless it is the beginning of a value, four
    /// bytes or longer. What is let go is still remembered: if a value does follow, the rest of it is hidden.
    pub fn settle(&mut self, out: &mut Vec<u8>) {
        if let Found::Undecided(Some(found)) = self.redaction.patterns.at(&self.work, false) {
            self.hide(0, found, out);
        }
        if self.work.len() < WORTH_HOLDING {
            self.show(self.work.len(), out);
        }
    }

    /// The stream has ended: lets go of everything that is no value.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.process(true, out);
        self.runs.clear();
    }

    /// Bytes that are held back at present.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.work.len()
    }

    fn process(&mut self, last: bool, out: &mut Vec<u8>) {
        let redaction = Arc::clone(&self.redaction);
        let mut from = 0;
        let undecided = loop {
            let Some(at) = redaction.patterns.candidate(&self.work, from, last) else {
                break self.work.len();
            };
            match redaction.patterns.at(self.work.get(at..).unwrap_or_default(), last) {
                Found::Nothing => {}
                Found::Whole(found) => self.hide(at, found, out),
                Found::Undecided(_) => break at,
            }
            from = at + 1;
        };
        self.show(undecided, out);
        let kept = self.work.len() - undecided;
        self.work.copy_within(undecided.., 0);
        self.work.truncate(kept);
        self.done -= undecided;
        for run in &mut self.runs {
            run.end = run.end.saturating_sub(undecided);
        }
        self.runs.retain(|run| run.alive || run.end > 0);
    }

    /// Shows what is not done up to a position.
    fn show(&mut self, until: usize, out: &mut Vec<u8>) {
        if until > self.done {
            out.extend_from_slice(self.work.get(self.done..until).unwrap_or_default());
            self.done = until;
        }
    }

    /// Hides a spelling that was found at a position, and follows its rests.
    fn hide(&mut self, at: usize, found: Match, out: &mut Vec<u8>) {
        self.show(at, out);
        let end = at + found.length;
        if end > self.done {
            out.extend_from_slice(b"[sealed:");
            out.extend_from_slice(self.redaction.name(found.owner).as_bytes());
            out.push(b']');
            self.done = end;
        }
        for rest in found.rests {
            if self.runs.iter().filter(|run| run.rest == rest && (run.alive || run.end > at)).count()
                < OVERLAPS
                && let Some(run) = Run::start(&self.redaction, rest, end, &self.work)
            {
                self.done = self.done.max(run.end);
                self.runs.push(run);
            }
        }
    }
}

impl Run {
    fn start(redaction: &Redaction, rest: u32, end: usize, work: &[u8]) -> Option<Self> {
        let mut spelling = Spelling::new(redaction.patterns.rest(rest)?.form);
        for _ in 0..HEAD {
            spelling.next(redaction.value_of(rest));
        }
        let mut run = Self { rest, spelling, end, alive: true };
        run.advance(redaction, work);
        Some(run)
    }

    fn advance(&mut self, redaction: &Redaction, work: &[u8]) {
        let value = redaction.value_of(self.rest);
        while self.alive
            && let Some(byte) = work.get(self.end)
        {
            self.alive = self.spelling.next(value) == Some(*byte);
            self.end += usize::from(self.alive);
        }
    }
}
