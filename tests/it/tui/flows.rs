//! What a person with the role write does all day: create, look, copy, edit, delete, and back.

use super::rig::*;
use sealbox::domain::ScopeRef;
use sealbox::service::SetRotation;

const ORG: ScopeRef = ScopeRef::Organization;

#[test]
fn the_list_shows_names_dates_authors_and_versions_and_never_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    for text in ["NPM_TOKEN", "5 h ago", "v2", "42 min ago", "ada", "SMTP_PASSWORD", "2026-09-02", "1/4"] {
        shows(&screen, text);
    }
    for text in ["npm-1", "npm-2", "smtp-1", "sentry.example", "BEGIN KEY"] {
        hides(&screen, text);
    }
    screen.key("2").unwrap();
    shows(&screen, "STRIPE_SECRET_KEY");
    hides(&screen, "sk_live_CANARY");
}

#[test]
fn create_upper_cases_the_name_masks_the_value_and_selects_the_new_row() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("n").unwrap().type_text("redis-url").unwrap();
    shows(&screen, "REDISURL");
    screen.key("backspace").unwrap().key("backspace").unwrap().key("backspace").unwrap();
    screen.type_text("_url\n").unwrap();
    screen.type_text("redis://CANARY").unwrap();
    hides(&screen, "CANARY");
    shows(&screen, "••••");
    shows(&screen, "1 line, 14 bytes");
    screen.key("ctrl-r").unwrap();
    shows(&screen, "redis://CANARY");
    screen.key("ctrl-r").unwrap();
    hides(&screen, "CANARY");
    screen.key("enter").unwrap();
    shows(&screen, "created REDIS_URL");
    shows(&screen, "▸  REDIS_URL");
    assert_eq!(ada.get(&ORG, "REDIS_URL"), b"redis://CANARY");
}

#[test]
fn a_name_that_is_taken_is_told_before_anything_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("n").unwrap().type_text("npm_token").unwrap();
    shows(&screen, "exists already (v2)");
    screen.type_text("\nx\n").unwrap();
    shows(&screen, "exists already (v2)");
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"npm-2");
}

#[test]
fn a_value_may_have_several_lines_by_paste_and_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("n").unwrap().type_text("pem\n").unwrap().paste("one\r\ntwo\r").unwrap();
    shows(&screen, "3 lines, 8 bytes");
    screen.type_text("three").unwrap().key("alt-enter").unwrap().type_text("4").unwrap();
    screen.key("ctrl-j").unwrap().key("enter").unwrap();
    assert_eq!(ada.get(&ORG, "PEM"), b"one\ntwo\nthree\n4\n");
}

#[test]
fn a_paste_into_any_field_is_data_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let evil = "SECRET\n:q!\u{1b}[201~rm";
    let mut screen = ada.screen(80, 24);
    screen.paste(evil).unwrap();
    assert_eq!(ada.names(&ORG).len(), 4);
    screen.key("n").unwrap().paste(evil).unwrap();
    shows(&screen, "not pasted");
    screen.type_text("safe\n").unwrap().paste(evil).unwrap().key("enter").unwrap();
    assert_eq!(ada.get(&ORG, "SAFE"), b"SECRET\n:q!rm");
    for opener in ["/", ":", "p", "d"] {
        screen.key(opener).unwrap().paste(evil).unwrap();
        assert!(!screen.has_quit());
        screen.key("esc").unwrap().key("esc").unwrap();
    }
    assert_eq!(ada.names(&ORG).len(), 5);
}

#[test]
fn an_empty_value_has_to_be_meant() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("n").unwrap().type_text("empty\n\n").unwrap();
    shows(&screen, "Enter once more");
    assert!(!ada.names(&ORG).contains(&"EMPTY".to_owned()));
    screen.key("enter").unwrap();
    assert_eq!(ada.get(&ORG, "EMPTY"), b"");
}

