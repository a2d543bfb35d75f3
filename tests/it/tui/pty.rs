//! The real binary in a pty, on the screen that a terminal would show.

use crate::env::{BINARY, PASSPHRASE, TestEnv};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

/// What a terminal keeps of a program: the screen, everything that was written, and what went to the clipboard.
#[derive(Default)]
struct Clipboard(Vec<Vec<u8>>);

impl vt100::Callbacks for Clipboard {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _ty: &[u8], data: &[u8]) {
        self.0.push(data.to_vec());
    }
}

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    screen: Arc<Mutex<(vt100::Parser<Clipboard>, Vec<u8>)>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

impl Terminal {
    fn open(env: &TestEnv, args: &[&str], columns: u16, rows: u16) -> Self {
        let pty = native_pty_system().openpty(size(columns, rows)).unwrap();
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
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let parser = vt100::Parser::new_with_callbacks(
            some(rows.max(1)),
            some(columns.max(1)),
            500,
            Clipboard::default(),
        );
        let screen = Arc::new(Mutex::new((parser, Vec::new())));
        let mut out = pty.master.try_clone_reader().unwrap();
        let seen = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                let mut seen = seen.lock().unwrap();
                seen.0.process(&buffer[..n]);
                seen.1.extend_from_slice(&buffer[..n]);
            }
        });
        let writer = pty.master.take_writer().unwrap();
        Self { child, master: pty.master, writer, screen, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().0.screen().contents()
    }

    fn everything(&self) -> Vec<u8> {
        self.screen.lock().unwrap().1.clone()
    }

    #[track_caller]
    fn until(&mut self, what: &str, good: impl Fn(&vt100::Screen) -> bool) -> &mut Self {
        let start = Instant::now();
        while !good(self.screen.lock().unwrap().0.screen()) {
            assert!(start.elapsed() < PATIENCE, "waited for {what} on\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    #[track_caller]
    fn shows(&mut self, text: &str) -> &mut Self {
        self.until(text, |screen| screen.contents().contains(text))
    }

    #[track_caller]
    fn hides(&mut self, text: &str) -> &mut Self {
        self.until(&format!("no {text}"), |screen| !screen.contents().contains(text))
    }

    /// Sends bytes as a keyboard does.
    fn keys(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.screen.lock().unwrap().0.set_size(some(rows.max(1)), some(columns.max(1)));
        self.master.resize(size(columns, rows)).unwrap();
        self
    }

    fn signal(&mut self, signal: rustix::process::Signal) -> &mut Self {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
        self
    }

    /// Waits for the end and for everything that was written before it; the exit code.
    #[track_caller]
    fn end(&mut self) -> u32 {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status.exit_code()
    }

    /// The terminal is as it was: no alternate screen, the cursor shown, cooked, no modes left on.
    #[track_caller]
    fn is_clean(&self) {
        let seen = self.screen.lock().unwrap();
        let screen = seen.0.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is still there");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let modes = self.master.get_termios().unwrap();
        use nix_flags::*;
        assert!(modes.local_flags.bits() & (ICANON | ECHO) == ICANON | ECHO, "raw mode is still on");
    }
}

/// The two bits of `c_lflag` that raw mode takes away, as on Linux.
mod nix_flags {
    pub const ICANON: u32 = 0o2;
    pub const ECHO: u32 = 0o10;
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], b"CANARY-7731").ok();
    env.run_with(&["set", "DB_URL"], b"postgres://x").ok();
    env
}

fn unlocked(env: &TestEnv, columns: u16, rows: u16) -> Terminal {
    let mut terminal = Terminal::open(env, &[], columns, rows);
    terminal.shows("Passphrase").keys(PASSPHRASE).keys("\r").shows("API_KEY");
    terminal
}

#[test]
fn the_wizard_makes_a_vault_in_an_empty_home() {
    let env = TestEnv::new();
    let mut terminal = Terminal::open(&env, &[], 80, 24);
    terminal.shows("Create a vault").keys("\r").shows("Organization");
    terminal.keys("acme\rada\rwobbly quartz teapot lantern\rwobbly quartz teapot lantern\r");
    terminal
        .shows("Type its last group to confirm")
        .until("no spinner", |screen| screen.contents().contains("keep it offline"));
    let text = terminal.text();
    let group = text
        .lines()
        .skip_while(|line| !line.contains("keep it offline"))
        .take_while(|line| !line.contains("Type its last group"))
        .flat_map(str::split_whitespace)
        .filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        .last()
        .unwrap()
        .to_owned();
    terminal.keys(&group).keys("\r").shows("no secrets here yet").keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_clean();
    assert!(env.vault().join("identity").exists());
}

#[test]
fn create_filter_reveal_copy_edit_and_delete_with_the_real_keys() {
    let env = vault();
    let mut terminal = unlocked(&env, 80, 24);
    terminal
        .keys("n")
        .shows("New secret")
        .keys("stripe_key\r")
        .keys("sk-CANARY-1")
        .hides("CANARY")
        .keys("\r");
    terminal.shows("created STRIPE_KEY");
    terminal.keys("/str").hides("DB_URL").keys("\r");
    terminal.keys("x").shows("sk-CANARY-1").shows("hides in").keys("\u{1b}").hides("sk-CANARY-1");
    terminal
        .keys("y")
        .shows("sent STRIPE_KEY to your terminal (it does not confirm)")
        .shows("STRIPE_KEY sent, ");
    assert!(!terminal.text().contains("CANARY"));
    let copied = terminal.screen.lock().unwrap().0.callbacks().0.last().cloned();
    assert_eq!(copied.as_deref(), Some(b"c2stQ0FOQVJZLTE=".as_slice()));
    terminal.keys("e").shows("cannot be changed").keys("two\rtwo\r").shows("STRIPE_KEY is now v2");
    terminal
        .keys("d")
        .shows("cannot be undone")
        .keys("stripe_key\r")
        .shows("deleted STRIPE_KEY (2 versions)");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_clean();
    env.run(&["get", "STRIPE_KEY"]).code(10);
}

