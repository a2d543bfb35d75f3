//! The files of one machine: passphrase, recovery, reset, modes (R40, R41, R43).

use crate::env::{files_below, holds};
use crate::people::{CHEAP, Machine, ORG, names, passphrase, project, read, set};
use sealbox::crypto::{KdfCost, KdfPolicy};
use sealbox::domain::{Passphrase, ProjectName, Role, SecretValue};
use sealbox::platform::clock::SystemClock;
use sealbox::vault::{Home, VaultError};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

fn pass(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

#[test]
fn files_are_private_whatever_they_were() {
    let (machine, vault) = Machine::founded();
    drop(vault);
    let paths = machine.paths();
    for path in [paths.identity(), paths.store(), paths.pins()] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    fs::set_permissions(&paths.data, fs::Permissions::from_mode(0o777)).unwrap();
    let _vault = machine.open();
    for file in files_below(&paths.data) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    for folder in [&paths.data, &paths.state] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn an_identity_behind_a_symbolic_link_is_not_followed() {
    let (machine, vault) = Machine::founded();
    drop(vault);
    let (identity, real) = (machine.paths().identity(), machine.folder.path().join("real"));
    fs::rename(&identity, &real).unwrap();
    std::os::unix::fs::symlink(&real, &identity).unwrap();
    assert!(machine.try_open().is_err());
    assert!(machine.home().change_passphrase(&passphrase(), &pass("new"), None).is_err());
}

#[test]
fn a_new_passphrase_opens_and_the_old_one_does_not() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let store = fs::read(machine.store()).unwrap();
    machine.home().change_passphrase(&passphrase(), &pass("new"), None).unwrap();
    assert!(matches!(machine.try_open(), Err(VaultError::WrongPassphrase)));
    assert!(machine.home().unlock(&pass("new")).is_ok());
    assert!(fs::read(machine.store()).unwrap() == store, "no data is touched");
    assert!(matches!(
        machine.home().change_passphrase(&passphrase(), &pass("x"), None),
        Err(VaultError::WrongPassphrase)
    ));
    assert!(machine.home().change_passphrase(&pass("new"), &pass(""), None).is_err());
    assert!(machine.home().unlock(&pass("new")).is_ok());
}

#[test]
fn an_identity_that_is_sealed_too_cheaply_is_sealed_anew_at_unlock() {
    let (machine, vault) = Machine::founded();
    drop(vault);
    let dear = KdfPolicy { cost: KdfCost { memory_kib: 64, passes: 2, lanes: 1 }, floor_kib: 8 };
    let home = Home::new(machine.paths(), dear, Arc::new(SystemClock));
    assert!(home.unlock(&pass("wrong")).is_err());
    assert_eq!(
        fs::read(machine.paths().identity()).unwrap()[4..8],
        8u32.to_be_bytes(),
        "not by a wrong passphrase"
    );
    home.unlock(&passphrase()).unwrap();
    assert_eq!(fs::read(machine.paths().identity()).unwrap()[4..8], 64u32.to_be_bytes());
    machine.try_open().unwrap(); // a dearer one is left alone
    assert_eq!(fs::read(machine.paths().identity()).unwrap()[4..8], 64u32.to_be_bytes());
    let strict = KdfPolicy { floor_kib: 65, ..CHEAP };
    let refused = Home::new(machine.paths(), strict, Arc::new(SystemClock)).unlock(&passphrase());
    assert!(matches!(refused, Err(VaultError::IdentityDamaged(_, sealbox::crypto::CryptoError::KdfBounds))));
}

#[test]
fn a_newer_identity_says_newer() {
    let (machine, vault) = Machine::founded();
    drop(vault);
    let mut bytes = fs::read(machine.paths().identity()).unwrap();
    bytes[2] = b'2';
    fs::write(machine.paths().identity(), &bytes).unwrap();
    assert!(matches!(machine.try_open(), Err(VaultError::Newer(_))));
    assert_eq!(fs::read(machine.paths().identity()).unwrap(), bytes);
}

/// A vault with its recovery key.
fn with_recovery_key() -> (Machine, SecretValue) {
    let machine = Machine::new();
    let prepared = machine.home().prepare("acme", "ada", &passphrase()).unwrap();
    let key = prepared.recovery_key().duplicate();
    let mut vault = machine.home().commit(&prepared).unwrap();
    set(&mut vault, &ORG, "A", "saved").unwrap();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    set(&mut vault, &project("web"), "B", "saved too").unwrap();
    (machine, key)
}

#[test]
fn the_recovery_key_gets_in_again_after_the_passphrase_was_forgotten() {
    let (machine, key) = with_recovery_key();
    let forgotten = machine.home().recover(&key, None, "ada", &pass("new")).unwrap();
    assert_eq!(read(&forgotten, &ORG, "A").unwrap(), "saved");
    assert_eq!(read(&forgotten, &project("web"), "B").unwrap(), "saved too");
    drop(forgotten);
    let mut vault = machine.home().unlock(&pass("new")).unwrap();
    set(&mut vault, &ORG, "C", "full rights again").unwrap();
    assert!(
        vault
            .members(&ORG)
            .unwrap()
            .iter()
            .any(|m| m.me && m.label == "ada 2" && m.role == Some(Role::Owner))
    );
    assert!(
        machine.paths().data.join("identity.old").exists(),
        "a passphrase that comes back to mind still opens it"
    );
}

#[test]
fn the_recovery_key_and_a_backup_are_enough_on_a_new_machine() {
    let (machine, key) = with_recovery_key();
    let backup = machine.folder.path().join("backup");
    machine.home().backup(None, &backup).unwrap();
    let fresh = Machine::new();
    let vault = fresh.home().recover(&key, Some(&backup), "ada", &pass("new")).unwrap();
    assert_eq!(read(&vault, &project("web"), "B").unwrap(), "saved too");
    drop(vault);
    assert!(
        fresh.home().recover(&key, Some(&backup), "ada", &pass("x")).is_err(),
        "a vault is not replaced by a backup"
    );
    assert!(fresh.home().unlock(&pass("new")).is_ok());
}

#[test]
fn a_foreign_or_mistyped_recovery_key_changes_nothing() {
    let (machine, _) = with_recovery_key();
    let (_other, foreign) = with_recovery_key();
    assert!(matches!(
        machine.home().recover(&foreign, None, "x", &pass("new")),
        Err(VaultError::ForeignRecoveryKey)
    ));
    let mut typo = foreign.expose().to_vec();
    typo[20] = if typo[20] == b'q' { b'p' } else { b'q' };
    let typo = SecretValue::new(typo).unwrap();
    assert!(matches!(machine.home().recover(&typo, None, "x", &pass("new")), Err(VaultError::Invalid(_))));
    assert_eq!(names(&machine.open(), &ORG), ["A"]);
}

#[test]
fn reset_leaves_nothing_of_the_seed_or_the_rows() {
    let (machine, key) = with_recovery_key();
    let (before, seed) =
        (fs::read(machine.paths().identity()).unwrap(), *machine.identity().identity.seed().expose());
    machine.home().recover(&key, None, "ada", &pass("new")).unwrap();
    // what a killed writer of the identity and an earlier rescue leave behind
    fs::write(machine.paths().data.join(".identity.tmp-1-0"), &before).unwrap();
    fs::write(machine.paths().data.join("store.db.damaged"), fs::read(machine.store()).unwrap()).unwrap();
    machine.home().reset().unwrap();
    for file in files_below(&machine.paths().data) {
        let bytes = fs::read(&file).unwrap();
        assert!(
            !holds(&bytes, &before[16..48]) && !holds(&bytes, &seed) && bytes.is_empty(),
            "{}",
            file.display()
        );
    }
    assert!(matches!(machine.try_open(), Err(VaultError::NoVault(_))));
    machine.home().reset().unwrap(); // a rerun is fine
    let prepared = machine.home().prepare("again", "ada", &passphrase()).unwrap();
    machine.home().commit(&prepared).unwrap();
}

#[test]
fn reset_of_a_guest_leaves_the_shared_store_alone() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (guest, theirs) = crate::people::admit(&mut vault, "gus", &[(&ORG, Role::Write)]);
    drop(theirs);
    guest.home().reset().unwrap();
    assert!(matches!(guest.try_open(), Err(VaultError::NoVault(_))));
    assert_eq!(read(&owner.open(), &ORG, "A").unwrap(), "x");
}

#[test]
fn a_vault_is_not_made_over_another_or_over_rows_without_an_identity() {
    let (machine, vault) = Machine::founded();
    drop(vault);
    assert!(matches!(machine.home().prepare("x", "y", &passphrase()), Err(VaultError::VaultExists(_))));
    assert!(matches!(machine.home().create_identity(&passphrase()), Err(VaultError::VaultExists(_))));
    let fresh = Machine::new();
    let prepared = fresh.home().prepare("x", "y", &passphrase()).unwrap();
    fs::create_dir_all(&fresh.paths().data).unwrap();
    fs::copy(machine.store(), fresh.store()).unwrap();
    assert!(matches!(fresh.home().commit(&prepared), Err(VaultError::OrphanStore(_))));
    assert!(matches!(fresh.try_open(), Err(VaultError::OrphanStore(_))));
}
