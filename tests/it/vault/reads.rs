//! The read log: what is written, who may see it, what a hostile store can do to it, and that it decides nothing.

use super::attic::states;
use crate::people::{Machine, ORG, admit, name, names, project, read, set};
use crate::store::wrappers::{FaultyStore, HostileStore, Trap};
use sealbox::chain::{ReadDraft, ReadEntry, ReadHeader};
use sealbox::crypto::{Identity, sha256};
use sealbox::domain::{LogEvent, LogKind, LogPick, ProjectName, ReadAction, ReadCode, ReadRecord, Role};
use sealbox::store::{SqliteStore, Store};
use sealbox::vault::verify::{ReadLogReport, verify};
use sealbox::vault::{Vault, VaultError};

fn record(names: &[&str]) -> ReadRecord {
    ReadRecord {
        action: ReadAction::Get,
        code: ReadCode::Ok,
        names: names.iter().map(|text| name(text)).collect(),
        version: Some(1),
        program: "a test".to_owned(),
    }
}

fn reads(vault: &Vault) -> Vec<LogEvent> {
    vault.log_of(&ORG, &LogPick { kind: LogKind::Reads, ..LogPick::default() }, None).unwrap()
}

/// What was read, as a word each: `ada:get:A`.
fn words(vault: &Vault) -> Vec<String> {
    let word = |event: &LogEvent| {
        let read = event.read.as_ref().unwrap();
        let names: Vec<_> = read.names.iter().map(|name| name.as_str()).collect();
        format!("{}:{}:{}", event.author, event.action, names.join("+"))
    };
    reads(vault).iter().map(word).collect()
}

/// An organization of ada with secret A, over a store that the test controls.
fn office() -> (Machine, HostileStore) {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    drop(vault);
    let store = HostileStore::copy_of(&owner.raw_store());
    (owner, store)
}

fn over(machine: &Machine, store: &HostileStore) -> Vault {
    machine.open_over(Box::new(store.clone())).unwrap()
}

fn logs(machine: &Machine, store: &HostileStore) -> (Vec<ReadLogReport>, u64) {
    let report = verify(store, None, &machine.identity().roots).unwrap().remove(0);
    assert!(report.faults.is_empty(), "nothing in a read log makes a scope unsound: {:?}", report.faults);
    (report.read_logs, report.read_junk)
}

#[test]
fn a_reading_is_told_with_name_version_host_and_program_and_without_a_value() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "the canary").unwrap();
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    let failed = ReadRecord { code: ReadCode::SecretNotFound, version: None, ..record(&["B"]) };
    vault.record_reads(&ORG, &failed).unwrap();
    let told = reads(&vault);
    let (first, second) = (&told[0], &told[1]);
    assert_eq!((first.seq, first.author.as_str(), first.action.as_str()), (1, "ada", "get"));
    assert_eq!((first.subject.as_deref(), first.version), (Some("A"), Some(1)));
    let facts = first.read.as_ref().unwrap();
    assert_eq!((facts.code, facts.program.as_str()), (ReadCode::Ok, "a test"));
    assert_eq!(facts.host, sealbox::platform::host::name().chars().take(64).collect::<String>());
    assert_eq!(second.read.as_ref().unwrap().code, ReadCode::SecretNotFound);
    assert_eq!(second.seq, 2);
    // it survives the session
    drop(vault);
    let vault = owner.open();
    assert_eq!(words(&vault), ["ada:get:A", "ada:get:B"]);
    let files = crate::env::files_below(owner.folder.path());
    for secret in ["the canary", "a test"] {
        let shown =
            |file: &std::path::PathBuf| crate::env::holds(&std::fs::read(file).unwrap(), secret.as_bytes());
        assert!(!files.iter().any(shown), "{secret} is in a file");
    }
}

