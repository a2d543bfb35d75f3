//! Files and folders that are not ours stay as they are; what an accident left behind does not stand in the way.

use super::is_sound;
use crate::env::files_below;
use crate::people::{CHEAP, Machine, ORG, names, passphrase, read, set};
use crate::service::service_on;
use sealbox::platform::clock::SystemClock;
use sealbox::platform::paths::VaultPaths;
use sealbox::service::*;
use sealbox::store::{SqliteStore, StoreError};
use sealbox::vault::{Home, VaultError};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

type Make = fn(&Path);

/// An SQLite file that says that it is ours, with these tables.
fn posing(path: &Path, tables: &str) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(tables).unwrap();
    db.pragma_update(None, "application_id", 0x5342_5831).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_neither_its_bytes_nor_its_mode_change() {
    let foreign: [(&str, Make, u32); 6] = [
        ("a script", |path| fs::write(path, "#!/bin/sh\necho hello\n").unwrap(), 0o755),
        ("an empty file", |path| fs::write(path, "").unwrap(), 0o644),
        (
            "another program's database",
            |path| {
                let db = rusqlite::Connection::open(path).unwrap();
                db.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES(1)").unwrap();
            },
            0o644,
        ),
        (
            "a store with a trigger",
            |path| {
                drop(SqliteStore::create(path).unwrap());
                let db = rusqlite::Connection::open(path).unwrap();
                db.execute_batch("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM blob; END")
                    .unwrap();
            },
            0o644,
        ),
        (
            "a store with a view",
            |path| {
                drop(SqliteStore::create(path).unwrap());
                let db = rusqlite::Connection::open(path).unwrap();
                db.execute_batch("CREATE VIEW v AS SELECT * FROM entry").unwrap();
            },
            0o644,
        ),
        (
            "a store without primary keys",
            |path| {
                posing(
                    path,
                    "CREATE TABLE entry(scope BYTEA NOT NULL, seq BIGINT NOT NULL, body BYTEA NOT NULL);
                     CREATE TABLE blob(scope BYTEA NOT NULL, hash BYTEA NOT NULL, data BYTEA NOT NULL)",
                );
            },
            0o644,
        ),
    ];
    for (what, make, was) in foreign {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        make(&path);
        if what.starts_with("a store") {
            // As a backup is: SQLite itself leaves sidecars beside a file in write-ahead mode that it may not write.
            let db = rusqlite::Connection::open(&path).unwrap();
            db.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).unwrap();
        }
        set_mode(&path, was);
        let bytes = fs::read(&path).unwrap();
        let untouched = |how: &str| {
            assert!(fs::read(&path).unwrap() == bytes, "{what}: {how} changed the bytes");
            assert_eq!(mode(&path), was, "{what}: {how} changed the mode");
            let left = files_below(folder.path());
            assert_eq!(left.len(), 1, "{what}: {how} left {left:?}");
        };
        let damaged = |opened: Result<SqliteStore, StoreError>| {
            matches!(opened.err(), Some(StoreError::Damaged { .. }))
        };
        assert!(damaged(SqliteStore::open(&path)), "{what}: opened");
        untouched("open");
        assert!(damaged(SqliteStore::inspect(&path)), "{what}: inspected");
        untouched("inspect");
        if !bytes.is_empty() {
            assert!(damaged(SqliteStore::create(&path)), "{what}: taken over");
            untouched("create");
        }
    }
}

/// Makes a vault in this folder.
fn found_in(folder: &Path) -> Result<(), VaultError> {
    let home = Home::new(VaultPaths::in_folder(folder), CHEAP, Arc::new(SystemClock));
    let prepared = home.prepare("acme", "ada", &passphrase())?;
    home.commit(&prepared).map(drop)
}

