//! The case without a terminal: the program is our child, in our own process group, with a pipe for each output.
//!
//! Owns the passing on of signals. The program is in the same group as we are, so what the terminal or a shell sends to
//! the group (Ctrl-C, Ctrl-Z, the size) has reached it already; only what came to us alone is passed on. If stdout and
//! stderr of ours are one file, the program gets one pipe for both, so that the order of its lines stays.

use crate::platform::process::pump::{self, Kind, Pumps};
use crate::platform::process::signals::Arrived;
use crate::platform::process::{Ending, Filter, Launch, RunError, Signals, StartError, reap, start};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};

/// Makes one filter for each stream.
pub(super) type Filters<'a> = &'a dyn Fn() -> Box<dyn Filter>;

/// One stream to be carried.
pub(super) struct Stream {
    pub(super) from: OwnedFd,
    pub(super) to: BorrowedFd<'static>,
}

/// Runs the program to its end, with its output filtered if there are filters.
pub(super) fn run(
    launch: &Launch,
    mut signals: Signals,
    filters: Option<Filters<'_>>,
) -> Result<Ending, RunError> {
    let begin = |mut command: Command| {
        let streams = if filters.is_some() { outputs(&mut command)? } else { Vec::new() };
        let child = start::spawn(&mut command).map_err(|source| StartError::new(launch, source))?;
        Ok((streams, child)) // the command ends here, and with it our own ends of the pipes' writing sides
    };
    let (streams, child) = match begin(launch.command()) {
        Err(RunError::Start(error)) if error.is_script() => begin(launch.script())?,
        begun => begun?,
    };
    let program = pid_of(&child)?;
    let (ended, program_runs) = pipe().map_err(RunError::system("make a pipe"))?;
    let pumps = Pumps::start(streams, filters, ended);
    let ending = attend(program, &mut signals)?;
    drop(program_runs);
    pumps.end(ending)
}

/// Gives the command its outputs; the streams to carry.
fn outputs(command: &mut Command) -> Result<Vec<Stream>, RunError> {
    let (out, err) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    let (out_kind, err_kind) = (pump::kind(out), pump::kind(err));
    let mut streams = Vec::new();
    let failed = || RunError::system("make a pipe");
    if out_kind != Kind::Nowhere {
        let (from, into) = pipe().map_err(failed())?;
        streams.push(Stream { from, to: out });
        if out_kind == err_kind {
            let also = into.try_clone().map_err(failed())?;
            command.stderr(Stdio::from(also));
        }
        command.stdout(Stdio::from(into));
    }
    if err_kind != Kind::Nowhere && err_kind != out_kind {
        let (from, into) = pipe().map_err(failed())?;
        streams.push(Stream { from, to: err });
        command.stderr(Stdio::from(into));
    }
    Ok(streams)
}

/// A pipe that no other program inherits; larger than usual where the system lets us, for fewer turns.
pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (from, into) = io::pipe()?;
    let (from, into) = (OwnedFd::from(from), OwnedFd::from(into));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::pipe::fcntl_setpipe_size(&from, 256 << 10);
    Ok((from, into))
}

pub(super) fn pid_of(child: &std::process::Child) -> Result<Pid, RunError> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| RunError::system("start a program")(io::ErrorKind::InvalidData.into()))
}

/// Passes signals on until the program has ended.
fn attend(program: Pid, signals: &mut Signals) -> Result<Ending, RunError> {
    // what came before the program was there has not reached it, whoever sent it
    let mut all = true;
    loop {
        let arrived = signals.arrived();
        for signal in arrived.iter().filter(|arrived| all || reached_us_alone(arrived)) {
            if signal.signal != Signal::CHILD {
                let _ = kill_process(program, signal.signal);
            }
        }
        all = false;
        if arrived.iter().any(|arrived| arrived.signal == Signal::CHILD)
            && let Some(ending) = reap::collect(program)
        {
            return Ok(ending);
        }
        let mut watched = [PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
        match poll(&mut watched, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(RunError::system("wait for the program")(errno.into())),
        }
    }
}

/// The terminal sends these to its whole foreground group; a second one would mean "really stop now" to many programs.
/// A hang-up is passed on in any case: to us alone it comes if we lead the session.
fn reached_us_alone(arrived: &Arrived) -> bool {
    let by_terminal = [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::WINCH];
    !(arrived.by_kernel && by_terminal.contains(&arrived.signal))
}
