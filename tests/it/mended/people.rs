//! Members who bend the rules: a rewrap under another's name, a fork, a ciphertext that is somebody else's, a crowd.

use super::{blobs, forge, is_sound, key, root, sealed, state};
use crate::chain::builder::{ChainBuilder, id};
use crate::people::{Machine, ORG, admit, name, names, read, set, value};
use sealbox::chain::{Body, ChainFault, Entry, PutBody, Rejection, SecretId};
use sealbox::crypto::{Subject, sha256};
use sealbox::domain::{Role, ScopeId};
use sealbox::service::{ErrorKind, ServiceError};
use sealbox::vault::{Home, Vault, VaultError};

/// The id of the only secret.
fn only_secret(machine: &Machine) -> SecretId {
    *state(machine).secrets.keys().next().unwrap()
}

/// Seals version 1 of the only secret anew under the newest key, as `who`.
fn rewrap(owner: &Machine, who: &Machine, text: &str) {
    let (me, secret) = (who.identity().identity, only_secret(owner));
    let blob = sealed(owner, &me, secret.0, 1, &value(text));
    let generation = state(owner).generation();
    let put = PutBody { secret, version: 1, generation, floor: 1, name: None, blob: blob.0 };
    forge(owner, &me, Body::Put(put), vec![blob], |_| {});
}

#[track_caller]
fn written_by(vault: &Vault, expected: &str) {
    let (_, list, _) = vault.list(&ORG).unwrap();
    assert_eq!((list[0].updated_by.as_str(), list[0].created_by.as_str()), (expected, expected));
    let (_, versions) = vault.history(&ORG, &name("A")).unwrap();
    assert_eq!(versions.iter().map(|version| &version.updated_by).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_value_that_another_member_sealed_anew_does_not_stand_under_the_authors_name_alone() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "as ada wrote it").unwrap();
    let (mallory, _) = admit(&mut vault, "mal", &[(&ORG, Role::Write)]);
    admit(&mut vault, "fay", &[(&ORG, Role::Write)]);
    vault.remove_member(&ORG, "fay").unwrap();
    written_by(&vault, "ada");
    rewrap(&owner, &mallory, "as mal has it");
    vault.refresh().unwrap();
    assert_eq!(read(&vault, &ORG, "A").unwrap(), "as mal has it", "it is a value that opens");
    written_by(&vault, "ada, resealed by mal");
    written_by(&owner.open(), "ada, resealed by mal");
    // The author seals it once more: nobody can tell any longer whether it went through another's hands unchanged.
    admit(&mut vault, "gus", &[(&ORG, Role::Write)]);
    vault.remove_member(&ORG, "gus").unwrap();
    rewrap(&owner, &owner, "as ada got it from mal");
    written_by(&owner.open(), "ada, resealed by mal");
}

#[test]
fn a_value_that_its_author_sealed_anew_stands_under_their_name() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    admit(&mut vault, "fay", &[(&ORG, Role::Write)]);
    vault.remove_member(&ORG, "fay").unwrap();
    rewrap(&owner, &owner, "x");
    vault.refresh().unwrap();
    written_by(&vault, "ada");
    written_by(&owner.open(), "ada");
}

fn is_forked<T>(outcome: Result<T, VaultError>) -> bool {
    let Err(error) = outcome else { return false };
    let forked = matches!(error.root(), VaultError::Chain { fault: ChainFault::Forked { .. }, .. });
    let said = ServiceError::from(&error);
    forked
        && said.kind == ErrorKind::Damaged
        && said.hint.is_some_and(|hint| hint.contains("doctor --settle-fork"))
}

fn settle(home: &Home) -> Result<Vec<(String, String)>, VaultError> {
    home.settle_forks(&crate::people::passphrase())
}

#[test]
fn a_fork_stops_everybody_until_an_owner_settles_it_and_then_everybody_goes_on() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let (writer, mut wil) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    let me = writer.identity().identity;
    forge(&owner, &me, Body::Delete(only_secret(&owner)), Vec::new(), |header| header.prev = [1; 32]);
    for machine in [&owner, &writer] {
        assert!(is_forked(machine.try_open()));
    }
    assert!(is_forked(set(&mut vault, &ORG, "B", "x")) && is_forked(set(&mut wil, &ORG, "B", "x")));
    // A writer, who may well be the one that forked it, has no say.
    assert!(matches!(settle(&writer.home()), Err(VaultError::Role { .. })));
    assert!(is_forked(owner.try_open()) && is_forked(writer.try_open()));
    let settled = settle(&owner.home()).unwrap();
    let signer = sealbox::domain::scope::hex(&me.public().sign[..8]);
    assert_eq!(settled, [("acme".to_owned(), signer)]);
    assert_eq!(settle(&owner.home()).unwrap(), [], "once is enough");
    // New sessions and those that met the fork go on.
    set(&mut owner.open(), &ORG, "C", "of a new session").unwrap();
    set(&mut writer.open(), &ORG, "D", "of a new session").unwrap();
    set(&mut vault, &ORG, "E", "of the old session").unwrap();
    set(&mut wil, &ORG, "F", "of the old session").unwrap();
    for machine in [&owner, &writer] {
        assert_eq!(names(&machine.open(), &ORG), ["A", "C", "D", "E", "F"]);
        assert_eq!(read(&machine.open(), &ORG, "A").unwrap(), "x");
    }
    for report in owner.home().verify(None).unwrap() {
        assert_eq!(
            (report.faults, report.ignored),
            (Vec::new(), 1),
            "the row that did not follow stays junk"
        );
    }
}

