//! Roles on the screen, and the Members tab.

use super::rig::*;
use sealbox::domain::{Role, ScopeRef};
use sealbox::service::*;

const ORG: ScopeRef = ScopeRef::Organization;

#[test]
fn a_read_role_sees_names_and_is_refused_the_rest_before_it_types() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let eve = ada.admit(&folder.path().join("eve"), "eve", &ORG, Role::Read);
    let mut screen = eve.screen(80, 24);
    shows(&screen, "NPM_TOKEN");
    shows(&screen, "eve · read");
    let footer = screen.screen().lines().last().unwrap().to_owned();
    for word in ["new", "edit", "delete", "reveal", "copy"] {
        assert!(!footer.contains(word), "{footer}");
    }
    for (key, doing) in
        [("x", "revealing"), ("y", "copying"), ("n", "creating"), ("e", "editing"), ("d", "deleting")]
    {
        screen.key(key).unwrap();
        shows(&screen, &format!("your role here is read; {doing} needs write"));
    }
    assert!(eve.copied().is_empty());
    screen.key("h").unwrap();
    shows(&screen, "History of NPM_TOKEN");
    screen.key("x").unwrap();
    shows(&screen, "your role here is read; revealing needs write");
    screen.key("esc").unwrap().key(":").unwrap();
    hides(&screen, "reveal");
}

#[test]
fn a_run_role_resolves_in_programs_and_not_on_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let worker = ada.admit(&folder.path().join("w"), "worker", &ORG, Role::Run);
    let mut screen = worker.screen(80, 24);
    screen.key("x").unwrap();
    shows(&screen, "your role here is run; revealing needs write");
    hides(&screen, "npm-2");
}

#[test]
fn an_owner_admits_changes_and_removes_people() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let bob = Person::nobody(&folder.path().join("bob"), None);
    let id = bob.ask(CreateIdentity { passphrase: passphrase() });
    let mut screen = ada.screen(80, 24);
    screen.key("3").unwrap();
    shows(&screen, "ada (you)");
    shows(&screen, "n add");
    screen.key("n").unwrap().paste(&id).unwrap().type_text("\nbob\n").unwrap();
    screen.key("right").unwrap().key("right").unwrap();
    shows(&screen, "[write]");
    screen.key("enter").unwrap();
    shows(&screen, "scj1_");
    screen.key("y").unwrap();
    let link = String::from_utf8(ada.copied().pop().unwrap()).unwrap();
    bob.ask(Join { link, store: Some(ada.paths.store()), passphrase: passphrase() });
    assert_eq!(bob.get(&ORG, "NPM_TOKEN"), b"npm-2");
    screen.key("esc").unwrap();
    shows(&screen, "bob");
    screen.key("G").unwrap().key("e").unwrap().key("left").unwrap().key("left").unwrap();
    shows(&screen, "[read]");
    screen.key("enter").unwrap();
    shows(&screen, "bob could read");
    screen.key("esc").unwrap().key("d").unwrap();
    shows(&screen, "Remove bob");
    screen.key("enter").unwrap();
    assert!(ada.ask(ListMembers { scope: ORG }).iter().any(|m| m.label == "bob" && m.role.is_some()));
    screen.key("d").unwrap().key("y").unwrap();
    assert!(ada.ask(ListMembers { scope: ORG }).iter().all(|m| m.label != "bob" || m.role.is_none()));
    screen.key("esc").unwrap().key("1").unwrap();
    shows(&screen, "▲ exposed");
}

#[test]
fn a_writer_is_told_that_people_are_for_owners() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let bob = ada.admit(&folder.path().join("bob"), "bob", &ORG, Role::Write);
    let mut screen = bob.screen(80, 24);
    screen.key("3").unwrap().key("n").unwrap();
    shows(&screen, "your role here is write; admitting people needs owner");
    screen.key("P").unwrap();
    shows(&screen, "creating projects needs owner");
}

#[test]
fn a_member_of_a_project_only_begins_there() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let kim = ada.admit(&folder.path().join("kim"), "kim", &project("billing"), Role::Write);
    let mut screen = kim.screen(80, 24);
    shows(&screen, "STRIPE_SECRET_KEY");
    shows(&screen, "kim · write");
    screen.key("1").unwrap();
    hides(&screen, "NPM_TOKEN");
    shows(&screen, "not a member of the organization");
}
