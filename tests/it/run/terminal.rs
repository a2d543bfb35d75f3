//! `run` on a terminal: the real binary and real shells in a pseudo-terminal, on the screen that a person would see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::streams::descendants;
use crate::env::{BINARY, TestEnv, holds};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CANARY: &str = "CANARY-2b0d-on-a-terminal";
const PATIENCE: Duration = Duration::from_secs(20);
/// The two bits of `c_lflag` that raw mode takes away, as on Linux.
const COOKED: u32 = 0o2 | 0o10;

pub(super) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    seen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

impl Terminal {
    pub(super) fn open(env: &TestEnv, program: &str, args: &[&str]) -> Self {
        let pty = native_pty_system().openpty(size(80, 24)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (name, value) in env.environment() {
            command.env(name, value);
        }
        for (name, value) in [("TERM", "xterm-256color"), ("PS1", "$ "), ("SB", BINARY), ("HISTFILE", "")] {
            command.env(name, value);
        }
        command.cwd(env.work());
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let parser = vt100::Parser::new(some(24), some(80), 500);
        let seen = Arc::new(Mutex::new((parser, Vec::new())));
        let mut out = pty.master.try_clone_reader().unwrap();
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                let mut seen = into.lock().unwrap();
                seen.0.process(&buffer[..n]);
                seen.1.extend_from_slice(&buffer[..n]);
            }
        });
        let writer = pty.master.take_writer().unwrap();
        Self { child, master: pty.master, writer, seen }
    }

    /// `run` itself, as the only process of the session.
    fn run(env: &TestEnv, args: &[&str]) -> Self {
        Self::open(env, BINARY, &[&["run"], args].concat())
    }

    /// An interactive shell, with its prompt.
    fn shell(env: &TestEnv) -> Self {
        let mut terminal = Self::open(env, "bash", &["--norc", "--noprofile", "--noediting", "-i"]);
        terminal.shows("$ ");
        terminal
    }

    fn text(&self) -> String {
        self.seen.lock().unwrap().0.screen().contents()
    }

    #[track_caller]
    fn until(&mut self, what: &str, mut good: impl FnMut(&mut Self) -> bool) -> &mut Self {
        let start = Instant::now();
        while !good(self) {
            assert!(start.elapsed() < PATIENCE, "waited for {what} on\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    #[track_caller]
    pub(super) fn shows(&mut self, text: &str) -> &mut Self {
        self.until(text, |terminal| terminal.text().contains(text))
    }

    pub(super) fn keys(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    fn is_cooked(&self) -> bool {
        self.master.get_termios().unwrap().local_flags.bits() & COOKED == COOKED
    }

    #[track_caller]
    pub(super) fn end(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100)); // what was written last
                return status.exit_code();
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&mut self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    #[track_caller]
    fn never_held_the_canary(&self) {
        assert!(!holds(&self.seen.lock().unwrap().1, CANARY.as_bytes()), "a value reached the terminal");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], CANARY.as_bytes()).ok();
    env
}

#[test]
fn colours_stay_and_the_value_in_them_does_not() {
    let env = vault();
    let script = "test -t 0 && test -t 1 && test -t 2 && printf '\\033[31mred:%s\\033[0m:plain\\n' \"$API_KEY\"; exit 6";
    let mut terminal = Terminal::run(&env, &["--", "sh", "-c", script]);
    assert_eq!(terminal.end(), 6);
    terminal.shows("red:[sealed:API_KEY]:plain").never_held_the_canary();
    let written = terminal.seen.lock().unwrap().1.clone();
    assert!(
        holds(&written, b"\x1b[31mred:[sealed:API_KEY]\x1b[0m:plain"),
        "{}",
        String::from_utf8_lossy(&written)
    );
    assert!(terminal.is_cooked());
}

#[test]
fn a_hidden_prompt_appears_takes_its_answer_and_echoes_nothing() {
    let env = vault();
    let script =
        "printf 'Password: '; stty -echo; read x; stty echo; echo; test \"$x\" = opensesame && echo right";
    let mut terminal = Terminal::run(&env, &["--", "sh", "-c", script]);
    terminal.shows("Password: ");
    std::thread::sleep(Duration::from_millis(200));
    terminal.keys("opensesame\r").shows("right");
    assert_eq!(terminal.end(), 0);
    assert!(!terminal.text().contains("opensesame"), "{}", terminal.text());
}

#[test]
fn the_size_and_its_changes_reach_the_program() {
    let env = vault();
    let script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done";
    let mut terminal = Terminal::run(&env, &["--", "bash", "-c", script]);
    terminal.shows("24 80");
    terminal.master.resize(size(120, 40)).unwrap();
    terminal.shows("40 120").keys("\u{3}");
    assert_eq!(terminal.end(), 130);
    assert!(terminal.is_cooked());
}

#[test]
fn the_keyboards_signals_are_the_programs() {
    let env = vault();
    let script =
        "trap 'echo INT; n=x$n' INT; trap 'echo QUIT' QUIT; echo ready; while :; do sleep 0.05; done";
    let mut terminal = Terminal::run(&env, &["--", "bash", "-c", script]);
    terminal.shows("ready").keys("\u{3}").shows("INT").keys("\u{1c}").shows("QUIT");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(terminal.text().matches("INT").count(), 1, "once, not twice:\n{}", terminal.text());
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end(), 143);
    assert!(terminal.is_cooked());
}

