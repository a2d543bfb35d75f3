//! A value appears where it was asked for and nowhere else: no file, output, error or argument holds the canary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{PASSPHRASE, Ran, TestEnv, files_below, holds};
use base64::{Engine, engine::general_purpose::STANDARD};

const CANARY: &[u8] = b"CANARY-9f2c-THE-VALUE-ITSELF-8d31";

/// The canary as it is, reversed, in hexadecimal and in base64.
fn shapes(secret: &[u8]) -> Vec<Vec<u8>> {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let hex = sealbox::domain::scope::hex(secret).into_bytes();
    let base64 = STANDARD.encode(secret).trim_end_matches('=').as_bytes().to_vec();
    let utf16: Vec<u8> = secret.iter().flat_map(|byte| [*byte, 0]).collect();
    vec![secret.to_vec(), reversed, hex, base64, utf16]
}

#[track_caller]
fn clean(ran: &Ran) {
    for shape in shapes(CANARY).iter().chain(&shapes(PASSPHRASE.as_bytes())) {
        assert!(!holds(&ran.stdout, shape), "{} leaked on stdout", ran.what);
        assert!(!holds(ran.stderr.as_bytes(), shape), "{} leaked on stderr", ran.what);
    }
}

#[test]
fn no_command_but_get_and_export_prints_a_value_and_no_file_holds_it() {
    let env = TestEnv::with_vault();
    let value_file = env.root().join("outside"); // not in a folder that is searched
    std::fs::write(&value_file, CANARY).unwrap();
    clean(&env.run_with(&["set", "API_KEY"], CANARY).ok());
    clean(&env.run_with(&["set", "API_KEY", "--json"], &[CANARY, b"2"].concat()).ok());
    clean(&env.run(&["set", "FROM_FILE", "--from-file", value_file.to_str().unwrap(), "-v"]).ok());
    for args in [
        &["list"][..],
        &["list", "--json", "-v"],
        &["history", "API_KEY", "--json"],
        &["rollback", "API_KEY", "--to", "1", "-v"],
        &["find", "API", "--json"],
        &["status", "--json"],
        &["log", "--json"],
        &["verify", "-v"],
        &["doctor", "--json"],
        &["backup", "copy.db"],
        &["export", "--dry-run"],
        &["export", "-o", "../exported.env"],
        &["member", "list", "--json"],
        &["id"],
        &["delete", "FROM_FILE", "--yes"],
    ] {
        clean(&env.run(args).ok());
    }
    for args in
        [&["get", "API_KYE"][..], &["get", "API_KEY", "--version", "9"], &["set", "API_KEY", "x", "-v"]]
    {
        let ran = env.run(args);
        assert_ne!(ran.code, 0);
        clean(&ran);
    }
    assert_eq!(env.run(&["get", "API_KEY"]).ok().stdout, CANARY);

    std::fs::remove_file(env.passphrase_file()).unwrap();
    for folder in ["data", "state", "config", "run", "home", "work"] {
        for path in files_below(&env.root().join(folder)) {
            let bytes = std::fs::read(&path).unwrap();
            for shape in shapes(CANARY).iter().chain(&shapes(PASSPHRASE.as_bytes())) {
                assert!(!holds(&bytes, shape), "{} holds a secret", path.display());
            }
        }
    }
}

#[test]
fn names_are_not_in_the_files() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "VERY_DISTINCT_SECRET_NAME"], CANARY).ok();
    for path in
        files_below(&env.root().join("data")).into_iter().chain(files_below(&env.root().join("state")))
    {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!holds(&bytes, b"VERY_DISTINCT_SECRET_NAME"), "{} holds a name", path.display());
        assert!(!holds(&bytes, b"acme"), "{} holds the organization's name", path.display());
    }
}

#[test]
fn labels_from_others_reach_a_terminal_escaped() {
    let env = TestEnv::with_vault();
    let id = TestEnv::new().run(&["id"]).ok().text().trim().to_owned();
    // the service refuses such a label; if it ever let one pass, the table would escape it
    let hostile = "eve\u{1b}]0;pwned\u{7}\u{202e}";
    let added = env.run(&["member", "add", &id, "--label", hostile, "--role", "read"]);
    assert!(!added.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", added.stderr);
    let list = env.run(&["member", "list"]).ok();
    assert!(!list.text().contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", list.text());
}
