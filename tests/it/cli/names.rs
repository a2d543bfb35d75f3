//! Names are `[A-Z0-9_]{1,128}` or refused with the rule (SPEC R17).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;

#[test]
fn bad_names_are_refused_with_the_rule_before_anything_is_asked() {
    let mut env = TestEnv::new();
    env.set("SEALBOX_PASSPHRASE_FILE", "/nonexistent");
    let long = "A".repeat(129);
    let bad = ["", "A-B", "A B", "ÀB", "Ａ", "А", "A\n B", "../A", "A.B", "A\u{1b}[31m", &long];
    for name in bad {
        let ran = env.run_with(&["set", name], b"x").code(2);
        assert!(!ran.stderr.contains('\u{1b}'), "{name:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("name"), "{name:?}: {}", ran.stderr);
    }
    for args in [["get", "A-B"], ["edit", "A-B"], ["delete", "A-B"], ["copy", "A-B"], ["history", "A-B"]] {
        env.run(&args).code(2).says("character 2");
    }
    env.run(&["project", "create", "Bad Name"]).code(2).says("project name");
    env.run(&["list", "-p", "../x"]).code(2).says("project name");
}

#[test]
fn the_longest_name_and_small_letters_work_and_no_command_renames() {
    let env = TestEnv::with_vault();
    let longest = "Z9_".repeat(42) + "AB";
    assert_eq!(longest.len(), 128);
    env.run_with(&["set", &longest], b"long").ok();
    env.run_with(&["set", " api_key "], b"small").ok();
    assert_eq!(env.run(&["get", &longest]).ok().text(), "long");
    assert_eq!(env.run(&["get", "API_KEY"]).ok().text(), "small");
    let names: Vec<String> =
        sealbox::cli::definition().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    assert!(!names.iter().any(|name| name.contains("rename") || name.contains("move")), "{names:?}");
}
