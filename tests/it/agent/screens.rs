//! The TUI and questions on a terminal, over an agent.

use super::{Desk, until};
use crate::env::{BINARY, PASSPHRASE};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program on a terminal of 100 by 30, and the screen that it draws.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn open(desk: &Desk, args: &[&str]) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.args(args);
        command.env_clear();
        for (name, value) in desk.env.environment() {
            if name != "SEALBOX_NO_INPUT" && name != "SEALBOX_PASSPHRASE_FILE" {
                command.env(name, value);
            }
        }
        command.env("TERM", "xterm-256color");
        command.cwd(desk.env.work());
        let child = pty.slave.spawn_command(command).unwrap();
        let mut reader = pty.master.try_clone_reader().unwrap();
        let few = |n| std::num::NonZeroU16::new(n).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(few(30), few(100), 100)));
        let seen = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                seen.lock().unwrap().process(&buffer[..n]);
            }
        });
        let writer = pty.master.take_writer().unwrap();
        Self { child, writer, screen, _master: pty.master }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    #[track_caller]
    fn shows(&mut self, text: &str) -> &mut Self {
        let start = Instant::now();
        while !self.text().contains(text) {
            assert!(start.elapsed() < Duration::from_secs(10), "waited for {text:?} on\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(40)); // a question stops the echo just after it is shown
        self
    }

    fn keys(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    #[track_caller]
    fn ends(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn a_passphrase_typed_at_any_command_opens_the_vault_for_those_that_follow() {
    let desk = Desk::new();
    let mut terminal = Terminal::open(&desk, &["list"]);
    terminal.shows("Passphrase: ").keys("wrong\r").shows("try again");
    terminal.keys(PASSPHRASE).keys("\r").shows("API_KEY");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    let mut terminal = Terminal::open(&desk, &["get", "API_KEY"]);
    terminal.shows("canary-value");
    assert_eq!(terminal.ends(), 0);
    assert!(!terminal.text().contains("Passphrase"));
    let mut terminal = Terminal::open(&desk, &["passwd"]);
    terminal.shows("Passphrase: ").keys("\u{3}"); // proves who it is, always
    assert_eq!(terminal.ends(), 3);
    desk.run(&["lock"]).ok();
    let mut terminal = Terminal::open(&desk, &["unlock"]);
    terminal.shows("Passphrase: ").keys(PASSPHRASE).keys("\r").shows("unlocked; locks after 15 min");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn the_screen_opens_into_the_browser_while_unlocked_and_leaving_locks_nothing() {
    let desk = Desk::new();
    let mut terminal = Terminal::open(&desk, &[]);
    terminal.shows("the vault is locked");
    until("an agent was started in the background", || desk.pid().is_some());
    desk.run(&["get", "API_KEY"]).code(11);
    terminal.keys(PASSPHRASE).keys("\r").shows("API_KEY").shows("15 min");
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    terminal.keys("q");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    let mut terminal = Terminal::open(&desk, &[]);
    terminal.shows("API_KEY");
    assert!(!terminal.text().contains("Passphrase"));
    desk.run(&["lock"]).ok();
    terminal.shows("the vault is locked"); // within a poll
    terminal.keys(PASSPHRASE).keys("\r").shows("API_KEY").keys("\u{c}").shows("the vault is locked");
    desk.run(&["get", "API_KEY"]).code(11);
    terminal.keys("\u{3}");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_screen_whose_agent_is_killed_says_so_and_starts_another() {
    let desk = Desk::new();
    desk.unlock();
    let mut terminal = Terminal::open(&desk, &[]);
    terminal.shows("API_KEY");
    let first = desk.pid();
    desk.signal(Signal::KILL);
    terminal.shows("the agent has ended");
    terminal.keys(PASSPHRASE).keys("\r").shows("API_KEY");
    assert!(desk.pid().is_some_and(|pid| Some(pid) != first));
    terminal
        .keys("n")
        .shows("New secret")
        .keys("made_after\r")
        .keys("x\r")
        .shows("created MADE_AFTER")
        .keys("q");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(desk.run(&["get", "MADE_AFTER"]).ok().text(), "x");
}

#[test]
fn a_screen_without_an_agent_works_by_itself_and_says_why() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.runtime()).unwrap();
    std::fs::set_permissions(desk.runtime(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut terminal = Terminal::open(&desk, &[]);
    terminal.shows("the vault is locked").keys(PASSPHRASE).keys("\r");
    terminal.shows("API_KEY").shows("going on without an agent").keys("q");
    assert_eq!(terminal.ends(), 0);
    desk.run(&["get", "API_KEY"]).code(11);
}

#[test]
fn the_wizard_and_init_leave_the_new_vault_open() {
    let mut desk = Desk::new();
    desk.env.set("XDG_DATA_HOME", &desk.env.root().join("data2").to_string_lossy());
    let mut terminal =
        Terminal::open(&desk, &["init", "--org", "o", "--name", "n", "--recovery-key-file", "k.txt"]);
    terminal.shows("New passphrase: ").keys(PASSPHRASE).keys("\r");
    terminal.shows("again: ").keys(PASSPHRASE).keys("\r").shows("made the vault");
    assert_eq!(terminal.ends(), 0);
    desk.run(&["list"]).ok();
}

#[test]
fn a_demo_has_nothing_to_do_with_an_agent() {
    let desk = Desk::new();
    desk.unlock();
    let mut terminal = Terminal::open(&desk, &["demo"]);
    terminal.shows("SLACK_BOT_TOKEN").keys("q");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
}
