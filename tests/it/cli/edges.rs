//! The edges: closed pipes, full disks, no HOME, where the scope comes from, what is never asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;
use std::{fs, io::Read, process::Stdio};

#[test]
fn a_closed_pipe_ends_quietly() {
    let env = TestEnv::new();
    // more than a pipe holds, so that the write meets the closed end
    let mut child = env.command(&["completions", "zsh"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_an_error() {
    let env = TestEnv::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = env.command(&["help"]).stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("standard output"));
}

#[test]
fn without_a_home_the_error_says_what_to_do() {
    let mut env = TestEnv::new();
    for name in ["HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
        env.set(name, "<unset>");
    }
    env.run(&["status"]).code(2).says("HOME is not set");
}

#[test]
fn without_a_vault_the_error_names_the_next_command() {
    let env = TestEnv::new();
    for args in
        [&["list"][..], &["get", "A"], &["verify"], &["passwd"], &["backup", "x"], &["member", "list"]]
    {
        env.run(args).code(10).says("sealbox init");
    }
    assert!(crate::env::files_below(&env.root().join("data")).is_empty(), "looking made files");
}

#[test]
fn the_scope_comes_from_flag_environment_folder_in_this_order() {
    let mut env = TestEnv::with_vault();
    for project in ["web", "billing"] {
        env.run(&["project", "create", project]).ok();
    }
    for (scope, value) in [(&["-p", "web"][..], "web"), (&["-p", "billing"], "billing"), (&["--org"], "org")]
    {
        env.run_with(&[&["set", "WHERE"][..], scope].concat(), value.as_bytes()).ok();
    }
    let get = |env: &TestEnv, args: &[&str]| env.run(args).ok().text().to_owned();
    assert_eq!(get(&env, &["get", "WHERE"]), "org");
    fs::write(env.work().join(".sealbox.toml"), "project = \"web\"\n").unwrap();
    assert_eq!(get(&env, &["get", "WHERE"]), "web");
    env.set("SEALBOX_PROJECT", "billing");
    assert_eq!(get(&env, &["get", "WHERE"]), "billing");
    assert_eq!(get(&env, &["get", "WHERE", "-p", "web"]), "web");
    assert_eq!(get(&env, &["--org", "get", "WHERE"]), "org");
    fs::write(env.work().join(".sealbox.toml"), "projct = \"web\"\n").unwrap();
    env.set("SEALBOX_PROJECT", "<unset>");
    env.run(&["get", "WHERE"]).code(2).says(".sealbox.toml");
    env.run(&["get", "A", "-p", "web", "--org"]).code(2);
}

#[test]
fn json_errors_leave_stdout_empty_and_v_adds_causes() {
    let env = TestEnv::new();
    let error = env.run(&["list", "--json"]).code(10).json_error();
    assert_eq!(error["kind"], "not_found");
    assert!(error["hint"].as_str().unwrap().contains("sealbox init"));
    assert!(error.get("causes").is_none());
    assert!(env.run(&["list", "--json", "-v"]).code(10).json_error()["causes"].is_array());
    let quiet = env.run(&["status", "-q"]).ok();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn broken_settings_name_the_file_and_the_key() {
    let env = TestEnv::with_vault();
    fs::create_dir_all(env.root().join("config/sealbox")).unwrap();
    fs::write(env.root().join("config/sealbox/config.toml"), "[lock]\nidel = \"15m\"\n").unwrap();
    env.run(&["doctor"]).code(1);
    env.run(&["list"]).ok(); // commands that need no setting go on
}

#[test]
fn full_screen_commands_refuse_a_pipe() {
    let env = TestEnv::new();
    env.run(&["tui"]).code(2).says("terminal");
    env.run(&["demo"]).code(2).says("terminal");
    env.run(&["demo", "--picture", "x.svg", "--size", "0x0"]).code(2);
}

#[test]
fn the_demo_draws_a_picture_and_leaves_nothing_behind() {
    let mut env = TestEnv::new();
    for name in ["HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
        env.set(name, "<unset>"); // a demo needs none of them
    }
    env.run(&["demo", "--picture", "shot.svg", "--size", "100x28"]).ok();
    let picture = fs::read_to_string(env.work().join("shot.svg")).unwrap();
    assert!(
        picture.starts_with("<svg") && picture.contains("STRIPE_SECRET_KEY"),
        "{}",
        &picture[..200.min(picture.len())]
    );
    for folder in ["data", "state", "config", "run", "home"] {
        assert!(fs::read_dir(env.root().join(folder)).unwrap().next().is_none(), "{folder} is not empty");
    }
}
