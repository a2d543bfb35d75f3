//! What a program gets, under which name, and what is refused before it starts (R19, R26).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{TestEnv, holds};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const CANARY: &str = "CANARY-93f1-given-to-a-program";

/// An organization and a project, one name in both.
fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run(&["project", "create", "billing"]).ok();
    let lines = format!("API_KEY={CANARY}\nSHARED=from-the-organization\n");
    env.run_with(&["import", "-", "--format", "dotenv"], lines.as_bytes()).ok();
    let lines = b"SHARED=from-the-project\nDB_PASSWORD=pa55-word\nLD_PRELOAD=/tmp/evil.so\nNODE_OPTIONS=--require=/tmp/x\n";
    env.run_with(&["import", "-", "--format", "dotenv", "-p", "billing"], lines).ok();
    env
}

/// What a program writes to a file is not redacted: this is what it really got.
fn got(env: &TestEnv, args: &[&str]) -> Vec<String> {
    let script = ["--", "sh", "-c", "env > got.txt"];
    env.run(&[&["run"], args, &script].concat()).ok();
    let text = fs::read_to_string(env.work().join("got.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_project_wins_over_the_organization_and_dangerous_names_are_left_out() {
    let mut env = vault();
    env.set("SHARED", "from-the-caller").set("SEALBOX_TOKEN", "tok").set("SEALBOX_TOKEN_FILE", "/x");
    env.set("KEPT", "as-it-was").set("SEALBOX_PROJECT", "billing");
    let got = got(&env, &["-p", "billing"]);
    for wanted in
        [&format!("API_KEY={CANARY}"), "SHARED=from-the-project", "DB_PASSWORD=pa55-word", "KEPT=as-it-was"]
    {
        assert!(got.iter().any(|line| line == wanted), "{wanted}: {got:?}");
    }
    assert!(got.iter().any(|line| line == "SEALBOX_PROJECT=billing"));
    for gone in
        ["LD_PRELOAD", "NODE_OPTIONS", "SEALBOX_TOKEN", "SEALBOX_TOKEN_FILE", "SEALBOX_PASSPHRASE_FILE"]
    {
        assert!(!got.iter().any(|line| line.starts_with(&format!("{gone}="))), "{gone} reached the program");
    }
    let warned = env.run(&["run", "-q", "-p", "billing", "--", "true"]).ok().stderr;
    assert!(
        warned.contains("LD_PRELOAD was not given") && warned.contains("NODE_OPTIONS was not given"),
        "{warned}"
    );
}

#[test]
fn a_dangerous_name_that_is_asked_for_is_refused_before_anything_is_opened() {
    let env = TestEnv::new(); // there is not even a vault
    for args in [
        &["--only", "LD_PRELOAD"][..],
        &["--only", "API_KEY,PATH"],
        &["--map", "BASH_ENV=API_KEY"],
        &["--map", "npm_config_script_shell=API_KEY"],
        &["--map", "GIT_SSH_COMMAND=x{{$secret.API_KEY}}"],
    ] {
        let ran = env.run(&[&["run"], args, &["--", "true"]].concat()).code(2);
        assert!(ran.stderr.contains("--allow-env"), "{}", ran.stderr);
    }
    let env = vault();
    let all = got(&env, &["-p", "billing", "--only", "NODE_OPTIONS,SHARED", "--allow-env", "NODE_OPTIONS"]);
    assert!(all.iter().any(|line| line == "NODE_OPTIONS=--require=/tmp/x"));
    assert!(!all.iter().any(|line| line.starts_with("API_KEY=")), "--only was not heeded");
}

#[test]
fn variables_are_mapped_and_written_by_a_template_file() {
    let env = vault();
    let template = b"# the service\nDB_URL='postgres://app:{{$secret.DB_PASSWORD}}@db/x?a={{ vault.SHARED }}'\nlower_case={{ $secret.API_KEY }}\nPLAIN=as it is\nPATH_LIKE=/opt\n";
    env.private_file("app.env", template);
    let all = got(
        &env,
        &[
            "-p",
            "billing",
            "--env-file",
            "app.env",
            "--map",
            "PGPASSWORD=DB_PASSWORD",
            "--map",
            "PLAIN=SHARED",
        ],
    );
    for wanted in [
        "DB_URL=postgres://app:pa55-word@db/x?a=from-the-project",
        &format!("lower_case={CANARY}"),
        "PGPASSWORD=pa55-word",
        "PLAIN=from-the-project",
    ] {
        assert!(all.iter().any(|line| line == wanted), "{wanted}: {all:?}");
    }
    assert!(!all.iter().any(|line| line.starts_with("API_KEY=")), "more than was named");
    env.private_file("bad.env", b"A={{$secret.NOPE}}\nB={{$secret.NEITHER}}\n");
    let ran = env.run(&["run", "--env-file", "bad.env", "--", "true"]).code(10);
    assert!(ran.stderr.contains("NOPE") && ran.stderr.contains("NEITHER"), "{}", ran.stderr);
    env.private_file("broken.env", b"A=1\nB={{$secret.}}\n");
    env.run(&["run", "--env-file", "broken.env", "--", "true"]).code(2).says("line 2");
}

#[test]
fn files_hold_the_exact_bytes_for_the_program_and_are_gone_afterwards() {
    let env = vault();
    let script = "stat -c %a \"$SEALBOX_FILES\" \"$SEALBOX_FILES/API_KEY\" > modes; cp -r \"$SEALBOX_FILES\" copy; env > got.txt";
    for (place, extra) in [("auto", None), ("secrets", None), ("secrets", Some("--no-redact"))] {
        let mut args = vec!["run", "-p", "billing", "--files", place];
        args.extend(extra);
        args.extend(["--", "sh", "-c", script]);
        env.run(&args).ok();
        assert_eq!(fs::read_to_string(env.work().join("modes")).unwrap(), "700\n600\n");
        assert_eq!(fs::read_to_string(env.work().join("copy/API_KEY")).unwrap(), CANARY);
        assert_eq!(fs::read_to_string(env.work().join("copy/SHARED")).unwrap(), "from-the-project");
        let got = fs::read_to_string(env.work().join("got.txt")).unwrap();
        assert!(!got.contains(CANARY), "it is in the environment as well");
        let folder = got.lines().find_map(|line| line.strip_prefix("SEALBOX_FILES=")).unwrap();
        assert!(folder.starts_with('/') && !fs::exists(folder).unwrap(), "{folder} is still there");
        fs::remove_dir_all(env.work().join("copy")).unwrap();
    }
    fs::create_dir(env.work().join("full")).unwrap();
    fs::write(env.work().join("full/mine"), "x").unwrap();
    env.run(&["run", "--files", "full", "--", "true"]).code(1).says("empty");
    assert!(env.work().join("full/mine").exists());
}

#[test]
fn what_cannot_be_a_variable_is_named_before_the_program_starts() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "WITH_NUL"], b"a\0b-CANARY").ok();
    let ran = env.run(&["run", "--", "touch", "started"]).code(2).says("WITH_NUL holds a NUL byte");
    assert!(ran.stderr.contains("--files") && !ran.stderr.contains("CANARY"), "{}", ran.stderr);
    env.run(&["delete", "WITH_NUL", "--yes"]).ok();
    env.run_with(&["set", "TOO_LONG"], &vec![b'x'; 131_072 - "TOO_LONG=".len()]).ok();
    env.run(&["run", "--no-redact", "--", "touch", "started"]).code(2).says("TOO_LONG is too long");
    assert!(!env.work().join("started").exists());
    // one byte less is what the system takes
    env.run_with(&["set", "TOO_LONG"], &vec![b'x'; 131_071 - "TOO_LONG=".len()]).ok();
    env.run(&["run", "--", "sh", "-c", "test ${#TOO_LONG} = 131062"]).ok();
}

