//! One pass over one stream: references and leaks, in pieces of 1 MiB that overlap.
//!
//! Invariant: whatever lies across the border of two pieces is found once. A needle counts in the piece in which it ends;
//! a reference in the one that holds all the bytes it could have. Lines are counted only as far as something was found.

use super::Wanted;
use crate::crypto::fingerprint::{Matcher, Shape};
use crate::domain::Reference;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// The most bytes that a reference may have here, braces and white space included.
const LONGEST_REFERENCE: usize = 2048;
/// A NUL among the first bytes makes a file binary, as for git.
const LOOK_FOR_NUL: usize = 8192;
/// Findings of each kind that are kept of one file; the others are counted.
const KEPT: usize = 10_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A reference to a secret.
    Reference(Reference),
    /// A value: the number of its owner, and how it is written.
    Leak {
        /// As it was given to the fingerprints.
        owner: u32,
        /// Raw, base64, …
        shape: Shape,
    },
}

/// Something found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Bytes before it in the file.
    pub offset: u64,
    /// Line, and column in characters, both counted from 1; `None` in a binary file.
    pub place: Option<(u64, u64)>,
    /// What it is.
    pub what: What,
}

/// What came of one stream.
pub(super) struct Outcome {
    pub(super) findings: Vec<Finding>,
    pub(super) more: u64,
    pub(super) stopped: bool,
}

/// A reader with its buffer, used for one file after the other.
pub(super) struct Pass {
    references: bool,
    leaks: Option<Arc<Matcher>>,
    finder: memchr::memmem::Finder<'static>,
    /// What is in files may be secret.
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes that are kept from one piece to the next.
    overlap: usize,
}

/// Line and column, counted from 1.
#[derive(Clone, Copy)]
struct LinePlace {
    line: u64,
    column: u64,
}

impl LinePlace {
    /// Moves on over these bytes. Characters are counted as UTF-8 begins them, whatever the bytes are.
    fn pass(&mut self, bytes: &[u8]) {
        let rest = match memchr::memrchr(b'\n', bytes) {
            Some(last) => {
                self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
                self.column = 1;
                bytes.get(last + 1..).unwrap_or_default()
            }
            None => bytes,
        };
        self.column += rest.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
    }
}

/// The state of one stream.
struct Stream {
    /// Bytes of the stream before the buffer.
    base: u64,
    /// Where the buffer begins.
    place: LinePlace,
    binary: bool,
    /// Where in the buffer the search for references goes on.
    references_from: usize,
    kept: [usize; 2],
    out: Outcome,
}

impl Pass {
    pub(super) fn new(wanted: &Wanted) -> Self {
        let longest = wanted.leaks.as_ref().map_or(0, |matcher| matcher.longest());
        let overlap = longest.max(LONGEST_REFERENCE);
        Self {
            references: wanted.references,
            leaks: wanted.leaks.clone().filter(|matcher| !matcher.is_empty()),
            finder: memchr::memmem::Finder::new("{{"),
            buffer: Zeroizing::new(vec![0; overlap + PIECE]),
            overlap,
        }
    }

    /// Reads to the end. `step` is told how many bytes were read and says whether to stop.
    pub(super) fn read(
        &mut self,
        from: &mut impl Read,
        step: &mut dyn FnMut(usize) -> bool,
    ) -> std::io::Result<Outcome> {
        let mut stream = Stream {
            base: 0,
            place: LinePlace { line: 1, column: 1 },
            binary: false,
            references_from: 0,
            kept: [0; 2],
            out: Outcome { findings: Vec::new(), more: 0, stopped: false },
        };
        let mut filled = 0;
        let mut old = 0;
        loop {
            let end = self.fill(from, &mut filled)?;
            let data = self.buffer.get(..filled).unwrap_or_default();
            if stream.base == 0 && old == 0 {
                stream.binary = memchr::memchr(0, data.get(..LOOK_FOR_NUL).unwrap_or(data)).is_some();
            }
            self.search(data, old, end, &mut stream);
            if step(filled.saturating_sub(old)) && !end {
                stream.out.stopped = true;
            }
            if end || stream.out.stopped {
                return Ok(stream.out);
            }
            let drop = filled.saturating_sub(self.overlap);
            stream.drop_front(data.get(..drop).unwrap_or_default());
            self.buffer.copy_within(drop..filled, 0);
            filled -= drop;
            old = filled;
        }
    }

    /// Fills the buffer; true at the end of the stream.
    fn fill(&mut self, from: &mut impl Read, filled: &mut usize) -> std::io::Result<bool> {
        loop {
            let Some(room) = self.buffer.get_mut(*filled..).filter(|room| !room.is_empty()) else {
                return Ok(false);
            };
            match from.read(room) {
                Ok(0) => return Ok(true),
                Ok(read) => *filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Searches the buffer, of which the first `old` bytes were searched before.
    fn search(&self, data: &[u8], old: usize, end: bool, stream: &mut Stream) {
        let mut found: Vec<(usize, What)> = Vec::new();
        if let Some(matcher) = &self.leaks {
            matcher.search(data, old, |hit| {
                stream.keep(&mut found, 1, hit.start, What::Leak { owner: hit.owner, shape: hit.shape });
            });
        }
        let limit = if end { data.len() } else { data.len().saturating_sub(LONGEST_REFERENCE) };
        if self.references && !stream.binary {
            let mut from = stream.references_from;
            while let Some(at) = data.get(from..).and_then(|rest| self.finder.find(rest)) {
                let at = from + at;
                if at >= limit {
                    break;
                }
                let rest = data.get(at..).unwrap_or_default();
                let rest = rest.get(..LONGEST_REFERENCE).unwrap_or(rest);
                let braces = rest.iter().take_while(|byte| **byte == b'{').count();
                from = at + braces;
                // three and more belong to other languages
                if braces == 2
                    && let Some((reference, length)) = Reference::at_start(rest)
                {
                    stream.keep(&mut found, 0, at, What::Reference(reference));
                    from = at + length;
                }
            }
            stream.references_from = from.max(limit);
        }
        found.sort_by_key(|(at, _)| *at); // stable: owners of one place stay in their order
        stream.locate(data, found);
    }
}

impl Stream {
    /// Takes a finding, unless there are too many of its kind already.
    fn keep(&mut self, found: &mut Vec<(usize, What)>, kind: usize, at: usize, what: What) {
        match self.kept.get_mut(kind) {
            Some(kept) if *kept < KEPT => {
                *kept += 1;
                found.push((at, what));
            }
            _ => self.out.more += 1,
        }
    }

    /// Turns places in the buffer into lines and columns.
    fn locate(&mut self, data: &[u8], found: Vec<(usize, What)>) {
        let (mut counted, mut here) = (0, self.place);
        for (at, what) in found {
            let offset = self.base + at as u64;
            let place = (!self.binary).then(|| {
                here.pass(data.get(counted..at).unwrap_or_default());
                counted = at;
                (here.line, here.column)
            });
            self.out.findings.push(Finding { offset, place, what });
        }
    }

    /// The first bytes of the buffer are about to go.
    fn drop_front(&mut self, gone: &[u8]) {
        if !self.binary {
            self.place.pass(gone);
        }
        self.base += gone.len() as u64;
        self.references_from = self.references_from.saturating_sub(gone.len());
    }
}