#[test]
fn ctrl_z_stops_the_job_and_fg_goes_on_where_it_was() {
    let env = vault();
    let mut terminal = Terminal::shell(&env);
    terminal
        .keys("\"$SB\" run -- sh -c 'echo beg\"\"un; read x; echo got $x $API_KEY'; echo ended $?\r")
        .shows("begun");
    terminal.keys("\u{1a}").shows("Stopped");
    terminal.until("cooked modes", |terminal| terminal.is_cooked());
    terminal.keys("echo shell $((40+2))\r").shows("shell 42").keys("fg\r");
    terminal.until("raw modes", |terminal| !terminal.is_cooked());
    terminal.keys("word\r").shows("got word [sealed:API_KEY]");
    terminal.until("cooked modes", |terminal| terminal.is_cooked());
    terminal.keys("exit\r");
    terminal.end();
    terminal.never_held_the_canary();
}

#[test]
fn a_job_in_the_background_waits_for_the_keyboard_until_it_has_it() {
    let env = vault();
    let mut terminal = Terminal::shell(&env);
    terminal.keys("\"$SB\" run -- sh -c 'read x; echo got $x' &\r");
    // the shell tells it at its next prompt
    terminal.until("its stop", |terminal| {
        terminal.keys("\r");
        std::thread::sleep(Duration::from_millis(200));
        terminal.text().contains("Stopped")
    });
    terminal.keys("fg\r");
    terminal.until("raw modes", |terminal| !terminal.is_cooked());
    terminal.keys("late\r").shows("got late").until("the shell's turn", |terminal| terminal.is_cooked());
    // a job that runs on in the background, and is brought back without being woken
    terminal.keys("\"$SB\" run -- sh -c 'echo beg\"\"un2; sleep 1; read y; echo got $y'\r").shows("begun2");
    // a stop between the shell's vfork and the exec of its child would stop the child alone, with or without us
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("\u{1a}").until("cooked modes", |terminal| terminal.is_cooked());
    terminal.keys("bg\r");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("fg\r").until("raw modes", |terminal| !terminal.is_cooked());
    terminal.keys("again\r").shows("got again").keys("exit\r");
    terminal.end();
}

#[test]
fn a_script_around_it_stops_and_goes_on_as_one_job() {
    let env = vault();
    env.private_file("job.sh", b"\"$SB\" run -- sh -c 'echo begun; read x; echo got $x'\necho after $?\n");
    let mut terminal = Terminal::shell(&env);
    terminal.keys("sh job.sh\r").shows("begun").keys("\u{1a}").shows("Stopped");
    terminal.keys("fg\r").until("raw modes", |terminal| !terminal.is_cooked());
    terminal.keys("word\r").shows("got word").shows("after 0").keys("exit\r");
    terminal.end();
}

#[test]
fn an_inner_shell_has_jobs_of_its_own() {
    let env = vault();
    let mut terminal = Terminal::run(&env, &["--", "bash", "--norc", "--noprofile", "-i"]);
    terminal.shows("$ ").keys("sleep 50\r");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("\u{1a}").shows("Stopped").keys("fg\r");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("\u{3}").keys("echo $API_KEY; exit 9\r").shows("[sealed:API_KEY]");
    assert_eq!(terminal.end(), 9);
    terminal.never_held_the_canary();
    assert!(terminal.is_cooked());
}