#[test]
fn edit_keeps_the_name_wants_the_value_twice_and_keeps_the_old_version() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("e").unwrap();
    shows(&screen, "cannot be changed");
    screen.type_text("npm-3\nnpm-4\n").unwrap();
    shows(&screen, "the two values differ");
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"npm-2");
    screen.key("backspace").unwrap().type_text("3\n").unwrap();
    shows(&screen, "NPM_TOKEN is now v3; v2 stays in its history");
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"npm-3");
    assert_eq!(ada.names(&ORG).len(), 4);
}

#[test]
fn a_change_by_somebody_else_meanwhile_is_told_and_what_was_typed_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let bob = ada.admit(&folder.path().join("bob"), "bob", &ORG, sealbox::domain::Role::Write);
    let mut screen = ada.screen(80, 24);
    screen.key("e").unwrap().type_text("mine\nmine").unwrap();
    bob.set(&ORG, "NPM_TOKEN", "theirs", 0);
    screen.key("enter").unwrap();
    shows(&screen, "bob changed it meanwhile (now v3)");
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"theirs");
    screen.key("enter").unwrap();
    shows(&screen, "NPM_TOKEN is now v4");
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"mine");
}

#[test]
fn delete_is_confirmed_by_the_name_and_only_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("d").unwrap();
    shows(&screen, "All 2 versions of it are removed. This cannot be undone.");
    screen.type_text("npm_toke\n").unwrap();
    shows(&screen, "type NPM_TOKEN to confirm");
    assert_eq!(ada.names(&ORG).len(), 4);
    screen.type_text("n\n").unwrap();
    shows(&screen, "deleted NPM_TOKEN (2 versions)");
    assert!(!ada.names(&ORG).contains(&"NPM_TOKEN".to_owned()));
    screen.key("d").unwrap().key("esc").unwrap();
    assert_eq!(ada.names(&ORG).len(), 3);
}

#[test]
fn marked_rows_are_deleted_together_after_their_count_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("space").unwrap().key("space").unwrap().key("space").unwrap();
    shows(&screen, "3 marked");
    shows(&screen, "d delete 3");
    screen.key("d").unwrap().type_text("delete 2\n").unwrap();
    shows(&screen, "type delete 3 to confirm");
    screen.key("ctrl-u").unwrap().type_text("delete 3\n").unwrap();
    shows(&screen, "deleted 3 secrets");
    assert_eq!(ada.names(&ORG), ["TLS_KEY"]);
    hides(&screen, "marked");
}

#[test]
fn reveal_shows_the_value_and_hides_it_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("x").unwrap();
    shows(&screen, "npm-2");
    shows(&screen, "hides in 30 s");
    screen.pass(10_000).unwrap();
    shows(&screen, "hides in 20 s");
    screen.pass(19_500).unwrap();
    shows(&screen, "npm-2");
    screen.pass(600).unwrap();
    hides(&screen, "npm-2");
    shows(&screen, "hidden again");
}

#[test]
fn reveal_hides_on_focus_loss_resize_lock_and_leaving() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("x").unwrap();
    shows(&screen, "npm-2");
    screen.focus(false).unwrap();
    hides(&screen, "npm-2");
    screen.focus(true).unwrap().key("x").unwrap();
    shows(&screen, "npm-2");
    screen.resize(100, 30).unwrap();
    hides(&screen, "npm-2");
    screen.key("x").unwrap();
    shows(&screen, "npm-2");
    screen.key("ctrl-c").unwrap();
    hides(&screen, "npm-2");
    hides(&screen, "NPM_TOKEN");
    assert!(screen.has_quit());
    let mut screen = ada.screen(80, 24);
    screen.key("x").unwrap().key("ctrl-l").unwrap();
    hides(&screen, "npm-2");
    shows(&screen, "the vault is locked");
}

#[test]
fn a_hostile_value_is_escaped_before_it_reaches_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    ada.set(&ORG, "AAA", "a\u{1b}]52;c;eA==\u{7}b\u{202e}c\u{9b}2J", 0);
    let mut screen = ada.screen(80, 24);
    screen.key("x").unwrap();
    let text = screen.screen();
    assert!(text.contains("^[]52;c;eA==^Gb"), "{text}");
    assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')));
}

