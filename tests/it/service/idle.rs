//! R33: the idle lock counts time since boot, suspend included; the wall clock has no say; polling keeps nothing awake.

use super::{TestClock, service_with};
use crate::people::{Machine, ORG, passphrase, set};
use sealbox::service::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const LIMIT: u64 = 300;

fn unlocked() -> (Machine, LocalService, Arc<TestClock>) {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    drop(vault);
    let clock = Arc::new(TestClock::default());
    clock.pass(1_000_000);
    let service = service_with(&machine, Arc::clone(&clock) as _, Some(Duration::from_secs(LIMIT)));
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    (machine, service, clock)
}

fn state(service: &LocalService) -> VaultState {
    ask(service, Status {}).unwrap().state
}

fn get(service: &LocalService) -> Result<Revealed, ServiceError> {
    ask(
        service,
        GetSecret {
            scope: ORG,
            name: crate::people::name("A"),
            version: None,
            purpose: Purpose::Resolve,
            program: "test".into(),
        },
    )
}

#[test]
fn the_vault_locks_itself_after_the_limit_and_not_before() {
    let (_machine, service, clock) = unlocked();
    assert_eq!(ask(&service, Status {}).unwrap().lock_in_s, Some(LIMIT));
    clock.pass(LIMIT - 1);
    let status = ask(&service, Status {}).unwrap();
    assert_eq!((status.state, status.lock_in_s), (VaultState::Unlocked, Some(1)));
    clock.pass(1);
    assert_eq!(get(&service).err().unwrap().kind, ErrorKind::Locked, "the first request after it is refused");
    assert_eq!(state(&service), VaultState::Locked);
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    assert!(get(&service).is_ok());
}

#[test]
fn a_suspend_counts() {
    let (_machine, service, clock) = unlocked();
    clock.pass(8 * 3600);
    assert_eq!(get(&service).err().unwrap().kind, ErrorKind::Locked);
}

#[test]
fn the_wall_clock_neither_locks_nor_keeps_open() {
    let (_machine, service, clock) = unlocked();
    clock.wall_ms.fetch_add(365 * 86_400_000, Ordering::SeqCst);
    assert!(get(&service).is_ok(), "a year ahead");
    clock.wall_ms.store(0, Ordering::SeqCst);
    clock.boot_s.fetch_add(LIMIT, Ordering::SeqCst);
    assert_eq!(state(&service), VaultState::Locked, "back to 1970");
}

#[test]
fn what_a_screen_asks_by_itself_keeps_nothing_awake() {
    let (_machine, service, clock) = unlocked();
    for _ in 0..LIMIT / 10 - 1 {
        clock.pass(10);
        ask(&service, Status {}).unwrap();
        ask(&service, ListScopes {}).unwrap();
        ask(&service, ListSecrets { scope: ORG }).unwrap();
        ask(&service, ListMembers { scope: ORG }).unwrap();
        ask(&service, GetHistory { scope: ORG, name: crate::people::name("A") }).unwrap();
        ask(&service, GetLog { scope: ORG, limit: None, pick: LogPick::default() }).unwrap();
        ask(&service, Verify {}).unwrap();
        ask(&service, Doctor { accept_rollback: false }).unwrap();
    }
    clock.pass(10);
    assert_eq!(state(&service), VaultState::Locked);
}

#[test]
fn what_a_person_does_keeps_it_awake() {
    let (_machine, service, clock) = unlocked();
    for n in 0..6 {
        clock.pass(LIMIT - 1);
        if n % 2 == 0 {
            ask(&service, Touch {}).unwrap();
        } else {
            get(&service).unwrap();
        }
    }
    assert_eq!(state(&service), VaultState::Unlocked);
}

fn limited(machine: &Machine, clock: &Arc<TestClock>, idle: u64, limit: u64) -> LocalService {
    let service = service_with(machine, Arc::clone(clock) as _, Some(Duration::from_secs(idle)));
    let service = service.max_unlocked(Some(Duration::from_secs(limit)));
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    service
}

#[test]
fn the_hard_limit_falls_however_busy_it_is() {
    let (machine, _, clock) = unlocked();
    let service = limited(&machine, &clock, LIMIT, 3 * LIMIT);
    for _ in 0..11 {
        clock.pass(LIMIT / 4);
        get(&service).unwrap();
    }
    let status = ask(&service, Status {}).unwrap();
    assert_eq!((status.lock.idle_in_s, status.lock.limit_in_s), (Some(LIMIT), Some(LIMIT / 4)));
    assert_eq!(status.lock_in_s, Some(LIMIT / 4), "the nearer of the two");
    clock.pass(LIMIT / 4);
    assert_eq!(get(&service).err().unwrap().kind, ErrorKind::Locked);
    let status = ask(&service, Status {}).unwrap();
    assert_eq!((status.state, status.lock.reason), (VaultState::Locked, Some(LockReason::Limit)));
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    assert_eq!(ask(&service, Status {}).unwrap().lock.limit_in_s, Some(3 * LIMIT), "it begins anew");
}

