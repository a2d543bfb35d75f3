//! The read log: for each scope and member a signed chain of what that member read (SPEC 1.9).
//!
//! ```text
//! record = "SC1R" scope:32 seq:u64 prev:32 author:32 time_ms:u64 oldest:u64 g:u32 len:u32 details sig:64   at most 64 KiB
//! sig    = Ed25519("sc1/access\0" | all before sig)     hash = SHA-256(record)     prev = hash of the author's record before
//! ```
//! Positions count from 1; `oldest` is the oldest record that the author still keeps. Details are sealed under `M`. These
//! rows never touch a scope's state or pins. They are advisory: their author can leave them out, and whoever keeps the
//! store can cut the newest off; what is there cannot be changed, and what is missing in between shows.

use crate::crypto::{CryptoError, Signature, VerifyKey, format::Reader, sha256, sign::SignKey};
use crate::domain::ScopeId;
use std::collections::{BTreeSet, VecDeque};

/// The longest record, in bytes.
pub const MAX_RECORD: usize = 64 << 10;
const MAGIC: &[u8; 4] = b"SC1R";
const CONTEXT: &[u8] = b"sc1/access\0";
const SIGNATURE: usize = 64;
/// Rows of one author that are looked at, newest first: twice what honest authors keep.
const MOST_ROWS: usize = 20_000;
/// A record longer than this must show its signature before it is kept in memory.
const LONG: usize = 4 << 10;

/// The fixed part of every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadHeader {
    /// Where the secrets are.
    pub scope: ScopeId,
    /// Position, from 1.
    pub seq: u64,
    /// Hash of the author's record before it; zeros in the first.
    pub prev: [u8; 32],
    /// Signing key of whoever read.
    pub author: [u8; 32],
    /// When, as the author says, milliseconds since 1970.
    pub time_ms: u64,
    /// Records below this were removed by the author, to keep the log short.
    pub oldest: u64,
    /// The generation of the key that sealed the details.
    pub generation: u32,
}

/// A parsed record, not yet verified. Borrows the stored bytes.
#[derive(Debug, Clone)]
pub struct ReadEntry<'a> {
    /// The fixed part.
    pub header: ReadHeader,
    /// What was read, sealed.
    pub details: &'a [u8],
    signature: Signature,
    bytes: &'a [u8],
}

impl<'a> ReadEntry<'a> {
    /// Reads a record strictly. `Newer` for another magic of ours.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        if bytes.len() > MAX_RECORD {
            return Err(CryptoError::Malformed);
        }
        let mut reader = Reader::new(bytes);
        let magic: [u8; 4] = reader.array()?;
        if &magic != MAGIC {
            return Err(if magic.starts_with(b"SC") { CryptoError::Newer } else { CryptoError::Malformed });
        }
        let header = ReadHeader {
            scope: ScopeId(reader.array()?),
            seq: reader.u64()?,
            prev: reader.array()?,
            author: reader.array()?,
            time_ms: reader.u64()?,
            oldest: reader.u64()?,
            generation: reader.u32()?,
        };
        let length = usize::try_from(reader.u32()?).map_err(|_| CryptoError::Malformed)?;
        let details = reader.bytes(length)?;
        let signature = Signature(reader.array()?);
        reader.end()?;
        if header.seq == 0 || header.oldest == 0 || header.oldest > header.seq {
            return Err(CryptoError::Malformed);
        }
        Ok(Self { header, details, signature, bytes })
    }

    /// SHA-256 of the stored bytes.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.bytes)
    }

    /// True if `key` signed these bytes.
    pub fn is_signed_by(&self, key: &VerifyKey) -> bool {
        let signed = self.bytes.len().saturating_sub(SIGNATURE);
        let message = [CONTEXT, self.bytes.get(..signed).unwrap_or_default()].concat();
        key.verifies(&message, &self.signature)
    }
}

/// A record to be written.
pub struct ReadDraft {
    /// The fixed part.
    pub header: ReadHeader,
    /// What was read, sealed.
    pub details: Vec<u8>,
}

