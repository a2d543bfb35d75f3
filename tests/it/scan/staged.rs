//! `scan --staged`, in a real repository: what is about to be committed, whatever lies in the folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use crate::env::TestEnv;
use std::fs;
use std::process::Command;

const VALUE: &str = "st4ged-Canary-7731";

/// A vault with one secret and a repository in its working folder; `None`, said aloud, without git.
fn repository() -> Option<TestEnv> {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("SKIPPED: git is not installed, so `scan --staged` was not tested");
        return None;
    }
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], VALUE.as_bytes()).ok();
    let repo = env.work().join("repo");
    fs::create_dir(&repo).unwrap();
    git(&env, &["init", "-q"]);
    git(&env, &["config", "user.email", "t@example.org"]);
    git(&env, &["config", "user.name", "t"]);
    Some(env)
}

fn git(env: &TestEnv, args: &[&str]) -> std::process::Output {
    let output = Command::new("git")
        .args(args)
        .env_clear()
        .envs(env.environment())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(env.work().join("repo"))
        .output()
        .unwrap();
    assert!(output.status.success() || args[0] == "commit", "git {args:?}: {output:?}");
    output
}

fn scan(env: &TestEnv, args: &[&str]) -> crate::env::Ran {
    let mut command = env.command(&[&["scan", "--staged"], args].concat());
    command.current_dir(env.work().join("repo"));
    crate::env::Ran::of(command, b"")
}

#[test]
fn what_is_staged_counts_and_what_lies_in_the_folder_does_not() {
    let Some(env) = repository() else { return };
    let file = |name: &str| env.work().join("repo").join(name);
    fs::write(file("staged.txt"), format!("x\nkey = {VALUE}\n{{{{$secret.API_KEY}}}}\n")).unwrap();
    fs::write(file("new\nline \u{1b}[31m.txt"), VALUE).unwrap();
    git(&env, &["add", "."]);
    fs::write(file("staged.txt"), "clean by now").unwrap(); // the folder is clean, the index is not
    fs::write(file("untracked.txt"), VALUE).unwrap();
    let ran = scan(&env, &[]).code(1);
    let lines: Vec<&str> = ran.text().lines().collect();
    assert_eq!(
        lines,
        [
            "new^Jline ^[[31m.txt:1:1  LEAK API_KEY (raw)  organization",
            "staged.txt:2:7  LEAK API_KEY (raw)  organization",
            "staged.txt:3:1  API_KEY  organization",
        ]
    );
    assert_eq!(scan(&env, &["staged.txt"]).code(1).text().lines().count(), 2);

    git(&env, &["commit", "-q", "-m", "leaky"]);
    assert_eq!(scan(&env, &[]).ok().text(), "", "what is committed is staged no more");
    fs::write(file("staged.txt"), "clean by now").unwrap();
    git(&env, &["add", "staged.txt"]);
    git(&env, &["rm", "-q", "new\nline \u{1b}[31m.txt"]);
    assert_eq!(scan(&env, &[]).ok().text(), "", "a deletion is no leak");
}

#[test]
fn as_a_pre_commit_hook_it_stops_the_commit() {
    let Some(env) = repository() else { return };
    let hook = env.work().join("repo/.git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\nexec {} scan --staged --leaks\n", crate::env::BINARY)).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let file = env.work().join("repo/config");
    fs::write(&file, format!("a = {VALUE}\n")).unwrap();
    git(&env, &["add", "config"]);
    let refused = git(&env, &["commit", "-m", "leaky"]);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap() + &String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("LEAK API_KEY") && !said.contains(VALUE), "{said}");
    fs::write(&file, "a = {{$secret.API_KEY}}\n").unwrap();
    git(&env, &["add", "config"]);
    assert!(git(&env, &["commit", "-m", "clean"]).status.success());
}

#[test]
fn outside_of_a_repository_it_says_so() {
    let env = TestEnv::with_vault();
    let ran = env.run(&["scan", "--staged"]).code(2);
    assert!(ran.stderr.contains("git") && ran.stderr.contains("repository"), "{}", ran.stderr);
}

#[test]
fn a_persons_settings_of_git_hide_nothing() {
    let Some(env) = repository() else { return };
    let repo = env.work().join("repo");
    fs::create_dir(repo.join("sub")).unwrap();
    fs::write(repo.join("leak.txt"), VALUE).unwrap();
    git(&env, &["add", "."]);
    for (name, value) in [("diff.relative", "true"), ("color.ui", "always"), ("diff.noprefix", "true")] {
        git(&env, &["config", name, value]);
    }
    let mut command = env.command(&["scan", "--staged", "--leaks"]);
    command.current_dir(repo.join("sub"));
    let ran = crate::env::Ran::of(command, b"").code(1);
    assert!(ran.text().contains("leak.txt:1:1  LEAK API_KEY"), "{}", ran.text());
}

#[test]
fn outside_of_a_repository_the_reason_is_told() {
    let Some(env) = repository() else { return };
    let mut command = env.command(&["scan", "--staged", "--leaks"]);
    command.env("GIT_CEILING_DIRECTORIES", env.root());
    crate::env::Ran::of(command, b"").code(2).says("not a git repository");
}
