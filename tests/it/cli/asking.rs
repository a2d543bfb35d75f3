//! Questions on a real terminal: the binary in a pty, as a person meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{BINARY, PASSPHRASE, TestEnv};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// One command on a terminal of 100 columns.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    seen: Arc<Mutex<Vec<u8>>>,
    looked_at: usize,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn start(env: &TestEnv, args: &[&str]) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.args(args);
        command.env_clear();
        for (name, value) in env.environment() {
            if name != "SEALBOX_NO_INPUT" && name != "SEALBOX_PASSPHRASE_FILE" {
                command.env(name, value);
            }
        }
        command.env("TERM", "xterm-256color");
        command.cwd(env.work());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { child, writer, seen, looked_at: 0, _master: pair.master }
    }

    fn all(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Waits until the text appears after what was waited for before.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let all = self.seen.lock().unwrap().clone();
            let rest = &all[self.looked_at..];
            if let Some(at) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.looked_at += at + text.len();
                // the question is printed just before the terminal stops echoing
                std::thread::sleep(Duration::from_millis(50));
                return self;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{text:?} did not appear in: {}", self.all());
    }

    fn type_in(&mut self, text: &str) -> &mut Self {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    /// The exit code; everything printed can be read afterwards.
    #[track_caller]
    fn ends(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100)); // the reader catches up
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "still running after: {}", self.all());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn init_asks_for_everything_and_wants_the_recovery_key_back() {
    let env = TestEnv::new();
    let mut terminal = Terminal::start(&env, &["init"]);
    terminal.wait_for("organization: ").type_in("acme\r");
    terminal.wait_for("name: ").type_in("ada\r");
    terminal.wait_for("New passphrase: ").type_in("abc\r");
    terminal.wait_for("weak").wait_for("again: ").type_in("different\r");
    terminal.wait_for("differ").wait_for("New passphrase: ").type_in(&format!("{PASSPHRASE}\r"));
    terminal.wait_for("again: ").type_in(&format!("{PASSPHRASE}\r"));
    terminal.wait_for("last group: ");
    let screen = terminal.all();
    let key = screen.split("shown once.").nth(1).unwrap().split("----").next().unwrap();
    let last = key.split_whitespace().next_back().unwrap().to_owned();
    terminal.type_in(&format!("{last}\r"));
    assert_eq!(terminal.ends(), 0, "{}", terminal.all());
    let all = terminal.all();
    assert!(!all.contains(PASSPHRASE), "the passphrase was echoed");
    let (enter, leave) = (all.find("\u{1b}[?1049h").unwrap(), all.rfind("\u{1b}[?1049l").unwrap());
    let at = all.find(&last).unwrap();
    assert!(enter < at && at < leave, "the key stays out of the scrollback");
    env.run(&["list"]).ok();
}

#[test]
fn a_recovery_key_that_is_not_typed_back_makes_no_vault() {
    let env = TestEnv::new();
    let mut terminal = Terminal::start(&env, &["init", "--org", "acme", "--name", "ada"]);
    terminal.wait_for("New passphrase: ").type_in(&format!("{PASSPHRASE}\r"));
    terminal.wait_for("again: ").type_in(&format!("{PASSPHRASE}\r"));
    terminal.wait_for("last group: ").type_in("nonsense\r");
    assert_eq!(terminal.ends(), 3);
    assert_eq!(env.run(&["status", "--json"]).ok().json()["state"], "absent");
}

#[test]
fn a_mistyped_passphrase_may_be_tried_again_and_ctrl_c_cancels() {
    let env = TestEnv::with_vault();
    let mut terminal = Terminal::start(&env, &["list"]);
    terminal.wait_for("Passphrase: ").type_in("wrong\r");
    terminal.wait_for("try again").wait_for("Passphrase: ").type_in(&format!("{PASSPHRASE}\r"));
    assert_eq!(terminal.ends(), 0);

    let mut terminal = Terminal::start(&env, &["list"]);
    for _ in 0..3 {
        terminal.wait_for("Passphrase: ").type_in("wrong\r");
    }
    assert_eq!(terminal.ends(), 11, "{}", terminal.all());

    let mut terminal = Terminal::start(&env, &["list"]);
    terminal.wait_for("Passphrase: ").type_in("\u{3}");
    assert_eq!(terminal.ends(), 3, "{}", terminal.all());
}

