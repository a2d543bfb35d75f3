//! The vault as a whole: init, status, passwd, log, verify, backup, restore, reset, doctor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{TestEnv, files_below};
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn init_shows_the_recovery_key_and_keeps_it_out_of_stdout() {
    let env = TestEnv::new();
    let ran = env.run(&["init", "--org", "acme", "--name", "ada", "--json"]).ok().says("full authority");
    let json = ran.json();
    assert_eq!((json["organization"].as_str(), json["name"].as_str()), (Some("acme"), Some("ada")));
    for path in files_below(&env.root().join("data")) {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    env.run(&["init", "--org", "acme", "--name", "ada"]).code(13);
}

#[test]
fn init_writes_the_recovery_key_to_a_new_private_file_only() {
    let env = TestEnv::new();
    env.private_file("taken", b"x");
    env.run(&["init", "--org", "acme", "--name", "ada", "--recovery-key-file", "taken"]).code(13);
    assert_eq!(
        env.run(&["status", "--json"]).ok().json()["state"],
        "absent",
        "a vault without a known key was made"
    );
    env.run(&["init", "--name", "ada"]).code(2).says("--org");
    env.run(&["init", "--org", "acme"]).code(2).says("--name");
    let ran = env.run(&["init", "--org", "acme", "--name", "ada", "--recovery-key-file", "key"]).ok();
    let path = env.work().join("key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&path).unwrap();
    assert!(!ran.stderr.contains(key.split_whitespace().next().unwrap()));
    assert_eq!(env.run(&["status", "--json"]).ok().json()["state"], "locked");
}

#[test]
fn a_wrong_passphrase_is_one_generic_error() {
    let env = TestEnv::with_vault();
    env.private_file("passphrase", b"wrong\n");
    let error = env.run(&["list", "--json"]).code(11).json_error();
    assert_eq!(error["kind"], "locked");
    env.run(&["get", "ANY"]).code(11);
    fs::remove_file(env.passphrase_file()).unwrap();
    env.run(&["list"]).code(2).says("SEALBOX_PASSPHRASE_FILE");
}

#[test]
fn without_a_way_to_ask_the_error_names_all_three_ways() {
    let mut env = TestEnv::with_vault();
    env.set("SEALBOX_PASSPHRASE_FILE", "<unset>");
    let ran = env.run(&["list"]).code(11); // as after `sealbox lock`: a script sees one code
    for way in ["sealbox unlock", "--passphrase-fd", "SEALBOX_PASSPHRASE_FILE", "terminal"] {
        assert!(ran.stderr.contains(way), "{}", ran.stderr);
    }
    // through a descriptor: stdin here
    let passphrase = format!("{}\n", crate::env::PASSPHRASE);
    env.run_with(&["list", "--passphrase-fd", "0"], passphrase.as_bytes()).ok();
    env.run_with(&["set", "A", "--passphrase-fd", "0"], passphrase.as_bytes()).code(2).says("both");
    env.run(&["list", "--passphrase-fd", "77"]).code(2).says("77");
    env.run_with(&["list", "--passphrase-fd", "0"], b"").code(2).says("empty");
}

#[test]
fn a_passphrase_file_that_others_can_read_is_warned_about() {
    let env = TestEnv::with_vault();
    fs::set_permissions(env.passphrase_file(), fs::Permissions::from_mode(0o644)).unwrap();
    env.run(&["list"]).ok().says("chmod 600");
    // with --json each line of stderr is a document
    let said = env.run(&["get", "NOPE", "--json"]).code(10).stderr;
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["warning"].as_str().unwrap().contains("chmod 600"), "{said}");
    assert_eq!(lines[1]["error"]["kind"], "not_found");
}

#[test]
fn the_passphrase_can_be_changed() {
    let mut env = TestEnv::with_vault();
    let new = env.private_file("new", b"another passphrase entirely\n");
    env.run(&["passwd"]).code(2).says("SEALBOX_NEW_PASSPHRASE_FILE");
    env.run(&["passwd", "--memory", "8"]).code(2);
    env.set("SEALBOX_NEW_PASSPHRASE_FILE", new.to_str().unwrap());
    env.run(&["passwd", "--json"]).ok();
    env.run(&["list"]).code(11);
    env.run(&["passwd"]).code(11);
    env.set("SEALBOX_PASSPHRASE_FILE", new.to_str().unwrap());
    env.run(&["list"]).ok();
}

#[test]
fn log_and_verify_agree_and_damage_exits_14() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"1").ok();
    env.run_with(&["set", "A"], b"2").ok();
    let log = env.run(&["log", "--json"]).ok().json();
    let events = log["events"].as_array().unwrap();
    let last = events.last().unwrap();
    assert_eq!((last["action"].as_str(), last["subject"].as_str()), (Some("secret_updated"), Some("A")));
    assert_eq!(
        env.run(&["log", "--limit", "1", "--json"]).ok().json()["events"].as_array().unwrap().len(),
        1
    );
    let report = env.run(&["verify", "--json"]).ok().json();
    assert_eq!(report["sound"], true);
    assert_eq!(report["scopes"][0]["head_hash"], last["hash"]);

    // one bit of one ciphertext
    let mut bytes = fs::read(env.store()).unwrap();
    let at = bytes.len() - 40;
    bytes[at] ^= 1;
    let mut found = false;
    for at in (0..bytes.len()).rev().step_by(97) {
        let mut damaged = fs::read(env.store()).unwrap();
        damaged[at] ^= 1;
        let kept = fs::read(env.store()).unwrap();
        fs::write(env.store(), &damaged).unwrap();
        let ran = env.run(&["verify"]);
        fs::write(env.store(), &kept).unwrap();
        assert!([0, 14].contains(&ran.code), "byte {at}: {} {}", ran.code, ran.stderr);
        if ran.code == 14 {
            found = true;
            break;
        }
    }
    assert!(found, "no flipped bit was noticed");
}

