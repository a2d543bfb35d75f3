//! The helper process: it holds the system clipboard, or clears another one when its time has come, and ends.
//!
//! It is this program, started again by `helper`; it opens no vault and has no key. The one value that it may hold comes
//! in on stdin. What it is to do stands in its arguments, which hold no value. Its death is the clearing: a selection
//! dies with its owner, so that even `kill -9` leaves nothing behind.

use super::deadline::Deadline;
use super::helper::{Outside, Real};
use super::osc52::{self, Wrapping};
use super::ticket::Ticket;
use super::tmux;
use super::tool::Tool;
use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;
use zeroize::Zeroizing;

/// The hidden command that this program is started with.
pub const COMMAND: &str = "clipboard-holder";
/// What the helper says once the value is there, or once it waits for the time to clear.
pub(super) const HELD: &str = "held";

/// What a helper is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// Own the system clipboard with the text from stdin.
    System { once: bool },
    /// Ask the terminal on stdin to empty its clipboard.
    Terminal { wrappings: Vec<Wrapping>, ticket: Option<Ticket> },
    /// Delete a paste buffer.
    Tmux { buffer: String, passed_on: bool },
    /// Run the person's program with nothing on its stdin.
    Command { argv: Vec<String>, ticket: Option<Ticket> },
}

/// A task and its time; `None` never comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) after: Option<Duration>,
}

impl Job {
    /// As arguments, without the command itself. They hold no value.
    pub(super) fn to_args(&self) -> Vec<OsString> {
        let after = self.after.map_or_else(|| "never".to_owned(), |time| time.as_millis().to_string());
        let mut args: Vec<OsString> = Vec::new();
        let claim = |ticket: &Option<Ticket>| match ticket {
            Some(ticket) => [ticket.file.clone().into_os_string(), OsString::from(&ticket.token)],
            None => [OsString::new(), OsString::new()],
        };
        match &self.task {
            Task::System { once } => {
                args.extend(["system", &after, if *once { "once" } else { "many" }].map(OsString::from));
            }
            Task::Terminal { wrappings, ticket } => {
                let words: Vec<&str> = wrappings.iter().map(Wrapping::word).collect();
                args.extend(["terminal", &after, &words.join(",")].map(OsString::from));
                args.extend(claim(ticket));
            }
            Task::Tmux { buffer, passed_on } => {
                let passed = if *passed_on { "passed" } else { "kept" };
                args.extend(["tmux", &after, buffer, passed].map(OsString::from));
            }
            Task::Command { argv, ticket } => {
                args.extend(["command", &after].map(OsString::from));
                args.extend(claim(ticket));
                args.extend(argv.iter().map(OsString::from));
            }
        }
        args
    }

    /// The other way round; `None` for anything that [`Job::to_args`] does not make.
    pub(super) fn from_args(args: &[OsString]) -> Option<Self> {
        let (kind, args) = args.split_first()?;
        let (after, args) = args.split_first()?;
        let after = match after.to_str()? {
            "never" => None,
            ms => Some(Duration::from_millis(ms.parse().ok()?)),
        };
        let claim = |file: &OsString, token: &OsString| {
            let token = token.to_str()?.to_owned();
            Some((!token.is_empty()).then(|| Ticket { file: file.into(), token }))
        };
        let task = match (kind.to_str()?, args) {
            ("system", [times]) => Task::System { once: times == "once" },
            ("terminal", [words, file, token]) => Task::Terminal {
                wrappings: words.to_str()?.split(',').map(Wrapping::parse).collect::<Option<_>>()?,
                ticket: claim(file, token)?,
            },
            ("tmux", [buffer, passed]) => {
                Task::Tmux { buffer: buffer.to_str()?.to_owned(), passed_on: passed == "passed" }
            }
            ("command", [file, token, argv @ ..]) => Task::Command {
                argv: argv.iter().map(|arg| arg.to_str().map(str::to_owned)).collect::<Option<_>>()?,
                ticket: claim(file, token)?,
            },
            _ => return None,
        };
        Some(Self { task, after })
    }
}

/// Does what the arguments say, until the clipboard is cleared or has gone to somebody else. `report` is given one line
/// as soon as the value is there, or why it is not; if nobody listens any more, the helper ends.
///
/// # Errors
/// What went wrong before the report, which has been told there too.
pub fn run(args: &[OsString], report: &mut dyn FnMut(&str) -> bool) -> Result<(), String> {
    let Some(job) = Job::from_args(args) else {
        return Err("sealbox starts this by itself; it is of no use by hand".to_owned());
    };
    // Away from the terminal: neither Ctrl-C there nor its closing ends this early.
    crate::platform::harden::detach();
    let deadline = Deadline::after(job.after);
    let ended = match job.task {
        Task::System { once } => system(once, &deadline, report),
        task => {
            if report(HELD) && deadline.wait(None).is_ok() {
                clear(&task);
            }
            Ok(())
        }
    };
    if let Err(why) = &ended {
        report(why);
    }
    ended
}

