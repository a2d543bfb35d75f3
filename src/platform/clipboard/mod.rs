//! Copying a secret to where the person is: the system clipboard at a desk, the terminal's own over SSH (SPEC R35-R37).
//!
//! Owns the choice of the way and the clearing afterwards; `holder` is the other half, the helper process that lives on.
//! It says only what is known: a terminal never confirms, so [`Place::Terminal`] is not "copied". The environment, the
//! terminal and the helpers are arguments. Nothing here ever reads a clipboard, and nothing is written without a terminal.
//! Known limit: display servers, compositors, tmux and terminals keep copies of their own, which we cannot wipe.

mod command;
mod deadline;
mod helper;
pub mod holder;
#[cfg(all(feature = "clipboard", target_os = "macos"))]
mod mac;
pub mod osc52;
mod outcome;
mod ticket;
mod tmux;
mod tool;
#[cfg(all(feature = "clipboard", unix, not(target_os = "macos")))]
mod wayland;
#[cfg(all(feature = "clipboard", unix, not(target_os = "macos")))]
mod x11;

pub use helper::Held;
pub use outcome::{Copied, CopyOutcome, Place};

use crate::domain::SecretValue;
use helper::Outside;
use holder::Task;
use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

/// Which ways a person allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The terminal over SSH and without a display, otherwise the system clipboard, and the terminal if that fails.
    Auto,
    /// The system clipboard only.
    System,
    /// The terminal only: tmux if we are in one, else OSC 52.
    Osc52,
    /// The program in [`Ways::command`] only.
    Command,
}

/// Where and how to copy.
pub struct Ways<'a> {
    /// What is allowed.
    pub mode: Mode,
    /// The program (and its arguments) that takes the value on its stdin, for [`Mode::Command`].
    pub command: &'a [String],
    /// Looks up one environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The controlling terminal, if there is one; never a pipe or a file.
    pub terminal: Option<&'a mut dyn Write>,
    /// Clear after this long; `None` never. Whole seconds.
    pub clear_after: Option<Duration>,
    /// Clear after the first paste already, where that can be known.
    pub once: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    System,
    Tmux,
    Osc52,
    Command,
}

/// Copies a value by the first way that works. Blocks for at most a few seconds, usually for milliseconds.
pub fn copy(value: &SecretValue, ways: Ways<'_>) -> CopyOutcome {
    copy_with(value, ways, &helper::Real)
}

fn copy_with(value: &SecretValue, mut ways: Ways<'_>, outside: &dyn Outside) -> CopyOutcome {
    let mut refused = Vec::new();
    for way in ladder(ways.mode, ways.env) {
        let done = match way {
            Way::System => to_system(value, &ways, outside),
            Way::Tmux => to_tmux(value, &ways, outside),
            Way::Osc52 => to_terminal(value, &mut ways, outside),
            Way::Command => to_command(value, &ways, outside),
        };
        match done {
            Ok(copied) => return CopyOutcome::Copied(copied),
            Err(why) => refused.push((way, why)),
        }
    }
    // What tmux said is a detail of the way through the terminal, which was tried as well.
    let whys: Vec<String> =
        refused.into_iter().filter(|(way, _)| *way != Way::Tmux).map(|(_, why)| why).collect();
    let next = match ways.mode {
        Mode::Command => {
            "set clipboard.command in config.toml to a program that takes the value on its stdin"
        }
        _ => "print it with `sealbox get NAME`, or write it to a file with `sealbox get NAME > file`",
    };
    CopyOutcome::Refused { why: whys.join("; "), next: next.to_owned() }
}

/// The ways that make sense here, best first.
fn ladder(mode: Mode, env: &dyn Fn(&str) -> Option<OsString>) -> Vec<Way> {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let mut ways = Vec::new();
    match mode {
        Mode::System => return vec![Way::System],
        Mode::Command => return vec![Way::Command],
        Mode::Osc52 => {}
        // over SSH a display is the other machine's, or a forwarded one that is not where the person pastes
        Mode::Auto if set("SSH_TTY") || set("SSH_CONNECTION") => {}
        Mode::Auto if set("DISPLAY") || set("WAYLAND_DISPLAY") || cfg!(target_os = "macos") => {
            ways.push(Way::System);
        }
        Mode::Auto => {}
    }
    if set("TMUX") {
        ways.push(Way::Tmux);
    }
    ways.push(Way::Osc52);
    ways
}

fn to_system(value: &SecretValue, ways: &Ways<'_>, outside: &dyn Outside) -> Result<Copied, String> {
    if value.expose_text().is_none() {
        return Err("the value is not text, which a system clipboard needs".to_owned());
    }
    let held = outside.hold(value, ways.clear_after, ways.once)?;
    Ok(Copied {
        place: Place::Clipboard,
        clears_after: ways.clear_after,
        once: ways.once,
        notes: Vec::new(),
        held: Some(held),
    })
}

fn to_tmux(value: &SecretValue, ways: &Ways<'_>, outside: &dyn Outside) -> Result<Copied, String> {
    if ways.terminal.is_none() {
        return Err("there is no terminal to send it to".to_owned());
    }
    let tmux::Loaded { buffer, passed_on, note } = tmux::load(value, ways.env, outside)?;
    let task = Task::Tmux { buffer, passed_on };
    Ok(cleared_later(Place::Tmux { passed_on }, note, ways, task, outside))
}

fn to_terminal(value: &SecretValue, ways: &mut Ways<'_>, outside: &dyn Outside) -> Result<Copied, String> {
    let osc52::Sent { wrappings, note } = osc52::send(value, ways.env, ways.terminal.as_deref_mut())?;
    let task = Task::Terminal { wrappings, ticket: outside.ticket(ways.env) };
    Ok(cleared_later(Place::Terminal, note, ways, task, outside))
}

fn to_command(value: &SecretValue, ways: &Ways<'_>, outside: &dyn Outside) -> Result<Copied, String> {
    let name = command::give(value, ways.command, outside)?;
    let task = Task::Command { argv: ways.command.to_vec(), ticket: outside.ticket(ways.env) };
    Ok(cleared_later(Place::Command(name), None, ways, task, outside))
}

/// Starts the helper that clears; what it cannot do becomes a note.
fn cleared_later(
    place: Place,
    note: Option<String>,
    ways: &Ways<'_>,
    task: Task,
    outside: &dyn Outside,
) -> Copied {
    let mut notes: Vec<String> = note.into_iter().collect();
    if ways.once {
        notes.push("a paste cannot be seen here, so --once changes nothing".to_owned());
    }
    let clears_after = ways.clear_after.filter(|after| match outside.clear_later(task, *after) {
        Ok(()) => true,
        Err(why) => {
            notes.push(format!("nothing will clear it: {why}"));
            false
        }
    });
    Copied { place, clears_after, once: false, notes, held: None }
}

#[cfg(test)]
mod tests;
