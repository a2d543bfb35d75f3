//! Which way is taken, and what is said of it. The helpers and tmux are pretended; the real ones are tested on a display
//! and in real tmux sessions by the integration tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::holder::Task;
use super::ticket::Ticket;
use super::tool::{Tool, ToolFailed};
use super::*;
use std::cell::RefCell;

/// An outside that remembers what it was asked.
#[derive(Default)]
struct Pretended {
    display: bool,
    /// What tmux answers; `None`: it is not there.
    tmux: Option<&'static str>,
    broken_helper: bool,
    held: RefCell<Vec<(Option<Duration>, bool)>>,
    later: RefCell<Vec<(Task, Duration)>>,
    tools: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Outside for Pretended {
    fn hold(&self, _: &SecretValue, after: Option<Duration>, once: bool) -> Result<Held, String> {
        self.held.borrow_mut().push((after, once));
        if self.display { Ok(Held::pretended()) } else { Err("no display".to_owned()) }
    }
    fn clear_later(&self, task: Task, after: Duration) -> Result<(), String> {
        if self.broken_helper {
            return Err("no helper".to_owned());
        }
        self.later.borrow_mut().push((task, after));
        Ok(())
    }
    fn ticket(&self, _: &dyn Fn(&str) -> Option<OsString>) -> Option<Ticket> {
        None
    }
    fn tool(&self, tool: Tool<'_>) -> Result<Vec<u8>, ToolFailed> {
        let line =
            std::iter::once(tool.program).chain(tool.args.iter().copied()).collect::<Vec<_>>().join(" ");
        self.tools.borrow_mut().push((line, tool.input.to_vec()));
        match (tool.program, self.tmux) {
            ("tmux", None) => Err(ToolFailed::NotStarted("tmux".to_owned(), std::io::ErrorKind::NotFound)),
            ("tmux", Some(answer)) => Ok(answer.into()),
            ("fails", _) => Err(ToolFailed::TooSlow("fails".to_owned())),
            _ => Ok(Vec::new()),
        }
    }
}

struct Asked<'a> {
    mode: Mode,
    vars: &'a [(&'a str, &'a str)],
    tty: bool,
    value: &'a [u8],
    clear_after: Option<Duration>,
    once: bool,
    command: &'a [String],
}

const HALF_A_MINUTE: Option<Duration> = Some(Duration::from_secs(30));

fn asked<'a>(mode: Mode, vars: &'a [(&'a str, &'a str)]) -> Asked<'a> {
    Asked { mode, vars, tty: true, value: b"s3cret", clear_after: HALF_A_MINUTE, once: false, command: &[] }
}

impl Asked<'_> {
    /// What was said (with notes), and what the terminal got.
    fn of(self, outside: &Pretended) -> (String, Vec<u8>) {
        let mut written = Vec::new();
        let env = |name: &str| {
            self.vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let terminal: Option<&mut dyn Write> = if self.tty { Some(&mut written) } else { None };
        let ways = Ways {
            mode: self.mode,
            command: self.command,
            env: &env,
            terminal,
            clear_after: self.clear_after,
            once: self.once,
        };
        let said = match copy_with(&SecretValue::new(self.value.to_vec()).unwrap(), ways, outside) {
            CopyOutcome::Copied(copied) => {
                let mut said = format!("[{}] {}", copied.way(), copied.sentence("KEY"));
                for note in copied.notes {
                    said.push_str(&format!(" | {note}"));
                }
                said
            }
            CopyOutcome::Refused { why, next } => format!("refused: {why} | {next}"),
        };
        assert!(!said.contains("s3cret"), "{said}");
        (said, written)
    }
}

const DESK: (&str, &str) = ("DISPLAY", ":0");
const TERM: (&str, &str) = ("TERM", "xterm-256color");
const TMUX: (&str, &str) = ("TMUX", "/tmp/tmux-0/default,1,0");
const SSH: (&str, &str) = ("SSH_CONNECTION", "10.0.0.1 5 10.0.0.9 22");
const ATTACHED: &str =
    "set=external client=/dev/pts/1 can=clipboard,title\nbuffer=sealbox-0\nbuffer=buffer0\n";

fn display() -> Pretended {
    Pretended { display: true, ..Pretended::default() }
}