#[test]
fn everybody_sees_the_readings_of_everybody_and_each_has_a_chain_of_their_own() {
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (_, mut rune) = admit(&mut vault, "rune", &[(&ORG, Role::Run)]);
    let (_, mut rea) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    rune.record_reads(&ORG, &record(&["A"])).unwrap();
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    let denied = ReadRecord { code: ReadCode::PermissionDenied, ..record(&["A"]) };
    rea.record_reads(&ORG, &denied).unwrap();
    rune.record_reads(&ORG, &record(&["B"])).unwrap();
    for who in [&mut vault, &mut rune, &mut rea] {
        who.refresh().unwrap();
        let mut seen = words(who);
        seen.sort();
        assert_eq!(seen, ["ada:get:A", "rea:get:A", "rune:get:A", "rune:get:B"]);
    }
}

#[test]
fn a_reading_of_another_project_is_written_there() {
    let (_owner, mut vault) = Machine::founded();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    vault.record_reads(&project("web"), &record(&["W"])).unwrap();
    assert!(reads(&vault).is_empty());
    assert_eq!(vault.log_of(&project("web"), &LogPick::default(), None).unwrap().len(), 2);
    // where one is no member there is nothing to write to, and nobody is held up
    vault.record_reads(&project("nowhere"), &record(&["W"])).unwrap();
}

#[test]
fn a_reading_of_many_names_loses_none_of_them() {
    let (_owner, mut vault) = Machine::founded();
    let many: Vec<String> = (0..700).map(|n| format!("{}_{n:03}", "N".repeat(124))).collect();
    let all: Vec<&str> = many.iter().map(String::as_str).collect();
    vault.record_reads(&ORG, &record(&all)).unwrap();
    let told = reads(&vault);
    assert_eq!(told.len(), 3, "in as few records as hold them");
    let read: Vec<&str> =
        told.iter().flat_map(|event| &event.read.as_ref().unwrap().names).map(|name| name.as_str()).collect();
    assert_eq!(read, all);
}

/// What happened at one time is told changes first: what is to be told in order must have times of its own.
fn a_millisecond_later() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

#[test]
fn changes_and_readings_come_merged_and_can_be_picked_apart() {
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    a_millisecond_later();
    let (_, mut rune) = admit(&mut vault, "rune", &[(&ORG, Role::Run)]);
    rune.record_reads(&ORG, &record(&["B", "A"])).unwrap();
    a_millisecond_later();
    set(&mut vault, &ORG, "B", "y").unwrap();
    let log = |pick: LogPick, limit| -> Vec<String> {
        let events = vault.log_of(&ORG, &pick, limit).unwrap();
        events.iter().map(|event| format!("{} {}", event.author, event.action)).collect()
    };
    let all = log(LogPick::default(), None);
    let order = [
        "ada scope_created",
        "ada secret_created",
        "ada get",
        "ada member_added",
        "rune get",
        "ada secret_created",
    ];
    assert_eq!(all, order);
    assert_eq!(log(LogPick::default(), Some(2)), order[4..]);
    let kind = |kind| LogPick { kind, ..LogPick::default() };
    assert_eq!(log(kind(LogKind::Changes), None).len(), 4);
    assert_eq!(log(kind(LogKind::Reads), None), ["ada get", "rune get"]);
    let of = |who: &str| LogPick { member: Some(who.to_owned()), ..LogPick::default() };
    assert_eq!(log(of("rune"), None), ["ada member_added", "rune get"]);
    assert_eq!(log(of(&rune.my_id()), None), ["ada member_added", "rune get"]);
    assert!(matches!(vault.log_of(&ORG, &of("nobody"), None), Err(VaultError::NoMember(_))));
    let about = LogPick { name: Some(name("A")), ..LogPick::default() };
    assert_eq!(log(about, None), ["ada secret_created", "ada get", "rune get"]);
    let since = LogPick { since_ms: Some(u64::MAX), ..LogPick::default() };
    assert!(log(since, None).is_empty());
}

