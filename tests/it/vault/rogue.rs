//! Members who run a program of their own: what they sign is on the chain for all to judge (R13, R14, R16).

use super::attic::states;
use crate::people::{Machine, ORG, admit, name, names, read, set};
use crate::store::wrappers::HostileStore;
use sealbox::chain::{
    Body, BoxFor, Draft, Header, MemberBody, PutBody, RotateBody, ScheduleBody, SecretId, State,
};
use sealbox::crypto::{
    FullKey, Identity, Subject, boxes,
    scope_keys::{BlobContext, Wrap},
    sha256,
};
use sealbox::domain::{KeyClass, Role, ScopeId, scope::hex};
use sealbox::vault::{Vault, VaultError};

/// An organization with a writer, a runner and a reader, moved to a store that the test controls.
struct Office {
    store: HostileStore,
    owner: Machine,
    writer: Machine,
    runner: Machine,
    reader: Machine,
}

impl Office {
    fn new() -> Self {
        let (owner, mut vault) = Machine::founded();
        set(&mut vault, &ORG, "GOOD", "honest").unwrap();
        let (writer, _) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
        let (runner, _) = admit(&mut vault, "rune", &[(&ORG, Role::Run)]);
        let (reader, _) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
        drop(vault);
        Self { store: HostileStore::copy_of(&owner.raw_store()), owner, writer, runner, reader }
    }

    fn open(&self, machine: &Machine) -> Result<Vault, VaultError> {
        machine.open_over(Box::new(self.store.clone()))
    }

    fn state(&self) -> State {
        states(&self.store.tables()).remove(0)
    }

    fn scope(&self) -> ScopeId {
        self.owner.identity().roots[0]
    }

    /// The key of the newest generation, as this member was sent it.
    fn key(&self, me: &Identity) -> FullKey {
        let state = self.state();
        let member = &state.members[&me.public().sign];
        let received = member.boxes.last().unwrap();
        let context = boxes::BoxContext {
            scope: &received.bound_to.0,
            generation: received.generation,
            recipient: &me.public().sign,
            class: received.class,
        };
        FullKey::from_key(me.open_box(context, &received.sealed).unwrap())
    }

    /// Signs whatever it is told and puts it at the next position, past every client's checks.
    fn force(&self, me: &Identity, body: Body) -> u64 {
        let state = self.state();
        let seq = self
            .store
            .tables()
            .rows
            .keys()
            .filter(|(scope, _)| *scope == state.scope)
            .map(|(_, seq)| *seq + 1)
            .max()
            .unwrap();
        let header =
            Header { scope: state.scope, seq, prev: state.hash, author: me.public().sign, time_ms: 1 };
        let bytes = Draft { header, body }.sign(&me.signer().unwrap()).unwrap();
        self.store.tamper(|tables| tables.rows.insert((state.scope, seq), bytes));
        seq
    }

    /// A first put with this name and value, sealed with the member's own key, and its blob in place.
    fn force_put(&self, me: &Identity, sid: u8, text: &str, name_bytes: &str) -> u64 {
        let (key, scope, generation) = (self.key(me), self.scope(), self.state().generation());
        let secret = SecretId([sid; 16]);
        let context = BlobContext { scope: &scope.0, secret: &secret.0, version: 1, generation };
        let blob = key.seal_value(context, &crate::people::value(text)).unwrap();
        let hash = sha256(&blob);
        let sealed = key.meta().unwrap().seal_name(&scope.0, Subject::Secret(&secret.0), name_bytes).unwrap();
        self.store.tamper(|tables| tables.blobs.insert((scope, hash), blob));
        self.force(
            me,
            Body::Put(PutBody { secret, version: 1, generation, floor: 1, name: Some(sealed), blob: hash }),
        )
    }

    /// Every honest client still works and sees exactly the honest secret and those given.
    #[track_caller]
    fn all_is_well(&self, secrets: &[&str]) {
        for machine in [&self.owner, &self.writer] {
            let mut vault = self.open(machine).unwrap();
            let mut expected: Vec<_> =
                secrets.iter().map(|name| (*name).to_owned()).chain(["GOOD".to_owned()]).collect();
            expected.sort();
            assert_eq!(names(&vault, &ORG), expected);
            assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "honest");
            set(&mut vault, &ORG, "PROBE", "the chain goes on").unwrap();
            vault.delete(&ORG, &name("PROBE")).unwrap();
        }
    }
}

