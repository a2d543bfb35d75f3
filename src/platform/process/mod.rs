//! Running another program with secrets in its environment, and standing between it and our own streams.
//!
//! Owns what belongs to the system: which variables the program gets, how it is started, signals, exit codes, pipes, and
//! the terminal. It does not know where values come from or how they are recognised in the output: the caller hands in a
//! [`Filter`] for each stream. Two cases, chosen by the caller's own streams:
//!
//! * **Pipes** (`pipes`): neither stdout nor stderr is a terminal. The program is our direct child in our own process
//!   group; a thread for each stream reads, filters and writes.
//! * **Terminal** (`terminal`): stdout or stderr is one. The program gets a pseudo-terminal of its own. Job control
//!   needs a parent in the program's session, so a second process of ours, the `monitor`, leads that session; a third,
//!   the launcher, becomes the program. Only the launcher ever receives the values, over a socket, just before `exec`.
//!
//! Invariant: nothing is spawned with a value in its environment or arguments but the program itself.

pub mod environment;
mod messages;
mod monitor;
mod outer;
mod pipes;
mod pty;
mod pump;
mod reap;
pub mod secret_files;
mod signals;
mod start;
mod terminal;

pub use reap::Ending;
pub use secret_files::SecretFiles;
pub use signals::Signals;
pub use start::{Launch, StartError, Variable, become_program};

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

/// One stream's filter: takes what the program wrote, gives what may be shown.
pub trait Filter: Send {
    /// Takes a piece; appends to `out` what may be shown by now.
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>);
    /// Nothing came for a moment: appends what need not be held any longer.
    fn settle(&mut self, out: &mut Vec<u8>);
    /// The stream has ended: appends the rest.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// Why a program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The program ran, and a stream of ours did not take all that it printed.
    #[error("cannot pass on what the program printed: {source}")]
    Output {
        /// How the program ended.
        ending: Ending,
        /// What the system said: no space left, above all.
        source: io::Error,
    },
    /// The system refused what stands around the program: a pipe, a pseudo-terminal, a signal handler.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl RunError {
    fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

/// Runs a program to its end with its output filtered. `signals` were watched since before anything was prepared, so
/// that a signal that came meanwhile reaches the program. `filter` makes one filter for each stream.
pub fn run(
    launch: &Launch,
    signals: Signals,
    filter: &dyn Fn() -> Box<dyn Filter>,
) -> Result<Ending, RunError> {
    if terminal::applies() {
        terminal::run(launch, signals, filter)
    } else {
        pipes::run(launch, signals, Some(filter))
    }
}

/// Runs a program to its end on our own streams, unfiltered.
pub fn attend(launch: &Launch, signals: Signals) -> Result<Ending, RunError> {
    pipes::run(launch, signals, None)
}

/// The first argument of the processes that this room starts for itself.
const HIDDEN: &str = "__run";

/// If this process was started by this room for itself, does that part; `args` are the whole command line. Such a
/// process reads no setting, opens no vault and prints nothing.
pub fn hidden_part(args: &[OsString]) -> Option<ExitCode> {
    if args.get(1)? != HIDDEN {
        return None;
    }
    Some(monitor::part(args.get(2)?.to_str()?, args.get(3)))
}