#[test]
fn a_paste_that_carries_its_own_end_marker_runs_nothing() {
    let env = vault();
    let mut terminal = unlocked(&env, 80, 24);
    // In the browser: `q` would quit, `d` would delete.
    terminal.keys("\u{1b}[200~x\n:q!\u{1b}[201~qd\u{1b}[201~");
    std::thread::sleep(Duration::from_millis(200));
    terminal.keys("n").shows("New secret");
    terminal.keys("pasted\r").keys("\u{1b}[200~SECRET\n:q!\u{1b}[201~rm\u{1b}[201~");
    terminal.shows("2 lines, 12 bytes");
    std::thread::sleep(Duration::from_millis(200));
    terminal.keys("\r").shows("created PASTED").keys("q");
    assert_eq!(terminal.end(), 0);
    assert_eq!(env.run(&["get", "PASTED"]).ok().stdout, b"SECRET\n:q!rm");
}

#[test]
fn signals_while_a_value_is_revealed_leave_a_clean_terminal_without_it() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP, rustix::process::Signal::INT]
    {
        let env = vault();
        let mut terminal = unlocked(&env, 80, 24);
        terminal.keys("x").shows("CANARY-7731").signal(signal);
        terminal.end();
        terminal.is_clean();
        assert!(!terminal.text().contains("CANARY"), "{signal:?}");
        // The alternate screen itself was overwritten before it was left.
        let written = terminal.everything();
        let left = written.windows(8).rposition(|window| window == b"\x1b[?1049l").unwrap();
        let mut parser = vt100::Parser::new(some(24), some(80), 500);
        parser.process(&written[..left]);
        assert!(!parser.screen().contents().contains("CANARY"), "{signal:?}");
    }
}

#[test]
fn a_panic_while_a_value_is_revealed_leaves_a_clean_terminal_and_tells_no_value() {
    let mut env = vault();
    env.set("SEALBOX_PANIC_ON_F12", "1");
    let mut terminal = unlocked(&env, 80, 24);
    terminal.keys("x").shows("CANARY-7731").keys("\u{1b}[24~").shows("stopped because of a bug at");
    assert_ne!(terminal.end(), 0);
    terminal.is_clean();
    assert!(!terminal.text().contains("CANARY"), "{}", terminal.text());
    terminal.shows("please report it"); // not erased by giving the screen back a second time
}

#[test]
fn stopping_hides_the_value_and_resuming_draws_again() {
    let env = vault();
    let mut terminal = unlocked(&env, 80, 24);
    terminal.keys("x").shows("CANARY-7731").keys("\u{1a}");
    terminal.until("the shell's screen", |screen| !screen.alternate_screen());
    assert!(!terminal.text().contains("CANARY"));
    terminal.signal(rustix::process::Signal::CONT).shows("API_KEY");
    assert!(!terminal.text().contains("CANARY"));
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_clean();
}

#[test]
fn a_storm_of_sizes_and_a_tiny_one_are_survived() {
    let env = vault();
    let mut terminal = unlocked(&env, 80, 24);
    for n in 0..40u16 {
        terminal.resize(1 + n * 37 % 150, 1 + n * 13 % 60);
    }
    terminal.resize(0, 0);
    std::thread::sleep(Duration::from_millis(100));
    terminal.resize(18, 4).shows("too small");
    terminal.resize(100, 30).shows("API_KEY").shows("details").keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_clean();
}

#[test]
fn a_read_member_is_told_its_role_and_sees_no_value() {
    let env = vault();
    let eve = TestEnv::new();
    let id = eve.run(&["id"]).ok().text().trim().to_owned();
    let link =
        env.run(&["member", "add", &id, "--label", "eve", "--role", "read"]).ok().text().trim().to_owned();
    let store = env.store();
    eve.run(&["join", &link, "--store", &store.to_string_lossy()]).ok();
    let mut terminal = unlocked(&eve, 80, 24);
    terminal.shows("eve · read").keys("x").shows("your role here is read; revealing needs write");
    assert!(!terminal.text().contains("CANARY"));
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_wrong_passphrase_is_told_and_ctrl_c_leaves_from_there() {
    let env = vault();
    let mut terminal = Terminal::open(&env, &["tui"], 80, 24);
    terminal.shows("Passphrase").keys("nonsense\r").shows("that did not open the vault").keys("\u{3}");
    assert_eq!(terminal.end(), 0);
    terminal.is_clean();
}

#[test]
fn keys_pressed_ahead_meet_the_row_that_was_just_made() {
    let env = vault();
    let mut terminal = unlocked(&env, 80, 24);
    terminal.keys("n").shows("New secret").keys("zzz\r").keys("mine\r");
    terminal.shows("created ZZZ").keys("x").shows("mine").keys("\u{1b}").hides("hides in").keys("q");
    assert_eq!(terminal.end(), 0);
}
