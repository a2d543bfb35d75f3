//! Values come back byte for byte (SPEC R18).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;

#[test]
fn every_kind_of_bytes_survives_stdin_and_files() {
    let env = TestEnv::with_vault();
    let mebibyte: Vec<u8> = (0..1 << 20).map(|i: u32| (i % 251) as u8).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("ALL_BYTES", (0..=255).collect()),
        ("EMPTY", Vec::new()),
        ("TRAILING_NEWLINE", b"line\n".to_vec()),
        ("ONLY_NEWLINES", b"\r\n\n".to_vec()),
        ("INVALID_UTF8", vec![b'a', 0xff, 0xfe, 0, b'b']),
        ("ONE_MEBIBYTE", mebibyte),
    ];
    for (name, bytes) in &cases {
        env.run_with(&["set", name], bytes).ok();
        assert_eq!(&env.run(&["get", name]).ok().stdout, bytes, "{name} through stdin");
    }
    let path = env.private_file("value.bin", &cases[0].1);
    env.run(&["set", "FROM_FILE", "--from-file", path.to_str().unwrap()]).ok();
    assert_eq!(env.run(&["get", "FROM_FILE"]).ok().stdout, cases[0].1);
}

#[test]
fn one_byte_more_than_a_mebibyte_is_refused_before_anything_is_asked() {
    let mut env = TestEnv::new();
    env.set("SEALBOX_PASSPHRASE_FILE", "/nonexistent"); // would be the error if the passphrase were read first
    let long = vec![b'x'; (1 << 20) + 1];
    env.run_with(&["set", "LONG"], &long).code(2).says("1 MiB");
    let path = env.private_file("long", &long);
    env.run(&["set", "LONG", "--from-file", path.to_str().unwrap()]).code(2).says("1 MiB");
    env.run(&["set", "LONG", "--from-file", "missing"]).code(10);
}

#[test]
fn json_carries_bytes_as_base64_and_text_only_if_it_is_text() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "TEXT"], "häßlich \u{202e}\u{7f}\n".as_bytes()).ok();
    env.run_with(&["set", "BYTES"], &[0xff, 0]).ok();
    let text = env.run(&["get", "TEXT", "--json"]).ok();
    assert!(!text.text().contains(['\u{202e}', '\u{7f}']), "dangerous characters are escaped in JSON");
    assert_eq!(text.json()["value"], "häßlich \u{202e}\u{7f}\n");
    let bytes = env.run(&["get", "BYTES", "--json"]).ok().json();
    assert_eq!(bytes["value_base64"], "/wA=");
    assert!(bytes["value"].is_null());
}

#[test]
fn an_empty_stdin_is_a_value_but_not_a_silent_one() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "EMPTY"], b"").ok().says("warning");
}
