//! Copying a secret to where the person is: the system clipboard at a desk, the terminal's own over SSH (SPEC R35-R37).
//!
//! Owns the choice of the way, holding the clipboard, and clearing it again. It says only what is known: a terminal
//! never confirms, so [`CopyOutcome::SentToTerminal`] is not "copied". The environment and the terminal are arguments.
//! Known limit: the clipboard library and the compositor keep copies of their own, which we cannot wipe.

mod holding;
pub mod osc52;
#[cfg(feature = "clipboard")]
mod system;

pub use holding::{Cleared, Holding};

use crate::domain::SecretValue;
use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;
use zeroize::Zeroizing;

/// Which ways a person allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// OSC 52 over SSH and without a display, otherwise the system clipboard, and OSC 52 if that fails.
    Auto,
    /// The system clipboard only.
    System,
    /// OSC 52 only.
    Osc52,
}

/// Where and how to copy.
pub struct Ways<'a> {
    /// What is allowed.
    pub mode: Mode,
    /// Looks up one environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The controlling terminal, if there is one; never a pipe or a file.
    pub terminal: Option<&'a mut dyn Write>,
    /// Clear the system clipboard after this long; `None` never. A terminal's clipboard is not cleared by itself.
    pub clear_after: Option<Duration>,
}

/// What is known after copying.
pub enum CopyOutcome {
    /// The system clipboard has it. The selection lives as long as the [`Holding`]: keep it, or wait for its end.
    Copied {
        /// Owns the selection and clears it.
        holding: Holding,
        /// When it clears itself, counted from now.
        clears_after: Option<Duration>,
    },
    /// Written to the terminal, which does not say whether it took it, and will not clear it by itself.
    SentToTerminal {
        /// A setting without which this terminal is known to drop it.
        hint: Option<&'static str>,
    },
    /// Nothing was copied.
    Refused {
        /// The reason.
        why: String,
        /// What to do instead.
        next: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    System,
    Osc52,
}

/// The system clipboard as far as we need it; real or a test's.
trait Board {
    fn set(&mut self, text: &str) -> Result<(), String>;
    fn get(&mut self) -> Option<Zeroizing<String>>;
    fn clear(&mut self) -> Result<(), String>;
}

type OpenBoard = fn() -> Result<Box<dyn Board>, String>;

/// Copies a value by the first way that works.
pub fn copy(value: &SecretValue, ways: Ways<'_>) -> CopyOutcome {
    copy_with(value, ways, open_system)
}

fn copy_with(
    value: &SecretValue,
    mut ways: Ways<'_>,
    open: impl FnOnce() -> Result<Box<dyn Board>, String> + Send + Clone + 'static,
) -> CopyOutcome {
    let mut refused = Vec::new();
    for way in ladder(ways.mode, ways.env) {
        match way {
            Way::System => match to_system(value, ways.clear_after, open.clone()) {
                Ok(holding) => return CopyOutcome::Copied { holding, clears_after: ways.clear_after },
                Err(why) => refused.push(why),
            },
            Way::Osc52 => match osc52::send(value, ways.env, ways.terminal.as_deref_mut()) {
                Ok(hint) => return CopyOutcome::SentToTerminal { hint },
                Err(why) => refused.push(why),
            },
        }
    }
    let next = "print it with `sealbox get NAME`, or write it to a file with `sealbox get NAME > file`";
    CopyOutcome::Refused { why: refused.join("; "), next: next.to_owned() }
}

fn ladder(mode: Mode, env: &dyn Fn(&str) -> Option<OsString>) -> Vec<Way> {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    match mode {
        Mode::System => vec![Way::System],
        Mode::Osc52 => vec![Way::Osc52],
        // over SSH a display is the other machine's, or a forwarded one that is not where the person pastes
        Mode::Auto if set("SSH_TTY") || set("SSH_CONNECTION") => vec![Way::Osc52],
        Mode::Auto if set("DISPLAY") || set("WAYLAND_DISPLAY") || cfg!(target_os = "macos") => {
            vec![Way::System, Way::Osc52]
        }
        Mode::Auto => vec![Way::Osc52],
    }
}

fn to_system(
    value: &SecretValue,
    clear_after: Option<Duration>,
    open: impl FnOnce() -> Result<Box<dyn Board>, String> + Send + 'static,
) -> Result<Holding, String> {
    let text = value.expose_text().ok_or("the value is not text, which a system clipboard needs")?;
    Holding::start(Zeroizing::new(text.to_owned()), clear_after, open)
}

#[cfg(feature = "clipboard")]
fn open_system() -> Result<Box<dyn Board>, String> {
    system::open()
}

#[cfg(not(feature = "clipboard"))]
fn open_system() -> Result<Box<dyn Board>, String> {
    Err("this build has no system clipboard".to_owned())
}

const _: OpenBoard = open_system;

#[cfg(test)]
mod tests {
    use super::*;