#[test]
fn at_a_desk_the_system_clipboard_is_used_and_the_terminal_is_left_alone() {
    let outside = display();
    let (said, written) = asked(Mode::Auto, &[DESK, TERM, TMUX]).of(&outside);
    assert_eq!(said, "[clipboard] copied KEY; the clipboard is cleared in 30 s");
    assert!(written.is_empty() && outside.tools.borrow().is_empty());
    assert_eq!(*outside.held.borrow(), [(HALF_A_MINUTE, false)]);
}

#[test]
fn over_ssh_and_without_a_display_the_terminal_is_used_and_asked_to_clear() {
    for vars in [&[DESK, TERM, ("SSH_TTY", "/dev/pts/3")][..], &[DESK, TERM, SSH], &[TERM]] {
        let outside = display();
        let (said, written) = asked(Mode::Auto, vars).of(&outside);
        assert!(said.starts_with("[terminal] sent KEY to your terminal (it does not confirm); "), "{said}");
        assert!(said.contains("clear its clipboard in 30 s"), "{said}");
        assert!(written.starts_with(b"\x1b]52;c;"));
        assert!(matches!(outside.later.borrow()[..], [(Task::Terminal { .. }, _)]));
        assert!(outside.held.borrow().is_empty());
    }
}

#[test]
fn the_terminal_is_the_second_choice_only_where_that_is_allowed() {
    let nothing = Pretended::default();
    assert!(asked(Mode::Auto, &[DESK, TERM]).of(&nothing).0.starts_with("[terminal]"));
    let (said, written) = asked(Mode::System, &[DESK, TERM]).of(&nothing);
    assert!(said.starts_with("refused: no display |") && written.is_empty(), "{said}");
    assert!(asked(Mode::Osc52, &[DESK, TERM]).of(&display()).0.starts_with("[terminal]"));
}

#[test]
fn tmux_is_asked_itself_and_its_older_buffers_of_ours_go() {
    let outside = Pretended { tmux: Some(ATTACHED), ..Pretended::default() };
    let (said, written) = asked(Mode::Auto, &[DESK, TERM, TMUX, SSH]).of(&outside);
    assert!(said.starts_with("[tmux] KEY is in tmux's paste buffer and sent to your terminal"), "{said}");
    assert!(said.contains("(it does not confirm); in 30 s the buffer is deleted"), "{said}");
    assert!(written.is_empty(), "tmux sends it, not we");
    let tools = outside.tools.borrow();
    let load = tools.iter().find(|(line, _)| line.contains("load-buffer")).unwrap();
    assert!(load.0.starts_with("tmux load-buffer -w -b sealbox-") && load.1 == b"s3cret", "{}", load.0);
    let deleted: Vec<&str> =
        tools.iter().filter_map(|(line, _)| line.strip_prefix("tmux delete-buffer -b ")).collect();
    assert_eq!(deleted, ["sealbox-0"], "and what others put there stays");
    assert!(matches!(outside.later.borrow()[..], [(Task::Tmux { passed_on: true, .. }, _)]));
}

#[test]
fn a_tmux_that_keeps_it_to_itself_is_said_with_the_setting_to_change() {
    for (answer, wanted, dash_w) in [
        ("set=off client=/dev/pts/1 can=clipboard\n", "tmux set -s set-clipboard external", false),
        ("set=on client=/dev/pts/1 can=title\n", "terminal-features ',*:clipboard'", true),
        ("set=on client= can=\n", "no terminal is attached", true),
    ] {
        let outside = Pretended { tmux: Some(answer), ..Pretended::default() };
        let (said, _) = asked(Mode::Osc52, &[TERM, TMUX]).of(&outside);
        assert!(said.contains("in tmux's paste buffer only") && said.contains(wanted), "{said}");
        let tools = outside.tools.borrow();
        assert_eq!(tools.iter().any(|(line, _)| line.contains("load-buffer -w")), dash_w, "{answer}");
    }
}

