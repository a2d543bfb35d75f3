//! Where sealed rows live: two tables, one promise (SPEC 1.10), and a third for the read log, which decides nothing.
//!
//! A store keeps entries and blobs as opaque bytes. It can withhold, delete or repeat them; it can neither read nor forge
//! them, so nothing here is trusted and every reader verifies. The trait is blocking: callers with a screen to draw run
//! it on a blocking thread, and a networked implementation drives its own connection. [`Pins`] remember, outside the
//! store, the newest entry that this machine has verified.

mod empty;
mod pins;
mod sqlite;

pub use empty::NoStore;
pub use pins::Pins;
pub use sqlite::SqliteStore;

use crate::domain::ScopeId;
use std::{ops::ControlFlow, path::Path};

/// The tables. This exact DDL runs unmodified on SQLite and PostgreSQL. The first two are the vault; `access` came with
/// the second layout, and a store of the first gets it when it is next opened for writing.
pub const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS entry(scope BYTEA NOT NULL, seq BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY(scope, seq))",
    "CREATE TABLE IF NOT EXISTS blob(scope BYTEA NOT NULL, hash BYTEA NOT NULL, data BYTEA NOT NULL, PRIMARY KEY(scope, hash))",
    "CREATE TABLE IF NOT EXISTS access(scope BYTEA NOT NULL, author BYTEA NOT NULL, seq BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY(scope, author, seq))",
];

/// SHA-256 of a blob's bytes.
pub type BlobHash = [u8; 32];

/// Why a store did not do what it was asked. Never holds row contents.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is not ours, or its structure is broken.
    #[error("{location} is damaged: {what}")]
    Damaged {
        /// Where.
        location: String,
        /// What the database engine says.
        what: String,
    },
    /// Made by a newer version.
    #[error("{location} was made by a newer version of sealbox")]
    Newer {
        /// Where.
        location: String,
    },
    /// Nothing is there, and making one was not asked for.
    #[error("there is no store at {location}")]
    Missing {
        /// Where.
        location: String,
    },
    /// Somebody else held the write lock for too long.
    #[error("{location} is busy: another process is writing")]
    Busy {
        /// Where.
        location: String,
    },
    /// No space left, a quota, or a read-only place.
    #[error("{location} could not be written: {what}")]
    Full {
        /// Where.
        location: String,
        /// What the database engine says.
        what: String,
    },
    /// On a network file system, where SQLite's locks cannot be trusted.
    #[error("{location} is on a network file system, where file locks cannot be trusted")]
    NetworkFileSystem {
        /// Where.
        location: String,
    },
    /// Anything else the database engine says.
    #[error("{location}: {what}")]
    Engine {
        /// Where.
        location: String,
        /// What it says.
        what: String,
    },
    /// The operating system refused.
    #[error("{location}: {source}")]
    Io {
        /// Where.
        location: String,
        /// Why.
        source: std::io::Error,
    },
}

/// An entry to append.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its chain.
    pub scope: ScopeId,
    /// Its position, which must be free.
    pub seq: u64,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// What one transaction writes. All of it, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Entries that must be there, by position and SHA-256: what the new ones were built on. Without them the store is
    /// not the one that was read, and the outcome is a conflict.
    pub builds_on: Vec<(ScopeId, u64, [u8; 32])>,
    /// Entries, possibly of several scopes.
    pub entries: Vec<NewEntry>,
    /// Ciphertexts that the entries vouch for.
    pub blobs: Vec<(ScopeId, BlobHash, Vec<u8>)>,
    /// Ciphertexts that must be gone afterwards.
    pub delete_blobs: Vec<(ScopeId, BlobHash)>,
}

/// Records to append to one author's read log in one transaction: all of them, or none.
#[derive(Debug, Clone)]
pub struct NewReads {
    /// Where the secrets are.
    pub scope: ScopeId,
    /// Signing key of whoever read.
    pub author: [u8; 32],
    /// Position, which must be free, and bytes.
    pub records: Vec<(u64, Vec<u8>)>,
    /// Records of this author up to here are removed in the same transaction.
    pub drop_through: Option<u64>,
}

/// What a record of a reading is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// It must not hold up the reading: no waiting for the disk, and no more than a quarter of a second for another
    /// writer. Survives the death of the process, not that of the machine.
    Brief,
    /// Durable, like a batch.
    Durable,
}

/// How a [`Batch`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// Durable.
    Yes,
    /// A position was taken: somebody else was faster. Nothing was written; read, validate, encrypt and try again.
    Conflict,
}

/// Takes a ciphertext's hash and bytes, as they stand in the table; says whether to go on.
pub type EachBlob<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Takes a record's position and bytes; says whether to go on.
pub type EachRead<'a> = &'a mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>;

/// Tables of sealed bytes.
pub trait Store: Send {
    /// Where it is, for people; without a password.
    fn location(&self) -> String;

    /// Calls `each` with the rows of `scope` whose position is greater than `after` (all, if `None`), in order.
    /// Rows at negative positions are never shown: nobody writes them. A row longer than any entry may be is shown empty.
    fn entries(
        &self,
        scope: &ScopeId,
        after: Option<u64>,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Writes a batch in one durable transaction. The primary key of `entry` is the compare-and-swap.
    fn commit(&self, batch: &Batch) -> Result<Committed, StoreError>;

    /// One ciphertext, if it is there. The caller checks its hash.
    fn blob(&self, scope: &ScopeId, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `each` with every ciphertext of `scope`.
    fn blobs(&self, scope: &ScopeId, each: EachBlob<'_>) -> Result<(), StoreError>;

    /// Every scope that has entries.
    fn scopes(&self) -> Result<Vec<ScopeId>, StoreError>;

    /// A number that changes when another connection has written. Cheap enough to poll.
    fn change_counter(&self) -> Result<i64, StoreError>;

    /// Writes a consistent copy of all rows to a new SQLite file.
    fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// Appends to a read log. A taken position is a conflict, and then nothing is written.
    fn append_reads(&self, reads: &NewReads, care: Care) -> Result<Committed, StoreError>;

    /// Calls `each` with the read log of one author in `scope`, oldest first. A record longer than any may be is shown
    /// empty.
    fn reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError>;

    /// As [`Self::reads`], newest first.
    fn newest_reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError>;

    /// How many rows of `scope` the read log has, whoever they say wrote them.
    fn count_reads(&self, scope: &ScopeId) -> Result<u64, StoreError>;

    /// Asks the engine to check its own structure; one line per finding.
    fn check(&self) -> Result<Vec<String>, StoreError>;
}
