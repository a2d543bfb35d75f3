//! `import` and `export`: all or nothing, and back again without losing a byte (SPEC R22).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;
use std::{fmt::Write, os::unix::fs::PermissionsExt};

const AWKWARD: &str = "it's \"quoted\" $HOME `x` \\n \\ # not a comment\nsecond line\n-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n";

#[test]
fn awkward_values_survive_every_format() {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "copy"]).ok();
    for (name, value) in [("AWKWARD", AWKWARD), ("EMPTY", ""), ("SPACES", "  a  "), ("UNICODE", "ünï → 表\t")]
    {
        env.run_with(&["set", name], value.as_bytes()).ok();
    }
    for format in ["dotenv", "json", "yaml"] {
        let file = format!("all.{format}");
        env.run(&["export", "--format", format, "-o", &file]).ok();
        let mode = std::fs::metadata(env.work().join(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let report = env.run(&["import", &file, "--format", format, "-p", "copy", "--json"]).ok().json();
        let report = &report["report"];
        let (created, unchanged) =
            (report["created"].as_array().unwrap(), report["unchanged"].as_array().unwrap());
        assert_eq!(created.len() + unchanged.len(), 4, "{format}: {report}");
        // what came back is the same in every format, so the second and third import change nothing
        assert!(report["updated"].as_array().unwrap().is_empty(), "{format}: {report}");
        assert_eq!(env.run(&["get", "AWKWARD", "-p", "copy"]).ok().text(), AWKWARD, "{format}");
    }
    let piped = env.run(&["export", "--only", "awkward", "--format", "json"]).ok();
    let value: serde_json::Value = serde_json::from_slice(&piped.stdout).unwrap();
    assert_eq!(value["AWKWARD"], AWKWARD);
}

#[test]
fn dotenv_output_can_be_sourced_by_a_shell() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "AWKWARD"], AWKWARD.as_bytes()).ok();
    env.run(&["export", "-o", ".env"]).ok();
    let shell = std::process::Command::new("/bin/sh")
        .args(["-c", "set -a; . ./.env; printf '%s|' \"$AWKWARD\""])
        .current_dir(env.work())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(shell.stdout).unwrap(), format!("{AWKWARD}|"));
}

#[test]
fn one_bad_line_refuses_the_whole_file_without_printing_a_value() {
    let env = TestEnv::with_vault();
    for (file, text) in [
        ("name.env", "GOOD=canary-1\nbad-name=canary-2\n"),
        ("twice.env", "GOOD=canary-1\nGOOD=canary-2\n"),
        ("open.env", "GOOD=\"canary-1\n"),
        ("nested.json", r#"{"GOOD":"canary-1","A":{"B":"canary-2"}}"#),
        ("twice.json", r#"{"GOOD":"canary-1","GOOD":"canary-2"}"#),
        ("cut.json", r#"{"GOOD":"canary-1"#),
        ("number.json", r#"{"GOOD":"canary-1","N":12345}"#),
        ("nested.yaml", "GOOD: canary-1\nA:\n  B: canary-2\n"),
    ] {
        env.private_file(file, text.as_bytes());
        let ran = env.run(&["import", file]).code(2);
        assert!(!ran.stderr.contains("canary") && ran.stdout.is_empty(), "{file}: {}", ran.stderr);
    }
    env.run(&["import", "missing.env"]).code(10);
    env.run(&["import", "-"]).code(2).says("--format");
    assert_eq!(env.run(&["list", "--json"]).ok().json()["secrets"].as_array().unwrap().len(), 0);
}

#[test]
fn a_dry_run_names_what_would_happen_and_changes_nothing() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "SAME"], b"1").ok();
    env.run_with(&["set", "OTHER"], b"1").ok();
    // a byte order mark and DOS line ends are ordinary
    let text = "\u{feff}SAME=1\r\nOTHER=canary-2\r\nexport NEW='canary-3'\r\n";
    env.private_file("a.env", text.as_bytes());
    let plan = env.run(&["import", "a.env", "--dry-run"]).ok();
    assert_eq!(plan.text(), "+ NEW\n~ OTHER\n= SAME\n");
    assert!(!plan.stderr.contains("canary"));
    env.run(&["import", "a.env", "--on-existing", "fail"]).code(13);
    let skipped = env.run(&["import", "a.env", "--on-existing", "skip", "--dry-run", "--json"]).ok().json();
    assert!(skipped["report"]["skipped"].as_array().unwrap().iter().any(|name| name == "OTHER"));
    let list = env.run(&["list", "--json"]).ok().json();
    assert_eq!(list["secrets"].as_array().unwrap().len(), 2);
    env.run_with(&["import", "-", "--format", "dotenv"], text.as_bytes())
        .ok()
        .says("created 1, updated 1, unchanged 1");
    assert_eq!(env.run(&["get", "OTHER"]).ok().text(), "canary-2");
}

#[test]
fn export_can_be_narrowed_widened_and_rehearsed() {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "web"]).ok();
    for (name, scope) in [("SHARED", "--org"), ("BOTH", "--org")] {
        env.run_with(&["set", name, scope], b"org").ok();
    }
    env.run_with(&["set", "BOTH", "-p", "web"], b"web").ok();
    assert_eq!(env.run(&["export", "-p", "web"]).ok().text(), "BOTH=web\n");
    assert_eq!(env.run(&["export", "-p", "web", "--with-org"]).ok().text(), "BOTH=web\nSHARED=org\n");
    assert_eq!(env.run(&["export", "-p", "web", "--with-org", "--dry-run"]).ok().text(), "BOTH\nSHARED\n");
    assert_eq!(env.run(&["export", "--org", "--only", "SHARED"]).ok().text(), "SHARED=org\n");
    env.run(&["export", "--only", "MISSING"]).code(10);
    env.run(&["export", "--only", "MISSING", "--dry-run"]).code(10);
    env.run_with(&["set", "BINARY"], &[0xff, 0xfe]).ok();
    env.run(&["export"]).code(2).says("BINARY");
    let json = env.run(&["export", "--only", "BINARY", "--json"]).ok().json();
    assert_eq!(json["secrets"][0]["value_base64"], "//4=");
    assert!(json["secrets"][0]["value"].is_null());
}

#[test]
fn ten_thousand_entries_are_imported_at_once() {
    let env = TestEnv::with_vault();
    let mut text = String::new();
    for i in 0..10_000 {
        writeln!(text, "KEY_{i:05}=value number {i}").unwrap();
    }
    env.private_file("big.env", text.as_bytes());
    let started = std::time::Instant::now();
    let report = env.run(&["import", "big.env", "--json"]).ok().json();
    assert_eq!(report["report"]["created"].as_array().unwrap().len(), 10_000);
    let took = started.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
    assert_eq!(env.run(&["get", "KEY_09999"]).ok().text(), "value number 9999");
    assert_eq!(env.run(&["list"]).ok().text().lines().count(), 10_001);
    let again = env.run(&["export"]).ok();
    assert_eq!(again.text().lines().count(), 10_000);
}
