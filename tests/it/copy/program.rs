//! A program of the person's own, and no clipboard at all.

use super::*;
use crate::env::{BINARY, holds};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn script(env: &TestEnv, text: &str) -> String {
    let path = env.private_file("take", text.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn the_program_gets_the_value_on_stdin_only_and_nothing_when_the_time_is_over() {
    let mut env = vault();
    let here = env.work();
    let text = "cat >got.new\nenv >environ\necho \"$*\" >arguments\nmv got.new got\n";
    let take = script(&env, &format!("#!/bin/sh\ncd '{}' || exit 1\n{text}", here.display()));
    env.set("SEALBOX_CLIPBOARD", "command").set("SEALBOX_CLIPBOARD_COMMAND", &format!("{take} --into here"));
    let said = env.run(&["copy", "API_KEY", "--clear-after", "2s"]).ok();
    assert!(said.stderr.contains("gave API_KEY to ") && !said.stderr.contains(CANARY), "{}", said.stderr);
    assert_eq!(fs::read(here.join("got")).unwrap(), CANARY.as_bytes());
    let clean = || {
        let environ = fs::read(here.join("environ")).unwrap();
        assert!(!holds(&environ, CANARY.as_bytes()) && !holds(&environ, b"SEALBOX_"));
        assert_eq!(fs::read_to_string(here.join("arguments")).unwrap(), "--into here\n");
    };
    clean();
    until("the giving of nothing", || fs::read(here.join("got")).unwrap().is_empty().then_some(()));
    until("the end of the helper", || helpers(&take).is_empty().then_some(()));
    clean();
}

#[test]
fn a_program_that_fails_is_an_error_that_does_not_repeat_what_it_said() {
    let mut env = vault();
    let take = script(&env, "#!/bin/sh\ncat >&2\nexit 7\n");
    env.set("SEALBOX_CLIPBOARD", "command").set("SEALBOX_CLIPBOARD_COMMAND", &take);
    let ran = env.run(&["copy", "API_KEY"]).code(1).says("exit status: 7").says("clipboard.command");
    assert!(!ran.stderr.contains("CANARY"), "{}", ran.stderr);
    env.set("SEALBOX_CLIPBOARD_COMMAND", "");
    env.run(&["copy", "API_KEY"]).code(1).says("clipboard.command names none");
}

#[test]
fn a_time_that_is_none_is_a_usage_error_before_anything_is_asked() {
    let env = TestEnv::with_vault();
    for time in ["0s", "30", "soon", "-1s"] {
        env.run(&["copy", "API_KEY", &format!("--clear-after={time}")]).code(2).says("such as 10s");
    }
}

#[test]
fn without_a_terminal_and_a_display_nothing_is_sent_anywhere() {
    if !have(&["setsid"]) {
        return;
    }
    let mut env = vault();
    env.set("TERM", "xterm-256color");
    let mut command = std::process::Command::new("setsid");
    command
        .args(["-w", BINARY, "copy", "API_KEY"])
        .env_clear()
        .envs(env.environment())
        .current_dir(env.work());
    let out = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(told.contains("API_KEY was not copied: there is no terminal to send it to\n"), "{told}");
    assert!(out.stdout.is_empty() && !told.contains('\u{1b}') && told.lines().count() == 2, "{told}");
}

#[test]
fn an_old_version_can_be_copied() {
    let mut env = vault();
    env.run_with(&["set", "API_KEY"], b"the newer one").ok();
    let take = script(&env, "#!/bin/sh\ncat >got\n");
    env.set("SEALBOX_CLIPBOARD", "command").set("SEALBOX_CLIPBOARD_COMMAND", &take);
    let json = env.run(&["copy", "API_KEY", "--version", "1", "--clear-after", "off", "--json"]).ok().json();
    assert_eq!((&json["version"], &json["way"]), (&1.into(), &"command".into()));
    assert_eq!(fs::read(env.work().join("got")).unwrap(), CANARY.as_bytes());
    env.run(&["copy", "API_KEY", "--version", "9"]).code(10);
}
