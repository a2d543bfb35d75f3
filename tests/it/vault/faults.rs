//! A store that fails at its Nth call, for every N until the work is done (R1, R4 at the level of the trait): the error is
//! told, the state is the one before or the one after, and the next try works.

use crate::people::{Machine, ORG, admit, copy_tree, name, names, project, read, set, value};
use crate::store::wrappers::{FaultyStore, Trap};
use sealbox::domain::{OnExisting, ProjectName, Role, SecretName, SecretValue};
use sealbox::store::SqliteStore;
use sealbox::vault::{Vault, VaultError, verify::verify};

/// A machine with a few secrets, a writer wil and a reader rea.
fn sample() -> Machine {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "first").unwrap();
    set(&mut vault, &ORG, "A", "second").unwrap();
    admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    machine
}

/// What can be seen, in words: two equal pictures are the same state.
fn picture(vault: &Vault) -> String {
    let mut picture = String::new();
    for view in vault.scopes().unwrap() {
        picture += &format!("{} {} |", view.scope, view.head);
        for secret in names(vault, &view.scope) {
            picture += &format!("{secret}={} ", read(vault, &view.scope, &secret).unwrap());
        }
        for member in vault.members(&view.scope).unwrap() {
            picture += &format!("{}:{:?} ", member.label, member.role);
        }
    }
    picture
}

type Work = fn(&mut Vault) -> Result<(), VaultError>;

/// Runs `work` with a fault at call 1, 2, 3, … until it succeeds; each time on a fresh copy.
fn until_it_succeeds(what: &str, trap: &Trap, work: Work) {
    let whole = sample();
    let before = picture(&whole.open());
    let after = {
        let copy = Machine::new();
        copy_tree(whole.folder.path(), copy.folder.path());
        let mut vault = copy.open();
        work(&mut vault).unwrap();
        heads_gone(&picture(&vault))
    };
    for at in 1.. {
        assert!(at < 60, "{what} never succeeds");
        let copy = Machine::new();
        copy_tree(whole.folder.path(), copy.folder.path());
        let store = FaultyStore { inner: SqliteStore::open(&copy.store()).unwrap(), trap: trap.clone() };
        trap.arm(0);
        let mut vault = copy.open_over(Box::new(store)).unwrap();
        trap.arm(at);
        let outcome = work(&mut vault);
        trap.arm(0);
        let mut fresh = copy.open();
        let now = picture(&fresh);
        assert!(now == before || heads_gone(&now) == after, "{what}, fault {at}: {now}");
        let reports = verify(&copy.raw_store(), None, &copy.identity().roots).unwrap();
        assert!(
            reports.iter().all(|report| report.faults.is_empty() && report.ignored == 0),
            "{what}, fault {at}"
        );
        match outcome {
            Ok(()) => {
                assert_eq!(heads_gone(&now), after, "{what}: acknowledged, but not there");
                assert!(at > 1, "{what} never touched the store");
                return;
            }
            Err(error) => assert!(matches!(error, VaultError::Store(_)), "{what}, fault {at}: {error}"),
        }
        // the session that met the fault goes on, and so does a fresh one
        vault.refresh().unwrap();
        assert_eq!(picture(&vault), now, "{what}, fault {at}: the session and the store disagree");
        set(&mut vault, &ORG, "PROBE", "x").unwrap();
        fresh.refresh().unwrap();
        assert_eq!(read(&fresh, &ORG, "PROBE").unwrap(), "x");
    }
}

/// Positions differ when something was done twice; what counts is what can be seen.
fn heads_gone(picture: &str) -> String {
    picture.split('|').map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ')).collect()
}

const WORKS: [(&str, Work); 8] = [
    ("set", |vault| set(vault, &ORG, "B", "new").map(drop)),
    ("update", |vault| set(vault, &ORG, "A", "third").map(drop)),
    ("delete", |vault| vault.delete(&ORG, &name("A")).map(drop)),
    ("rollback", |vault| vault.rollback(&ORG, &name("A"), 1).map(drop)),
    ("import", |vault| vault.import(&ORG, &many(), OnExisting::Update, false).map(drop)),
    ("member remove", |vault| vault.remove_member(&ORG, "wil").map(drop)),
    ("member role", |vault| vault.set_role(&ORG, "wil", Role::Read).map(drop)),
    ("project create", |vault| vault.create_project(&ProjectName::parse("web").unwrap())),
];

fn many() -> Vec<(SecretName, SecretValue)> {
    (0..20)
        .map(|n| (name(&format!("I{n}")), value("imported")))
        .chain([(name("A"), value("imported"))])
        .collect()
}

#[test]
fn work_that_a_fault_interrupts_is_done_or_undone() {
    for (what, work) in WORKS {
        until_it_succeeds(what, &Trap::new(), work);
    }
}

#[test]
fn work_whose_answer_got_lost_is_done_or_undone() {
    for (what, work) in WORKS {
        until_it_succeeds(what, &Trap::after_commit(), work);
    }
}

#[test]
fn a_read_that_failed_once_does_not_hide_a_scope_for_good() {
    let whole = sample();
    let mut other = whole.open();
    other.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    for at in 1..12 {
        let trap = Trap::new();
        let store = FaultyStore { inner: SqliteStore::open(&whole.store()).unwrap(), trap: trap.clone() };
        let mut vault = whole.open_over(Box::new(store)).unwrap();
        let text = format!("n{at}");
        set(&mut other, &ORG, "A", &text).unwrap();
        set(&mut other, &project("web"), "W", &text).unwrap();
        trap.arm(at);
        let _ = vault.refresh();
        trap.arm(0);
        vault.refresh().unwrap();
        assert_eq!(read(&vault, &ORG, "A").unwrap(), text, "fault {at}");
        assert_eq!(read(&vault, &project("web"), "W").unwrap(), text, "fault {at}");
    }
}
