//! A vault that is locked: what it can do with a shared store, and that a lock wins over an unlock still under way.

use crate::people::{CHEAP, Machine, ORG, admit, passphrase, set};
use crate::service::service_on;
use sealbox::crypto::{KdfCost, KdfPolicy};
use sealbox::domain::Role;
use sealbox::service::*;
use sealbox::store::{SqliteStore, Store};
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn while_locked_a_joined_vault_verifies_and_backs_up_the_shared_store_and_does_not_restore_it() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (writer, session) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    drop(session);
    set(&mut vault, &ORG, "A", "later, by another").unwrap();
    let service = service_on(&writer);
    let status = ask(&service, Status {}).unwrap();
    let place = owner.store().display().to_string();
    assert_eq!((status.state, status.store), (VaultState::Locked, place.clone()));

    let seen = owner.home().verify(Some(&vault)).unwrap();
    let reports = writer.home().verify(None).unwrap();
    assert_eq!(reports, seen, "the very rows that the owner sees");
    assert_eq!((reports[0].entries, reports[0].blobs), (4, 2));
    assert!(ask(&service, Verify {}).is_ok());

    let backup = writer.folder.path().join("backup");
    let report = ask(&service, Backup { to: backup.clone() }).unwrap();
    assert_eq!((report.scopes, report.entries), (1, 4));
    assert_eq!(SqliteStore::inspect(&backup).unwrap().scopes().unwrap(), vec![seen[0].id]);
    assert!(!writer.store().exists(), "no store of its own was made");

    for accept_rollback in [false, true] {
        let refused = ask(&service, Restore { from: backup.clone(), accept_rollback }).err().unwrap();
        assert_eq!(refused.kind, ErrorKind::Usage);
        assert!(refused.message.contains(&place), "{}", refused.message);
    }
    assert!(!writer.store().exists());
    assert_eq!(owner.home().verify(Some(&vault)).unwrap(), seen);
}

/// Unlocks in a thread that is held after it has taken the passphrase and before it has the vault; `meanwhile` runs then.
/// Says the state afterwards, and what the unlock said.
fn unlock_while(meanwhile: impl FnOnce(&LocalService)) -> (VaultState, Result<(), ErrorKind>) {
    let (machine, vault) = Machine::founded();
    drop(vault);
    // The identity will be sealed anew, which takes the lock file: that it is there shows how far the thread has come.
    let kdf = KdfPolicy { cost: KdfCost { memory_kib: 64, ..CHEAP.cost }, ..CHEAP };
    let lock = machine.paths().data.join("lock");
    fs::remove_file(&lock).unwrap();
    // It cannot come further than to its pins, which somebody else is writing; and it waits for them.
    let pins = rusqlite::Connection::open(machine.paths().pins()).unwrap();
    pins.execute_batch("BEGIN IMMEDIATE").unwrap();
    let service = LocalService::new(ServiceOptions { kdf, ..machine.service_options() });
    let said = std::thread::scope(|threads| {
        let unlocking = threads.spawn(|| ask(&service, Unlock { passphrase: passphrase() }));
        let start = Instant::now();
        while !lock.exists() {
            assert!(start.elapsed() < Duration::from_secs(10), "the unlock does not get anywhere");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(ask(&service, Status {}).unwrap().state, VaultState::Locked, "it is still under way");
        meanwhile(&service);
        pins.execute_batch("ROLLBACK").unwrap();
        unlocking.join().unwrap().map_err(|error| error.kind)
    });
    (ask(&service, Status {}).unwrap().state, said)
}

#[test]
fn a_lock_during_an_unlock_does_not_end_unlocked() {
    assert_eq!(unlock_while(|_| ()), (VaultState::Unlocked, Ok(())), "nothing else hinders it");
    let locked = (VaultState::Locked, Err(ErrorKind::Locked)); // and nobody is told that it is open
    assert_eq!(unlock_while(|service| ask(service, Lock {}).unwrap()), locked);
}
