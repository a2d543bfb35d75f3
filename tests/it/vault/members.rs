//! Members, secrets and their versions, as the owner's own program does it.

use crate::people::{Machine, ORG, admit, name, names, project, read, set, value};
use crate::store::wrappers::HostileStore;
use sealbox::domain::{OnExisting, ProjectName, Role, SecretName, SetMode};
use sealbox::vault::{Vault, VaultError};

fn blobs(machine: &Machine) -> usize {
    HostileStore::copy_of(&machine.raw_store()).tables().blobs.len()
}

#[test]
fn a_writer_who_becomes_a_reader_keeps_no_key_to_values() {
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (machine, mut wil) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    assert_eq!(read(&wil, &ORG, "A").unwrap(), "x");
    let change = vault.set_role(&ORG, "wil", Role::Read).unwrap();
    assert!(change.rotated && change.exposed == [name("A")]);
    wil.refresh().unwrap();
    for wil in [&mut wil, &mut machine.open()] {
        assert!(matches!(read(wil, &ORG, "A"), Err(VaultError::Role { need: Role::Run, .. })));
        assert!(matches!(set(wil, &ORG, "A", "y"), Err(VaultError::Role { .. })));
        assert_eq!(names(wil, &ORG), ["A"]);
        assert!(matches!(wil.export(&ORG, None, false), Err(VaultError::Role { .. })));
    }
    set(&mut vault, &ORG, "A", "y").unwrap();
    assert!(!vault.list(&ORG).unwrap().1[0].exposed);
}

#[test]
fn a_reader_who_becomes_a_writer_reads_everything_old_and_new() {
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "of generation 1").unwrap();
    let (_, out) = admit(&mut vault, "out", &[(&ORG, Role::Write)]);
    drop(out);
    vault.remove_member(&ORG, "out").unwrap();
    set(&mut vault, &ORG, "B", "of generation 2").unwrap();
    let (machine, mut rea) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    let change = vault.set_role(&ORG, "rea", Role::Write).unwrap();
    assert!(!change.rotated && change.exposed.is_empty());
    rea.refresh().unwrap();
    for rea in [rea, machine.open()] {
        assert_eq!(read(&rea, &ORG, "A").unwrap(), "of generation 1");
        assert_eq!(read(&rea, &ORG, "B").unwrap(), "of generation 2");
    }
}

#[test]
fn a_removed_member_sees_nothing_and_may_come_back() {
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (machine, mut fay) = admit(&mut vault, "fay", &[(&ORG, Role::Write)]);
    let id = fay.my_id();
    vault.remove_member(&ORG, "fay").unwrap();
    fay.refresh().unwrap();
    for fay in [&fay, &machine.open()] {
        assert!(matches!(fay.list(&ORG), Err(VaultError::NotAMember(_))));
        assert!(matches!(read(fay, &ORG, "A"), Err(VaultError::NotAMember(_))));
    }
    assert!(matches!(vault.remove_member(&ORG, "fay"), Err(VaultError::NoMember(_))));
    assert!(vault.members(&ORG).unwrap().iter().any(|member| member.label == "fay" && member.role.is_none()));
    set(&mut vault, &ORG, "A", "while away").unwrap();
    vault.add_member(&ORG, &id, "fay again", Role::Run).unwrap();
    assert_eq!(read(&machine.open(), &ORG, "A").unwrap(), "while away");
    assert_eq!(vault.log(&ORG, None).unwrap().last().unwrap().action, "member_added");
}

#[test]
fn mistakes_with_members_are_refused_and_write_nothing() {
    let (machine, mut vault) = Machine::founded();
    let (_, wil) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    let (id, me) = (wil.my_id(), vault.my_id());
    let rows = HostileStore::copy_of(&machine.raw_store()).tables().rows.len();
    let refused = |outcome: Result<(), VaultError>, what: &str| assert!(outcome.is_err(), "{what}");
    refused(vault.add_member(&ORG, &id, "wil 2", Role::Read).map(drop), "twice");
    refused(vault.add_member(&ORG, "sbid1nonsense", "x", Role::Read).map(drop), "no ID");
    let other = Machine::new().home().create_identity(&crate::people::passphrase()).unwrap();
    refused(vault.add_member(&ORG, &other, "wil", Role::Read).map(drop), "the label is taken");
    refused(vault.add_member(&ORG, &other, "", Role::Read).map(drop), "no label");
    refused(vault.add_member(&ORG, &other, "a\u{1b}[31m", Role::Read).map(drop), "a label that paints");
    refused(vault.set_role(&ORG, "nobody", Role::Read).map(drop), "nobody");
    refused(vault.set_role(&ORG, "ada", Role::Write).map(drop), "oneself");
    refused(vault.remove_member(&ORG, &me).map(drop), "oneself");
    assert!(!vault.set_role(&ORG, "wil", Role::Write).unwrap().rotated, "the same role is no change");
    assert_eq!(HostileStore::copy_of(&machine.raw_store()).tables().rows.len(), rows);
}