#[test]
fn what_a_reader_a_runner_or_a_stranger_signs_no_client_accepts() {
    let office = Office::new();
    let (reader, runner) = (office.reader.identity().identity, office.runner.identity().identity);
    office.force_put(&runner, 50, "forged", "FORGED");
    for me in [&reader, &runner, &Identity::generate().unwrap()] {
        let id = *office.state().secrets.keys().next().unwrap();
        office.force(me, Body::Delete(id));
        office.force(
            me,
            Body::Member(MemberBody {
                id: *me.public(),
                role: 4,
                machine: false,
                generation: 1,
                label: None,
                sealed: Some((KeyClass::Full, sealbox::crypto::SealedBox([1; 80]))),
            }),
        );
    }
    office.all_is_well(&[]);
}

#[test]
fn the_honest_program_of_a_reader_or_runner_refuses_to_write_at_all() {
    let office = Office::new();
    let rows = office.store.tables().rows.len();
    for machine in [&office.reader, &office.runner] {
        let mut vault = office.open(machine).unwrap();
        assert!(matches!(set(&mut vault, &ORG, "X", "x"), Err(VaultError::Role { .. })));
        assert!(matches!(vault.delete(&ORG, &name("GOOD")), Err(VaultError::Role { .. })));
        assert!(matches!(vault.remove_member(&ORG, "wil"), Err(VaultError::Role { .. })));
    }
    assert_eq!(office.store.tables().rows.len(), rows);
}

#[test]
fn a_writer_cannot_make_members_and_a_removed_writer_cannot_write() {
    let office = Office::new();
    let writer = office.writer.identity().identity;
    let promote = MemberBody {
        id: *writer.public(),
        role: 4,
        machine: false,
        generation: 1,
        label: None,
        sealed: Some((KeyClass::Full, sealbox::crypto::SealedBox([1; 80]))),
    };
    office.force(&writer, Body::Member(promote));
    office.all_is_well(&[]);
    let mut vault = office.open(&office.owner).unwrap();
    let change = vault.remove_member(&ORG, "wil").unwrap();
    assert!(change.rotated && change.exposed == [name("GOOD")]);
    drop(vault);
    office.force_put(&writer, 51, "after the removal, under the old key", "FORGED");
    assert!(matches!(
        office.open(&office.writer).and_then(|mut vault| set(&mut vault, &ORG, "X", "x")),
        Err(VaultError::NotAMember(_))
    ));
    let vault = office.open(&office.owner).unwrap();
    assert_eq!(names(&vault, &ORG), ["GOOD"]);
}

#[test]
fn a_name_that_breaks_the_rule_or_is_taken_is_quarantined_and_the_first_one_wins() {
    let office = Office::new();
    let writer = office.writer.identity().identity;
    let bad = ["bad name", "\u{1b}[31mRED", "lower", &"X".repeat(128), "../../X", "GOOD"];
    let positions: Vec<u64> =
        (60u8..).zip(bad).map(|(sid, text)| office.force_put(&writer, sid, "evil", text)).collect();
    let vault = office.open(&office.owner).unwrap();
    let (_, list, odd) = vault.list(&ORG).unwrap();
    assert_eq!(list.iter().map(|meta| meta.name.as_str()).collect::<Vec<_>>(), ["GOOD", &"X".repeat(128)]);
    let expected: Vec<String> = positions
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != 3)
        .map(|(_, seq)| format!("<invalid, entry {seq}>"))
        .collect();
    assert_eq!(odd, expected);
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "honest");
    let log = vault.log(&ORG, None).unwrap();
    assert!(log.iter().all(|event| event.subject.as_deref().is_none_or(|text| !text.contains('\u{1b}'))));
}

#[test]
fn a_quarantined_duplicate_takes_the_name_once_it_is_free() {
    let office = Office::new();
    office.force_put(&office.writer.identity().identity, 60, "the second", "GOOD");
    let mut vault = office.open(&office.owner).unwrap();
    vault.delete(&ORG, &name("GOOD")).unwrap();
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "the second");
    assert_eq!(
        read(&office.open(&office.writer).unwrap(), &ORG, "GOOD").unwrap(),
        "the second",
        "also for a newcomer"
    );
}