fn system(once: bool, deadline: &Deadline, report: &mut dyn FnMut(&str) -> bool) -> Result<(), String> {
    let longest = crate::domain::value::MAX_VALUE;
    let mut text = Zeroizing::new(Vec::with_capacity(longest + 1)); // never grows, so no copy is left behind
    let read = io::stdin().lock().take(longest as u64 + 1).read_to_end(&mut text);
    read.map_err(|e| format!("the value did not arrive: {e}"))?;
    if std::str::from_utf8(&text).is_err() {
        return Err("the value is not text, which a system clipboard needs".to_owned());
    }
    own(text, once, deadline, report)
}

#[cfg(all(feature = "clipboard", unix, not(target_os = "macos")))]
fn own(
    text: Zeroizing<Vec<u8>>,
    once: bool,
    deadline: &Deadline,
    report: &mut dyn FnMut(&str) -> bool,
) -> Result<(), String> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut why = Vec::new();
    if set("WAYLAND_DISPLAY") {
        match super::wayland::Selection::take(&text, once) {
            Ok(selection) => {
                drop(text);
                if report(HELD) {
                    selection.keep(deadline);
                }
                return Ok(());
            }
            Err(e) => why.push(e),
        }
    }
    if set("DISPLAY") {
        match super::x11::Selection::take(text, once) {
            Ok(selection) => {
                if report(HELD) {
                    selection.keep(deadline);
                }
                return Ok(());
            }
            Err(e) => why.push(e),
        }
    }
    Err(if why.is_empty() { "there is no display".to_owned() } else { why.join("; ") })
}

#[cfg(all(feature = "clipboard", target_os = "macos"))]
fn own(
    text: Zeroizing<Vec<u8>>,
    _once: bool,
    deadline: &Deadline,
    report: &mut dyn FnMut(&str) -> bool,
) -> Result<(), String> {
    super::mac::own(&text, deadline, report)
}

#[cfg(not(feature = "clipboard"))]
fn own(
    _text: Zeroizing<Vec<u8>>,
    _once: bool,
    _deadline: &Deadline,
    _report: &mut dyn FnMut(&str) -> bool,
) -> Result<(), String> {
    Err("this build has no system clipboard".to_owned())
}

/// The time is over. Nobody is there to be told of a failure.
fn clear(task: &Task) {
    match task {
        Task::System { .. } => {}
        Task::Terminal { wrappings, ticket } => {
            if ticket.as_ref().is_none_or(Ticket::is_newest) {
                // stdin is the terminal. If that has been closed or given to somebody else since, the system has
                // hung this descriptor up, and the write goes nowhere.
                let _ = rustix::io::write(rustix::stdio::stdin(), &osc52::emptying(wrappings));
            }
        }
        Task::Tmux { buffer, passed_on } => tmux::forget(buffer, *passed_on, &Real),
        Task::Command { argv, ticket } => {
            if let Some((program, args)) = argv.split_first()
                && ticket.as_ref().is_none_or(Ticket::is_newest)
            {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let _ = Real.tool(Tool { program, args: &args, input: b"", keep_output: false });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_done_survives_the_way_through_arguments() {
        let ticket = Some(Ticket { file: "/run/user/0/sealbox/clipboard-here".into(), token: "1-2".into() });
        for task in [
            Task::System { once: true },
            Task::System { once: false },
            Task::Terminal { wrappings: vec![Wrapping::Plain, Wrapping::Tmux], ticket: ticket.clone() },
            Task::Terminal { wrappings: vec![Wrapping::Screen], ticket: None },
            Task::Tmux { buffer: "sealbox-1".into(), passed_on: true },
            Task::Command { argv: vec!["xclip".into(), "-i".into()], ticket },
            Task::Command { argv: vec!["pbcopy".into()], ticket: None },
        ] {
            for after in [None, Some(Duration::from_secs(30))] {
                let job = Job { task: task.clone(), after };
                assert_eq!(Job::from_args(&job.to_args()).as_ref(), Some(&job));
            }
        }
    }

    #[test]
    fn other_arguments_are_refused_and_nothing_is_reported() {
        for args in
            [&[][..], &["system"], &["system", "soon", "once"], &["terminal", "5", "carrier-pigeon", "", ""]]
        {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            assert!(run(&args, &mut |line| unreachable!("{line}")).is_err(), "{args:?}");
        }
    }
}
