//! What is special to the SQLite file: its mode, foreign and newer files, and that deleted bytes are gone.

use super::conformance::{entries, entry};
use crate::env::{files_below, holds};
use sealbox::domain::ScopeId;
use sealbox::store::{Batch, Committed, Pins, SqliteStore, Store, StoreError};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const A: ScopeId = ScopeId([1; 32]);

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_file_and_its_sidecars_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::create(&path).unwrap();
    assert_eq!(store.commit(&entries(vec![entry(A, 0, b"x")])).unwrap(), Committed::Yes);
    let pins = Pins::open(&folder.path().join("pins.db")).unwrap();
    pins.advance(&A, 1, &[1; 32]).unwrap();
    let files = files_below(folder.path());
    assert_eq!(files.len(), 6, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_file_that_was_open_to_others_is_narrowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::create(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.commit(&entries(vec![entry(A, 0, b"x")])).unwrap(), Committed::Yes);
    for file in files_below(folder.path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn deleted_ciphertext_is_in_no_file_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(&folder.path().join("store.db")).unwrap();
    let canary = b"ciphertext that must go ".repeat(600); // several pages, so that overflow pages are covered
    for n in 0..5u8 {
        let body = [canary.as_slice(), &[n]].concat();
        let batch = Batch {
            entries: vec![entry(A, n.into(), b"x")],
            blobs: vec![(A, [n; 32], body)],
            ..Batch::default()
        };
        assert_eq!(store.commit(&batch).unwrap(), Committed::Yes);
    }
    let found =
        |needle: &[u8]| files_below(folder.path()).iter().any(|file| holds(&fs::read(file).unwrap(), needle));
    assert!(found(&canary[..100]), "the check itself works");
    let gone = Batch {
        entries: vec![entry(A, 9, b"del")],
        delete_blobs: (0..5).map(|n| (A, [n; 32])).collect(),
        ..Batch::default()
    };
    assert_eq!(store.commit(&gone).unwrap(), Committed::Yes);
    assert!(!found(&canary[..24]), "while the store is still open");
    drop(store);
    assert!(!found(&canary[..24]));
}

#[test]
fn nothing_is_made_where_nothing_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Missing { .. })));
    assert!(matches!(SqliteStore::inspect(&path), Err(StoreError::Missing { .. })));
    assert!(files_below(folder.path()).is_empty());
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(&text, b"some notes that are longer than an SQLite header would be, by a good measure, so as to be sure of it.").unwrap();
    let other = folder.path().join("other.db");
    let db = rusqlite::Connection::open(&other).unwrap();
    db.execute("CREATE TABLE mine(x)", []).unwrap();
    drop(db);
    for path in [text, other] {
        let before = fs::read(&path).unwrap();
        for opened in [SqliteStore::open(&path), SqliteStore::create(&path), SqliteStore::inspect(&path)] {
            assert!(matches!(opened, Err(StoreError::Damaged { .. })), "{}", path.display());
        }
        assert!(fs::read(&path).unwrap() == before);
    }
}

#[test]
fn a_newer_file_says_newer_and_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::create(&path).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 3).unwrap();
    db.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(())).unwrap();
    drop(db);
    let before = fs::read(&path).unwrap();
    for opened in [SqliteStore::open(&path), SqliteStore::create(&path), SqliteStore::inspect(&path)] {
        assert!(matches!(opened, Err(StoreError::Newer { .. })));
    }
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn symbolic_links_and_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.db");
    drop(SqliteStore::create(&real).unwrap());
    let link = folder.path().join("store.db");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let dangling = folder.path().join("dangling.db");
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
    for path in [&link, &dangling, &folder.path().to_path_buf()] {
        assert!(matches!(SqliteStore::open(path), Err(StoreError::Damaged { .. })));
        assert!(matches!(SqliteStore::create(path), Err(StoreError::Damaged { .. })));
    }
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn rows_of_odd_types_are_junk_and_not_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::create(&path).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    let scope = A.0.to_vec();
    db.execute("INSERT INTO entry VALUES(?1, -5, x'00')", [&scope]).unwrap();
    db.execute("INSERT INTO entry VALUES(?1, 1, 'text')", [&scope]).unwrap();
    db.execute("INSERT INTO entry VALUES(?1, 2, 17)", [&scope]).unwrap();
    db.execute("INSERT INTO entry VALUES('not a scope', 2, x'00')", []).unwrap();
    db.execute("INSERT INTO entry VALUES(x'0102', 2, x'00')", []).unwrap();
    db.execute("INSERT INTO blob VALUES(?1, ?2, 'text')", [&scope, &vec![1u8; 32]]).unwrap();
    db.execute("INSERT INTO blob VALUES(?1, 'short', x'00')", [&scope]).unwrap();
    drop(db);
    let store = SqliteStore::open(&path).unwrap();
    let rows = super::conformance::rows(&store, &A, None);
    assert_eq!(rows, [(1, Vec::new()), (2, Vec::new())]);
    assert_eq!(store.scopes().unwrap(), [A]);
    assert_eq!(store.blob(&A, &[1; 32]).unwrap().unwrap(), b"");
    store.blobs(&A, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
}