#[test]
fn a_vault_is_not_made_in_a_folder_that_others_use() {
    let place = tempfile::tempdir().unwrap();
    for (what, was, holds) in
        [("sticky", 0o1777, None), ("private and sticky", 0o1700, None), ("open", 0o755, Some("README"))]
    {
        let folder = place.path().join(what);
        fs::create_dir(&folder).unwrap();
        if let Some(file) = holds {
            fs::write(folder.join(file), "somebody's").unwrap();
        }
        set_mode(&folder, was);
        assert!(matches!(found_in(&folder), Err(VaultError::Invalid(_))), "{what}");
        assert_eq!(mode(&folder), was, "{what}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), usize::from(holds.is_some()), "{what}");
    }
}

#[test]
fn an_empty_folder_that_was_open_is_closed_and_used() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("open");
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o755);
    found_in(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn a_recovery_from_the_wrong_backup_leaves_nothing_and_the_right_one_then_works() {
    let (home, recovery_key, mut vault) = {
        let machine = Machine::new();
        let prepared = machine.home().prepare("acme", "ada", &passphrase()).unwrap();
        let vault = machine.home().commit(&prepared).unwrap();
        (machine, prepared.recovery_key().duplicate(), vault)
    };
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (other, theirs) = Machine::founded();
    let (right, wrong) = (home.folder.path().join("right"), other.folder.path().join("wrong"));
    home.home().backup(Some(&vault), &right).unwrap();
    other.home().backup(Some(&theirs), &wrong).unwrap();
    let fresh = Machine::new();
    let recover = |from: &Path| fresh.home().recover(&recovery_key, Some(from), "ada again", &passphrase());
    for _ in 0..2 {
        assert!(matches!(recover(&wrong), Err(VaultError::ForeignRecoveryKey)));
        let left = files_below(&fresh.paths().data);
        assert!(left.iter().all(|file| file.ends_with("lock")), "{left:?}");
    }
    assert_eq!(read(&recover(&right).unwrap(), &ORG, "A").unwrap(), "x");
    assert_eq!(names(&fresh.open(), &ORG), ["A"]);
    is_sound(&fresh);
}

#[test]
fn pins_of_a_vault_that_was_deleted_by_hand_are_not_held_against_the_next_one() {
    let machine = Machine::new();
    let paths = VaultPaths {
        state: machine.folder.path().join("state"), // as under XDG: not below the data folder
        ..machine.paths()
    };
    let home = Home::new(paths, CHEAP, Arc::new(SystemClock));
    let found = || home.commit(&home.prepare("acme", "ada", &passphrase()).unwrap()).unwrap();
    set(&mut found(), &ORG, "A", "x").unwrap();
    fs::remove_dir_all(&home.paths().data).unwrap();
    assert!(home.paths().pins().exists(), "the pins are left over");
    let mut vault = found();
    for vault in [Some(&vault), None] {
        let reports = home.verify(vault).unwrap();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].faults, Vec::<String>::new());
    }
    set(&mut vault, &ORG, "B", "y").unwrap();
    assert_eq!(names(&home.unlock(&passphrase()).unwrap(), &ORG), ["B"]);
}

#[test]
fn an_init_that_failed_can_be_tried_again_with_the_same_recovery_key() {
    let machine = Machine::new();
    let service = service_on(&machine);
    let init = InitPrepare { organization: "acme".into(), name: "ada".into(), passphrase: passphrase() };
    let recovery_key = ask(&service, init).unwrap().key;
    let data = machine.paths().data;
    let obstacle = data.join("store.db.new");
    fs::create_dir_all(&obstacle).unwrap();
    fs::write(obstacle.join("in the way"), "").unwrap();
    set_mode(&data, 0o700);
    for _ in 0..2 {
        assert!(ask(&service, InitCommit {}).is_err());
        assert_eq!(ask(&service, Status {}).unwrap().state, VaultState::Absent);
    }
    fs::remove_dir_all(&obstacle).unwrap();
    ask(&service, InitCommit {}).unwrap();
    assert_eq!(ask(&service, Status {}).unwrap().state, VaultState::Unlocked);
    assert!(ask(&service, InitCommit {}).is_err(), "once");
    let backup = machine.folder.path().join("backup");
    ask(&service, Backup { to: backup.clone() }).unwrap();
    let fresh = Machine::new();
    fresh.home().recover(&recovery_key, Some(&backup), "ada", &passphrase()).unwrap();
}
