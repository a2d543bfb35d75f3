//! `inject` through the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{TestEnv, holds};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const CANARY: &str = "CANARY-{{$secret.OTHER}}-4c1f";

/// A vault with CANARY (in web) and OTHER (in the organization).
fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "web"]).ok();
    env.run_with(&["set", "CANARY", "-p", "web"], CANARY.as_bytes()).ok();
    env.run_with(&["set", "OTHER"], b"other\n\xff").ok();
    env
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn text_comes_out_with_values_and_values_are_not_expanded_again() {
    let env = vault();
    env.private_file("in", b"a: {{$secret.CANARY}}\r\nb: '{{ vault.OTHER }}' {{ .Values.x }}\0\xfe");
    let want = [b"a: ", CANARY.as_bytes(), b"\r\nb: 'other\n\xff' {{ .Values.x }}\0\xfe"].concat();
    env.run(&["inject", "-i", "in", "-o", "out", "-p", "web"]).ok().says("with 2 values of project web");
    let out = env.work().join("out");
    assert_eq!(fs::read(&out).unwrap(), want);
    assert_eq!(mode(&out), 0o600);
    let piped = env.run_with(&["inject", "-p", "web"], &fs::read(env.work().join("in")).unwrap()).ok();
    assert_eq!(piped.stdout, want);
    assert_eq!(piped.stderr, "");
    let json = env.run(&["inject", "-i", "in", "-p", "web", "--json"]).ok().json();
    assert_eq!(json["references"], 2);
    assert!(json["output"].is_null(), "it is not text");
    assert!(!holds(&env.run(&["log", "-p", "web", "--json"]).ok().stdout, b"4c1f"));
}

#[test]
fn a_text_without_references_needs_no_vault() {
    let env = TestEnv::new();
    let out = env.run_with(&["inject"], b"{{ nothing }} {{{$secret.A}}}").ok();
    assert_eq!(out.text(), "{{ nothing }} {{{$secret.A}}}");
}

#[test]
fn nothing_is_written_when_anything_is_wrong() {
    let env = vault();
    for (text, code, words) in [
        (
            "{{$secret.CANARY}} {{$secret.CANARI}} {{$secret.OTHRE}}",
            10,
            "CANARI (did you mean CANARY?), OTHRE",
        ),
        ("x\n {{$secret.canary}} {{ vault.", 2, "in: line 2, column 12: that is not a secret's name"),
        ("{{$secret.CANARY", 2, "not closed by }} "),
        ("{{ $secrets.prod.KEY }}", 10, "there is no provider prod"),
    ] {
        env.private_file("in", text.as_bytes());
        let ran = env.run(&["inject", "-i", "in", "-o", "out", "-p", "web"]).code(code);
        assert!(ran.stderr.contains(words.trim()), "{text}: {}", ran.stderr);
        assert!(!ran.stderr.contains("4c1f") && ran.stdout.is_empty());
        assert!(!env.work().join("out").exists());
    }
    env.private_file("in", &b"{{$secret.OTHER}}".repeat(10));
    let error = env.run(&["inject", "-i", "missing", "-o", "out", "--json"]).code(10).json_error();
    assert_eq!(error["kind"], "not_found");
    env.run(&["inject", "-i", ".", "-o", "out"]).code(2).says("is a folder");
    env.run(&["inject", "-i", "in", "-o", "nowhere/out"]).code(10);
}

#[test]
fn more_than_sixteen_mebibytes_of_values_are_refused() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "BIG"], &vec![b'x'; 1 << 20]).ok();
    env.private_file("in", "{{$secret.BIG}}".repeat(17).as_bytes());
    env.run(&["inject", "-i", "in", "-o", "out"]).code(2).says("16 MiB (16777216 bytes) may be inserted");
    assert!(!env.work().join("out").exists());
    let text = vec![b'x'; (64 << 20) + 1];
    env.run_with(&["inject"], &text).code(2).says("longer than 64 MiB");
}

#[test]
fn an_output_is_new_or_replaced_on_purpose_and_never_followed() {
    let env = vault();
    env.private_file("in", b"{{$secret.OTHER}}");
    let (out, link, real) = (env.work().join("out"), env.work().join("link"), env.work().join("real"));
    fs::write(&out, "kept").unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o644)).unwrap();
    env.run(&["inject", "-i", "in", "-o", "out"]).code(13).says("--force");
    assert_eq!(fs::read(&out).unwrap(), b"kept");
    env.run(&["inject", "-i", "in", "-o", "out", "--force"]).ok();
    assert_eq!((fs::read(&out).unwrap(), mode(&out)), (b"other\n\xff".to_vec(), 0o600));
    fs::write(&real, "kept").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    env.run(&["inject", "-i", "in", "-o", "link", "--force"]).code(2).says("symbolic link");
    assert_eq!(fs::read(&real).unwrap(), b"kept");
    env.run(&["inject", "-i", "in", "-o", "/dev/null", "--force"]).code(2).says("not a regular file");
    fs::hard_link(env.work().join("in"), env.work().join("again")).unwrap();
    for same in ["in", "./in", "again"] {
        env.run(&["inject", "-i", "in", "-o", same, "--force"]).code(2).says("both the text and the output");
    }
    assert_eq!(fs::read(env.work().join("in")).unwrap(), b"{{$secret.OTHER}}");
}

#[test]
fn the_text_redirected_onto_itself_is_noticed() {
    let env = vault();
    env.private_file("in", b"{{$secret.OTHER}}");
    let mut command = env.command(&["inject", "-i", "in"]);
    command.stdout(fs::OpenOptions::new().append(true).open(env.work().join("in")).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = env.command(&["inject", "-o", "in", "--force"]);
    command.stdin(fs::File::open(env.work().join("in")).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(env.work().join("in")).unwrap(), b"{{$secret.OTHER}}");
}

#[test]
fn a_dry_run_names_sources_and_lines_and_no_value() {
    let env = vault();
    env.private_file("in", b"{{$secret.CANARY}}\n{{ vault.OTHER }}\n{{ vault.CANARY }}");
    let ran = env.run(&["inject", "-i", "in", "-o", "out", "-p", "web", "--dry-run"]).ok();
    let rows: Vec<Vec<&str>> = ran
        .text()
        .lines()
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect())
        .collect();
    assert_eq!(rows[1], ["CANARY", "project web", "v1", "1, 3"]);
    assert_eq!(rows[2], ["OTHER", "the organization", "v1", "2"]);
    assert!(!holds(&ran.stdout, b"4c1f") && !env.work().join("out").exists());
    let json = env.run(&["inject", "-i", "in", "-p", "web", "--dry-run", "--json"]).ok().json();
    assert_eq!(json["references"][0]["name"], "CANARY");
    assert_eq!(json["references"][0]["lines"], serde_json::json!([1, 3]));
    assert_eq!(json["references"][1]["source"], serde_json::json!({"scope": "organization"}));
    assert!(!json.to_string().contains("4c1f"));
}