#[test]
fn an_author_keeps_the_newest_ten_thousand_and_what_was_removed_is_no_gap() {
    let (owner, store) = office();
    let me = owner.identity().identity;
    let ada = me.public().sign;
    for seq in [1, 479, 480, 481, 10_478] {
        forged(&store, &me, ada, seq);
    }
    let positions = || store.tables().reads.keys().map(|(.., seq)| *seq).collect::<Vec<_>>();
    let mut vault = over(&owner, &store);
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    assert_eq!(positions(), [1, 479, 480, 481, 10_478, 10_479], "not at every position");
    drop(vault);
    forged(&store, &me, ada, 10_495);
    let mut vault = over(&owner, &store);
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    let kept = [10_478, 10_479, 10_495, 10_496];
    assert_eq!(positions(), kept, "10,000 below the one at which old ones go");
    // of what is not there, only that is missing which the author did not remove
    assert_eq!(logs(&owner, &store).0[0].missing[0], (497, 10_477));
}

#[test]
fn what_a_store_drops_changes_or_invents_shows_and_never_matters() {
    let (owner, store) = office();
    let mut vault = over(&owner, &store);
    for n in ["A", "B", "C", "D", "E"] {
        vault.record_reads(&ORG, &record(&[n])).unwrap();
    }
    drop(vault);
    let good = store.tables().reads;
    let at = |seq: u64| *good.keys().find(|(.., known)| *known == seq).unwrap();
    let try_it = |change: &dyn Fn(&mut std::collections::BTreeMap<_, _>)| {
        store.tamper(|tables| {
            tables.reads = good.clone();
            change(&mut tables.reads);
        });
        let vault = over(&owner, &store);
        assert_eq!(read(&vault, &ORG, "A").unwrap(), "x");
        assert_eq!(vault.ignored_rows(), 0, "the chain does not look at these rows");
        let (logs, junk) = logs(&owner, &store);
        let log = logs.into_iter().next();
        let (missing, unlinked) = log.map(|log| (log.missing, log.unlinked)).unwrap_or_default();
        (words(&vault).len(), missing, unlinked, junk)
    };
    assert_eq!(try_it(&|_| {}), (5, vec![], vec![], 0));
    assert_eq!(try_it(&|rows| drop(rows.remove(&at(3)))), (4, vec![(3, 3)], vec![], 0));
    assert_eq!(
        try_it(&|rows| drop((rows.remove(&at(1)), rows.remove(&at(2))))),
        (3, vec![(1, 2)], vec![], 0)
    );
    // the tail can be cut: that is why the log is advisory
    assert_eq!(try_it(&|rows| drop(rows.remove(&at(5)))), (4, vec![], vec![], 0));
    let flip = |rows: &mut std::collections::BTreeMap<_, Vec<u8>>, seq: u64, byte: usize| {
        let row = rows.get_mut(&at(seq)).unwrap();
        let byte = byte.min(row.len() - 1);
        row[byte] ^= 1;
    };
    for byte in 0..good[&at(3)].len() {
        let (told, missing, unlinked, junk) = try_it(&|rows| flip(rows, 3, byte));
        assert_eq!((told, missing, unlinked, junk), (4, vec![(3, 3)], vec![], 1), "byte {byte}");
    }
    // in another place, of another author, of another scope
    let moved = try_it(&|rows| drop(rows.insert(at(2), good[&at(4)].clone())));
    assert_eq!(moved, (4, vec![(2, 2)], vec![], 1));
    let (scope, author, _) = at(1);
    let foreign = try_it(&|rows| {
        rows.insert((scope, [9; 32], 1), good[&at(1)].clone());
        rows.insert((scope, author, i64::MAX as u64), b"junk".to_vec());
    });
    assert_eq!(foreign, (5, vec![], vec![], 2));
}

