//! The wizard and the unlock screen.

use super::rig::*;
use sealbox::domain::ScopeRef;
use sealbox::service::*;
use std::time::Duration;

const ORG: ScopeRef = ScopeRef::Organization;

/// The groups of the recovery key as they stand on the screen.
fn last_group(screen: &str) -> String {
    screen
        .lines()
        .skip_while(|line| !line.contains("Write this on paper"))
        .take_while(|line| !line.contains("Type its last group"))
        .flat_map(str::split_whitespace)
        .filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        .last()
        .unwrap_or_else(|| panic!("no key on\n{screen}"))
        .to_owned()
}

#[test]
fn the_first_run_makes_a_vault_after_the_recovery_key_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let person = Person::nobody(folder.path(), None);
    let mut screen = person.screen(80, 24);
    shows(&screen, "Create a vault");
    screen.key("enter").unwrap();
    screen.type_text("acme\nada\n").unwrap();
    screen.type_text("short\nshort\n").unwrap();
    shows(&screen, "this one is weak");
    screen.key("backtab").unwrap().key("ctrl-u").unwrap();
    screen.type_text("wobbly quartz teapot lantern\n").unwrap().key("ctrl-u").unwrap();
    hides(&screen, "quartz");
    shows(&screen, "strong");
    screen.type_text("wobbly quartz teapot\n").unwrap();
    shows(&screen, "the two passphrases differ");
    screen.type_text(" lantern\n").unwrap();
    shows(&screen, "Your recovery key");
    assert_eq!(person.ask(Status {}).state, VaultState::Absent, "nothing is written before it is confirmed");
    screen.type_text("wrong1\n").unwrap();
    shows(&screen, "that is not the last group");
    let group = last_group(&screen.screen());
    screen.type_text(&format!("{group}\n")).unwrap();
    shows(&screen, "no secrets here yet");
    shows(&screen, "ada · owner");
    hides(&screen, &group);
    screen.key("n").unwrap().type_text("first\nvalue\n").unwrap();
    assert_eq!(person.get(&ORG, "FIRST"), b"value");
}

#[test]
fn leaving_the_wizard_early_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let person = Person::nobody(folder.path(), None);
    let mut screen = person.screen(80, 24);
    screen.key("enter").unwrap().type_text("acme\nada\nwobbly quartz teapot lantern\n").unwrap();
    screen.type_text("wobbly quartz teapot lantern\n").unwrap();
    shows(&screen, "Your recovery key");
    let group = last_group(&screen.screen());
    screen.key("ctrl-c").unwrap();
    assert!(screen.has_quit());
    hides(&screen, &group);
    assert_eq!(person.ask(Status {}).state, VaultState::Absent);
}

#[test]
fn somebody_invited_makes_an_identity_and_joins_with_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let bob = Person::nobody(&folder.path().join("bob"), None);
    let mut screen = bob.screen(80, 24);
    screen.key("down").unwrap().key("enter").unwrap();
    screen.type_text("wobbly quartz teapot lantern\nwobbly quartz teapot lantern\n").unwrap();
    shows(&screen, "Send this ID to an owner");
    screen.key("ctrl-y").unwrap();
    let id = String::from_utf8(bob.copied().pop().unwrap()).unwrap();
    let add = AddMember { scope: ORG, id, label: "bob".into(), role: sealbox::domain::Role::Read };
    let link = ada.ask(add).link;
    screen.type_text("scj1_nonsense\n").unwrap();
    hides(&screen, "NPM_TOKEN");
    screen.key("ctrl-u").unwrap().paste(&link).unwrap().key("enter").unwrap();
    shows(&screen, "NPM_TOKEN");
    shows(&screen, "bob · read");
}

#[test]
fn a_wrong_passphrase_is_one_generic_error_and_the_right_one_opens() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    ada.ask(Lock {});
    let mut screen = ada.screen(80, 24);
    shows(&screen, "the vault is locked");
    screen.type_text("wrong horse\n").unwrap();
    shows(&screen, "that did not open the vault");
    hides(&screen, "wrong horse");
    screen.type_text(PASSPHRASE).unwrap();
    hides(&screen, "correct");
    screen.key("enter").unwrap();
    shows(&screen, "NPM_TOKEN");
}

#[test]
fn the_idle_lock_wipes_the_screen_and_asks_again() {
    let folder = tempfile::tempdir().unwrap();
    let ada = Person::nobody(folder.path(), Some(Duration::from_secs(120)));
    ada.init();
    ada.set(&ORG, "A", "CANARY", 0);
    let mut screen = ada.screen(80, 24);
    shows(&screen, "locks in 2 min");
    screen.key("x").unwrap();
    shows(&screen, "CANARY");
    ada.clock.pass(40_000);
    screen.pass(3_100).unwrap();
    shows(&screen, "locks in 80 s");
    ada.clock.pass(90_000);
    screen.pass(3_100).unwrap();
    hides(&screen, "CANARY");
    shows(&screen, "locked after a while");
    screen.type_text(PASSPHRASE).unwrap().key("enter").unwrap();
    shows(&screen, "locks in 2 min");
}

#[test]
fn activity_on_the_screen_keeps_the_vault_open() {
    let folder = tempfile::tempdir().unwrap();
    let ada = Person::nobody(folder.path(), Some(Duration::from_secs(60)));
    ada.init();
    let mut screen = ada.screen(80, 24);
    for _ in 0..10 {
        ada.clock.pass(20_000);
        screen.pass(20_000).unwrap().key("j").unwrap();
    }
    hides(&screen, "Passphrase");
}

#[test]
fn a_vault_that_another_shell_unlocked_opens_without_typing_anything() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    for by_focus in [true, false] {
        screen.key("ctrl-l").unwrap();
        shows(&screen, "the vault is locked");
        if by_focus {
            screen.focus(true).unwrap()
        } else {
            screen.key("enter").unwrap()
        };
        shows(&screen, "Passphrase");
        ada.ask(Unlock { passphrase: passphrase() });
        if by_focus {
            screen.focus(true).unwrap()
        } else {
            screen.key("enter").unwrap()
        };
        shows(&screen, "NPM_TOKEN");
        hides(&screen, "Passphrase");
    }
    // In the middle of a passphrase it stays: the rest of it would become commands.
    screen.key("ctrl-l").unwrap().type_text("corr").unwrap();
    ada.ask(Unlock { passphrase: passphrase() });
    screen.focus(true).unwrap();
    shows(&screen, "Passphrase");
    hides(&screen, "NPM_TOKEN");
}

#[test]
fn a_lock_from_elsewhere_hides_a_shown_value_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("x").unwrap();
    shows(&screen, "npm-2");
    ada.ask(Lock {});
    screen.pass(1_000).unwrap();
    hides(&screen, "npm-2");
    shows(&screen, "Passphrase");
}
