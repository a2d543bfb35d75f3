//! Starting the helper process of `holder`, and everything else that copying does outside of this process.
//!
//! The value goes to the helper through a pipe, never through its arguments or environment; it gets the few variables
//! that its task needs, and no file of ours stays open in it. `Outside` is what tests replace.

use super::holder::{COMMAND, HELD, Job, Task};
use super::ticket::Ticket;
use super::tool::{self, Tool, ToolFailed};
use crate::domain::{SecretValue, printable};
use crate::platform::{ourselves, process::environment, tty};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

/// A helper or a display server that says nothing for this long is treated as absent.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What copying does outside of this process.
pub(super) trait Outside {
    /// Lets a helper own the system clipboard.
    fn hold(&self, value: &SecretValue, after: Option<Duration>, once: bool) -> Result<Held, String>;
    /// Lets a helper clear another clipboard later.
    fn clear_later(&self, task: Task, after: Duration) -> Result<(), String>;
    /// Makes this copy the newest of its place.
    fn ticket(&self, env: &dyn Fn(&str) -> Option<OsString>) -> Option<Ticket>;
    /// Runs a program for a moment.
    fn tool(&self, tool: Tool<'_>) -> Result<Vec<u8>, ToolFailed>;
}

/// A helper that owns the system clipboard. Dropping this ends nothing: it goes on by itself.
pub struct Held(Option<ChildStdout>);

impl Held {
    /// True once it has ended: cleared, pasted once, or replaced by what somebody else copied. Does not block.
    pub fn is_over(&self) -> bool {
        let Some(pipe) = &self.0 else { return false };
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
    }

    #[cfg(test)]
    pub(super) fn pretended() -> Self {
        Self(None)
    }
}

/// The real outside.
pub(super) struct Real;

impl Outside for Real {
    fn hold(&self, value: &SecretValue, after: Option<Duration>, once: bool) -> Result<Held, String> {
        let job = Job { task: Task::System { once }, after };
        start(&job, Some(value)).map(|pipe| Held(Some(pipe)))
    }

    fn clear_later(&self, task: Task, after: Duration) -> Result<(), String> {
        start(&Job { task, after: Some(after) }, None).map(drop)
    }

    fn ticket(&self, env: &dyn Fn(&str) -> Option<OsString>) -> Option<Ticket> {
        Ticket::draw(env)
    }

    fn tool(&self, tool: Tool<'_>) -> Result<Vec<u8>, ToolFailed> {
        tool::run(tool)
    }
}

/// What a task needs to know of our environment.
fn environment(task: &Task) -> Vec<(OsString, OsString)> {
    let names: &[&str] = match task {
        Task::System { .. } => &["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "HOME"],
        Task::Terminal { .. } => &[],
        Task::Tmux { .. } => {
            &["TMUX", "TMUX_PANE", "TMUX_TMPDIR", "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE"]
        }
        Task::Command { .. } => {
            // The person's own program may need anything; what is ours it never needs.
            return std::env::vars_os().filter(|(name, _)| !environment::has_our_prefix(name)).collect();
        }
    };
    names.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect()
}

/// Starts a helper and waits until it says that it is in place; the answer is the pipe that closes when it ends.
fn start(job: &Job, value: Option<&SecretValue>) -> Result<ChildStdout, String> {
    let failed = |what: &str, e: io::Error| format!("the clipboard helper {what}: {e}");
    let mut child = spawn(job, value).map_err(|e| failed("cannot be started", e))?;
    let fed = match (child.stdin.take(), value) {
        (Some(mut pipe), Some(value)) => pipe.write_all(value.expose()),
        _ => Ok(()),
    };
    let report = child.stdout.take();
    let said =
        report.ok_or_else(|| "the clipboard helper does not answer".to_owned()).and_then(|mut report| {
            let said = ourselves::first_line(&mut report, ANSWER_WITHIN).map_err(unheard)?;
            Ok((report, said))
        });
    if said.is_err() {
        let _ = child.kill(); // it hangs, and would hold the value for as long as the display does
    }
    ourselves::reap_in_the_end(child, "clipboard's end");
    let (report, said) = said?;
    match said.as_str() {
        HELD => fed.map(|()| report).map_err(|e| failed("did not take the value", e)),
        "" => Err("the clipboard helper ended at once".to_owned()),
        why => Err(printable::line(why)),
    }
}

fn spawn(job: &Job, value: Option<&SecretValue>) -> io::Result<Child> {
    let stdin = match (&job.task, value) {
        (_, Some(_)) => Stdio::piped(),
        (Task::Terminal { .. }, None) => tty::open()?.into(),
        _ => Stdio::null(),
    };
    let mut command = ourselves::command();
    command.arg(COMMAND).args(job.to_args());
    command.env_clear().envs(environment(&job.task)).current_dir("/");
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// Why nothing was heard of it.
fn unheard(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut => "the system clipboard does not answer".to_owned(),
        _ => format!("the clipboard helper does not answer: {error}"),
    }
}