#[test]
fn junk_at_the_next_positions_is_stepped_over_and_is_no_gap() {
    let (owner, store) = office();
    let mut vault = over(&owner, &store);
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    let (scope, author, _) = *store.tables().reads.keys().next().unwrap();
    store.tamper(|tables| {
        for seq in [2, 3, 5] {
            tables.reads.insert((scope, author, seq), b"junk".to_vec());
        }
    });
    for vault in [&mut vault, &mut over(&owner, &store)] {
        vault.record_reads(&ORG, &record(&["B"])).unwrap();
    }
    let seqs: Vec<u64> = reads(&vault).iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 4, 6]);
    let (logs, junk) = logs(&owner, &store);
    assert_eq!((logs[0].missing.len(), logs[0].unlinked.len(), junk), (0, 0, 3));
    // so much of it that nothing can be written is told
    store.tamper(|tables| {
        for seq in 10..1_200 {
            tables.reads.insert((scope, author, seq), b"junk".to_vec());
        }
    });
    vault.record_reads(&ORG, &record(&["C"])).unwrap();
    assert_eq!(vault.unrecorded().map(|(count, _)| count), Some(1));
}

#[test]
fn what_is_cut_off_under_a_session_shows_once_it_goes_on() {
    let (owner, store) = office();
    let mut vault = over(&owner, &store);
    for n in ["A", "B", "C"] {
        vault.record_reads(&ORG, &record(&[n])).unwrap();
    }
    store.tamper(|tables| tables.reads.retain(|(.., seq), _| *seq == 1));
    vault.record_reads(&ORG, &record(&["D"])).unwrap();
    assert_eq!(logs(&owner, &store).0[0].missing, [(2, 3)]);
}

#[test]
fn two_sessions_of_one_person_write_one_chain() {
    let (owner, mut one) = Machine::founded();
    let mut two = owner.open();
    for n in 0..20 {
        let vault = if n % 2 == 0 { &mut one } else { &mut two };
        vault.record_reads(&ORG, &record(&["A"])).unwrap();
    }
    assert_eq!(reads(&two).iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    let store = owner.raw_store();
    let report = verify(&store, None, &owner.identity().roots).unwrap().remove(0);
    assert!(report.read_logs[0].missing.is_empty() && report.read_logs[0].unlinked.is_empty());
}

#[test]
fn two_sessions_at_once_lose_no_reading() {
    let (owner, vault) = Machine::founded();
    drop(vault);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let mut vault = owner.open();
                for _ in 0..25 {
                    vault.record_reads(&ORG, &record(&["A"])).unwrap();
                }
                assert_eq!(vault.unrecorded(), None);
            });
        }
    });
    let report = verify(&owner.raw_store(), None, &owner.identity().roots).unwrap().remove(0);
    let log = &report.read_logs[0];
    assert_eq!((log.records, log.missing.len(), log.unlinked.len(), report.read_junk), (100, 0, 0, 0));
}

/// A record that `signer` signs as if `author` had read.
fn forged(store: &HostileStore, signer: &Identity, author: [u8; 32], seq: u64) {
    let scope = states(&store.tables()).remove(0).scope;
    let header = ReadHeader { scope, seq, prev: [0; 32], author, time_ms: 1, oldest: seq, generation: 1 };
    let bytes = ReadDraft { header, details: vec![7; 300] }.sign(&signer.signer().unwrap()).unwrap();
    store.tamper(|tables| tables.reads.insert((scope, author, seq), bytes));
}

