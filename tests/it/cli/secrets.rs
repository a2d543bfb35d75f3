//! The life of a secret: set, get, list, history, rollback, find, generate, edit, delete.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_secret_lives_through_set_get_history_rollback_and_delete() {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "billing"]).ok();
    let set = ["set", "stripe_key", "-p", "billing"];
    let first = env.run_with(&set, b"one").ok().says("created STRIPE_KEY v1 in project billing");
    assert!(first.stdout.is_empty(), "talk belongs to stderr");
    env.run_with(&set, b"two").ok().says("updated STRIPE_KEY v2");
    assert_eq!(env.run(&["get", "STRIPE_KEY", "-p", "billing"]).ok().text(), "two");
    assert_eq!(env.run(&["-p", "billing", "get", "STRIPE_KEY", "--version", "1"]).ok().text(), "one");

    let history = env.run(&["history", "STRIPE_KEY", "-p", "billing", "--json"]).ok().json();
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!((versions[0]["version"].as_u64(), versions[0]["current"].as_bool()), (Some(2), Some(true)));
    assert_eq!(versions[1]["updated_by"], "ada");

    env.run(&["rollback", "STRIPE_KEY", "-p", "billing", "--to", "1"]).ok().says("v3");
    assert_eq!(env.run(&["get", "STRIPE_KEY", "-p", "billing"]).ok().text(), "one");
    env.run(&["rollback", "STRIPE_KEY", "-p", "billing", "--to", "99"]).code(10);

    env.run(&["delete", "STRIPE_KEY", "-p", "billing"]).code(2).says("--yes");
    let deleted = env.run(&["rm", "STRIPE_KEY", "-p", "billing", "--yes", "--json"]).ok().json();
    assert_eq!(deleted["versions"], 3);
    env.run(&["get", "STRIPE_KEY", "-p", "billing"]).code(10);
    env.run(&["delete", "STRIPE_KEY", "-p", "billing", "--yes"]).code(10);
}

#[test]
fn list_shows_names_dates_and_authors_and_no_value() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "B_KEY"], b"canary-value").ok();
    env.run_with(&["set", "A_KEY"], b"canary-value").ok();
    let list = env.run(&["ls"]).ok();
    let lines: Vec<&str> = list.text().lines().collect();
    assert!(lines[0].starts_with("NAME"), "{lines:?}");
    assert!(lines[1].starts_with("A_KEY") && lines[2].starts_with("B_KEY"), "{lines:?}");
    assert!(lines[1].contains("ada") && lines[1].contains("v1"));
    assert!(!list.text().contains("canary"));

    let json = env.run(&["list", "--json"]).ok().json();
    assert_eq!(json["role"], "owner");
    let secret = &json["secrets"][0];
    assert_eq!((secret["name"].as_str(), secret["version"].as_u64()), (Some("A_KEY"), Some(1)));
    assert!(secret["updated"].as_str().unwrap().ends_with('Z'));
    assert!(secret["updated_ms"].as_u64().unwrap() > 1_600_000_000_000);
}

#[test]
fn list_and_find_see_every_scope() {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "web"]).ok();
    env.run_with(&["set", "SMTP_PASSWORD"], b"1").ok();
    env.run_with(&["set", "SESSION_SECRET", "-p", "web"], b"2").ok();
    let all = env.run(&["list", "--all-scopes", "--json"]).ok().json();
    assert_eq!(all["scopes"].as_array().unwrap().len(), 2);
    let found = env.run(&["find", "sess", "--json"]).ok().json();
    assert_eq!(found["found"][0]["name"], "SESSION_SECRET");
    assert_eq!(found["found"][0]["scope"]["project"], "web");
    env.run(&["find", "zzzzzz"]).code(10);
    let projects = env.run(&["project", "list", "--json"]).ok().json();
    assert_eq!(projects["projects"][0]["name"], "web");
    assert_eq!(projects["projects"][0]["secrets"], 1);
}

#[test]
fn create_only_and_duplicate_projects_are_conflicts() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "KEY", "--create-only"], b"1").ok();
    env.run_with(&["set", "KEY", "--create-only"], b"2").code(13);
    assert_eq!(env.run(&["get", "KEY"]).ok().text(), "1");
    env.run(&["project", "create", "web"]).ok();
    env.run(&["project", "create", "web"]).code(13);
}

