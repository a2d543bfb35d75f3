//! A store that serves what it likes (R10, R11, R15): noticed, or harmless.

use crate::people::{CHEAP, Machine, ORG, admit, name, names, passphrase, project, read, set};
use crate::store::wrappers::HostileStore;
use sealbox::chain::{Body, ChainFault, Draft, Header};
use sealbox::crypto::Identity;
use sealbox::domain::{ProjectName, Role, ScopeId};
use sealbox::vault::{Vault, VaultError};

const LAST: u64 = i64::MAX as u64;

struct Scene {
    machine: Machine,
    store: HostileStore,
    scope: ScopeId,
}

impl Scene {
    /// ada's vault with secrets A and B and the project web, in a store that the test controls.
    fn new() -> Self {
        let (machine, mut vault) = Machine::founded();
        set(&mut vault, &ORG, "A", "value of A").unwrap();
        set(&mut vault, &ORG, "B", "value of B").unwrap();
        vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
        set(&mut vault, &project("web"), "C", "value of C").unwrap();
        drop(vault);
        let store = HostileStore::copy_of(&machine.raw_store());
        let scope = machine.identity().roots[0];
        Self { machine, store, scope }
    }

    fn open(&self) -> Result<Vault, VaultError> {
        self.machine.open_over(Box::new(self.store.clone()))
    }

    fn last(&self) -> u64 {
        self.store
            .tables()
            .rows
            .keys()
            .filter(|(scope, seq)| *scope == self.scope && *seq < LAST)
            .map(|(_, seq)| *seq)
            .max()
            .unwrap()
    }

    fn insert(&self, seq: u64, bytes: &[u8]) {
        self.store.tamper(|tables| tables.rows.insert((self.scope, seq), bytes.to_vec()));
    }