#[test]
fn a_suspend_counts_for_the_hard_limit_and_the_wall_clock_does_not() {
    let (machine, _, clock) = unlocked();
    let service = limited(&machine, &clock, 100_000, 12 * 3600);
    clock.wall_ms.store(0, Ordering::SeqCst);
    assert!(get(&service).is_ok());
    clock.boot_s.fetch_add(12 * 3600, Ordering::SeqCst); // closed for a night
    assert_eq!(get(&service).err().unwrap().kind, ErrorKind::Locked);
}

#[test]
fn kept_open_it_neither_idles_nor_outlives_its_time() {
    let (machine, _, clock) = unlocked();
    let service = limited(&machine, &clock, LIMIT, 10 * LIMIT);
    ask(&service, KeepOpen { seconds: 4 * LIMIT }).unwrap();
    clock.pass(4 * LIMIT - 1);
    assert_eq!(state(&service), VaultState::Unlocked);
    get(&service).unwrap();
    clock.pass(1);
    assert_eq!(state(&service), VaultState::Locked);
    assert_eq!(ask(&service, KeepOpen { seconds: 9 }).err().unwrap().kind, ErrorKind::Locked);
}

#[test]
fn files_that_another_program_replaced_close_the_vault() {
    type Deed = fn(&Machine);
    let deeds: [(&str, Deed); 4] = [
        ("another passphrase", |machine| {
            let new = sealbox::domain::Passphrase::new("another one".to_owned());
            machine.home().change_passphrase(&passphrase(), &new, None).unwrap();
        }),
        ("a reset", |machine| machine.home().reset().unwrap()),
        ("a store put aside", |machine| {
            let copy = machine.folder.path().join("copy");
            std::fs::copy(machine.store(), &copy).unwrap();
            std::fs::rename(&copy, machine.store()).unwrap();
        }),
        ("pins put aside", |machine| {
            std::fs::rename(machine.paths().pins(), machine.folder.path().join("pins")).unwrap();
        }),
    ];
    for (what, deed) in deeds {
        let (machine, service, _) = unlocked();
        assert!(get(&service).is_ok());
        deed(&machine);
        assert!(get(&service).is_err(), "{what}");
        assert_eq!(ask(&service, Status {}).unwrap().lock.reason, Some(LockReason::Replaced), "{what}");
    }
}

#[test]
fn our_own_new_passphrase_closes_nothing() {
    let (_machine, service, _) = unlocked();
    let new = || sealbox::domain::Passphrase::new("another one".to_owned());
    ask(&service, ChangePassphrase { old: passphrase(), new: new(), memory_mib: None }).unwrap();
    assert!(get(&service).is_ok());
    ask(&service, Unlock { passphrase: new() }).unwrap();
}

#[test]
fn a_refused_request_after_the_limit_does_not_wake_the_vault() {
    let (_machine, service, clock) = unlocked();
    clock.pass(LIMIT);
    assert_eq!(ask(&service, Touch {}).err().unwrap().kind, ErrorKind::Locked);
    assert_eq!(state(&service), VaultState::Locked);
}

#[test]
fn without_a_limit_it_stays_open_and_lock_locks_at_once() {
    let (machine, _, clock) = unlocked();
    let service = service_with(&machine, Arc::clone(&clock) as _, None);
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    clock.pass(10_000_000);
    assert!(get(&service).is_ok());
    assert_eq!(ask(&service, Status {}).unwrap().lock_in_s, None);
    ask(&service, Lock {}).unwrap();
    assert_eq!(get(&service).err().unwrap().kind, ErrorKind::Locked);
}

#[test]
fn a_wrong_passphrase_is_one_error_and_opens_nothing() {
    let (machine, _, clock) = unlocked();
    let service = service_with(&machine, Arc::clone(&clock) as _, None);
    for text in ["", "wrong", "open sesame ", "Open sesame"] {
        let error = ask(&service, Unlock { passphrase: sealbox::domain::Passphrase::new(text.to_owned()) })
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Locked);
        assert!(text.is_empty() || !error.message.contains(text));
        assert_eq!(state(&service), VaultState::Locked);
    }
}