#[test]
fn a_writer_who_points_at_another_secrets_ciphertext_gets_nothing_shown() {
    let office = Office::new();
    let writer = office.writer.identity().identity;
    let state = office.state();
    let blob = state.secrets.values().next().unwrap().versions[0].blob;
    let key = office.key(&writer);
    let secret = SecretId([70; 16]);
    let sealed =
        key.meta().unwrap().seal_name(&office.scope().0, Subject::Secret(&secret.0), "MOVED").unwrap();
    office.force(
        &writer,
        Body::Put(PutBody { secret, version: 1, generation: 1, floor: 1, name: Some(sealed), blob }),
    );
    let vault = office.open(&office.owner).unwrap();
    assert!(matches!(read(&vault, &ORG, "MOVED"), Err(VaultError::Unreadable { .. })));
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "honest");
}

/// A rotation by the owner that is honest but for what `bend` does; `other` is another key to hand out.
fn bent_rotation(office: &Office, bend: impl FnOnce(&mut RotateBody, &FullKey)) -> Identity {
    let owner = office.owner.identity().identity;
    let (state, old) = (office.state(), office.key(&owner));
    let (key, other) = (FullKey::generate().unwrap(), FullKey::generate().unwrap());
    let meta = key.meta().unwrap();
    let scope = office.scope();
    let boxes = state.present().map(|(member, role)| {
        let class = role.key_class();
        let bytes = if class == KeyClass::Full { key.expose() } else { meta.expose() };
        let context = boxes::BoxContext { scope: &scope.0, generation: 2, recipient: &member.id.sign, class };
        BoxFor {
            recipient: member.id.sign,
            class,
            sealed: boxes::seal(&member.id.boxed, context, &bytes).unwrap(),
        }
    });
    let mut body = RotateBody {
        generation: 2,
        commit_full: key.commitment().unwrap(),
        commit_meta: meta.commitment().unwrap(),
        wrap_full: key.wrap(&scope.0, 2, &old).unwrap(),
        wrap_meta: meta.wrap(&scope.0, 2, &old.meta().unwrap()).unwrap(),
        boxes: boxes.collect(),
    };
    bend(&mut body, &other);
    office.force(&owner, Body::Rotate(body));
    owner
}

