//! At a desk: a real X server (Xvfb) and a program that pastes (xclip).

use super::*;
use crate::env::{BINARY, PASSPHRASE, holds};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A display of our own.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn open() -> Option<Self> {
        if !have(&["Xvfb", "xclip", "timeout"]) {
            return None;
        }
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "64x64x8"]);
        let mut server =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { server, name: format!(":{}", number.trim()) })
    }

    /// What a paste gives; `None` if there is nothing to paste.
    fn paste(&self, selection: &str, target: &str) -> Option<String> {
        let mut command = Command::new("timeout"); // xclip waits for ever for an answer that never comes
        command.args(["10", "xclip", "-o", "-selection", selection, "-t", target]).env("DISPLAY", &self.name);
        let out = command.stderr(Stdio::null()).output().unwrap();
        assert_ne!(out.status.code(), Some(124), "a paste was never answered");
        out.status.success().then(|| String::from_utf8(out.stdout).unwrap())
    }

    fn text(&self) -> Option<String> {
        self.paste("clipboard", "UTF8_STRING")
    }

    /// As another program would.
    fn copy(&self, text: &str) {
        let mut command = Command::new("xclip");
        command.args(["-i", "-selection", "clipboard"]).env("DISPLAY", &self.name);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait().unwrap();
        until("the other program's text", || self.text().filter(|now| now == text));
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn the_clipboard_holds_the_value_marked_as_secret_and_is_empty_after_the_time() {
    let Some(display) = Display::open() else { return };
    let mut env = vault();
    env.set("DISPLAY", &display.name);
    env.run(&["copy", "API_KEY", "--clear-after", "3s"])
        .ok()
        .says("copied API_KEY; the clipboard is cleared in 3 s");
    assert_eq!(display.text().as_deref(), Some(CANARY));
    assert_eq!(display.paste("clipboard", "STRING").as_deref(), Some(CANARY));
    let targets = display.paste("clipboard", "TARGETS").unwrap();
    assert!(targets.lines().any(|target| target == "x-kde-passwordManagerHint"), "{targets}");
    assert_eq!(display.paste("clipboard", "x-kde-passwordManagerHint").as_deref(), Some("secret"));
    assert_eq!(display.paste("primary", "UTF8_STRING"), None);
    until("an empty clipboard", || display.text().is_none().then_some(()));
    let json = env.run(&["copy", "API_KEY", "--clear-after", "off", "--json"]).ok().json();
    assert_eq!((&json["way"], &json["confirmed"]), (&"clipboard".into(), &true.into()));
    assert!(json["clears_after_s"].is_null());
    display.copy("something else");
}

#[test]
fn the_helper_shows_nothing_of_the_value_and_ends_when_somebody_else_copies() {
    let Some(display) = Display::open() else { return };
    let mut env = vault();
    env.set("DISPLAY", &display.name);
    // with a file open that a shell passed on
    let mut script = Command::new("sh");
    script.args(["-c", "\"$0\" copy API_KEY --clear-after 4217s 7>passed-on", BINARY]).env_clear();
    script.stderr(Stdio::null());
    assert!(script.envs(env.environment()).current_dir(env.work()).status().unwrap().success());
    let own = until("the helper", || helpers("system 4217000").first().copied());
    let proc = |what: &str| std::fs::read(format!("/proc/{own}/{what}")).unwrap_or_default();
    for secret in [CANARY, PASSPHRASE] {
        assert!(!holds(&proc("cmdline"), secret.as_bytes()) && !holds(&proc("environ"), secret.as_bytes()));
    }
    assert!(!holds(&proc("environ"), b"SEALBOX_"), "no way to a passphrase or token");
    let vault = env.vault().to_string_lossy().into_owned();
    for entry in std::fs::read_dir(format!("/proc/{own}/fd")).into_iter().flatten().flatten() {
        let file = std::fs::read_link(entry.path()).unwrap_or_default();
        let held = file.starts_with(&vault) || file.ends_with("passed-on");
        assert!(!held, "{} is open", file.display());
    }
    // A newer copy of ours ends the older one, and what others copy is left alone.
    env.run(&["copy", "API_KEY", "--clear-after", "4218s"]).ok();
    until("the older helper's end", || helpers("system 4217000").is_empty().then_some(()));
    assert_eq!(display.text().as_deref(), Some(CANARY));
    display.copy("of somebody else");
    until("the newer helper's end", || helpers("system 4218000").is_empty().then_some(()));
    assert_eq!(display.text().as_deref(), Some("of somebody else"));
}

#[test]
fn once_is_one_paste_and_asking_what_there_is_is_none() {
    let Some(display) = Display::open() else { return };
    let mut env = vault();
    env.set("DISPLAY", &display.name);
    env.run(&["copy", "API_KEY", "--once"]).ok().says("cleared after the first paste, or in 30 s");
    for _ in 0..3 {
        assert!(display.paste("clipboard", "TARGETS").is_some());
        assert!(display.paste("clipboard", "x-kde-passwordManagerHint").is_some());
    }
    assert_eq!(display.text().as_deref(), Some(CANARY));
    until("an empty clipboard", || display.text().is_none().then_some(()));
}

#[test]
fn a_long_value_and_one_that_is_not_ascii_arrive_whole() {
    let Some(display) = Display::open() else { return };
    let mut env = vault();
    env.set("DISPLAY", &display.name);
    let long = "0123456789abcdef".repeat(1 << 16);
    env.run_with(&["set", "LONG"], long.as_bytes()).ok();
    env.run_with(&["set", "SHORT"], "pässwörd ✓".as_bytes()).ok();
    env.run(&["copy", "LONG", "--clear-after", "60s"]).ok();
    assert!(display.text().as_deref() == Some(long.as_str()), "1 MiB");
    env.run(&["copy", "SHORT", "--clear-after", "60s"]).ok();
    assert_eq!(display.text().as_deref(), Some("pässwörd ✓"));
    assert_eq!(display.paste("clipboard", "STRING"), None, "that would be Latin-1");
    display.copy("");
}

#[test]
fn a_killed_tui_leaves_the_value_for_its_time_and_not_longer() {
    let Some(display) = Display::open() else { return };
    let env = vault();
    let vars = [
        ("DISPLAY", display.name.as_str()),
        ("SEALBOX_CLIPBOARD_CLEAR_AFTER", "4s"),
        ("SEALBOX_NO_INPUT", ""),
        ("SEALBOX_PASSPHRASE_FILE", ""),
    ];
    let mut tui = Terminal::open(&env, BINARY, &[], &vars);
    tui.gets(b"Passphrase");
    tui.keys(PASSPHRASE);
    tui.keys("\r");
    tui.gets(b"API_KEY");
    tui.keys("y");
    tui.gets(b"on the clipboard");
    tui.kill();
    assert_eq!(display.text().as_deref(), Some(CANARY));
    until("an empty clipboard", || display.text().is_none().then_some(()));
    assert!(!holds(&tui.sent(), CANARY.as_bytes()), "copying never unmasks");
}

#[test]
fn a_display_that_went_away_takes_the_helper_with_it() {
    let Some(display) = Display::open() else { return };
    let mut env = vault();
    env.set("DISPLAY", &display.name);
    env.run(&["copy", "API_KEY", "--clear-after", "4219s"]).ok();
    until("the helper", || helpers("system 4219000").first().copied());
    drop(display);
    until("the helper's end", || helpers("system 4219000").is_empty().then_some(()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_display_that_hangs_is_told_and_no_helper_keeps_the_value() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    let env = vault();
    // A display that takes connections and says nothing, under a number that no server counts up to.
    let name = format!(":{}", 30_000 + std::process::id() % 30_000);
    let address = SocketAddr::from_abstract_name(format!("/tmp/.X11-unix/X{}", &name[1..])).unwrap();
    let display = UnixListener::bind_addr(&address).unwrap();
    let mut command = env.command(&["copy", "API_KEY"]);
    command.env("SEALBOX_CLIPBOARD", "system").env("DISPLAY", &name);
    crate::env::Ran::of(command, b"").code(1).says("the system clipboard does not answer");
    let wanted = format!("DISPLAY={name}\0");
    let there = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        holds(&environment, wanted.as_bytes())
    };
    until("the helper's end", || (!helpers("system").iter().any(there)).then_some(()));
    drop(display);
}
