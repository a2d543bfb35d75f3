//! A living session whose store is changed under it: put back, cut, or edited. It never goes on from what is gone.

use super::{is_sound, root};
use crate::people::{Machine, ORG, admit, names, read, set};
use sealbox::chain::ChainFault;
use sealbox::domain::{Role, ScopeId};
use sealbox::store::{
    Batch, BlobHash, Care, Committed, EachBlob, EachRead, NewReads, SqliteStore, Store, StoreError,
};
use sealbox::vault::{Vault, VaultError};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A vault that has gone on since a backup was made of it, with a writer who has seen all of it.
fn gone_on() -> (Machine, Vault, Machine, Vault, PathBuf) {
    let (owner, mut vault) = Machine::founded();
    let (writer, mut wil) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    set(&mut vault, &ORG, "A", "old").unwrap();
    let backup = owner.folder.path().join("backup");
    owner.home().backup(Some(&vault), &backup).unwrap();
    set(&mut vault, &ORG, "A", "new").unwrap();
    set(&mut vault, &ORG, "B", "later").unwrap();
    wil.refresh().unwrap();
    assert_eq!(names(&wil, &ORG), ["A", "B"]);
    (owner, vault, writer, wil, backup)
}

fn rows(machine: &Machine) -> u64 {
    let mut rows = 0;
    let count = &mut |_, _: &[u8]| {
        rows += 1;
        ControlFlow::Continue(())
    };
    machine.raw_store().entries(&root(machine), None, count).unwrap();
    rows
}

fn fault<T>(outcome: Result<T, VaultError>) -> Option<ChainFault> {
    match outcome.err()?.root() {
        VaultError::Chain { fault, .. } => Some(fault.clone()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_session_adopts_a_backup_that_its_own_machine_accepted_and_writes_on_top_of_it() {
    let (owner, mut vault, ..) = gone_on();
    owner.home().restore(&owner.folder.path().join("backup"), true).unwrap();
    vault.refresh().unwrap();
    assert_eq!((names(&vault, &ORG), read(&vault, &ORG, "A").unwrap()), (vec!["A".into()], "old".into()));
    assert_eq!(set(&mut vault, &ORG, "A", "after").unwrap(), 2);
    is_sound(&owner);
    assert_eq!(read(&owner.open(), &ORG, "A").unwrap(), "after");
}

#[test]
fn a_session_writes_on_top_of_the_backup_even_if_it_did_not_look_before() {
    let (owner, mut vault, ..) = gone_on();
    owner.home().restore(&owner.folder.path().join("backup"), true).unwrap();
    assert_eq!(set(&mut vault, &ORG, "C", "x").unwrap(), 1);
    is_sound(&owner);
    assert_eq!(names(&owner.open(), &ORG), ["A", "C"]);
}

#[test]
fn a_session_of_another_machine_refuses_the_older_store_until_a_person_accepts_it() {
    let (owner, vault, writer, mut wil, backup) = gone_on();
    drop(vault);
    owner.home().restore(&backup, true).unwrap();
    let before = rows(&owner);
    assert!(matches!(fault(set(&mut wil, &ORG, "C", "x")), Some(ChainFault::Stale { .. })));
    assert!(matches!(fault(wil.list(&ORG)), Some(ChainFault::Stale { .. })));
    assert!(matches!(fault(read(&wil, &ORG, "A")), Some(ChainFault::Stale { .. })));
    assert_eq!(rows(&owner), before, "nothing was written onto a chain that is gone");
    is_sound(&owner);
    // Others go on past the point that was seen: still not the chain that was seen.
    let mut vault = owner.open();
    for text in ["1", "2", "3", "4"] {
        set(&mut vault, &ORG, "D", text).unwrap();
    }
    assert!(matches!(fault(set(&mut wil, &ORG, "C", "x")), Some(ChainFault::PinMismatch { .. })));
    assert!(matches!(fault(writer.try_open()), Some(ChainFault::PinMismatch { .. })));
    is_sound(&owner);
    writer.home().accept_rollback().unwrap();
    let mut wil = writer.open();
    set(&mut wil, &ORG, "C", "x").unwrap();
    vault.refresh().unwrap();
    assert_eq!(read(&vault, &ORG, "C").unwrap(), "x");
}

#[test]
fn a_session_that_looked_while_a_backup_was_being_accepted_goes_on_once_it_was() {
    let (owner, mut vault, _, _, backup) = gone_on();
    // the rows go back first, the pins second; this session looks in between
    let source = SqliteStore::inspect(&backup).unwrap();
    SqliteStore::open(&owner.store()).unwrap().replace_with(&source).unwrap();
    vault.refresh().unwrap();
    assert!(matches!(fault(vault.list(&ORG)), Some(ChainFault::Stale { .. })));
    owner.home().accept_rollback().unwrap();
    vault.refresh().unwrap();
    assert_eq!(read(&vault, &ORG, "A").unwrap(), "old");
}

#[test]
fn a_session_whose_newest_row_vanished_neither_reads_nor_writes() {
    let (owner, mut vault, ..) = gone_on();
    let db = rusqlite::Connection::open(owner.store()).unwrap();
    db.execute("DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)", []).unwrap();
    assert!(matches!(fault(set(&mut vault, &ORG, "C", "x")), Some(ChainFault::Stale { .. })));
    assert!(matches!(fault(vault.list(&ORG)), Some(ChainFault::Stale { .. })));
    is_sound(&owner);
}

/// Does something to the store at the last moment: after the writer has read it, before its commit.
struct Swapped {
    inner: SqliteStore,
    before_commit: RefCell<Option<Box<dyn FnOnce() + Send>>>,
}

impl Store for Swapped {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn entries(
        &self,
        scope: &ScopeId,
        after: Option<u64>,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.inner.entries(scope, after, each)
    }

    fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let swap = self.before_commit.borrow_mut().take();
        if let Some(swap) = swap {
            swap();
        }
        self.inner.commit(batch)
    }

    fn blob(&self, scope: &ScopeId, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.blob(scope, hash)
    }

    fn blobs(&self, scope: &ScopeId, each: EachBlob<'_>) -> Result<(), StoreError> {
        self.inner.blobs(scope, each)
    }

    fn scopes(&self) -> Result<Vec<ScopeId>, StoreError> {
        self.inner.scopes()
    }

    fn change_counter(&self) -> Result<i64, StoreError> {
        self.inner.change_counter()
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.inner.backup(to)
    }

    fn append_reads(&self, reads: &NewReads, care: Care) -> Result<Committed, StoreError> {
        self.inner.append_reads(reads, care)
    }

    fn reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        self.inner.reads(scope, author, each)
    }

    fn newest_reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        self.inner.newest_reads(scope, author, each)
    }

    fn count_reads(&self, scope: &ScopeId) -> Result<u64, StoreError> {
        self.inner.count_reads(scope)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.inner.check()
    }
}

