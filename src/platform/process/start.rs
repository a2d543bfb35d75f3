//! Starting a program: its environment, its umask, and what it means when it cannot be started.
//!
//! Owns the last moment before `exec`. The program gets the caller's umask back (ours is 077), the default for SIGPIPE
//! and an empty signal mask (the standard library does both), and all of our own descriptors close. It does not get
//! core dumps back: a program that holds secrets must not leave them in a file.

use crate::domain::{SecretValue, printable};
use crate::platform::harden;
use rustix::fs::{Access, access};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

/// One variable for the program.
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; no NUL byte (see [`super::environment::check`]).
    pub value: SecretValue,
}

/// What is to be run.
pub struct Launch {
    /// As the caller wrote it: a path if it holds a `/`, else looked for in `PATH`.
    pub program: OsString,
    /// Its arguments, without its name.
    pub args: Vec<OsString>,
    /// Set over the inherited environment.
    pub set: Vec<Variable>,
    /// Removed from the inherited environment.
    pub unset: Vec<OsString>,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {program}: {source}")]
pub struct StartError {
    program: String,
    source: io::Error,
}

impl StartError {
    pub(super) fn new(launch: &Launch, source: io::Error) -> Self {
        Self { program: printable::line(&launch.program.to_string_lossy()), source }
    }

    /// The exit code that shells give: 127 if there is no such program, 126 if there is one that cannot be run.
    pub fn exit_code(&self) -> u8 {
        if self.source.kind() == ErrorKind::NotFound { 127 } else { 126 }
    }

    /// It is executable, and neither a program nor a script that says for what: shells and `exec` then run it with `sh`,
    /// starting a child does not.
    pub(super) fn is_script(&self) -> bool {
        self.source.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
    }
}

impl Launch {
    /// The names of our own variables, which [`Self::unset`] begins with.
    pub fn ours() -> Vec<OsString> {
        std::env::vars_os().map(|(name, _)| name).filter(|name| super::environment::is_ours(name)).collect()
    }

    pub(super) fn command(&self) -> Command {
        self.prepared(Command::new(&self.program))
    }

    /// The program as a script of `sh`.
    pub(super) fn script(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg(self.found().unwrap_or_else(|| PathBuf::from(&self.program)));
        self.prepared(command)
    }

    /// The file that a name without a `/` stands for.
    fn found(&self) -> Option<PathBuf> {
        if self.program.as_bytes().contains(&b'/') {
            return None;
        }
        let path = std::env::var_os("PATH")?;
        let may_run = |file: &PathBuf| file.is_file() && access(file, Access::EXEC_OK).is_ok();
        std::env::split_paths(&path).map(|folder| folder.join(&self.program)).find(may_run)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.args(&self.args);
        for name in &self.unset {
            command.env_remove(name);
        }
        for Variable { name, value } in &self.set {
            command.env(name, std::ffi::OsStr::from_bytes(value.expose()));
        }
        command
    }
}

/// Starts a command with the umask of our caller.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    let ours = rustix::process::umask(harden::callers_umask());
    let started = command.spawn();
    rustix::process::umask(ours);
    started
}

/// Becomes the program; comes back only with the reason why it could not.
pub fn become_program(launch: &Launch) -> StartError {
    StartError::new(launch, exec(&mut launch.command()))
}

pub(super) fn exec(command: &mut Command) -> io::Error {
    let ours = rustix::process::umask(harden::callers_umask());
    let error = command.exec();
    rustix::process::umask(ours);
    error
}
