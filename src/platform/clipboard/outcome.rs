//! What is known after copying, and the true words for it, the same on the command line and in the TUI.
//!
//! Invariant: nothing here holds the value, and "copied" is said only of a clipboard that confirmed.

use super::Held;
use std::time::Duration;

/// Where the value went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The system clipboard, which has it.
    Clipboard,
    /// A paste buffer of tmux, which has it.
    Tmux {
        /// tmux was asked to send it to the person's terminal as well, which does not confirm.
        passed_on: bool,
    },
    /// The terminal, which does not say whether it took it.
    Terminal,
    /// The program that the settings name, which ended well. Its name is safe to show.
    Command(String),
}

/// A value that went somewhere.
pub struct Copied {
    /// Where to.
    pub place: Place,
    /// When it is cleared, counted from now; `None` never by us.
    pub clears_after: Option<Duration>,
    /// It is cleared after the first paste already.
    pub once: bool,
    /// A setting to change, or a limit; one sentence each, safe to show.
    pub notes: Vec<String>,
    /// The helper that owns the selection, to look whether it still does. Dropping it ends nothing.
    pub held: Option<Held>,
}

/// How copying ended.
pub enum CopyOutcome {
    /// The value went somewhere.
    Copied(Copied),
    /// Nothing was copied.
    Refused {
        /// The reason.
        why: String,
        /// What to do instead.
        next: String,
    },
}

impl Copied {
    /// A fixed word for the place, for scripts.
    pub fn way(&self) -> &'static str {
        match self.place {
            Place::Clipboard => "clipboard",
            Place::Tmux { .. } => "tmux",
            Place::Terminal => "terminal",
            Place::Command(_) => "command",
        }
    }

    /// True if the place itself said that it has the value.
    pub fn is_confirmed(&self) -> bool {
        matches!(self.place, Place::Clipboard | Place::Tmux { .. })
    }

    /// Where it is, for a countdown.
    pub fn place_words(&self) -> &'static str {
        match self.place {
            Place::Clipboard => "on the clipboard",
            Place::Tmux { .. } => "in tmux",
            Place::Terminal | Place::Command(_) => "sent",
        }
    }

    /// The same without the end of it, for a narrow line beside a countdown.
    pub fn short(&self, name: &str) -> String {
        match &self.place {
            Place::Clipboard => format!("copied {name}"),
            Place::Tmux { passed_on: true } => {
                format!("{name} is in tmux and sent to your terminal (it does not confirm)")
            }
            Place::Tmux { passed_on: false } => format!("{name} is in tmux's paste buffer only"),
            Place::Terminal => format!("sent {name} to your terminal (it does not confirm)"),
            Place::Command(program) => format!("gave {name} to {program}"),
        }
    }

    /// One sentence, without the notes. `name` is what was copied.
    pub fn sentence(&self, name: &str) -> String {
        let time = self.clears_after.map(|time| format!("{} s", time.as_secs()));
        match (&self.place, time, self.once) {
            (Place::Clipboard, Some(time), false) => {
                format!("copied {name}; the clipboard is cleared in {time}")
            }
            (Place::Clipboard, Some(time), true) => {
                format!("copied {name}; the clipboard is cleared after the first paste, or in {time}")
            }
            (Place::Clipboard, None, true) => {
                format!("copied {name}; the clipboard is cleared after the first paste")
            }
            (Place::Clipboard, None, false) => {
                format!("copied {name}; it stays until something else is copied")
            }
            (Place::Tmux { passed_on: true }, Some(time), _) => format!(
                "{name} is in tmux's paste buffer and sent to your terminal (it does not confirm); in {time} the buffer is deleted and the terminal asked to clear"
            ),
            (Place::Tmux { passed_on: true }, None, _) => format!(
                "{name} is in tmux's paste buffer and sent to your terminal (it does not confirm); nothing will clear it"
            ),
            (Place::Tmux { passed_on: false }, Some(time), _) => {
                format!(
                    "{name} is in tmux's paste buffer only, not on your terminal's clipboard; deleted in {time}"
                )
            }
            (Place::Tmux { passed_on: false }, None, _) => {
                format!(
                    "{name} is in tmux's paste buffer only, not on your terminal's clipboard; it stays there"
                )
            }
            (Place::Terminal, Some(time), _) => format!(
                "sent {name} to your terminal (it does not confirm); it is asked to clear its clipboard in {time}"
            ),
            (Place::Terminal, None, _) => {
                format!("sent {name} to your terminal (it does not confirm); nothing will clear it")
            }
            (Place::Command(program), Some(time), _) => {
                format!("gave {name} to {program}, which is given nothing in {time}, to clear it")
            }
            (Place::Command(program), None, _) => {
                format!("gave {name} to {program}; nothing will clear it")
            }
        }
    }
}