    struct Taken;

    impl Board for Taken {
        fn set(&mut self, _: &str) -> Result<(), String> {
            Ok(())
        }
        fn get(&mut self) -> Option<Zeroizing<String>> {
            None
        }
        fn clear(&mut self) -> Result<(), String> {
            Ok(())
        }
    }

    fn works() -> Result<Box<dyn Board>, String> {
        Ok(Box::new(Taken))
    }

    fn fails() -> Result<Box<dyn Board>, String> {
        Err("no display".to_owned())
    }

    fn run(mode: Mode, vars: &[(&str, &str)], tty: bool, value: &[u8], open: OpenBoard) -> (String, Vec<u8>) {
        let mut written = Vec::new();
        let env =
            |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let terminal: Option<&mut dyn Write> = if tty { Some(&mut written) } else { None };
        let ways = Ways { mode, env: &env, terminal, clear_after: None };
        let told = match copy_with(&SecretValue::new(value.to_vec()).unwrap(), ways, open) {
            CopyOutcome::Copied { .. } => "copied".to_owned(),
            CopyOutcome::SentToTerminal { hint } => format!("sent {}", hint.unwrap_or_default()),
            CopyOutcome::Refused { why, next } => format!("refused {why} | {next}"),
        };
        (told, written)
    }

    const DESK: (&str, &str) = ("DISPLAY", ":0");
    const TERM: (&str, &str) = ("TERM", "xterm-256color");

    #[test]
    fn at_a_desk_the_system_clipboard_is_used_and_the_terminal_is_left_alone() {
        let (told, written) = run(Mode::Auto, &[DESK, TERM], true, b"s3cret", works);
        assert_eq!((told.as_str(), written.len()), ("copied", 0));
    }

    #[test]
    fn over_ssh_and_without_a_display_the_terminal_is_used() {
        for vars in
            [&[DESK, TERM, ("SSH_TTY", "/dev/pts/3")][..], &[DESK, TERM, ("SSH_CONNECTION", "1 2")], &[TERM]]
        {
            let (told, written) = run(Mode::Auto, vars, true, b"s3cret", works);
            assert!(told.starts_with("sent") && written.starts_with(b"\x1b]52;c;"), "{told}");
        }
    }

    #[test]
    fn the_terminal_is_the_second_choice_only_where_that_is_allowed() {
        assert!(run(Mode::Auto, &[DESK, TERM], true, b"x", fails).0.starts_with("sent"));
        let (told, written) = run(Mode::System, &[DESK, TERM], true, b"x", fails);
        assert!(told.starts_with("refused no display") && written.is_empty(), "{told}");
        assert!(run(Mode::Osc52, &[DESK, TERM], true, b"x", works).0.starts_with("sent"));
    }

    #[test]
    fn without_any_way_the_refusal_says_why_and_what_next() {
        let (told, _) = run(Mode::Auto, &[DESK, TERM], false, b"x", fails);
        assert!(told.contains("no display; ") && told.contains("no terminal"), "{told}");
        assert!(told.contains("sealbox get NAME"), "{told}");
    }

    #[test]
    fn bytes_that_are_not_text_go_to_a_terminal_but_not_to_a_system_clipboard() {
        assert!(run(Mode::System, &[DESK], true, &[0xff], works).0.contains("not text"));
        assert!(run(Mode::Osc52, &[TERM], true, &[0xff], works).0.starts_with("sent"));
    }
}