#[test]
fn unknown_names_get_a_suggestion() {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "billing"]).ok();
    env.run_with(&["set", "STRIPE_KEY", "-p", "billing"], b"1").ok();
    env.run(&["get", "STRIPE_KYE", "-p", "billing"]).code(10).says("did you mean STRIPE_KEY?");
    env.run(&["get", "STRIPE_KEY", "-p", "biling"]).code(10).says("did you mean -p billing?");
    env.run(&["get", "STRIPE_KEY"]).code(10).says("-p billing");
    let error = env.run(&["get", "STRIPE_KYE", "-p", "billing", "--json"]).code(10).json_error();
    assert_eq!(error["kind"], "not_found");
    assert_eq!(error["hint"], "did you mean STRIPE_KEY?");
}

#[test]
fn a_value_as_an_argument_is_refused_without_being_repeated() {
    let env = TestEnv::new();
    let ran = env.run(&["set", "API_KEY", "canary-value"]).code(2).says("never an argument");
    assert!(!ran.stderr.contains("canary"));
    let ran = env.run(&["set", "API_KEY=canary-value"]).code(2).says("leaked");
    assert!(!ran.stderr.contains("canary"));
}

#[test]
fn generated_values_are_printed_once_or_stored_unseen() {
    let env = TestEnv::with_vault();
    for (recipe, length) in
        [("password", 24), ("alnum:40", 40), ("easy:12", 12), ("hex:16", 32), ("uuid", 36)]
    {
        let value = env.run(&["generate", recipe]).ok();
        assert_eq!(value.text().trim_end().len(), length, "{recipe}");
        assert!(value.text().ends_with('\n'));
    }
    assert_eq!(env.run(&["generate", "words:5"]).ok().text().split('-').count(), 5);
    assert!(env.run(&["generate", "--json"]).ok().json()["entropy_bits"].as_u64().unwrap() > 100);
    for bad in ["nonsense", "hex:", "hex:-1", "uuid:4", "words:1000", "password:3"] {
        env.run(&["generate", bad]).code(2);
    }
    let ran = env.run(&["generate", "hex:32", "--set", "SESSION_KEY"]).ok();
    assert!(ran.stdout.is_empty());
    let stored = env.run(&["get", "SESSION_KEY"]).ok();
    assert_eq!(stored.stdout.len(), 64);
    assert!(!ran.stderr.contains(stored.text()));
    env.run(&["set", "OTHER", "--generate=words:4"]).ok();
    assert_eq!(env.run(&["get", "OTHER"]).ok().text().split('-').count(), 4);
}

#[test]
fn edit_writes_what_the_editor_left_and_nothing_if_it_failed() {
    let mut env = TestEnv::with_vault();
    env.run_with(&["set", "MOTD"], b"hello").ok();
    let script = |name: &str, body: &str| {
        let path = env.private_file(name, format!("#!/bin/sh\n{body}\n").as_bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path.to_string_lossy().into_owned()
    };
    // the file is the last argument; its mode and folder are looked at from inside
    let change = script(
        "change",
        r#"for f; do :; done; stat -c %a "$f" > seen; stat -c %a "$(dirname "$f")" >> seen; printf 'hello world' > "$f""#,
    );
    let same = script("same", "exit 0");
    let broken = script("broken", r#"for f; do :; done; printf 'half' > "$f"; exit 1"#);
    env.set("SEALBOX_NO_INPUT", "0");
    env.set("EDITOR", &change);
    env.run(&["edit", "MOTD"]).ok().says("updated MOTD v2");
    assert_eq!(std::fs::read_to_string(env.work().join("seen")).unwrap(), "600\n700\n");
    env.set("EDITOR", &same);
    env.run(&["edit", "MOTD"]).ok().says("was not changed");
    env.set("EDITOR", &broken);
    env.run(&["edit", "MOTD"]).code(1).says("unchanged");
    assert_eq!(env.run(&["get", "MOTD"]).ok().text(), "hello world");
    env.run(&["edit", "NOPE"]).code(10);
    let left = crate::env::files_below(&env.root().join("run"));
    assert!(left.iter().all(|path| !std::fs::read(path).unwrap().starts_with(b"hello")), "{left:?}");
}