#[test]
fn a_store_that_is_put_back_between_reading_and_writing_gets_no_entry_that_hangs_in_the_air() {
    let (owner, vault, _, _, backup) = gone_on();
    drop(vault);
    let home = owner.home();
    let swap = Box::new(move || drop(home.restore(&backup, true).unwrap()));
    let store = Swapped { inner: owner.raw_store(), before_commit: RefCell::new(Some(swap)) };
    let mut vault = owner.open_over(Box::new(store)).unwrap();
    assert_eq!(names(&vault, &ORG), ["A", "B"]);
    set(&mut vault, &ORG, "C", "x").unwrap();
    assert_eq!(names(&vault, &ORG), ["A", "C"], "built anew on what is there now");
    is_sound(&owner);
    assert_eq!(names(&owner.open(), &ORG), ["A", "C"]);
}

#[test]
fn a_pin_that_cannot_be_written_after_the_commit_does_not_fail_the_write() {
    let (owner, mut vault, ..) = gone_on();
    let pins = rusqlite::Connection::open(owner.paths().pins()).unwrap();
    pins.execute("DROP TABLE pin", []).unwrap();
    drop(pins);
    assert_eq!(set(&mut vault, &ORG, "C", "x").unwrap(), 1);
    assert_eq!(read(&vault, &ORG, "C").unwrap(), "x");
    assert_eq!(read(&owner.open(), &ORG, "C").unwrap(), "x");
    is_sound(&owner);
}

#[test]
fn a_log_whose_rows_were_edited_under_the_session_is_an_error_and_not_a_shorter_log() {
    let edits = [
        "UPDATE entry SET body = x'00' WHERE seq = 2",
        "DELETE FROM entry WHERE seq = 2",
        "UPDATE entry SET body = x'00' WHERE seq = (SELECT max(seq) FROM entry)",
        "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
        "DELETE FROM entry",
    ];
    for edit in edits {
        let (owner, vault, ..) = gone_on();
        let whole = vault.log(&ORG, None).unwrap().len();
        assert_eq!(whole, 5);
        let db = rusqlite::Connection::open(owner.store()).unwrap();
        db.execute(edit, []).unwrap();
        for limit in [None, Some(1)] {
            assert!(
                matches!(fault(vault.log(&ORG, limit)), Some(ChainFault::PinMismatch { .. })),
                "{edit}, {limit:?}"
            );
        }
    }
}