    fn fault(&self) -> Option<ChainFault> {
        match self.open().and_then(|vault| vault.list(&ORG).map(|_| ())) {
            Err(VaultError::Chain { fault, .. }) => Some(fault),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }
}

#[test]
fn an_older_store_than_was_seen_is_refused_and_not_written_to() {
    let scene = Scene::new();
    let last = scene.last();
    scene.store.tamper(|tables| tables.rows.remove(&(scene.scope, last)));
    assert_eq!(scene.fault(), Some(ChainFault::Stale { head: last - 1, pin: last }));
    let rows = scene.store.tables().rows.len();
    assert!(scene.open().is_err());
    assert_eq!(scene.store.tables().rows.len(), rows);
}

#[test]
fn a_damaged_project_does_not_harm_the_organization() {
    let scene = Scene::new();
    scene.store.tamper(|tables| {
        let web: Vec<_> =
            tables.rows.keys().filter(|(scope, seq)| *scope != scene.scope && *seq > 0).copied().collect();
        web.iter().for_each(|key| drop(tables.rows.remove(key)));
    });
    let rows = scene.store.tables().rows.len();
    let mut vault = scene.open().unwrap();
    assert_eq!(read(&vault, &ORG, "A").unwrap(), "value of A");
    let stale = |error: &VaultError| {
        matches!(error.root(), VaultError::Chain { fault: ChainFault::Stale { .. }, .. })
    };
    assert!(
        read(&vault, &project("web"), "C").is_err_and(|error| stale(&error)),
        "its fault, not: no such project"
    );
    assert!(set(&mut vault, &project("web"), "X", "x").is_err_and(|error| stale(&error)));
    assert_eq!(scene.store.tables().rows.len(), rows);
}

#[test]
fn another_history_than_was_seen_is_a_hard_stop() {
    let scene = Scene::new();
    let seen = scene.last();
    // ada's other machine, restored from an old copy, goes another way and gets further
    let old = scene.store.tables();
    let branch = Machine::new();
    crate::people::copy_tree(scene.machine.folder.path(), branch.folder.path());
    let mut rows = old;
    for seq in seen - 1..=seen {
        rows.rows.remove(&(scene.scope, seq));
    }
    let other = HostileStore::default();
    other.tamper(|tables| *tables = rows);
    std::fs::remove_dir_all(branch.paths().state).unwrap();
    let mut vault = {
        std::fs::create_dir_all(branch.paths().state).unwrap();
        branch.open_over(Box::new(other.clone())).unwrap()
    };
    for n in 0..4 {
        set(&mut vault, &ORG, &format!("OTHER_{n}"), "x").unwrap();
    }
    scene.store.tamper(|tables| *tables = other.tables());
    assert_eq!(scene.fault(), Some(ChainFault::PinMismatch { seq: seen }));
}

#[test]
fn every_single_row_that_is_dropped_is_noticed() {
    let scene = Scene::new();
    let all = scene.store.tables();
    for key in all.rows.keys() {
        scene.store.tamper(|tables| {
            tables.rows = all.rows.clone();
            tables.rows.remove(key);
        });
        match scene.open() {
            Err(error) => {
                assert!(matches!(error, VaultError::Chain { .. }) && key.0 == scene.scope, "{key:?}: {error}")
            }
            Ok(vault) => assert!(vault.broken().any(|(scope, _)| scope == key.0), "{key:?}"),
        }
    }
}

#[test]
fn a_missing_or_changed_value_is_withheld_and_the_others_stay_readable() {
    let scene = Scene::new();
    let keys: Vec<_> =
        scene.store.tables().blobs.into_iter().filter(|((scope, _), _)| *scope == scene.scope).collect();
    for (key, blob) in keys {
        for change in
            [None, Some(b"short".to_vec()), Some(Vec::new()), Some([blob.as_slice(), &[0]].concat())]
        {
            scene.store.tamper(|tables| match change {
                None => drop(tables.blobs.remove(&key)),
                Some(bytes) => drop(tables.blobs.insert(key, bytes)),
            });
            let vault = scene.open().unwrap();
            let outcomes = ["A", "B"].map(|secret| read(&vault, &ORG, secret));
            assert_eq!(
                outcomes.iter().filter(|outcome| matches!(outcome, Err(VaultError::Withheld { .. }))).count(),
                1
            );
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
            let reports = sealbox::vault::verify::verify(&scene.store, None, &[scene.scope]).unwrap();
            assert_eq!(reports[0].faults.len(), 1, "{:?}", reports[0].faults);
        }
        scene.store.tamper(|tables| drop(tables.blobs.insert(key, blob)));
    }
}

#[test]
fn junk_is_ignored_counted_and_stepped_over_by_every_session() {
    let scene = Scene::new();
    let mut early = scene.open().unwrap();
    scene.insert(scene.last() + 1, b"junk");
    scene.insert(LAST, b"junk at the end of all positions");
    let mut late = scene.open().unwrap();
    early.refresh().unwrap();
    assert_eq!((early.ignored_rows(), late.ignored_rows()), (2, 2));
    for n in 0..3 {
        set(&mut early, &ORG, &format!("EARLY_{n}"), "x").unwrap();
        set(&mut late, &ORG, &format!("LATE_{n}"), "x").unwrap();
    }
    early.refresh().unwrap();
    assert_eq!(names(&early, &ORG).len(), 8, "a session that has seen the junk sees what others write");
    assert_eq!(names(&early, &ORG), names(&late, &ORG));
    assert_eq!(names(&scene.open().unwrap(), &ORG).len(), 8);
    assert_eq!(early.ignored_rows(), 2, "however often it is read");
    let reports = sealbox::vault::verify::verify(&scene.store, None, &[scene.scope]).unwrap();
    assert_eq!((reports[0].ignored, reports[0].faults.len()), (2, 0));
}

#[test]
fn a_forged_entry_between_the_valid_ones_does_not_reach_the_log() {
    let scene = Scene::new();
    let me = scene.machine.identity().identity;
    let state = super::attic::states(&scene.store.tables())
        .into_iter()
        .find(|state| state.scope == scene.scope)
        .unwrap();
    let victim = *state.secrets.keys().next().unwrap();
    // right author, right place, right link; only the signature is another's
    let header = Header {
        scope: scene.scope,
        seq: state.seq + 1,
        prev: state.hash,
        author: me.public().sign,
        time_ms: 1,
    };
    let forged = Draft { header, body: Body::Delete(victim) }
        .sign(&Identity::generate().unwrap().signer().unwrap())
        .unwrap();
    scene.insert(state.seq + 1, &forged);
    let mut vault = scene.open().unwrap();
    set(&mut vault, &ORG, "D", "after the forgery").unwrap();
    for vault in [&vault, &scene.open().unwrap()] {
        let log = vault.log(&ORG, None).unwrap();
        assert!(
            log.iter().all(|event| event.action != "secret_deleted"),
            "the log tells of a deletion that never was"
        );
        assert_eq!(log.last().unwrap().subject.as_deref(), Some("D"));
        assert_eq!(names(vault, &ORG), ["A", "B", "D"]);
    }
}

#[test]
fn what_is_only_in_the_database_is_not_opened() {
    let (owner, mut vault) = Machine::founded();
    let guest = Machine::new();
    let id = guest.home().create_identity(&passphrase()).unwrap();
    vault.add_member(&ORG, &id, "gus", Role::Write).unwrap();
    drop(vault);
    let over = guest.open_over(Box::new(HostileStore::copy_of(&owner.raw_store()))).unwrap();
    assert!(over.scopes().unwrap().is_empty(), "being a member is not enough: the root comes by link");
    assert!(matches!(over.list(&ORG), Err(VaultError::NotJoined)));
    // a genesis of somebody's own making, offered as the same organization
    let (fake, _) = Machine::founded();
    let scene = Scene::new();
    scene.store.tamper(|tables| {
        let fakes = HostileStore::copy_of(&fake.raw_store()).tables().rows;
        let genesis = fakes.values().next().unwrap().clone();
        tables.rows.insert((scene.scope, 0), genesis);
    });
    assert_eq!(scene.fault(), Some(ChainFault::NoGenesis));
}

#[test]
fn a_link_opens_nothing_but_what_its_owner_saw() {
    let (_here, mut vault) = Machine::founded();
    let (_there, mut other) = Machine::founded();
    let guest = Machine::new();
    let id = guest.home().create_identity(&passphrase()).unwrap();
    let link = vault.add_member(&ORG, &id, "gus", Role::Write).unwrap();
    let elsewhere = other.location();
    let wrong = guest.home().join(&link, Some(std::path::Path::new(&elsewhere)), &passphrase());
    assert!(matches!(wrong, Err(VaultError::Chain { fault: ChainFault::NoGenesis, .. })));
    let stranger = Machine::new();
    stranger.home().create_identity(&passphrase()).unwrap();
    let refused = stranger.home().join(&link, None, &passphrase());
    assert!(matches!(refused, Err(VaultError::Invalid(_))), "the link of another");
    assert!(stranger.identity().roots.is_empty() && guest.identity().roots.is_empty());
    assert!(guest.home().join("scj1_xyz@sqlite:/nowhere", None, &passphrase()).is_err());
    assert!(guest.home().join(&link, None, &passphrase()).unwrap().list(&ORG).is_ok());
    let second = other.add_member(&ORG, &id, "gus", Role::Read).unwrap();
    assert!(guest.home().join(&second, None, &passphrase()).is_err(), "one identity, one store");
}

#[test]
fn the_owner_of_a_link_pins_what_a_joiner_accepts() {
    let (owner, mut vault) = Machine::founded();
    let backup = owner.folder.path().join("before");
    let guest = Machine::new();
    let id = guest.home().create_identity(&passphrase()).unwrap();
    vault.add_member(&ORG, &id, "gus", Role::Write).unwrap();
    owner.home().backup(Some(&vault), &backup).unwrap();
    // an old copy of the store, from before the entry that the second link vouches for
    set(&mut vault, &ORG, "A", "x").unwrap();
    vault.remove_member(&ORG, "gus").unwrap();
    let link = vault.add_member(&ORG, &id, "gus", Role::Write).unwrap();
    let stale = guest.home().join(&link, Some(&backup), &passphrase());
    assert!(matches!(stale, Err(VaultError::Chain { fault: ChainFault::Stale { .. }, .. })));
}

#[test]
fn a_restored_backup_needs_a_person_to_accept_the_rollback() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "old").unwrap();
    let backup = machine.folder.path().join("backup");
    machine.home().backup(Some(&vault), &backup).unwrap();
    set(&mut vault, &ORG, "A", "new").unwrap();
    set(&mut vault, &ORG, "B", "later").unwrap();
    drop(vault);
    assert!(machine.home().restore(&backup, false).is_err());
    assert_eq!(names(&machine.open(), &ORG), ["A", "B"], "nothing was replaced");
    machine.home().restore(&backup, true).unwrap();
    let mut vault = machine.open();
    assert_eq!(
        (names(&vault, &ORG), read(&vault, &ORG, "A").unwrap()),
        (vec!["A".to_owned()], "old".to_owned())
    );
    set(&mut vault, &ORG, "C", "and on it goes").unwrap();
    drop(vault);
    // the same by hand: the file is put back under the program's feet
    std::fs::copy(&backup, machine.store()).unwrap();
    for side in ["store.db-wal", "store.db-shm"] {
        let _ = std::fs::remove_file(machine.paths().data.join(side));
    }
    assert!(matches!(machine.try_open(), Err(VaultError::Chain { fault: ChainFault::Stale { .. }, .. })));
    machine.home().accept_rollback().unwrap();
    assert_eq!(names(&machine.open(), &ORG), ["A"]);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let backup = machine.folder.path().join("backup");
    machine.home().backup(Some(&vault), &backup).unwrap();
    drop(vault);
    let db = rusqlite::Connection::open(&backup).unwrap();
    db.execute("UPDATE blob SET data = x'00'", []).unwrap();
    drop(db);
    assert!(machine.home().restore(&backup, true).is_err());
    assert_eq!(read(&machine.open(), &ORG, "A").unwrap(), "x");
}

