//! From the first unlock to the end: what a person and a script see.

use super::{Desk, alive, until};
use crate::env::{BINARY, PASSPHRASE, TestEnv, holds};
use rustix::process::Signal;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

#[test]
fn unlocked_once_nothing_is_asked_until_the_lock() {
    let desk = Desk::new();
    desk.run(&["get", "API_KEY"]).code(11).says("sealbox unlock");
    desk.env.run(&["unlock"]).ok().says("locks after 15 min");
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    let ran = crate::env::Ran::of(
        {
            let mut command = desk.env.command(&["set", "NEXT"]);
            command.env_remove("SEALBOX_PASSPHRASE_FILE");
            command
        },
        b"two",
    );
    ran.ok().says("created NEXT v1");
    assert!(desk.run(&["list"]).ok().text().contains("NEXT"));
    let status = desk.run(&["status", "--json"]).ok().json();
    assert_eq!(status["state"], "unlocked");
    assert!(status["lock"]["agent"]["pid"].as_u64().is_some());
    assert!(status["lock"]["idle_in_s"].as_u64().unwrap() <= 900);
    assert!(status["lock"]["limit_in_s"].as_u64().unwrap() <= 43_200);
    let ran = desk.run(&["status"]).ok();
    assert!(ran.text().contains("unlocked; locks after 15 min without use, and in 12 h in any case"));
    assert!(ran.text().contains("keys    held by the agent (process "));
    desk.run(&["unlock"]).ok().says("already open");
    desk.run(&["lock"]).ok().says("locked");
    desk.run(&["get", "API_KEY"]).code(11);
    assert_eq!(desk.run(&["status", "--json"]).ok().json()["state"], "locked");
    assert!(desk.pid().is_some(), "it stays, holding nothing");
    desk.run(&["agent", "stop"]).ok().says("stopped the agent");
    assert!(!desk.socket().exists());
    desk.run(&["agent", "stop"]).ok().says("no agent is running");
    desk.run(&["lock"]).ok().says("nothing is open");
    desk.run(&["get", "API_KEY"]).code(11);
}