#[test]
fn deleting_a_secret_leaves_a_ciphertext_that_another_living_secret_names() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "GOOD", "ada's").unwrap();
    let (writer, mut wil) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    let me = writer.identity().identity;
    let blob = state(&owner).secrets[&only_secret(&owner)].versions[0].blob;
    let secret = SecretId([70; 16]);
    let meta = key(&owner, &me).meta().unwrap();
    let bait = meta.seal_name(&root(&owner).0, Subject::Secret(&secret.0), "BAIT").unwrap();
    let put = PutBody { secret, version: 1, generation: 1, floor: 1, name: Some(bait), blob };
    forge(&owner, &me, Body::Put(put), Vec::new(), |_| {});
    // whoever deletes the bait, or pushes it out with newer versions
    for n in 0..12 {
        set(&mut wil, &ORG, "BAIT", &format!("{n}")).unwrap();
    }
    vault.refresh().unwrap();
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "ada's");
    vault.delete(&ORG, &name("BAIT")).unwrap();
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "ada's");
    assert_eq!(blobs(&owner), 1, "all of the bait's own are gone");
    is_sound(&owner);
}

#[test]
fn deleting_a_bait_at_once_leaves_the_ciphertext_that_it_names() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "GOOD", "ada's").unwrap();
    let me = owner.identity().identity;
    let blob = state(&owner).secrets[&only_secret(&owner)].versions[0].blob;
    let secret = SecretId([70; 16]);
    let meta = key(&owner, &me).meta().unwrap();
    let bait = meta.seal_name(&root(&owner).0, Subject::Secret(&secret.0), "BAIT").unwrap();
    let put = PutBody { secret, version: 1, generation: 1, floor: 1, name: Some(bait), blob };
    forge(&owner, &me, Body::Put(put), Vec::new(), |_| {});
    vault.delete(&ORG, &name("BAIT")).unwrap();
    assert_eq!(read(&vault, &ORG, "GOOD").unwrap(), "ada's");
    is_sound(&owner);
    vault.delete(&ORG, &name("GOOD")).unwrap();
    assert_eq!(blobs(&owner), 0, "the last one that names it takes it along");
}

#[test]
fn deleting_a_secret_also_removes_what_a_rogue_writer_left_below_the_floor() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "first").unwrap();
    let (writer, _) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    let (me, secret) = (writer.identity().identity, only_secret(&owner));
    let blob = sealed(&owner, &me, secret.0, 2, &value("second"));
    let put = PutBody { secret, version: 2, generation: 1, floor: 2, name: None, blob: blob.0 };
    forge(&owner, &me, Body::Put(put), vec![blob], |_| {});
    assert_eq!(blobs(&owner), 2, "the floor was raised and the ciphertext left");
    vault.delete(&ORG, &name("A")).unwrap();
    assert_eq!(blobs(&owner), 0);
    is_sound(&owner);
}

#[test]
fn a_scope_that_is_full_takes_nobody_more_and_can_still_change_its_keys() {
    let mut chain = ChainBuilder::found(&["ada"], ScopeId::NONE);
    chain.admit("wil", Role::Read);
    let model = chain.state.members[&id("wil").sign].clone();
    for n in 0..1021u32 {
        let mut member = model.clone();
        member.id.sign = sha256(&n.to_be_bytes());
        chain.state.members.insert(member.id.sign, member);
    }
    assert_eq!(chain.state.present().count(), 1023);
    chain.admit("olga", Role::Owner); // the 1024th
    let one_more = chain.entry("ada", Body::Member(chain.member("zoe", Role::Read)));
    let before = format!("{:?}", chain.state);
    assert_eq!(chain.state.apply(&Entry::parse(&one_more).unwrap(), false), Err(Rejection::Boxes));
    assert!(format!("{:?}", chain.state) == before, "a refused entry changed the state");
    let mut other_role = chain.member("wil", Role::Run);
    other_role.label = None;
    chain.push("ada", Body::Member(other_role)); // who is in already may still be given another role
    chain.remove("wil"); // and a rotation, with a box for everybody, still fits
    let again = chain.entry("ada", Body::Member(chain.member("zoe", Role::Read)));
    assert_eq!(chain.state.apply(&Entry::parse(&again).unwrap(), false), Ok(()), "there is room again");
}