#[test]
fn the_last_owner_stays_also_when_the_recovery_key_is_gone() {
    let (_owner, mut vault) = Machine::founded();
    vault.remove_member(&ORG, "recovery key").unwrap();
    assert!(matches!(vault.remove_member(&ORG, "ada"), Err(VaultError::LastOwner)));
    assert!(matches!(vault.set_role(&ORG, "ada", Role::Read), Err(VaultError::LastOwner)));
}

#[test]
fn a_deleted_secret_leaves_no_ciphertext_and_frees_its_name() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "KEEP", "x").unwrap();
    for text in ["one", "two", "three"] {
        set(&mut vault, &ORG, "GONE", text).unwrap();
    }
    assert_eq!(blobs(&machine), 4);
    assert_eq!(vault.delete(&ORG, &name("GONE")).unwrap(), 3);
    assert_eq!(blobs(&machine), 1);
    assert!(matches!(read(&vault, &ORG, "GONE"), Err(VaultError::NoSecret { .. })));
    assert!(matches!(vault.delete(&ORG, &name("GONE")), Err(VaultError::NoSecret { .. })));
    assert_eq!(set(&mut vault, &ORG, "GONE", "anew").unwrap(), 1, "a new secret, not a new version");
    assert_eq!(read(&machine.open(), &ORG, "GONE").unwrap(), "anew");
}

#[test]
fn ten_versions_are_kept_and_the_ciphertext_of_older_ones_is_gone() {
    let (machine, mut vault) = Machine::founded();
    for n in 1..=13 {
        assert_eq!(set(&mut vault, &ORG, "A", &format!("v{n}")).unwrap(), n);
    }
    assert_eq!(blobs(&machine), 10);
    for n in 1..=13u32 {
        match vault.read(&ORG, &name("A"), Some(n)) {
            Ok(reading) => assert!(n > 3 && reading.value.expose() == format!("v{n}").as_bytes()),
            Err(error) => assert!(n <= 3 && matches!(error, VaultError::VersionGone { .. }), "{n}: {error}"),
        }
    }
    assert!(matches!(vault.read(&ORG, &name("A"), Some(14)), Err(VaultError::NoVersion { .. })));
    assert!(matches!(vault.read(&ORG, &name("A"), Some(0)), Err(VaultError::NoVersion { .. })));
    let (_, history) = vault.history(&ORG, &name("A")).unwrap();
    assert_eq!(
        history.iter().map(|version| version.kept).collect::<Vec<_>>(),
        [[true; 10].as_slice(), &[false; 3]].concat()
    );
    assert!(matches!(vault.rollback(&ORG, &name("A"), 3), Err(VaultError::VersionGone { .. })));
    assert_eq!(vault.rollback(&ORG, &name("A"), 4).unwrap(), 14);
    assert_eq!(read(&machine.open(), &ORG, "A").unwrap(), "v4");
    assert_eq!(blobs(&machine), 10);
}

#[test]
fn a_rollback_reaches_back_over_a_rotation() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "first").unwrap();
    let (_, out) = admit(&mut vault, "out", &[(&ORG, Role::Write)]);
    drop(out);
    vault.remove_member(&ORG, "out").unwrap();
    set(&mut vault, &ORG, "A", "second").unwrap();
    assert_eq!(vault.rollback(&ORG, &name("A"), 1).unwrap(), 3);
    assert_eq!(read(&machine.open(), &ORG, "A").unwrap(), "first");
}