impl ReadDraft {
    /// Writes and signs the record. The header's author must be the signer.
    pub fn sign(&self, key: &SignKey) -> Result<Vec<u8>, CryptoError> {
        let header = &self.header;
        let length = u32::try_from(self.details.len()).map_err(|_| CryptoError::Malformed)?;
        let mut message = Vec::with_capacity(CONTEXT.len() + 256 + self.details.len());
        message.extend_from_slice(CONTEXT);
        message.extend_from_slice(MAGIC);
        message.extend_from_slice(&header.scope.0);
        message.extend_from_slice(&header.seq.to_be_bytes());
        message.extend_from_slice(&header.prev);
        message.extend_from_slice(&header.author);
        message.extend_from_slice(&header.time_ms.to_be_bytes());
        message.extend_from_slice(&header.oldest.to_be_bytes());
        message.extend_from_slice(&header.generation.to_be_bytes());
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&self.details);
        let signature = key.sign(&message);
        let mut record = message.split_off(CONTEXT.len());
        record.extend_from_slice(&signature.0);
        if record.len() > MAX_RECORD { Err(CryptoError::Malformed) } else { Ok(record) }
    }
}

/// The rows of one author in one scope, as they come; says which of them count and what is missing.
pub struct ReadChain {
    scope: ScopeId,
    key: VerifyKey,
    rows: VecDeque<(u64, Vec<u8>)>,
    junk: u64,
}

/// What a chain of readings turned out to be.
#[derive(Debug, Default)]
pub struct Readings {
    /// The records that count, oldest first, as their bytes.
    pub records: Vec<Vec<u8>>,
    /// Rows that do not count.
    pub junk: u64,
    /// First and last position of each stretch that is missing between or before the records that are there.
    pub missing: Vec<(u64, u64)>,
    /// Positions of records that follow their predecessor in number but not by hash.
    pub unlinked: Vec<u64>,
}

impl ReadChain {
    /// Nothing read yet.
    pub fn new(scope: ScopeId, author: &VerifyKey) -> Self {
        Self { scope, key: author.clone(), rows: VecDeque::new(), junk: 0 }
    }

    /// Takes the next row, in ascending order of position.
    pub fn feed(&mut self, seq: u64, bytes: &[u8]) {
        let fits = ReadEntry::parse(bytes).is_ok_and(|entry| {
            let header = &entry.header;
            header.seq == seq
                && header.scope == self.scope
                && header.author == *self.key.bytes()
                && (bytes.len() <= LONG || entry.is_signed_by(&self.key))
        });
        if !fits {
            self.junk += 1;
            return;
        }
        if self.rows.len() == MOST_ROWS {
            self.rows.pop_front();
        }
        self.rows.push_back((seq, bytes.to_vec()));
    }

    /// Decides. A record counts if its signature is valid, or if a record that counts names its hash: its author has
    /// vouched for it either way, and a clean chain costs one signature.
    pub fn finish(self) -> Readings {
        let mut found = Readings { junk: self.junk, ..Readings::default() };
        // By hash, what the newer records that count say must be there.
        let mut vouched: BTreeSet<[u8; 32]> = BTreeSet::new();
        let mut kept: Vec<(u64, [u8; 32], ReadHeader, Vec<u8>)> = Vec::new();
        for (seq, bytes) in self.rows.into_iter().rev() {
            let Ok(entry) = ReadEntry::parse(&bytes) else { continue };
            let hash = entry.hash();
            if !vouched.remove(&hash) && !entry.is_signed_by(&self.key) {
                found.junk += 1;
                continue;
            }
            let header = entry.header;
            vouched.insert(header.prev);
            kept.push((seq, hash, header, bytes));
        }
        kept.reverse();
        // What the author removed is not missing; the newest record says how far that went.
        let mut next = kept.last().map_or(1, |(.., header, _)| header.oldest);
        let mut before: Option<[u8; 32]> = None;
        for (seq, hash, header, bytes) in kept {
            // Positions that junk took are stepped over: the hashes still meet.
            let linked = before.is_some_and(|before| before == header.prev);
            if !linked && seq > next {
                found.missing.push((next, seq - 1));
            } else if !linked && before.is_some() {
                found.unlinked.push(seq);
            }
            (next, before) = (seq.saturating_add(1), Some(hash));
            found.records.push(bytes);
        }
        found
    }
}