#[test]
fn nobody_can_wake_us_so_ctrl_z_does_not_stop_us() {
    let env = vault();
    // the only process of its session: a stop would be for ever, so the system ignores it
    let mut terminal = Terminal::run(&env, &["--", "sh", "-c", "echo begun; read x; echo got $x"]);
    terminal.shows("begun").keys("\u{1a}");
    std::thread::sleep(Duration::from_millis(500));
    terminal.keys("word\r").shows("got word");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_pipe_in_and_a_file_out_stay_what_they_are() {
    let env = vault();
    let mut terminal = Terminal::shell(&env);
    terminal.keys("echo piped | \"$SB\" run -- sh -c 'cat; test -t 1 && echo out is a terminal'\r");
    terminal.shows("piped").shows("out is a terminal");
    terminal.keys("\"$SB\" run -- sh -c 'echo $API_KEY; test -t 2 && echo err is $API_KEY >&2' > out.txt; echo done $?\r");
    terminal.shows("err is [sealed:API_KEY]").shows("done 0");
    assert_eq!(std::fs::read_to_string(env.work().join("out.txt")).unwrap(), "[sealed:API_KEY]\n");
    // asks the terminal, while its stdin is a pipe
    terminal.keys("echo x | \"$SB\" run -- sh -c 'read y </dev/tty; echo from $y'\r");
    terminal.until("raw modes", |terminal| !terminal.is_cooked());
    terminal.keys("keyboard\r").shows("from keyboard").keys("exit\r");
    terminal.end();
    terminal.never_held_the_canary();
}

#[test]
fn a_program_that_cannot_be_started_leaves_the_terminal_as_it_was() {
    let env = vault();
    let mut terminal = Terminal::run(&env, &["--", "no-such-program"]);
    terminal.shows("cannot run no-such-program");
    assert_eq!(terminal.end(), 127);
    assert!(terminal.is_cooked());
}

#[test]
fn a_terminal_that_is_closed_ends_the_program_and_leaves_no_files() {
    let env = vault();
    let mut terminal =
        Terminal::run(&env, &["--files", "secrets", "--", "sh", "-c", "echo begun; exec sleep 60"]);
    terminal.shows("begun");
    assert!(env.work().join("secrets/API_KEY").exists());
    let processes = descendants(terminal.child.process_id().unwrap());
    assert!(processes.len() >= 2, "a monitor and a program: {processes:?}");
    terminal.signal(Signal::HUP);
    assert_eq!(terminal.end(), 129);
    assert!(!env.work().join("secrets").exists());
    for pid in processes {
        let start = Instant::now();
        while std::fs::exists(format!("/proc/{pid}")).unwrap() {
            assert!(start.elapsed() < PATIENCE, "{pid} is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_kill_that_nothing_can_catch_leaves_the_terminal_as_it_was() {
    let env = vault();
    // a shell that reads keys would set modes of its own; one that runs a script leaves them
    let script = "\"$SB\" run -- sh -c 'echo beg\"\"un; exec sleep 60'; echo after $?; exec sleep 20";
    let mut terminal = Terminal::open(&env, "sh", &["-c", script]);
    terminal.shows("begun").until("raw modes", |terminal| !terminal.is_cooked());
    let run = descendants(terminal.child.process_id().unwrap())[0];
    let program = *descendants(run).last().unwrap();
    kill_process(Pid::from_raw(i32::try_from(run).unwrap()).unwrap(), Signal::KILL).unwrap();
    terminal.shows("after 137").until("cooked modes", |terminal| terminal.is_cooked());
    terminal.until("the program's end", |_| !std::fs::exists(format!("/proc/{program}")).unwrap());
}

#[test]
fn on_a_terminal_too_nobody_but_the_program_has_a_value() {
    let env = vault();
    let mut terminal = Terminal::run(&env, &["--", "sh", "-c", "echo begun; exec sleep 60"]);
    terminal.shows("begun");
    let us = terminal.child.process_id().unwrap();
    let below = descendants(us);
    let read = |pid: u32, what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
    let with: Vec<u32> =
        below.iter().copied().filter(|pid| holds(&read(*pid, "environ"), CANARY.as_bytes())).collect();
    assert_eq!(with.len(), 1, "exactly the program");
    assert!(holds(&read(with[0], "cmdline"), b"sleep"), "and it is the program");
    for pid in below.into_iter().chain([us]) {
        assert!(!holds(&read(pid, "cmdline"), CANARY.as_bytes()), "an argument of {pid}");
        assert!(
            pid == with[0] || !holds(&read(pid, "environ"), CANARY.as_bytes()),
            "the environment of {pid}"
        );
    }
    terminal.keys("\u{3}");
    assert_eq!(terminal.end(), 130);
}