#[test]
fn a_long_value_is_scrolled() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let long: String = (0..200).map(|n| format!("line {n}\n")).collect();
    ada.set(&ORG, "AAA", &long, 0);
    let mut screen = ada.screen(80, 24);
    screen.key("x").unwrap();
    shows(&screen, "line 0");
    shows(&screen, "200 lines");
    screen.key("G").unwrap();
    shows(&screen, "line 199");
    hides(&screen, "line 0 ");
    screen.key("pgup").unwrap().key("k").unwrap().key("g").unwrap();
    shows(&screen, "line 0");
}

#[test]
fn copy_never_shows_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("y").unwrap();
    shows(&screen, "copied; clears itself in 30 s");
    hides(&screen, "npm-2");
    screen.key("c").unwrap();
    assert_eq!(ada.copied(), [b"npm-2".to_vec(), b"npm-2".to_vec()]);
}

#[test]
fn history_shows_versions_and_brings_one_back_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("h").unwrap();
    shows(&screen, "History of NPM_TOKEN");
    shows(&screen, "current");
    screen.key("j").unwrap().key("x").unwrap();
    shows(&screen, "npm-1");
    screen.key("esc").unwrap();
    hides(&screen, "npm-1");
    screen.key("y").unwrap();
    assert_eq!(ada.copied(), [b"npm-1".to_vec()]);
    screen.key("b").unwrap();
    shows(&screen, "y bring back v1");
    screen.key("enter").unwrap();
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"npm-2");
    screen.key("b").unwrap().key("y").unwrap();
    shows(&screen, "has the value of v1 again, as v3");
    shows(&screen, "v3");
    assert_eq!(ada.get(&ORG, "NPM_TOKEN"), b"npm-1");
}

#[test]
fn a_value_is_generated_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("n").unwrap().type_text("made\n").unwrap().key("ctrl-g").unwrap();
    shows(&screen, "32 characters");
    screen.key("down").unwrap().key("down").unwrap().key("down").unwrap();
    shows(&screen, "32 bytes");
    screen.key("enter").unwrap();
    shows(&screen, "1 line, 64 bytes");
    screen.key("enter").unwrap();
    let made = ada.get(&ORG, "MADE");
    assert!(made.len() == 64 && made.iter().all(u8::is_ascii_hexdigit));
    // Editing takes a generated value in both fields.
    screen.key("e").unwrap().key("ctrl-g").unwrap().key("enter").unwrap().key("enter").unwrap();
    shows(&screen, "MADE is now v2");
    assert_eq!(ada.get(&ORG, "MADE").len(), 32);
}

#[test]
fn the_filter_narrows_as_one_types_and_esc_takes_it_away() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("/").unwrap().type_text("ntok").unwrap();
    shows(&screen, "NPM_TOKEN");
    hides(&screen, "SMTP_PASSWORD");
    shows(&screen, "1/1 of 4");
    screen.key("enter").unwrap().key("x").unwrap();
    shows(&screen, "npm-2");
    screen.key("esc").unwrap().key("esc").unwrap();
    shows(&screen, "SMTP_PASSWORD");
    screen.key("/").unwrap().type_text("qqq").unwrap();
    shows(&screen, "nothing matches");
    screen.key("esc").unwrap().key("esc").unwrap();
    assert!(!screen.has_quit(), "Esc never quits");
    screen.key("q").unwrap();
    assert!(screen.has_quit());
}

#[test]
fn sorting_by_date_puts_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("s").unwrap();
    let text = screen.screen();
    let places: Vec<_> =
        ["TLS_KEY", "NPM_TOKEN", "SENTRY_DSN", "SMTP_PASSWORD"].iter().map(|name| text.find(name)).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{text}");
}

#[test]
fn the_palette_finds_an_action_by_its_name_and_does_it() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key(":").unwrap().type_text("hist").unwrap();
    shows(&screen, "versions: look at one");
    screen.key("enter").unwrap();
    shows(&screen, "History of NPM_TOKEN");
}

