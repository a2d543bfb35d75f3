//! R6: a bit flip in every 512 bytes, and a cut at every 512 bytes, of the store, its write-ahead log, the pins and the
//! identity: a correct answer or a clean error, never a panic, a wrong value or a silent new start.

use crate::people::{Machine, ORG, copy_tree, name, names, passphrase, project, read, set};
use sealbox::vault::VaultError;
use std::path::Path;

/// A vault with a few of everything; the write-ahead log is kept in `live`, a copy taken while it is open.
fn sample() -> (Machine, Machine) {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "FIRST", "the first value").unwrap();
    set(&mut vault, &ORG, "LONG", &"a long value, ".repeat(800)).unwrap();
    vault.create_project(&sealbox::domain::ProjectName::parse("web").unwrap()).unwrap();
    set(&mut vault, &project("web"), "IN_WEB", "of the project").unwrap();
    set(&mut vault, &ORG, "FIRST", "the second value").unwrap();
    let live = Machine::new();
    copy_tree(machine.folder.path(), live.folder.path());
    drop(vault);
    (machine, live)
}

/// Everything that a user asks; panics on a wrong answer.
fn look(machine: &Machine, what: &str) -> Result<(), VaultError> {
    let reports = machine.home().verify(None);
    let vault = machine.try_open()?;
    for (scope, secret, expected) in [
        (&ORG, "FIRST", "the second value".to_owned()),
        (&ORG, "LONG", "a long value, ".repeat(800)),
        (&project("web"), "IN_WEB", "of the project".to_owned()),
    ] {
        match read(&vault, scope, secret) {
            Ok(text) => assert!(text == expected, "{what}: {secret} is wrong"),
            Err(VaultError::NoSecret { .. }) => panic!("{what}: {secret} disappeared without a word"),
            Err(_) => {}
        }
    }
    if let Ok((_, list, _)) = vault.list(&ORG) {
        assert!(list.len() <= 2, "{what}");
        assert!(list.iter().all(|meta| ["FIRST", "LONG"].contains(&meta.name.as_str())), "{what}");
    }
    if let Ok(reading) = vault.read(&ORG, &name("FIRST"), Some(1)) {
        assert!(reading.value.expose() == b"the first value", "{what}");
    }
    // what is sound to a reader is sound to `verify`, and the other way round
    let sound = reports.is_ok_and(|reports| reports.iter().all(|report| report.faults.is_empty()));
    if sound {
        assert_eq!(names(&vault, &ORG), ["FIRST", "LONG"], "{what}: verify found nothing");
        assert!(read(&vault, &ORG, "LONG").is_ok(), "{what}: verify found nothing");
    }
    Ok(())
}

/// Damages one file at every 512 bytes, in a fresh copy each time. Says how often the damage was noticed.
fn damage(whole: &Machine, relative: &str) -> (usize, usize) {
    let bytes = std::fs::read(whole.folder.path().join(relative)).unwrap();
    assert!(!bytes.is_empty(), "{relative}");
    let (mut tried, mut noticed) = (0, 0);
    for at in (0..bytes.len()).step_by(512) {
        for cut in [false, true] {
            let copy = Machine::new();
            copy_tree(whole.folder.path(), copy.folder.path());
            let changed = if cut {
                bytes[..at].to_vec()
            } else {
                let mut changed = bytes.clone();
                let byte = (at + at / 512 * 37 % 512).min(bytes.len() - 1);
                changed[byte] ^= 1 << (at / 512 % 8);
                changed
            };
            write(&copy.folder.path().join(relative), &changed);
            tried += 1;
            let what = format!("{relative}, {} at {at}", if cut { "cut" } else { "bit" });
            noticed += usize::from(look(&copy, &what).is_err());
        }
    }
    (tried, noticed)
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_store_gives_right_answers_or_clean_errors() {
    let (whole, _) = sample();
    look(&whole, "undamaged").unwrap();
    let (tried, noticed) = damage(&whole, "v/store.db");
    assert!(tried > 60 && noticed > 10, "{noticed} of {tried}: the damage does not bite");
}

#[test]
fn a_damaged_write_ahead_log_gives_right_answers_or_clean_errors() {
    let (_, live) = sample();
    // With its last frames cut, the log is what an older store looks like; the pin notices.
    let (tried, noticed) = damage(&live, "v/store.db-wal");
    assert!(tried > 60 && noticed > 10, "{noticed} of {tried}: the damage does not bite");
}

#[test]
fn damaged_pins_give_right_answers_or_clean_errors() {
    let (whole, _) = sample();
    damage(&whole, "v/state/pins.db");
}

#[test]
fn a_damaged_identity_never_opens_and_never_starts_anew() {
    let (whole, _) = sample();
    let (tried, noticed) = damage(&whole, "v/identity");
    assert_eq!(tried, noticed);
    let bytes = std::fs::read(whole.paths().identity()).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        // the cost fields may ask for more work than a test should do: they are bounded, see the crypto room
        if !(4..16).contains(&at) {
            write(&whole.paths().identity(), &changed);
            assert!(whole.try_open().is_err(), "byte {at}");
            assert!(matches!(whole.home().prepare("x", "y", &passphrase()), Err(VaultError::VaultExists(_))));
        }
    }
}

#[test]
fn a_backup_can_be_put_back_over_a_store_that_does_not_open() {
    let (whole, _) = sample();
    let backup = whole.folder.path().join("backup");
    whole.home().backup(None, &backup).unwrap();
    let good = std::fs::read(whole.store()).unwrap();
    for changed in
        [b"garbage, not a database at all".repeat(100), Vec::new(), good[..5000].to_vec(), vec![0; 8192]]
    {
        write(&whole.store(), &changed);
        assert!(whole.try_open().is_err());
        whole.home().restore(&backup, false).unwrap();
        look(&whole, "restored").unwrap();
        assert_eq!(names(&whole.open(), &ORG), ["FIRST", "LONG"]);
    }
}

#[test]
fn pins_that_do_not_open_can_be_made_anew_knowingly() {
    let (whole, _) = sample();
    write(
        &whole.paths().pins(),
        b"garbage, not a database at all, and longer than a header of one would be by far.............",
    );
    assert!(whole.try_open().is_err(), "losing the memory of what was seen is not passed over in silence");
    whole.home().accept_rollback().unwrap();
    look(&whole, "with new pins").unwrap();
    assert_eq!(names(&whole.open(), &ORG), ["FIRST", "LONG"]);
}