#[test]
fn what_a_write_expects_is_checked_against_the_newest_state() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "one").unwrap();
    let mut other = machine.open();
    set(&mut other, &ORG, "A", "two").unwrap();
    let mut put = |expect| vault.set(&ORG, &name("A"), &value("three"), expect);
    assert!(matches!(put(SetMode::Create), Err(VaultError::SecretExists { .. })));
    assert!(matches!(put(SetMode::Replace { seen: 1 }), Err(VaultError::Changed { seen: 1, now: 2, .. })));
    assert_eq!(put(SetMode::Replace { seen: 2 }).unwrap(), (3, false));
    let missing = vault.set(&ORG, &name("B"), &value("x"), SetMode::Replace { seen: 1 });
    assert!(matches!(missing, Err(VaultError::NoSecret { .. })));
    assert_eq!(vault.set(&ORG, &name("B"), &value("x"), SetMode::Create).unwrap(), (1, true));
}

#[test]
fn values_of_every_length_and_byte_come_back_exactly() {
    let (machine, mut vault) = Machine::founded();
    let all: Vec<u8> = (0..=255).collect();
    let lengths = [0, 1, 251, 252, 253, 4091, 4092, 4093, (1 << 20) - 1, 1 << 20];
    let mut values: Vec<Vec<u8>> =
        lengths.map(|length| all.iter().copied().cycle().take(length).collect()).into();
    values.extend([b"trailing newline\n".to_vec(), b"\xff\xfe invalid".to_vec(), vec![0; 300]]);
    let named = |n: usize| SecretName::parse(&format!("V{n}")).unwrap();
    for (n, bytes) in values.iter().enumerate() {
        let value = sealbox::domain::SecretValue::new(bytes.clone()).unwrap();
        vault.set(&ORG, &named(n), &value, SetMode::Create).unwrap();
    }
    let vault = machine.open();
    for (n, bytes) in values.iter().enumerate() {
        assert!(
            vault.read(&ORG, &named(n), None).unwrap().value.expose() == bytes.as_slice(),
            "length {}",
            bytes.len()
        );
    }
    let exported = vault.export(&ORG, None, false).unwrap();
    assert_eq!(exported.len(), values.len());
}

#[test]
fn projects_are_seen_by_all_owners_and_their_names_are_unique() {
    let (_machine, mut vault) = Machine::founded();
    let web = ProjectName::parse("web").unwrap();
    vault.create_project(&web).unwrap();
    assert!(matches!(vault.create_project(&web), Err(VaultError::ProjectExists(_))));
    let (_, mut olga) = admit(&mut vault, "olga", &[(&ORG, Role::Owner)]);
    assert!(
        matches!(olga.list(&project("web")), Err(VaultError::NoProject(_))),
        "not a member of what was there before"
    );
    olga.create_project(&ProjectName::parse("api").unwrap()).unwrap();
    vault.refresh().unwrap();
    set(&mut vault, &project("api"), "A", "x").unwrap();
    olga.refresh().unwrap();
    assert_eq!(read(&olga, &project("api"), "A").unwrap(), "x");
    let (_, mut wil) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    assert!(matches!(wil.create_project(&ProjectName::parse("x").unwrap()), Err(VaultError::Role { .. })));
    assert!(matches!(wil.list(&project("api")), Err(VaultError::NoProject(_))));
}

#[test]
fn an_import_is_refused_whole_when_one_entry_is_wrong() {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "B", "old").unwrap();
    let rows = |machine: &Machine| HostileStore::copy_of(&machine.raw_store()).tables().rows.len();
    let before = rows(&machine);
    let entries = |names: &[&str]| names.iter().map(|text| (name(text), value("new"))).collect::<Vec<_>>();
    let import = |vault: &mut Vault, names: &[&str], on, dry| vault.import(&ORG, &entries(names), on, dry);
    assert!(import(&mut vault, &["A", "A"], OnExisting::Update, false).is_err());
    assert!(matches!(
        import(&mut vault, &["A", "B"], OnExisting::Fail, false),
        Err(VaultError::ImportExists(1, _))
    ));
    let dry = import(&mut vault, &["A", "B"], OnExisting::Update, true).unwrap();
    assert_eq!((dry.created, dry.updated), (vec![name("A")], vec![name("B")]));
    assert_eq!(rows(&machine), before);
    let done = import(&mut vault, &["A", "B"], OnExisting::Skip, false).unwrap();
    assert_eq!((done.created, done.skipped), (vec![name("A")], vec![name("B")]));
    let done = import(&mut vault, &["A", "B"], OnExisting::Update, false).unwrap();
    assert_eq!((done.unchanged, done.updated), (vec![name("A")], vec![name("B")]));
    assert_eq!(read(&machine.open(), &ORG, "B").unwrap(), "new");
}