#[track_caller]
fn names_the_owner(opened: Result<Vault, VaultError>, owner: &Identity) {
    match opened {
        Err(VaultError::KeyMismatch { owner: named, .. }) => {
            assert!(named.contains(&hex(&owner.public().sign[..8])), "{named}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a key that was not promised was taken"),
    }
}

#[test]
fn a_box_with_another_key_than_promised_is_refused_by_its_recipient_who_names_the_owner() {
    let office = Office::new();
    let victim = office.writer.identity().identity;
    let scope = office.scope();
    let owner = bent_rotation(&office, |body, other| {
        let at = body.boxes.iter().position(|one| one.recipient == victim.public().sign).unwrap();
        let context = boxes::BoxContext {
            scope: &scope.0,
            generation: 2,
            recipient: &victim.public().sign,
            class: KeyClass::Full,
        };
        body.boxes[at].sealed = boxes::seal(&victim.public().boxed, context, &other.expose()).unwrap();
    });
    names_the_owner(office.open(&office.writer), &owner);
    assert_eq!(
        read(&office.open(&office.runner).unwrap(), &ORG, "GOOD").unwrap(),
        "honest",
        "others are not harmed"
    );
}

#[test]
fn a_box_that_does_not_open_or_a_broken_wrap_is_blamed_on_the_owner_too() {
    let office = Office::new();
    let victim = office.reader.identity().identity;
    let owner = bent_rotation(&office, |body, _| {
        let at = body.boxes.iter().position(|one| one.recipient == victim.public().sign).unwrap();
        body.boxes[at].sealed.0[40] ^= 1;
    });
    names_the_owner(office.open(&office.reader), &owner);

    let office = Office::new();
    let owner = bent_rotation(&office, |body, _| body.wrap_full = Wrap([3; 72]));
    names_the_owner(office.open(&office.writer), &owner);
    let office = Office::new();
    let owner = bent_rotation(&office, |body, _| body.wrap_meta = Wrap([3; 72]));
    names_the_owner(office.open(&office.reader), &owner);
}

#[test]
fn keys_that_are_promised_twice_must_belong_together() {
    let office = Office::new();
    let owner =
        bent_rotation(&office, |body, other| body.commit_meta = other.meta().unwrap().commitment().unwrap());
    names_the_owner(office.open(&office.writer), &owner);
    names_the_owner(office.open(&office.reader), &owner);
}

#[test]
fn while_keys_are_due_nobody_puts_under_the_old_ones() {
    let office = Office::new();
    let owner = office.owner.identity().identity;
    let runner = office.runner.identity().identity;
    // an owner's other program removes somebody and forgets to rotate
    office.force(
        &owner,
        Body::Member(MemberBody {
            id: *runner.public(),
            role: 0,
            machine: false,
            generation: 1,
            label: None,
            sealed: None,
        }),
    );
    let rows = office.store.tables().rows.len();
    let mut vault = office.open(&office.writer).unwrap();
    assert!(matches!(set(&mut vault, &ORG, "X", "x"), Err(VaultError::KeysOverdue(_))));
    assert_eq!(office.store.tables().rows.len(), rows, "nothing was written that nobody would accept");
    set(&mut office.open(&office.owner).unwrap(), &ORG, "X", "x").unwrap();
    assert_eq!(
        (office.state().dirty, office.state().generation()),
        (false, 2),
        "an owner's write brings the keys"
    );
    set(&mut vault, &ORG, "Y", "y").unwrap();
}

#[test]
fn a_projects_entry_cannot_pass_another_organization_off_as_ours() {
    let office = Office::new();
    let (other, mut theirs) = Machine::founded();
    set(&mut theirs, &ORG, "GOOD", "theirs").unwrap();
    let me = office.owner.open().my_id();
    theirs.add_member(&ORG, &me, "guest", Role::Write).unwrap();
    let foreign = other.identity().roots[0];
    let tables = HostileStore::copy_of(&other.raw_store()).tables();
    office.store.tamper(|ours| {
        ours.rows.extend(tables.rows);
        ours.blobs.extend(tables.blobs);
    });
    let before = office.open(&office.owner).unwrap().scopes().unwrap().len();
    assert_eq!(before, 1, "an organization that is only in the database is not opened");
    office.force(&office.owner.identity().identity, Body::Child(foreign));
    let vault = office.open(&office.owner).unwrap();
    assert_eq!(vault.scopes().unwrap().len(), 1);
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "honest");
}

#[test]
fn an_interval_that_nobody_may_set_or_that_does_not_open_decides_nothing() {
    let office = Office::new();
    let writer = office.writer.identity().identity;
    let secret = *office.state().secrets.keys().next().unwrap();
    let scope = office.scope();
    let key = office.key(&office.owner.identity().identity).meta().unwrap();
    let interval = |seconds| key.seal_interval(&scope.0, &secret.0, 1, seconds).unwrap();
    let body = |sealed| Body::Schedule(ScheduleBody { secret, generation: 1, sealed });
    let seen = || office.open(&office.owner).unwrap().list(&ORG).unwrap().1[0].rotate_every_s;
    for who in [&office.reader, &office.runner] {
        office.force(&who.identity().identity, body(interval(3_600)));
    }
    office.force(&Identity::generate().unwrap(), body(interval(3_600)));
    assert_eq!(seen(), None);
    // a writer may, also with nonsense: it shows as no interval, and the value stays readable
    office.force(&writer, body(sealbox::crypto::SealedInterval([7; 48])));
    assert_eq!(seen(), None);
    office.force(&writer, body(key.seal_interval(&scope.0, &[9; 16], 1, 3_600).unwrap()));
    assert_eq!(seen(), None);
    office.force(&writer, body(interval(u64::MAX)));
    assert_eq!(seen(), None, "longer than any that may be set");
    office.force(&writer, body(interval(7_200)));
    assert_eq!(seen(), Some(7_200));
    office.all_is_well(&[]);
}
