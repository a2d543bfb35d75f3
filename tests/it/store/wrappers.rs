//! Stores that misbehave: `HostileStore` serves what its owner wants, `FaultyStore` fails at the Nth call.
//!
//! Both wrap a real store. A hostile store can drop, replace and add rows and blobs as they are read; it stands for the
//! administrator of a shared database (SPEC R10 to R12). A faulty store stands for a disk or a network.

use sealbox::domain::ScopeId;
use sealbox::store::{
    Batch, BlobHash, Care, Committed, EachBlob, EachRead, NewReads, SqliteStore, Store, StoreError,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

type Rows = BTreeMap<(ScopeId, u64), Vec<u8>>;
type Blobs = BTreeMap<(ScopeId, BlobHash), Vec<u8>>;
/// By scope, author and position.
type Reads = BTreeMap<(ScopeId, [u8; 32], u64), Vec<u8>>;

/// Rows in memory that the test, as the database's administrator, may change at will; cloned handles share them.
#[derive(Clone, Default)]
pub(crate) struct HostileStore(Arc<Mutex<Tables>>);

#[derive(Default, Clone)]
pub(crate) struct Tables {
    pub(crate) rows: Rows,
    pub(crate) blobs: Blobs,
    pub(crate) reads: Reads,
    writes: i64,
}

impl HostileStore {
    /// Starts with the rows of a real store.
    pub(crate) fn copy_of(store: &dyn Store) -> Self {
        let mut tables = Tables::default();
        for scope in store.scopes().unwrap() {
            store
                .entries(&scope, None, &mut |seq, body| {
                    tables.rows.insert((scope, seq), body.to_vec());
                    ControlFlow::Continue(())
                })
                .unwrap();
            store
                .blobs(&scope, &mut |hash, data| {
                    tables.blobs.insert((scope, hash.try_into().unwrap()), data.to_vec());
                    ControlFlow::Continue(())
                })
                .unwrap();
        }
        Self(Arc::new(Mutex::new(tables)))
    }

    /// Changes the tables behind everybody's back.
    pub(crate) fn tamper<T>(&self, with: impl FnOnce(&mut Tables) -> T) -> T {
        let mut tables = self.0.lock().unwrap();
        tables.writes += 1;
        with(&mut tables)
    }

    pub(crate) fn tables(&self) -> Tables {
        self.0.lock().unwrap().clone()
    }
}

impl Store for HostileStore {
    fn location(&self) -> String {
        "/hostile".to_owned()
    }

    fn entries(
        &self,
        scope: &ScopeId,
        after: Option<u64>,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for ((_, seq), body) in self.tables().rows.iter().filter(|((id, _), _)| id == scope) {
            if after.is_none_or(|after| *seq > after) && each(*seq, body).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let mut tables = self.0.lock().unwrap();
        if batch.entries.iter().any(|entry| tables.rows.contains_key(&(entry.scope, entry.seq))) {
            return Ok(Committed::Conflict);
        }
        tables.writes += 1;
        tables.rows.extend(batch.entries.iter().map(|entry| ((entry.scope, entry.seq), entry.body.clone())));
        for (scope, hash, data) in &batch.blobs {
            tables.blobs.entry((*scope, *hash)).or_insert_with(|| data.clone());
        }
        for key in &batch.delete_blobs {
            tables.blobs.remove(key);
        }
        Ok(Committed::Yes)
    }

    fn blob(&self, scope: &ScopeId, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.lock().unwrap().blobs.get(&(*scope, *hash)).cloned())
    }

    fn blobs(&self, scope: &ScopeId, each: EachBlob<'_>) -> Result<(), StoreError> {
        for ((_, hash), data) in self.tables().blobs.iter().filter(|((id, _), _)| id == scope) {
            if each(hash, data).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn scopes(&self) -> Result<Vec<ScopeId>, StoreError> {
        let mut scopes: Vec<ScopeId> = self.tables().rows.keys().map(|(scope, _)| *scope).collect();
        scopes.dedup();
        Ok(scopes)
    }

    fn change_counter(&self) -> Result<i64, StoreError> {
        Ok(self.0.lock().unwrap().writes)
    }

    fn backup(&self, _: &Path) -> Result<(), StoreError> {
        Err(StoreError::Missing { location: self.location() })
    }

    fn append_reads(&self, reads: &NewReads, _: Care) -> Result<Committed, StoreError> {
        let mut tables = self.0.lock().unwrap();
        let at = |seq: u64| (reads.scope, reads.author, seq);
        if reads.records.iter().any(|(seq, _)| tables.reads.contains_key(&at(*seq))) {
            return Ok(Committed::Conflict);
        }
        tables.writes += 1;
        tables.reads.extend(reads.records.iter().map(|(seq, body)| (at(*seq), body.clone())));
        if let Some(last) = reads.drop_through {
            tables.reads.retain(|(scope, author, seq), _| {
                *scope != reads.scope || *author != reads.author || *seq > last
            });
        }
        Ok(Committed::Yes)
    }

    fn reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        let tables = self.0.lock().unwrap();
        for ((.., seq), body) in tables.reads.range((*scope, *author, 0)..=(*scope, *author, u64::MAX)) {
            if each(*seq, body).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn newest_reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        let tables = self.0.lock().unwrap();
        for ((.., seq), body) in tables.reads.range((*scope, *author, 0)..=(*scope, *author, u64::MAX)).rev()
        {
            if each(*seq, body).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn count_reads(&self, scope: &ScopeId) -> Result<u64, StoreError> {
        Ok(self.tables().reads.keys().filter(|(id, ..)| id == scope).count() as u64)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// When a `FaultyStore` fails: at call number `at`, counted over all calls; 0 never.
#[derive(Clone, Default)]
pub(crate) struct Trap {
    at: Arc<AtomicU64>,
    calls: Arc<AtomicU64>,
    after_commit: bool,
}

impl Trap {
    /// Fails before the call has any effect.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A failing commit has been carried out all the same, as when the connection breaks before the answer comes.
    pub(crate) fn after_commit() -> Self {
        Self { after_commit: true, ..Self::default() }
    }

    pub(crate) fn arm(&self, at: u64) {
        self.calls.store(0, Ordering::SeqCst);
        self.at.store(at, Ordering::SeqCst);
    }

    fn springs(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at.load(Ordering::SeqCst)
    }
}

/// A SQLite store that fails when its trap says so.
pub(crate) struct FaultyStore {
    pub(crate) inner: SqliteStore,
    pub(crate) trap: Trap,
}

impl FaultyStore {
    fn error(&self) -> StoreError {
        StoreError::Full {
            location: self.inner.location(),
            what: "disk I/O error (made by a test)".to_owned(),
        }
    }

    fn checked<T>(&self, call: impl FnOnce(&SqliteStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.trap.springs() { Err(self.error()) } else { call(&self.inner) }
    }
}

impl Store for FaultyStore {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn entries(
        &self,
        scope: &ScopeId,
        after: Option<u64>,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let springs = self.trap.springs();
        // A read that breaks does so in the middle: the first row has been handed over.
        let mut rows = 0;
        self.inner.entries(scope, after, &mut |seq, body| {
            rows += 1;
            if springs && rows > 1 { ControlFlow::Break(()) } else { each(seq, body) }
        })?;
        if springs { Err(self.error()) } else { Ok(()) }
    }

    fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        if !self.trap.springs() {
            return self.inner.commit(batch);
        }
        if self.trap.after_commit {
            let _ = self.inner.commit(batch)?;
        }
        Err(self.error())
    }

    fn blob(&self, scope: &ScopeId, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.checked(|store| store.blob(scope, hash))
    }

    fn blobs(&self, scope: &ScopeId, each: EachBlob<'_>) -> Result<(), StoreError> {
        self.checked(|store| store.blobs(scope, each))
    }

    fn scopes(&self) -> Result<Vec<ScopeId>, StoreError> {
        self.checked(SqliteStore::scopes)
    }

    fn change_counter(&self) -> Result<i64, StoreError> {
        self.checked(SqliteStore::change_counter)
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.checked(|store| store.backup(to))
    }

    fn append_reads(&self, reads: &NewReads, care: Care) -> Result<Committed, StoreError> {
        self.checked(|store| store.append_reads(reads, care))
    }

    fn reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        self.checked(|store| store.reads(scope, author, each))
    }

    fn newest_reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        self.checked(|store| store.newest_reads(scope, author, each))
    }

    fn count_reads(&self, scope: &ScopeId) -> Result<u64, StoreError> {
        self.checked(|store| store.count_reads(scope))
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.checked(SqliteStore::check)
    }
}