#[test]
fn tmux_is_not_told_to_send_what_no_terminal_takes_whole() {
    for (length, sent) in [(osc52::MAX_BYTES, true), (osc52::MAX_BYTES + 1, false)] {
        let outside = Pretended { tmux: Some(ATTACHED), ..Pretended::default() };
        let value = vec![b'k'; length];
        let (said, written) = Asked { value: &value, ..asked(Mode::Auto, &[TERM, TMUX]) }.of(&outside);
        let tools = outside.tools.borrow();
        assert_eq!(tools.iter().any(|(line, _)| line.contains("load-buffer -w")), sent, "{length}");
        assert_eq!(said.contains("paste buffer only") && said.contains("at most 74994"), !sent, "{said}");
        assert!(written.is_empty());
    }
}

#[test]
fn a_tmux_that_cannot_be_asked_gets_the_escape_sequence() {
    let (said, written) = asked(Mode::Auto, &[TERM, TMUX]).of(&Pretended::default());
    assert!(said.starts_with("[terminal]") && said.contains("set-clipboard on"), "{said}");
    assert!(written.starts_with(b"\x1b]52;c;"));
}

#[test]
fn without_any_way_the_refusal_is_one_line_with_why_and_what_next() {
    let (said, written) = Asked { tty: false, ..asked(Mode::Auto, &[DESK, TERM, TMUX]) }
        .of(&Pretended { tmux: Some(ATTACHED), ..Pretended::default() });
    assert!(said.starts_with("refused: no display; there is no terminal to send it to |"), "{said}");
    assert!(said.contains("sealbox get NAME") && !said.contains('\n') && written.is_empty(), "{said}");
}

#[test]
fn bytes_that_are_not_text_go_to_a_terminal_but_not_to_a_system_clipboard() {
    let bytes = &[0xff];
    let refused = Asked { value: bytes, ..asked(Mode::System, &[DESK]) }.of(&display()).0;
    assert!(refused.contains("not text"), "{refused}");
    assert!(
        Asked { value: bytes, ..asked(Mode::Auto, &[DESK, TERM]) }.of(&display()).0.starts_with("[terminal]")
    );
}

#[test]
fn the_program_of_the_settings_gets_the_value_on_its_stdin_only() {
    let outside = display();
    let command = ["wl-copy".to_owned(), "--sensitive".to_owned()];
    let (said, written) =
        Asked { command: &command, tty: false, ..asked(Mode::Command, &[DESK, TERM, TMUX]) }.of(&outside);
    assert_eq!(said, "[command] gave KEY to wl-copy, which is given nothing in 30 s, to clear it");
    assert_eq!(*outside.tools.borrow(), [("wl-copy --sensitive".to_owned(), b"s3cret".to_vec())]);
    assert!(written.is_empty() && outside.held.borrow().is_empty());
    for command in [&[][..], &["fails".to_owned()]] {
        let said = Asked { command, ..asked(Mode::Command, &[DESK, TERM]) }.of(&outside).0;
        assert!(said.starts_with("refused: ") && said.contains("clipboard.command"), "{said}");
    }
}

#[test]
fn once_is_promised_only_where_a_paste_can_be_seen() {
    let outside = display();
    let (said, _) = Asked { once: true, ..asked(Mode::Auto, &[DESK, TERM]) }.of(&outside);
    assert!(said.ends_with("cleared after the first paste, or in 30 s"), "{said}");
    assert_eq!(*outside.held.borrow(), [(HALF_A_MINUTE, true)]);
    let (said, _) = Asked { once: true, ..asked(Mode::Osc52, &[TERM]) }.of(&outside);
    assert!(!said.contains("after the first paste") && said.contains("--once changes nothing"), "{said}");
}

#[test]
fn what_is_never_cleared_is_said_and_no_helper_is_started() {
    let outside = display();
    for (mode, wanted) in [(Mode::System, "it stays until"), (Mode::Osc52, "nothing will clear it")] {
        let (said, _) = Asked { clear_after: None, ..asked(mode, &[DESK, TERM]) }.of(&outside);
        assert!(said.contains(wanted), "{said}");
    }
    assert!(outside.later.borrow().is_empty());
    let broken = Pretended { broken_helper: true, ..Pretended::default() };
    let (said, _) = asked(Mode::Osc52, &[TERM]).of(&broken);
    assert!(
        said.contains("nothing will clear it: no helper"),
        "a promise that cannot be kept is not made: {said}"
    );
}