#[test]
fn a_dry_run_names_sources_and_versions_and_holds_no_value() {
    let env = vault();
    env.private_file("app.env", b"URL=x{{$secret.API_KEY}}\nPLAIN=1\n");
    let ran = env.run(&["run", "-p", "billing", "--dry-run"]).ok();
    assert!(!holds(&ran.stdout, CANARY.as_bytes()) && !ran.text().contains("LD_PRELOAD"), "{}", ran.text());
    let row = |name: &str| ran.text().lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("API_KEY").contains("the organization") && row("API_KEY").ends_with("v1"));
    assert!(row("SHARED").contains("project billing"));
    let ran = env.run(&["run", "-p", "billing", "--env-file", "app.env", "--dry-run", "--json"]).ok();
    let json = ran.json();
    assert_eq!(json["gets"].as_array().unwrap().len(), 2);
    assert_eq!(json["gets"][1]["variable"], "URL");
    assert_eq!(json["gets"][1]["reference"], "$secret.API_KEY");
    assert!(!holds(&ran.stdout, CANARY.as_bytes()));
}

#[test]
fn the_program_gets_the_callers_umask_and_no_core_dumps() {
    let env = TestEnv::with_vault();
    for extra in [&[][..], &["--no-redact"]] {
        let inner = ["--", "sh", "-c", "umask; ulimit -Hc; touch made; stat -c %a made; rm made"];
        let args: Vec<&str> = [&["run"], extra, &inner].concat();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "umask 027; exec \"$@\"", "sh", crate::env::BINARY]).args(args);
        command.env_clear().envs(env.environment()).current_dir(env.work());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0027\n0\n640\n");
    }
}

