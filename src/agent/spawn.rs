//! Starting an agent and ending one.
//!
//! An agent is this program again, with a hidden subcommand, in a session and folder of its own and with an environment that
//! holds nothing but what it needs: no token, no passphrase, nothing that loads code. It says one word on a pipe when it can
//! be reached and lets go of every stream.

use super::client::Client;
use super::error::AgentError;
use super::protocol::{Hello, Limits, MAX_HELLO, Welcome, frame, receive, send};
use super::socket;
use crate::platform::{ourselves, paths::VaultPaths};
use std::{
    ffi::OsString,
    process::Stdio,
    time::{Duration, Instant},
};

/// How long it may take until an agent can be reached or has ended.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one that is asked to stop may take to answer before a signal says it again.
const ORDERLY: Duration = Duration::from_secs(3);
/// What an agent keeps of the environment. Folders and limits are arguments: the vault must not depend on a variable.
const KEPT: [&str; 4] = ["HOME", "PATH", "TMPDIR", "LANG"];
/// To glibc's allocator: what a large request needed for a moment (an import, a backup) goes back to the system. Left to
/// itself it learns to keep blocks of up to 32 MiB. Other allocators ignore these.
const FRUGAL: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "131072")];
const READY: &str = "ready";
const TAKEN: &str = "taken";

/// What an agent is started with.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The vault.
    pub paths: VaultPaths,
    /// Lock after this long without activity.
    pub idle_lock: Option<Duration>,
    /// Lock after this long in any case.
    pub max_unlocked: Option<Duration>,
    /// Refuse to read a value when that cannot be written into the read log.
    pub audit_required: bool,
}

impl Terms {
    /// What every greeting says of them.
    pub(super) fn limits(&self) -> Limits {
        let ms =
            |limit: Option<Duration>| limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        Limits {
            idle_ms: ms(self.idle_lock),
            max_ms: ms(self.max_unlocked),
            audit_required: self.audit_required,
        }
    }

    /// The command line of the hidden subcommand; `sealbox agent serve` reads it.
    fn arguments(&self) -> Vec<OsString> {
        let time =
            |limit: Option<Duration>| limit.map_or("off".to_owned(), |limit| format!("{}s", limit.as_secs()));
        let paths = &self.paths;
        let mut arguments: Vec<OsString> = ["agent", "serve"].map(OsString::from).into();
        for (flag, value) in [
            ("--data", paths.data.as_os_str().to_owned()),
            ("--state", paths.state.as_os_str().to_owned()),
            ("--config", paths.config.as_os_str().to_owned()),
            ("--runtime", paths.runtime.as_os_str().to_owned()),
            ("--lock-idle", time(self.idle_lock).into()),
            ("--lock-max", time(self.max_unlocked).into()),
        ] {
            arguments.push(flag.into());
            arguments.push(value);
        }
        if self.audit_required {
            arguments.push("--audit-required".into());
        }
        arguments
    }
}

/// The agent of this vault, locked or not: the one that runs, or a new one. An agent of another version is ended first.
///
/// # Errors
/// [`AgentError`] if there is none and none can be started.
pub fn ensure(terms: &Terms) -> Result<Client, AgentError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match Client::reach(&terms.paths, Some(terms.limits())) {
            Err(AgentError::Absent) => {}
            Err(AgentError::OtherVersion { .. }) => {
                stop(&terms.paths)?;
            }
            Err(AgentError::Broken(_)) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(10)); // it is just ending
                continue;
            }
            other => return other,
        }
        match start(terms) {
            Ok(()) => {}
            // Somebody else is starting one, or the old one is just ending.
            Err(AgentError::Taken) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error),
        }
        if Instant::now() > until {
            return Err(AgentError::NotStarted("it cannot be reached".to_owned()));
        }
    }
}