#[test]
fn a_position_that_is_no_number_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::create(&path).unwrap();
    assert_eq!(
        store.commit(&entries((0..3).map(|seq| entry(A, seq, b"x")).collect())).unwrap(),
        Committed::Yes
    );
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("INSERT INTO entry VALUES(?1, 'zero', x'00')", [A.0.to_vec()]).unwrap();
    db.execute("INSERT INTO entry VALUES(?1, 1.5, x'00')", [A.0.to_vec()]).unwrap();
    drop(db);
    let seqs: Vec<u64> = super::conformance::rows(&store, &A, None).into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, [0, 1, 2]);
}

/// A store as the first layout made it, with one entry.
fn first_layout(path: &Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    for statement in &sealbox::store::SCHEMA[..2] {
        db.execute(statement, []).unwrap();
    }
    db.pragma_update(None, "application_id", 0x5342_5831).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    db.execute("INSERT INTO entry VALUES(?1, 0, x'01')", [A.0.to_vec()]).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn log(store: &SqliteStore) -> Vec<(u64, Vec<u8>)> {
    let mut rows = Vec::new();
    store
        .reads(&A, &[7; 32], &mut |seq, body| {
            rows.push((seq, body.to_vec()));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

fn reading(seq: u64) -> sealbox::store::NewReads {
    let records = vec![(seq, vec![seq as u8])];
    sealbox::store::NewReads { scope: A, author: [7; 32], records, drop_through: None }
}

#[test]
fn a_store_of_the_first_layout_gets_a_read_log_when_it_is_opened_and_not_when_it_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    first_layout(&path);
    let looked = SqliteStore::inspect(&path).unwrap();
    assert!(log(&looked).is_empty() && looked.count_reads(&A).unwrap() == 0);
    assert!(looked.append_reads(&reading(1), sealbox::store::Care::Brief).is_err());
    drop(looked);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(super::conformance::rows(&store, &A, None), [(0, vec![1])]);
    assert_eq!(store.append_reads(&reading(1), sealbox::store::Care::Brief).unwrap(), Committed::Yes);
    drop(store);
    assert_eq!(log(&SqliteStore::open(&path).unwrap()), [(1, vec![1])]);
    // a table that is not ours makes it another program's all the same
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("CREATE TABLE also(x)", []).unwrap();
    drop(db);
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_backup_of_the_first_layout_can_be_put_back_and_read_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let (old, path) = (folder.path().join("old.db"), folder.path().join("store.db"));
    first_layout(&old);
    let mut store = SqliteStore::create(&path).unwrap();
    store.replace_with(&SqliteStore::inspect(&old).unwrap()).unwrap();
    assert_eq!(super::conformance::rows(&store, &A, None), [(0, vec![1])]);
    assert_eq!(store.append_reads(&reading(1), sealbox::store::Care::Durable).unwrap(), Committed::Yes);
    assert_eq!(log(&store), [(1, vec![1])]);
}

#[test]
fn a_reading_does_not_wait_long_for_another_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::create(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = std::time::Instant::now();
    let refused = store.append_reads(&reading(1), sealbox::store::Care::Brief);
    assert!(matches!(refused, Err(StoreError::Busy { .. })));
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "it would have been 20 s");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.append_reads(&reading(1), sealbox::store::Care::Brief).unwrap(), Committed::Yes);
}

#[test]
fn what_is_written_after_a_brief_record_is_durable_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(&folder.path().join("store.db")).unwrap();
    assert_eq!(store.synchronous().unwrap(), 2);
    assert_eq!(store.append_reads(&reading(1), sealbox::store::Care::Brief).unwrap(), Committed::Yes);
    assert_eq!(store.synchronous().unwrap(), 1);
    assert_eq!(store.commit(&entries(vec![entry(A, 0, b"x")])).unwrap(), Committed::Yes);
    assert_eq!(store.synchronous().unwrap(), 2);
    assert_eq!(store.append_reads(&reading(2), sealbox::store::Care::Durable).unwrap(), Committed::Yes);
    assert_eq!(store.synchronous().unwrap(), 2);
}