#[test]
fn exit_codes_are_the_programs_own_or_a_shells() {
    let env = TestEnv::with_vault();
    env.run(&["run", "--", "sh", "-c", "exit 7"]).code(7);
    env.run(&["exec", "--", "sh", "-c", "kill -TERM $$"]).code(143);
    env.run(&["run", "--", "no-such-program"]).code(127).says("cannot run no-such-program");
    let file = env.private_file("plain.txt", b"x");
    env.run(&["run", "--", &file.to_string_lossy()]).code(126);
    env.run(&["run", "--no-redact", "--", "no-such-program"]).code(127);
    env.run(&["run", "--no-redact", "--", "sh", "-c", "exit 9"]).code(9);
    assert_eq!(
        env.run(&["run", "--json", "--", "no-such-program"]).code(127).json_error()["kind"],
        "not_found"
    );
    let script = env.private_file("script", b"#!/bin/sh\nexit 5\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    env.run(&["run", "--", "./script"]).code(5);
}

#[test]
fn usage_errors_need_no_vault() {
    let env = TestEnv::new();
    env.run(&["run"]).code(2);
    env.run(&["run", "env"]).code(2);
    env.run(&["run", "--map", "A", "--", "true"]).code(2).says("ENV=NAME");
    env.run(&["run", "--map", "1A=B", "--", "true"]).code(2).says("variable");
    env.run(&["run", "--env-file", "missing", "--", "true"]).code(10);
    env.run(&["run", "--", "true"]).code(10).says("sealbox init");
    // the parts that this program starts for itself say nothing and do nothing for a stranger
    for part in ["monitor", "launcher", "hand-over", "x"] {
        let ran = env.run(&["__run", part]).code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.is_empty());
    }
}

#[test]
fn a_script_that_names_no_interpreter_runs_as_shells_run_it() {
    let mut env = vault();
    let folder = env.work().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let script = folder.join("old-style");
    std::fs::write(&script, "echo $1 ${#API_KEY}\nexit 7\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let expected = format!("one {}\n", CANARY.len());
    for flags in [&["run", "--"][..], &["run", "--no-redact", "--"]] {
        let ran = env.run(&[flags, &["bin/old-style", "one"]].concat()).code(7);
        assert_eq!(ran.text(), expected, "{flags:?}");
    }
    env.set("PATH", &format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()));
    assert_eq!(env.run(&["run", "--", "old-style", "one"]).code(7).text(), expected);
}