/// Starts one, and returns when it can be reached.
fn start(terms: &Terms) -> Result<(), AgentError> {
    let failed = |error: std::io::Error| AgentError::NotStarted(error.to_string());
    socket::make_folder(&terms.paths)?; // say what is wrong with it here, where somebody listens
    let mut child = spawn(terms).map_err(failed)?;
    let said = match child.stdout.take() {
        Some(mut pipe) => ourselves::first_line(&mut pipe, PATIENCE).unwrap_or_default(),
        None => String::new(),
    };
    ourselves::reap_in_the_end(child, "agent's end");
    match said.trim() {
        READY => Ok(()),
        TAKEN => Err(AgentError::Taken),
        "" => Err(AgentError::NotStarted("it said nothing".to_owned())),
        other => Err(AgentError::NotStarted(other.to_owned())),
    }
}

fn spawn(terms: &Terms) -> std::io::Result<std::process::Child> {
    let kept = KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    ourselves::command()
        .args(terms.arguments())
        .env_clear()
        .envs(kept)
        .envs(FRUGAL)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// The new process, before anything: on its own, with nothing open but its three streams.
pub fn detach() {
    crate::platform::harden::detach();
}

/// The new process, when it can be reached or cannot be: says so to whoever started it, and lets go of its streams.
pub fn report(outcome: &Result<(), AgentError>) {
    let word = match outcome {
        Ok(()) => READY.to_owned(),
        Err(AgentError::Taken) => TAKEN.to_owned(),
        Err(error) => error.to_string(),
    };
    let _ = rustix::io::write(rustix::stdio::stdout(), format!("{word}\n").as_bytes()); // nobody may wait for it
    if let Ok(nowhere) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&nowhere);
        let _ = rustix::stdio::dup2_stdout(&nowhere);
        let _ = rustix::stdio::dup2_stderr(&nowhere);
    }
}

/// Ends the agent of this vault, whatever its version: it wipes its keys first. Says its process; `None` if there was none.
/// One that does not answer (stopped, or kept busy by too many connections) is ended by signals: keys that somebody wants
/// gone must not stay because their holder is deaf.
///
/// # Errors
/// [`AgentError`] if it cannot be asked, or does not end.
pub fn stop(paths: &VaultPaths) -> Result<Option<u32>, AgentError> {
    match ask_to_stop(paths) {
        Err(error @ (AgentError::Silent | AgentError::Broken(_))) => match end_by_signal(paths) {
            Some(pid) => Ok(Some(pid)),
            None if socket::holder(paths).is_none() => Ok(None), // it was ending by itself
            None => Err(error),
        },
        other => other,
    }
}

fn ask_to_stop(paths: &VaultPaths) -> Result<Option<u32>, AgentError> {
    let stream = match socket::connect(paths) {
        Err(AgentError::Absent) => return Ok(None),
        other => other?,
    };
    send(&stream, &frame(&Hello::new(&paths.data, true))?).map_err(AgentError::Broken)?;
    let welcome = receive(&stream, MAX_HELLO, ORDERLY, None)?.ok_or_else(AgentError::closed)?;
    let pid = Welcome::parse(&welcome).ok_or(AgentError::NotAnAgent)?.pid;
    // Its end closes the connection.
    match receive(&stream, MAX_HELLO, PATIENCE, None) {
        Ok(None) | Err(AgentError::Broken(_)) => Ok(Some(pid)),
        _ => Err(AgentError::Silent),
    }
}

/// SIGTERM, upon which it wipes and ends as if asked to; if nothing comes of that, SIGKILL. Says which process has ended.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn end_by_signal(paths: &VaultPaths) -> Option<u32> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let pid = socket::holder(paths)?;
    let process = pidfd_open(Pid::from_raw(i32::try_from(pid).ok()?)?, PidfdFlags::empty()).ok()?;
    // Still the holder after it was opened: the number means the agent and nobody who got it later.
    if socket::holder(paths) != Some(pid) {
        return None;
    }
    for (signal, patience) in [(Signal::TERM, PATIENCE), (Signal::KILL, ORDERLY)] {
        pidfd_send_signal(&process, signal).ok()?;
        let until = Instant::now() + patience;
        while let Ok(left) = Timespec::try_from(until.saturating_duration_since(Instant::now())) {
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)) {
                Ok(1..) => return Some(pid),
                Err(rustix::io::Errno::INTR) => {}
                _ => break,
            }
        }
    }
    None
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn end_by_signal(_paths: &VaultPaths) -> Option<u32> {
    None
}