#[test]
fn a_backup_brings_back_what_it_held_and_says_so_when_it_is_old() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"before").ok();
    let report = env.run(&["backup", "copy.db", "--json"]).ok().json();
    assert!(report["bytes"].as_u64().unwrap() > 0);
    let mode = fs::metadata(env.work().join("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    env.run(&["backup", "copy.db"]).code(13);
    env.run(&["restore", "copy.db"]).ok();
    env.run_with(&["set", "A"], b"after").ok();
    env.run(&["restore", "copy.db"]).code(14).says("--accept-rollback");
    assert_eq!(env.run(&["get", "A"]).ok().text(), "after", "a refused restore changed something");
    env.run(&["restore", "copy.db", "--accept-rollback"]).ok();
    assert_eq!(env.run(&["get", "A"]).ok().text(), "before");
    env.run(&["restore", "missing.db"]).code(10);
    let junk = env.private_file("junk.db", b"this is not a store");
    env.run(&["restore", junk.to_str().unwrap()]).code(14);
    env.run(&["restore"]).code(2);
    assert_eq!(env.run(&["get", "A"]).ok().text(), "before");
}

#[test]
fn the_recovery_key_opens_the_vault_on_another_machine() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"still here").ok();
    env.run(&["backup", "copy.db"]).ok();
    let other = TestEnv::new();
    fs::copy(env.work().join("copy.db"), other.work().join("copy.db")).unwrap();
    let key = fs::read(env.work().join("recovery.txt")).unwrap();
    other.private_file("key", &key);
    other.private_file("passphrase", b"a new one on a new machine\n");
    other.run(&["restore", "--recovery-key-file", "key", "copy.db"]).code(2).says("--name");
    other.private_file("wrong", b"not a recovery key\n");
    other.run(&["restore", "--recovery-key-file", "wrong", "--name", "ada2", "copy.db"]).code(2);
    let scopes = other
        .run(&["restore", "--recovery-key-file", "key", "--name", "ada2", "copy.db", "--json"])
        .ok()
        .json();
    assert_eq!(scopes["scopes"][0]["role"], "owner");
    assert_eq!(other.run(&["get", "A"]).ok().text(), "still here");
}

#[test]
fn reset_needs_the_word_and_leaves_nothing() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"1").ok();
    env.run(&["reset"]).code(2).says("--yes-destroy-everything");
    env.run(&["get", "A"]).ok();
    env.run(&["reset", "--yes-destroy-everything"]).ok();
    assert_eq!(env.run(&["status", "--json"]).ok().json()["state"], "absent");
    let left: Vec<_> =
        ["data", "state"].iter().flat_map(|folder| files_below(&env.root().join(folder))).collect();
    assert!(left.iter().all(|path| fs::metadata(path).unwrap().len() == 0), "{left:?}");
    env.run(&["get", "A"]).code(10).says("sealbox init");
    env.run(&["init", "--org", "acme", "--name", "ada"]).ok();
}

#[test]
fn doctor_works_in_any_state_and_looks_at_both_sides() {
    let env = TestEnv::new();
    env.run(&["doctor"]).ok();
    env.run(&["init", "--org", "acme", "--name", "ada"]).ok();
    let report = env.run(&["doctor", "--json"]).ok().json();
    let names: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["terminal", "clipboard", "editor", "runtime folder"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    fs::set_permissions(env.vault().join("identity"), fs::Permissions::from_mode(0o644)).unwrap();
    env.run(&["doctor"]).code(1);
    fs::write(env.vault().join("identity"), b"junk").unwrap();
    env.run(&["doctor"]).code(14);
    env.run(&["list"]).code(14);
}

#[test]
fn vaults_are_separate_by_name_and_by_folder() {
    let mut env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"default").ok();
    env.run(&["--vault", "work", "list"]).code(10);
    env.run(&["--vault", "work", "init", "--org", "w", "--name", "ada"]).ok();
    env.run(&["--vault", "work", "get", "A"]).code(10);
    env.run(&["init", "--vault", "./here", "--org", "h", "--name", "ada"]).ok();
    assert!(env.work().join("here/identity").is_file());
    env.set("SEALBOX_VAULT", "work");
    env.run(&["get", "A"]).code(10);
    env.run(&["--vault", "Bad Name", "list"]).code(2);
}