#[test]
fn clocks_decide_nothing() {
    #[derive(Clone)]
    struct Odd(u64);
    impl sealbox::platform::clock::Clock for Odd {
        fn wall_ms(&self) -> u64 {
            self.0
        }
        fn since_boot(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }
    let (machine, vault) = Machine::founded();
    drop(vault);
    let times = [0, 4_291_747_200_000, 1_700_000_000_000, 1_699_913_600_000, u64::MAX];
    for (n, time) in times.into_iter().enumerate() {
        let home = sealbox::vault::Home::new(machine.paths(), CHEAP, std::sync::Arc::new(Odd(time)));
        let mut vault = home.unlock(&passphrase()).unwrap();
        assert_eq!(set(&mut vault, &ORG, "A", &format!("{n}")).unwrap() as usize, n + 1);
    }
    let vault = machine.open();
    assert_eq!(read(&vault, &ORG, "A").unwrap(), "4");
    let (_, versions) = vault.history(&ORG, &name("A")).unwrap();
    let shown: Vec<u64> = versions.iter().rev().map(|version| version.updated_ms).collect();
    assert_eq!(shown, times);
}

#[test]
fn a_project_can_be_used_by_somebody_who_is_not_in_the_organization() {
    let scene = Scene::new();
    let mut owner = scene.machine.open();
    let (_, mut guest) = admit(&mut owner, "gus", &[(&project("web"), Role::Write)]);
    assert_eq!(read(&guest, &project("web"), "C").unwrap(), "value of C");
    set(&mut guest, &project("web"), "D", "from the guest").unwrap();
    assert!(matches!(guest.list(&ORG), Err(VaultError::NotAMember(_))));
    owner.refresh().unwrap();
    assert_eq!(read(&owner, &project("web"), "D").unwrap(), "from the guest");
}
