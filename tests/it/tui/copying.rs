//! Something of ours on the clipboard, as the screen tells it: a countdown that ends, and no timer when nothing is timed.

use super::rig::*;
use sealbox::domain::SecretValue;
use sealbox::tui::{Copier, CopyReport, Countdown, Driver};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A clipboard that clears itself, and that somebody else can take.
#[derive(Default)]
struct Timed {
    over: AtomicBool,
}

impl Copier for Timed {
    fn copy(&self, name: &str, _: &SecretValue, _: &mut dyn std::io::Write) -> CopyReport {
        let left = std::time::Duration::from_secs(30);
        let countdown = Some(Countdown { place: "on the clipboard", left });
        CopyReport { ok: true, text: format!("copied {name}"), countdown }
    }
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

#[test]
fn what_is_on_the_clipboard_is_counted_down_and_no_timer_stays_behind() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let copier = Arc::new(Timed::default());
    let mut screen = Driver::new(ada.service.clone(), copier.clone(), (120, 24), NOW).unwrap();
    screen.pass(1_000).unwrap();
    screen.key("y").unwrap();
    shows(&screen, "copied NPM_TOKEN");
    shows(&screen, "NPM_TOKEN on the clipboard, 30 s");
    screen.pass(7_000).unwrap();
    shows(&screen, "NPM_TOKEN on the clipboard, 23 s");
    assert!(screen.due_in().is_some_and(|ms| ms <= 1_000));
    // The newest copy counts.
    screen.key("j").unwrap().key("y").unwrap();
    shows(&screen, "clipboard, 30 s");
    hides(&screen, "NPM_TOKEN on the clipboard");
    screen.pass(29_500).unwrap();
    shows(&screen, "clipboard, 1 s");
    screen.pass(1_000).unwrap();
    hides(&screen, "clipboard, ");
    screen.key("esc").unwrap().pass(1_000).unwrap();
    assert!(screen.due_in().is_some_and(|ms| ms > 1_000), "only the poll is left: {:?}", screen.due_in());
    // Somebody else copied.
    screen.key("y").unwrap().pass(2_000).unwrap();
    shows(&screen, "clipboard, 28 s");
    copier.over.store(true, Ordering::Relaxed);
    screen.pass(1_000).unwrap();
    hides(&screen, "clipboard, ");
    // Behind the lock nothing is counted.
    copier.over.store(false, Ordering::Relaxed);
    screen.key("y").unwrap().key("ctrl-l").unwrap();
    hides(&screen, "clipboard, ");
    assert!(screen.due_in().is_some_and(|ms| ms > 1_000), "{:?}", screen.due_in());
    screen.pass(60_000).unwrap();
    assert_eq!(screen.due_in(), None);
}

#[test]
fn a_countdown_never_runs_into_the_tabs() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = Driver::new(ada.service.clone(), Arc::new(Timed::default()), (62, 16), NOW).unwrap();
    screen.key("y").unwrap();
    shows(&screen, "4 Log");
    for columns in [80, 62, 56, 40, 20] {
        screen.resize(columns, 16).unwrap();
        let line = screen.screen().lines().nth(1).unwrap().to_owned();
        assert!(line.trim_end().chars().count() <= usize::from(columns), "{line:?}");
        assert!(line.contains("1 Org"), "{line:?}");
    }
}

/// As tmux answers that keeps it to itself.
struct Advising;

impl Copier for Advising {
    fn copy(&self, name: &str, _: &SecretValue, _: &mut dyn std::io::Write) -> CopyReport {
        let left = std::time::Duration::from_secs(30);
        let text =
            format!("{name} is in tmux's paste buffer only · it needs: tmux set -s set-clipboard external");
        CopyReport { ok: true, text, countdown: Some(Countdown { place: "in tmux", left }) }
    }
}

#[test]
fn the_setting_to_change_is_read_to_its_end_on_a_small_screen() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    for (columns, rows) in [(120, 40), (80, 24), (62, 16), (40, 12)] {
        let mut screen = Driver::new(ada.service.clone(), Arc::new(Advising), (columns, rows), NOW).unwrap();
        screen.key("y").unwrap();
        let text = screen.screen();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("it needs: tmux set -s set-clipboard external"), "{columns}x{rows}:\n{text}");
        assert!(words.contains("1 Org"), "{columns}x{rows}:\n{text}");
        assert!(!words.contains("clipboard, 30 s"), "it is in tmux, not on a clipboard:\n{text}");
        screen.key("esc").unwrap();
        hides(&screen, "it needs");
    }
}
