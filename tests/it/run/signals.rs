//! Signals, orphans and cleaning up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use crate::env::{BINARY, TestEnv, files_below};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], b"CANARY-51c7-signal").ok();
    env
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// Starts a script and waits for its first line.
fn started(env: &TestEnv, args: &[&str], script: &str) -> Child {
    let args = [&["run"], args, &["--", "sh", "-c", script]].concat();
    let mut child = env.command(&args).process_group(0).spawn().unwrap();
    let mut line = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"ready\n");
    child
}

fn ends(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    panic!("it does not end");
}

/// Waits in a builtin, so that a trap is run at once.
const WAIT: &str = "sleep 30 & wait $!; wait $!";

#[test]
fn signals_that_are_sent_to_us_reach_the_program() {
    let env = vault();
    for (signal, name, number) in [
        (Signal::TERM, "TERM", 15),
        (Signal::HUP, "HUP", 1),
        (Signal::INT, "INT", 2),
        (Signal::QUIT, "QUIT", 3),
        (Signal::USR1, "USR1", 10),
        (Signal::USR2, "USR2", 12),
    ] {
        let script = format!("trap 'echo got {name}; exit 42' {name}; echo ready; {WAIT}");
        let mut child = started(&env, &[], &script);
        kill_process(pid(&child), signal).unwrap();
        assert_eq!(ends(&mut child), Some(42), "{name}");
        let mut rest = String::new();
        child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, format!("got {name}\n"));
        if number < 10 {
            continue;
        }
        let mut child = started(&env, &[], "echo ready; exec sleep 30");
        kill_process(pid(&child), signal).unwrap();
        assert_eq!(ends(&mut child), Some(128 + number), "{name}");
    }
}

#[test]
fn a_signal_that_our_caller_ignores_stays_ignored() {
    let env = vault();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "trap '' HUP; exec \"$@\"",
        "sh",
        BINARY,
        "run",
        "--",
        "sh",
        "-c",
        "echo ready; sleep 1; echo alive",
    ]);
    command.env_clear().envs(env.environment()).current_dir(env.work());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 6]).unwrap();
    kill_process_group(pid(&child), Signal::HUP).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((ends(&mut child), rest.as_str()), (Some(0), "alive\n"));
}

#[test]
fn files_are_gone_whatever_ended_the_run() {
    let env = vault();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT, Signal::USR1] {
        for extra in [None, Some("--no-redact")] {
            let mut args = vec!["--files", "secrets"];
            args.extend(extra);
            let mut child = started(&env, &args, "echo ready; exec sleep 30");
            assert_eq!(files_below(&env.work().join("secrets")).len(), 1);
            kill_process(pid(&child), signal).unwrap();
            assert_eq!(ends(&mut child), Some(128 + signal.as_raw()));
            assert!(!env.work().join("secrets").exists(), "{signal:?} left files behind");
        }
    }
    // a program that cannot be started leaves nothing either
    env.run(&["run", "--files", "secrets", "--", "no-such-program"]).code(127);
    assert!(!env.work().join("secrets").exists());
}

#[test]
fn as_process_one_it_collects_orphans_and_passes_signals_on() {
    let env = vault();
    let unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    if !Command::new("unshare").args(unshare).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: this machine does not permit a process namespace");
        return;
    }
    // the orphans end while the program still runs; then nobody may be left as a zombie
    let script = "echo $PPID; (sleep 0.1 & sleep 0.1 & sleep 0.1 &) ; sleep 0.6; ps -eo stat= | grep -c Z; trap 'exit 33' TERM; kill -TERM 1; sleep 5 & wait";
    let mut command = Command::new("unshare");
    command.args(unshare).arg(BINARY).args(["run", "--", "sh", "-c", script]);
    command.env_clear().envs(env.environment()).current_dir(env.work()).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n0\n");
    assert_eq!(output.status.code(), Some(33));
}

#[test]
fn in_a_process_namespace_of_its_own_it_has_the_terminal_of_its_caller() {
    let env = vault();
    let unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    if !Command::new("unshare").args(unshare).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: this machine does not permit a process namespace");
        return;
    }
    // the terminal's session and group are outside: they have no number in here
    let script = "test -t 0 && test -t 1 && echo \"on a terminal: $API_KEY\"; read x; exit 34";
    let words = [&["unshare"], &unshare[..], &[BINARY, "run", "--", "sh", "-c", script]].concat();
    let mut terminal = super::terminal::Terminal::open(&env, words[0], &words[1..]);
    terminal.shows("on a terminal: [sealed:API_KEY]").keys("word\r");
    assert_eq!(terminal.end(), 34);
}