#[test]
fn nobody_writes_into_the_read_log_of_another() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (writer, _) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    let store = HostileStore::copy_of(&owner.raw_store());
    let rows = owner.raw_store();
    let (scope, ada) = (owner.identity().roots[0], owner.identity().identity.public().sign);
    rows.reads(&scope, &ada, &mut |seq, bytes| {
        store.tamper(|tables| tables.reads.insert((scope, ada, seq), bytes.to_vec()));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let wil = writer.identity().identity;
    forged(&store, &wil, ada, 2);
    forged(&store, &Identity::generate().unwrap(), [5; 32], 1);
    let vault = over(&owner, &store);
    assert_eq!(words(&vault), ["ada:get:A"]);
    let (logs, junk) = logs(&owner, &store);
    assert_eq!((logs.len(), logs[0].records, logs[0].missing.len(), junk), (1, 1, 0, 2));
    // one that a member really signed, with details that do not open, is not shown
    forged(&store, &wil, wil.public().sign, 1);
    assert_eq!(words(&vault), ["ada:get:A"]);
    let mut vault = over(&owner, &store);
    set(&mut vault, &ORG, "B", "writers go on").unwrap();
    assert_eq!(names(&vault, &ORG), ["A", "B"]);
}

#[test]
fn details_open_in_their_own_record_and_in_no_other() {
    let (owner, store) = office();
    let mut vault = over(&owner, &store);
    for n in ["A", "B"] {
        vault.record_reads(&ORG, &record(&[n])).unwrap();
    }
    // the author's own key puts the details of one record into another: signed, but sealed for another place
    let me = owner.identity().identity;
    let rows: Vec<_> = store.tables().reads.into_iter().collect();
    let first = ReadEntry::parse(&rows[0].1).unwrap();
    let header = ReadHeader { seq: 3, prev: sha256(&rows[1].1), ..first.header };
    let bytes = ReadDraft { header, details: first.details.to_vec() }.sign(&me.signer().unwrap()).unwrap();
    store.tamper(|tables| tables.reads.insert((header.scope, header.author, 3), bytes));
    assert_eq!(words(&over(&owner, &store)), ["ada:get:A", "ada:get:B"]);
}

#[test]
fn a_reading_that_cannot_be_written_is_counted_and_holds_nobody_up() {
    let (owner, vault) = Machine::founded();
    drop(vault);
    for at in 1..4 {
        let trap = Trap::new();
        let store = FaultyStore { inner: SqliteStore::open(&owner.store()).unwrap(), trap: trap.clone() };
        let mut vault = owner.open_over(Box::new(store)).unwrap();
        trap.arm(at);
        vault.record_reads(&ORG, &record(&["A"])).unwrap();
        let lost = vault.unrecorded().map(|(count, why)| (count, why.contains("disk I/O error")));
        assert_eq!(lost, (at <= 2).then_some((1, true)), "fault {at}");
        trap.arm(0);
        vault.record_reads(&ORG, &record(&["A"])).unwrap();
    }
}

#[test]
fn a_reading_that_must_be_written_and_cannot_is_refused() {
    let (owner, vault) = Machine::founded();
    drop(vault);
    let trap = Trap::new();
    let store = FaultyStore { inner: SqliteStore::open(&owner.store()).unwrap(), trap: trap.clone() };
    let mut vault = owner.open_over(Box::new(store)).unwrap();
    vault.require_records(true);
    for at in 1..3 {
        trap.arm(at);
        let refused = vault.record_reads(&ORG, &record(&["A"]));
        assert!(matches!(refused, Err(VaultError::NotRecorded(_))), "fault {at}");
        trap.arm(0);
    }
    assert!(matches!(
        vault.record_reads(&project("nowhere"), &record(&["A"])),
        Err(VaultError::NotRecorded(_))
    ));
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    assert_eq!((vault.unrecorded(), words(&vault).len()), (None, 1));
}

#[test]
fn readings_survive_a_change_of_keys_and_a_removed_member_is_still_told_of() {
    let (_owner, mut vault) = Machine::founded();
    let (_, mut fay) = admit(&mut vault, "fay", &[(&ORG, Role::Write)]);
    fay.record_reads(&ORG, &record(&["A"])).unwrap();
    vault.record_reads(&ORG, &record(&["A"])).unwrap();
    vault.remove_member(&ORG, "fay").unwrap();
    vault.record_reads(&ORG, &record(&["B"])).unwrap();
    let mut seen = words(&vault);
    seen.sort();
    assert_eq!(seen, ["ada:get:A", "ada:get:B", "fay:get:A"]);
    let (_, rea) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    assert_eq!(words(&rea).len(), 3, "also for who came later");
}