#[test]
fn a_passphrase_from_a_file_opens_for_one_command_only() {
    let desk = Desk::new();
    assert_eq!(desk.env.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    assert_eq!(desk.pid(), None);
    desk.run(&["agent", "start"]).ok();
    assert_eq!(desk.env.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    desk.run(&["get", "API_KEY"]).code(11);
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let desk = Desk::new();
    desk.env.private_file("passphrase", b"wrong\n");
    desk.env.run(&["unlock"]).code(11);
    desk.run(&["get", "API_KEY"]).code(11);
}

#[test]
fn switched_off_means_neither_started_nor_used() {
    let desk = Desk::new();
    desk.unlock();
    desk.run(&["get", "API_KEY", "--no-agent"]).code(11);
    desk.run(&["unlock", "--no-agent"]).code(2).says("switched off");
    desk.run(&["agent", "start", "--no-agent"]).code(2);
    let config = desk.env.root().join("config/sealbox");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "[agent]\nstart = \"never\"\n").unwrap();
    desk.run(&["get", "API_KEY"]).code(11);
    desk.env.run(&["unlock"]).code(2);
    desk.run(&["lock"]).ok().says("locked"); // who says lock means it
    std::fs::write(config.join("config.toml"), "").unwrap();
    desk.run(&["get", "API_KEY"]).code(11);
    desk.unlock();
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
}

#[test]
fn keeping_it_open_is_for_so_long_and_within_the_limit() {
    let desk = Desk::new();
    desk.env.run(&["unlock", "--for", "2h"]).ok();
    let status = desk.run(&["agent", "status", "--json"]).ok().json();
    let (idle, limit) = (&status["lock"]["idle_in_s"], status["lock"]["limit_in_s"].as_u64().unwrap());
    assert!(idle.is_null() && (7_100..=7_200).contains(&limit), "{status}");
    desk.env.run(&["unlock", "--for", "13h"]).code(2).says("at most");
    desk.env.run(&["unlock", "--for", "soon"]).code(2);
    desk.run(&["unlock", "--for", "3h"]).code(11); // a longer time takes the passphrase again
}

#[test]
fn socket_and_folder_are_private() {
    let desk = Desk::new();
    desk.unlock();
    let mode = |path| std::fs::symlink_metadata(path).unwrap().mode() & 0o7777;
    assert_eq!((mode(desk.runtime()), mode(desk.socket())), (0o700, 0o600));
    assert!(std::fs::symlink_metadata(desk.socket()).unwrap().file_type().is_socket());
    assert_eq!(mode(desk.env.root().join("state/sealbox/agent.log")), 0o600);
}

#[test]
fn a_folder_that_others_could_reach_is_refused_and_work_goes_on_without() {
    for open in [0o777, 0o750] {
        let desk = Desk::new();
        std::fs::create_dir_all(desk.runtime()).unwrap();
        std::fs::set_permissions(desk.runtime(), std::fs::Permissions::from_mode(open)).unwrap();
        desk.env.run(&["unlock"]).code(1).says("chmod 700");
        let ran = desk.env.run(&["get", "API_KEY"]).ok().says("going on without an agent");
        assert_eq!(ran.text(), "canary-value");
        std::fs::remove_dir(desk.runtime()).unwrap();
        let real = desk.env.root().join("elsewhere");
        std::fs::create_dir(&real).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink(&real, desk.runtime()).unwrap();
        desk.env.run(&["unlock"]).code(1).says("symbolic link");
        assert_eq!(std::fs::read_dir(&real).unwrap().count(), 0);
    }
}

#[test]
fn without_a_runtime_folder_it_is_in_our_own_state_folder() {
    let mut desk = Desk::new();
    desk.env.set("XDG_RUNTIME_DIR", "<unset>");
    desk.unlock();
    assert!(desk.env.root().join("state/sealbox/run/agent.sock").exists());
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
}

#[test]
fn a_vault_in_a_folder_with_a_very_long_name_has_an_agent_too() {
    let desk = Desk::new();
    let folder = desk.env.work().join("v".repeat(120));
    let vault = folder.to_str().unwrap();
    let run = |args: &[&str]| desk.env.run(&[&["--vault", vault], args].concat());
    run(&["init", "--org", "o", "--name", "n", "--recovery-key-file", "long.txt"]).ok();
    run(&["unlock"]).ok();
    assert_eq!(desk.run(&["--vault", vault, "status", "--json"]).ok().json()["state"], "unlocked");
    run(&["agent", "stop"]).ok().says("stopped the agent");
}

#[test]
fn ten_started_at_once_are_one() {
    let desk = Desk::new();
    let all: Vec<_> =
        (0..10).map(|_| desk.env.command(&["agent", "start", "--json"]).spawn().unwrap()).collect();
    let pids: std::collections::BTreeSet<u64> = all
        .into_iter()
        .map(|child| {
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap()["pid"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(pids.len(), 1);
    assert_eq!(desk.log().matches("start pid=").count(), 1, "{}", desk.log());
}

#[test]
fn killed_it_loses_nothing_and_its_socket_is_replaced() {
    let desk = Desk::new();
    desk.unlock();
    desk.signal(Signal::KILL);
    assert!(desk.socket().exists(), "nobody took it away");
    desk.run(&["get", "API_KEY"]).code(11);
    desk.unlock();
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
}

#[test]
fn signals_end_it_in_order() {
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2), (Signal::HUP, 1)] {
        let desk = Desk::new();
        desk.unlock();
        desk.signal(signal);
        assert!(!desk.socket().exists());
        let log = desk.log();
        let locked = log.find("lock reason=asked").expect("the keys were wiped");
        assert!(log.find(&format!("stop: signal {number}")).unwrap() > locked, "{log}");
    }
}

#[test]
fn the_keys_are_wiped_at_the_deadline_without_being_asked() {
    let mut desk = Desk::new();
    desk.env.set("SEALBOX_LOCK_IDLE", "1s");
    desk.unlock();
    until("the idle lock", || desk.log().contains("lock reason=idle"));
    assert!(desk.run(&["status"]).ok().text().contains("without activity"), "and why it is locked");
    desk.run(&["get", "API_KEY"]).code(11);
    desk.run(&["agent", "stop"]).ok();
    desk.env.set("SEALBOX_LOCK_IDLE", "off").set("SEALBOX_LOCK_MAX", "1s");
    desk.unlock();
    until("the hard limit", || desk.log().contains("lock reason=limit"));
}

#[test]
fn it_ends_when_its_socket_or_its_vault_is_gone() {
    let mut desk = Desk::new();
    desk.env.set("SEALBOX_LOCK_IDLE", "1s");
    desk.unlock();
    let pid = desk.pid().unwrap();
    std::fs::remove_file(desk.socket()).unwrap();
    until("it saw that", || !alive(pid));
    assert!(desk.log().contains("stop: its socket or vault is gone"));
}

#[test]
fn the_log_tells_times_and_reasons_and_no_name() {
    let desk = Desk::new();
    desk.unlock();
    desk.run(&["get", "API_KEY"]).ok();
    desk.run(&["get", "NO_SUCH_NAME"]).code(10);
    desk.run(&["lock"]).ok();
    let log = desk.log();
    assert!(
        log.contains("start pid=") && log.contains("unlock") && log.contains("lock reason=asked"),
        "{log}"
    );
    for word in ["API_KEY", "NO_SUCH", "canary", PASSPHRASE, "acme", "ada"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_holds_nothing_of_whoever_started_it() {
    let mut desk = Desk::new();
    desk.env.set("SEALBOX_TOKEN", "CANARY-token").set("LD_BIND_NOW", "1").set("EDITOR", "CANARY-editor");
    desk.unlock();
    let pid = desk.pid().unwrap();
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default(); // only root may look
    for word in ["CANARY", "SEALBOX_", "PASSPHRASE", "EDITOR"] {
        assert!(!holds(&environ, word.as_bytes()), "{word} is in its environment");
    }
    assert!(!environ.split(|byte| *byte == 0).any(|one| one.starts_with(b"LD_")), "no loading of code");
    assert!(!holds(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap(), b"CANARY"));
    if let Ok(folder) = std::fs::read_link(format!("/proc/{pid}/cwd")) {
        assert_eq!(folder.to_str(), Some("/"));
    }
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    if let Some(core) = limits.lines().find(|line| line.starts_with("Max core file size")) {
        assert_eq!(core.split_whitespace().nth(4), Some("0"));
    }
}

#[test]
fn a_pipe_of_the_shell_is_not_held_open() {
    let desk = Desk::new();
    // `$(...)` in a script waits until everybody has closed the pipe, also those who do not know of it
    let script = format!("exec 7>&1 29>&1; {BINARY} unlock -q; echo done");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).env_clear().envs(desk.env.environment()).current_dir(desk.env.work());
    let out =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(out.stdout, b"done\n");
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value", "and it still runs");
}

#[test]
fn whoever_replaces_a_vault_leaves_no_agent_with_the_old_one() {
    // passphrase: another one is asked for from then on
    let desk = Desk::new();
    desk.unlock();
    let next = desk.env.private_file("next", b"another passphrase of ours\n");
    let passwd = |no_agent: bool| {
        let mut command = desk.env.command(&["passwd"]);
        command.env("SEALBOX_NEW_PASSPHRASE_FILE", &next);
        if no_agent {
            command.env("SEALBOX_NO_AGENT", "1");
        }
        crate::env::Ran::of(command, b"").ok();
    };
    passwd(true);
    desk.run(&["get", "API_KEY"]).code(11);
    assert!(desk.log().contains("lock reason=replaced"), "{}", desk.log());
    std::fs::copy(&next, desk.env.passphrase_file()).unwrap();
    desk.unlock();
    passwd(false);
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value", "through the agent it stays open");

    desk.run(&["backup", "copy.db"]).ok();
    desk.env.run(&["restore", "copy.db"]).ok();
    desk.run(&["get", "API_KEY"]).code(11);
    desk.unlock();
    desk.env.run(&["restore", "--recovery-key-file", "recovery.txt", "--name", "ada"]).ok();
    desk.run(&["get", "API_KEY"]).code(11);
    desk.unlock();
    desk.env.run(&["doctor", "--accept-rollback"]);
    desk.run(&["get", "API_KEY"]).code(11);
    desk.unlock();
    desk.env.run(&["reset", "--yes-destroy-everything", "--no-agent"]).ok();
    desk.run(&["get", "API_KEY"]).code(10);
    desk.env.run(&["init", "--org", "new", "--name", "eve", "--recovery-key-file", "new.txt"]).ok();
    desk.run(&["get", "API_KEY"]).code(11);
}

#[test]
fn a_locked_agent_is_asked_for_nothing_when_there_is_no_vault() {
    let mut env = TestEnv::new();
    env.set("SEALBOX_NO_AGENT", "<unset>");
    env.run(&["unlock"]).code(10);
    env.run(&["agent", "start"]).code(10);
    assert_eq!(env.run(&["agent", "status", "--json"]).ok().json()["running"], false);
}

#[test]
fn from_another_process_namespace_the_agent_is_reached() {
    let unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    if !Command::new("unshare").args(unshare).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: this machine does not permit a process namespace");
        return;
    }
    let desk = Desk::new();
    desk.unlock();
    let mut command = Command::new("unshare");
    command.args(unshare).arg(BINARY).args(["get", "API_KEY"]).stdin(Stdio::null());
    command.env_clear().envs(desk.env.environment()).env_remove("SEALBOX_PASSPHRASE_FILE");
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"canary-value", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_agent_that_cannot_be_reached_any_more_ends_at_once() {
    // the last session ends and takes its runtime folder along: nobody could say lock to it until the idle lock
    for gone in ["run/sealbox", "run", "data/sealbox"] {
        let desk = Desk::new();
        desk.unlock();
        let pid = desk.pid().unwrap();
        std::fs::remove_dir_all(desk.env.root().join(gone)).unwrap();
        until("it saw that", || !alive(pid));
    }
}

#[test]
fn a_deaf_agent_does_not_keep_the_keys_from_a_lock() {
    for args in [&["lock"][..], &["agent", "stop"]] {
        let desk = Desk::new();
        desk.unlock();
        let pid = desk.pid().unwrap();
        let process = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(process, Signal::STOP).unwrap();
        desk.run(args).ok();
        assert!(!alive(pid), "{args:?}");
        desk.run(&["get", "API_KEY"]).code(11);
        desk.run(args).ok().says("no agent is running");
    }
}

#[test]
fn readings_are_required_from_the_next_command_on_after_the_setting_was_changed() {
    let mut desk = Desk::new();
    desk.unlock();
    desk.run(&["get", "API_KEY"]).ok();
    let db = rusqlite::Connection::open(desk.env.store()).unwrap();
    let junk = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
        INSERT INTO access SELECT scope, author, i, x'00' FROM n, (SELECT DISTINCT scope, author FROM access)";
    db.execute(junk, []).unwrap();
    desk.run(&["get", "API_KEY"]).ok();
    desk.env.set("SEALBOX_AUDIT_REQUIRED", "true");
    let ran = desk.run(&["get", "API_KEY"]).code(1).says("audit.required");
    assert!(ran.stdout.is_empty());
    desk.env.set("SEALBOX_AUDIT_REQUIRED", "false");
    desk.run(&["get", "API_KEY"]).code(1); // it takes the passphrase to undo that
    desk.run(&["lock"]).ok();
    desk.unlock();
    desk.run(&["get", "API_KEY"]).ok();
}

#[test]
fn new_limits_hold_from_the_next_unlock_on() {
    let mut desk = Desk::new();
    desk.unlock();
    desk.env.set("SEALBOX_LOCK_IDLE", "5m").set("SEALBOX_LOCK_MAX", "10m");
    let limits = |desk: &Desk| {
        let lock = desk.run(&["agent", "status", "--json"]).ok().json()["lock"].clone();
        (lock["idle_in_s"].as_u64().unwrap() > 300, lock["limit_in_s"].as_u64().unwrap() > 600)
    };
    assert_eq!(limits(&desk), (true, true), "what is open stays as it is");
    desk.run(&["lock"]).ok();
    desk.unlock();
    assert_eq!(limits(&desk), (false, false));
}

#[test]
fn a_lock_reaches_the_agent_of_a_session_with_another_runtime_folder() {
    for args in [&["lock"][..], &["agent", "stop"]] {
        let desk = Desk::new();
        let mut command = desk.env.command(&["unlock"]);
        command.env_remove("XDG_RUNTIME_DIR"); // as under cron, or after sudo
        crate::env::Ran::of(command, b"").ok();
        let get = || {
            let mut command = desk.env.command(&["get", "API_KEY"]);
            command.env_remove("XDG_RUNTIME_DIR").env_remove("SEALBOX_PASSPHRASE_FILE");
            crate::env::Ran::of(command, b"")
        };
        assert_eq!(get().ok().text(), "canary-value");
        desk.run(args).ok();
        get().code(11);
        desk.run(&["agent", "stop"]).ok();
    }
}
