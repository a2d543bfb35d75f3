//! In real tmux and screen sessions, with a terminal attached that keeps what it is sent.

use super::*;
use crate::env::{BINARY, holds};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::process::{Command, Stdio};

/// A tmux server on a socket of its own, with a terminal attached.
struct Tmux<'a> {
    env: &'a TestEnv,
    socket: String,
    terminal: Terminal,
}

impl<'a> Tmux<'a> {
    fn open(env: &'a TestEnv, term: &str, setting: Option<&str>) -> Option<Self> {
        if !have(&["tmux"]) {
            return None;
        }
        let socket = env.root().join("tmux").to_string_lossy().into_owned();
        let tmux = |args: &[&str]| {
            let mut command = Command::new("tmux");
            command.args(["-S", &socket, "-f", "/dev/null"]).args(args).env_clear().envs(env.environment());
            command.env("TERM", "xterm-256color").current_dir(env.work());
            let out = command.stdin(Stdio::null()).output().unwrap();
            assert!(out.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8(out.stdout).unwrap()
        };
        tmux(&["new-session", "-d", "-x", "160", "-y", "24", "sh"]);
        if let Some(setting) = setting {
            tmux(&["set-option", "-s", "set-clipboard", setting]);
        }
        let terminal = Terminal::open(env, "tmux", &["-S", &socket, "attach"], &[("TERM", term)]);
        until("the attached terminal", || (!tmux(&["list-clients"]).is_empty()).then_some(()));
        Some(Self { env, socket, terminal })
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.socket]).args(args).env_clear().envs(self.env.environment());
        let out = command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }

    /// Types a line into the session's shell and waits for its end; what it said.
    #[track_caller]
    fn line(&self, line: &str) -> String {
        let said = self.env.work().join("said");
        let _ = std::fs::remove_file(&said);
        let line = format!("{{ {line}; echo \"code $?\"; }} >said.new 2>&1; mv said.new said");
        self.tmux(&["send-keys", &line, "Enter"]);
        until("the end of the line", || std::fs::read_to_string(&said).ok())
    }

    fn buffers(&self) -> Vec<String> {
        self.tmux(&["list-buffers", "-F", "#{buffer_name}"]).lines().map(str::to_owned).collect()
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn encoded() -> Vec<u8> {
    STANDARD.encode(CANARY).into_bytes()
}

#[test]
fn in_tmux_the_value_arrives_in_a_buffer_and_at_the_terminal_and_leaves_both() {
    for setting in [None, Some("on")] {
        let env = vault();
        let Some(tmux) = Tmux::open(&env, "xterm-256color", setting) else { return };
        let said = tmux.line(&format!("{BINARY} copy API_KEY --clear-after 3s"));
        assert!(
            said.contains("API_KEY is in tmux's paste buffer and sent to your terminal"),
            "{setting:?}: {said}"
        );
        assert!(said.contains("code 0") && !said.contains(CANARY), "{said}");
        let buffers = tmux.buffers();
        assert!(buffers.len() == 1 && buffers[0].starts_with("sealbox-"), "{setting:?}: {buffers:?}");
        assert_eq!(tmux.tmux(&["show-buffer", "-b", &buffers[0]]), CANARY);
        tmux.terminal.gets(&encoded());
        until("the buffer's end", || tmux.buffers().is_empty().then_some(()));
        tmux.terminal.gets(b";IA==\x07"); // a blank: tmux cannot empty a terminal's clipboard
        until("the helper's end", || helpers(&buffers[0]).is_empty().then_some(()));
    }
}

#[test]
fn a_tmux_that_is_told_to_stay_away_from_the_clipboard_does_and_the_setting_is_named() {
    let env = vault();
    let Some(tmux) = Tmux::open(&env, "xterm-256color", Some("off")) else { return };
    let said = tmux.line(&format!("{BINARY} copy API_KEY --clear-after 2s"));
    assert!(said.contains("in tmux's paste buffer only, not on your terminal's clipboard"), "{said}");
    assert!(said.contains("tmux set -s set-clipboard external"), "{said}");
    assert_eq!(tmux.tmux(&["show-buffer", "-b", &tmux.buffers()[0]]), CANARY);
    until("the buffer's end", || tmux.buffers().is_empty().then_some(()));
    assert!(!holds(&tmux.terminal.sent(), b"\x1b]52;"), "nothing was sent to the terminal");
}

#[test]
fn a_terminal_without_a_clipboard_behind_tmux_is_told_with_the_setting() {
    let env = vault();
    let Some(tmux) = Tmux::open(&env, "vt100", None) else { return };
    let said = tmux.line(&format!("{BINARY} copy API_KEY --clear-after 60s"));
    assert!(said.contains("paste buffer only") && said.contains("terminal-features"), "{said}");
    assert_eq!(tmux.tmux(&["show-buffer", "-b", &tmux.buffers()[0]]), CANARY);
}

#[test]
fn a_newer_copy_replaces_the_older_buffer_and_buffers_of_others_stay() {
    let env = vault();
    let Some(tmux) = Tmux::open(&env, "xterm-256color", None) else { return };
    tmux.tmux(&["set-buffer", "-b", "mine", "kept"]);
    tmux.line(&format!("{BINARY} copy API_KEY --clear-after 2s"));
    tmux.line(&format!("{BINARY} copy API_KEY --clear-after 60s"));
    let buffers = tmux.buffers();
    assert_eq!(buffers.iter().filter(|name| name.starts_with("sealbox-")).count(), 1, "{buffers:?}");
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(tmux.buffers(), buffers, "the older one's time has come, and the newer one is left alone");
    assert_eq!(tmux.tmux(&["show-buffer", "-b", "mine"]), "kept");
}

#[test]
fn at_the_far_end_of_ssh_from_tmux_the_sequence_arrives_if_tmux_takes_it() {
    let env = vault();
    let Some(tmux) = Tmux::open(&env, "xterm-256color", Some("on")) else { return };
    let said = tmux.line(&format!(
        "env -u TMUX TERM=tmux-256color SSH_CONNECTION='10.0.0.1 5 10.0.0.2 22' {BINARY} copy API_KEY --clear-after 60s"
    ));
    assert!(said.contains("sent API_KEY to your terminal (it does not confirm)"), "{said}");
    assert!(said.contains("set-clipboard on"), "{said}");
    let buffer = until("the buffer", || tmux.buffers().first().cloned());
    assert_eq!(tmux.tmux(&["show-buffer", "-b", &buffer]), CANARY);
    tmux.terminal.gets(&encoded());
}

#[test]
fn in_screen_a_long_value_arrives_whole_and_the_terminal_is_asked_to_forget_it() {
    if !have(&["screen"]) {
        return;
    }
    let env = vault();
    let long: String = (0..400).map(|n| format!("line {n} of a key\n")).collect();
    env.run_with(&["set", "LONG"], long.as_bytes()).ok();
    let line = format!("{BINARY} copy LONG --clear-after 2s; sleep 30");
    let sockets = env.root().join("screens").to_string_lossy().into_owned();
    std::fs::create_dir(&sockets).unwrap();
    std::fs::set_permissions(&sockets, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let args = ["-c", "/dev/null", "sh", "-c", &line];
    let terminal = Terminal::open(&env, "screen", &args, &[("SCREENDIR", &sockets)]);
    terminal.gets(format!("\x1b]52;c;!\x07\x1b]52;c;{}\x07", STANDARD.encode(&long)).as_bytes());
    terminal.gets(b"\x1b]52;c;!\x07\x1b]52;c;\x07");
}

#[test]
fn on_a_plain_terminal_the_sequence_is_sent_and_later_the_emptying_by_the_newest_copy_only() {
    let env = vault();
    let line = format!(
        "{BINARY} copy API_KEY --clear-after 1s; {BINARY} copy API_KEY --clear-after 4s; echo said; sleep 30"
    );
    let terminal = Terminal::open(&env, "sh", &["-c", &line], &[]);
    terminal.gets(b"asked to clear its clipboard in 4 s");
    terminal.gets(b"said");
    let emptying = b"\x1b]52;c;!\x07\x1b]52;c;\x07";
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(!holds(&terminal.sent(), emptying), "the older copy's helper left the newer copy alone");
    terminal.gets(emptying);
    let sent = terminal.sent();
    assert_eq!(sent.windows(encoded().len()).filter(|window| *window == encoded()).count(), 2);
    assert!(!holds(&sent, CANARY.as_bytes()) && !holds(&sent, b";?"));
}