#[test]
fn a_value_is_typed_twice_unseen_and_shown_escaped() {
    let env = TestEnv::with_vault();
    let unlock = |terminal: &mut Terminal| {
        terminal.wait_for("Passphrase: ").type_in(&format!("{PASSPHRASE}\r"));
    };
    let mut terminal = Terminal::start(&env, &["set", "API_KEY"]);
    unlock(&mut terminal);
    terminal.wait_for("Value of API_KEY: ").type_in("canary-1\r");
    terminal.wait_for("again: ").type_in("canary-2\r");
    assert_eq!(terminal.ends(), 2);
    assert!(terminal.all().contains("differ") && !terminal.all().contains("canary"), "{}", terminal.all());

    let mut terminal = Terminal::start(&env, &["set", "API_KEY"]);
    unlock(&mut terminal);
    terminal.wait_for("Value of API_KEY: ").type_in("canary-1\r");
    terminal.wait_for("again: ").type_in("canary-1\r");
    assert_eq!(terminal.ends(), 0);
    assert!(!terminal.all().contains("canary"));
    assert_eq!(env.run(&["get", "API_KEY"]).ok().text(), "canary-1");

    env.run_with(&["set", "HOSTILE"], b"a\x1b]0;pwned\x07b\xff\n").ok();
    let mut terminal = Terminal::start(&env, &["get", "HOSTILE"]);
    unlock(&mut terminal);
    assert_eq!(terminal.ends(), 0);
    let all = terminal.all();
    assert!(all.contains("^[]0;pwned^Gb\\xff") && !all.contains("\u{1b}]0;"), "{all:?}");
}

#[test]
fn deleting_and_resetting_want_the_word_and_export_refuses_a_terminal() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "OLD_KEY"], b"canary").ok();
    let unlock = |terminal: &mut Terminal| {
        terminal.wait_for("Passphrase: ").type_in(&format!("{PASSPHRASE}\r"));
    };
    let mut terminal = Terminal::start(&env, &["export"]);
    assert_eq!(terminal.ends(), 2, "{}", terminal.all());
    assert!(terminal.all().contains("-o FILE"));

    let mut terminal = Terminal::start(&env, &["delete", "OLD_KEY"]);
    unlock(&mut terminal);
    terminal.wait_for("Type the name: ").type_in("OLD\r");
    assert_eq!(terminal.ends(), 3);
    let mut terminal = Terminal::start(&env, &["delete", "OLD_KEY"]);
    unlock(&mut terminal);
    terminal.wait_for("its only version").wait_for("Type the name: ").type_in("OLD_KEY\r");
    assert_eq!(terminal.ends(), 0);
    env.run(&["get", "OLD_KEY"]).code(10);

    let mut terminal = Terminal::start(&env, &["reset"]);
    terminal.wait_for("word reset: ").type_in("yes\r");
    assert_eq!(terminal.ends(), 3);
    let mut terminal = Terminal::start(&env, &["reset"]);
    terminal.wait_for("word reset: ").type_in("reset\r");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(env.run(&["status", "--json"]).ok().json()["state"], "absent");
}

#[test]
fn copy_over_ssh_reaches_the_terminal_and_nothing_else() {
    let mut env = TestEnv::with_vault();
    env.set("SSH_TTY", "/dev/pts/0");
    env.run_with(&["set", "API_KEY"], b"canary-value").ok();
    let mut terminal = Terminal::start(&env, &["copy", "API_KEY"]);
    terminal.wait_for("Passphrase: ").type_in(&format!("{PASSPHRASE}\r"));
    assert_eq!(terminal.ends(), 0, "{}", terminal.all());
    let all = terminal.all();
    assert!(all.contains("\u{1b}]52;c;Y2FuYXJ5LXZhbHVl\u{7}"), "{all:?}");
    assert!(!all.contains("canary-value"));
    assert!(all.contains("does not confirm"), "{all:?}");
}

#[test]
fn the_demo_opens_on_a_terminal_and_is_gone_after_quit_and_after_sigterm() {
    let env = TestEnv::new();
    let left = |env: &TestEnv| std::fs::read_dir(env.root().join("run")).unwrap().count();
    let mut terminal = Terminal::start(&env, &["demo"]);
    terminal.wait_for("SLACK_BOT_TOKEN");
    assert_eq!(left(&env), 1);
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0, "{}", terminal.all());
    assert_eq!(left(&env), 0);

    let mut terminal = Terminal::start(&env, &["demo"]);
    terminal.wait_for("SLACK_BOT_TOKEN");
    let pid = terminal.child.process_id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    terminal.ends();
    assert_eq!(left(&env), 0);
}