#[test]
fn help_lists_every_action() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(100, 80);
    screen.key("?").unwrap();
    for text in ["show the value until it hides itself", "Ctrl-l", "narrow the list", "look at what is typed"]
    {
        shows(&screen, text);
    }
}

#[test]
fn changes_by_others_are_noticed_within_a_poll() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let bob = ada.admit(&folder.path().join("bob"), "bob", &ORG, sealbox::domain::Role::Write);
    let mut screen = ada.screen(80, 24);
    bob.set(&ORG, "NEW_BY_BOB", "1", 0);
    bob.set(&ORG, "NPM_TOKEN", "2", 0);
    screen.pass(3_500).unwrap();
    shows(&screen, "NEW_BY_BOB");
    shows(&screen, "2 changes by others: bob");
    screen.pass(20_000).unwrap();
    hides(&screen, "changes by others");
}

#[test]
fn projects_are_chosen_and_created_in_the_selector() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("p").unwrap();
    shows(&screen, "billing");
    screen.type_text("web").unwrap();
    shows(&screen, "+ new project web");
    screen.key("enter").unwrap().type_text("-1\n").unwrap();
    shows(&screen, "Project: web-1");
    shows(&screen, "no secrets here yet");
    screen.key("n").unwrap().type_text("a\nb\n").unwrap();
    assert_eq!(ada.get(&project("web-1"), "A"), b"b");
    screen.key("p").unwrap().type_text("bil\n").unwrap();
    shows(&screen, "STRIPE_SECRET_KEY");
    screen.key("1").unwrap();
    shows(&screen, "NPM_TOKEN");
}

#[test]
fn the_log_tells_what_happened_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("4").unwrap();
    shows(&screen, "Log · acme");
    shows(&screen, "created TLS_KEY");
    shows(&screen, "updated NPM_TOKEN to v2");
    screen.key("enter").unwrap();
    shows(&screen, "SHA-256 of the entry");
    screen.key("esc").unwrap().key("/").unwrap().type_text("sentry").unwrap();
    hides(&screen, "TLS_KEY");
}

#[test]
fn nothing_is_timed_while_locked_and_a_poll_is_while_open() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.pass(1_000).unwrap();
    assert!(screen.due_in().is_some_and(|ms| ms <= 3_000));
    screen.key("ctrl-l").unwrap().pass(60_000).unwrap();
    assert_eq!(screen.due_in(), None);
}

#[test]
fn the_log_shows_readings_beside_changes_and_its_filter_tells_them_apart() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    ada.get(&ScopeRef::Organization, "NPM_TOKEN");
    let mut screen = ada.screen(120, 40);
    screen.key("4").unwrap();
    shows(&screen, "looked at NPM_TOKEN v2");
    shows(&screen, "updated NPM_TOKEN to v2");
    screen.key("/").unwrap().type_text("looked").unwrap();
    shows(&screen, "looked at NPM_TOKEN v2");
    hides(&screen, "updated NPM_TOKEN to v2");
    screen.key("enter").unwrap().key("enter").unwrap();
    shows(&screen, "by test on ");
    hides(&screen, "npm-2");
}

#[test]
fn a_value_that_is_due_is_flagged_in_the_table_and_explained_in_the_detail() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    for (secret, days) in [("SMTP_PASSWORD", 30), ("SENTRY_DSN", 20), ("NPM_TOKEN", 90)] {
        let every_s = Some(days * 86_400);
        ada.ask(SetRotation { scope: ScopeRef::Organization, name: name(secret), every_s, with: None });
    }
    let mut screen = ada.screen(120, 40);
    shows(&screen, "rotation due");
    screen.resize(80, 24).unwrap();
    screen.key("/").unwrap().type_text("smtp").unwrap().key("enter").unwrap().key("enter").unwrap();
    shows(&screen, "every 30 d: rotation due");
    screen.key("esc").unwrap().key("esc").unwrap().key("/").unwrap().type_text("npm").unwrap();
    screen.key("enter").unwrap().key("enter").unwrap();
    shows(&screen, "every 90 d: due in 89 d");
}
