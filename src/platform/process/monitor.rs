//! The processes that stand between us and a program in its own terminal: the monitor, the launcher, and a moment's
//! helper. Each is this binary started again, with a socket as its standard input.
//!
//! The **monitor** leads the session of the program's terminal. A program can only be stopped by Ctrl-Z if its parent is
//! in its session, and only that parent learns of it; so the monitor starts it, waits for it, reports, and takes orders.
//! It never receives a value. The **launcher** waits until it is the terminal's foreground group, receives the parcel,
//! and becomes the program. The **hand-over** takes the terminal back from the program's group: only a member of the
//! foreground group may do that without being stopped for it.

use crate::platform::process::messages::{self, LEN, Order, Report};
use crate::platform::process::{HIDDEN, reap::Ending, signals, start};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpgrp, ioctl_tiocsctty, kill_process,
    kill_process_group, setsid, test_kill_process_group, waitid, waitpid,
};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp,
};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const MONITOR: &str = "monitor";
const LAUNCHER: &str = "launcher";
const HAND_OVER: &str = "hand-over";

/// A command that starts this binary again as one of the parts.
fn ourselves(part: &str) -> Command {
    let mut command = crate::platform::ourselves::command();
    command.arg(HIDDEN).arg(part);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts a monitor that takes its orders from this socket.
pub(super) fn start(orders: UnixStream) -> io::Result<std::process::Child> {
    start::spawn(ourselves(MONITOR).stdin(Stdio::from(OwnedFd::from(orders))))
}

/// Does one part; the exit code says nothing that is not also said over the socket.
pub(super) fn part(name: &str, argument: Option<&OsString>) -> ExitCode {
    let done = match name {
        MONITOR => monitor(),
        LAUNCHER => launcher(),
        HAND_OVER => hand_over(argument),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// Our standard input, which is a socket if we were started by ourselves.
fn socket() -> io::Result<UnixStream> {
    let stdin = rustix::stdio::stdin();
    rustix::net::sockopt::socket_type(stdin)?;
    Ok(UnixStream::from(rustix::io::fcntl_dupfd_cloexec(stdin, 3)?))
}

fn launcher() -> io::Result<()> {
    let socket = socket()?;
    let (launch, [stdin, stdout, stderr]) = messages::receive_parcel(&socket)?;
    let mut command = launch.command();
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    // comes back only if it failed; if not, the socket closes without a word
    let error = start::exec(&mut command);
    let number = error.raw_os_error().unwrap_or(rustix::io::Errno::NOENT.raw_os_error());
    (&socket).write_all(&number.to_be_bytes())
}

/// Gives the terminal on standard input to a group, as a member of the one that has it.
fn hand_over(group: Option<&OsString>) -> io::Result<()> {
    let group = group.and_then(|text| text.to_str()?.parse().ok()).and_then(Pid::from_raw);
    Ok(tcsetpgrp(rustix::stdio::stdin(), group.ok_or(io::ErrorKind::InvalidInput)?)?)
}

fn monitor() -> io::Result<()> {
    let socket = socket()?;
    signals::outlive_hang_up();
    let report = |report: Report| (&socket).write_all(&report.to_bytes());
    let (program, callers) = match prepare(&socket) {
        Ok(prepared) => prepared,
        Err(error) => return report(Report::Failed(error.raw_os_error().unwrap_or(0))),
    };
    report(Report::Ready)?;
    let program = Arc::new(program);
    let reports = socket.try_clone()?;
    let watched = Arc::clone(&program);
    std::thread::spawn(move || watched.watch(reports));
    let (mut order, mut raw) = ([0; LEN], false);
    // until the other end is closed: because everything has been read, or because our parent is gone
    while (&socket).read_exact(&mut order).is_ok() {
        match Order::from_bytes(order) {
            Some(Order::Raw(now)) => raw = now,
            Some(order) => program.obey(order),
            None => {}
        }
    }
    if raw {
        callers.restore();
    }
    Ok(())
}

/// The caller's terminal. Our parent cares for it, but cannot if it is killed by SIGKILL.
struct Callers {
    terminal: OwnedFd,
    /// Its modes from before, with which the program's terminal began; the system's usual ones if that could not be.
    modes: Termios,
}

impl Callers {
    /// Gives it its modes back, if it still is as our parent left it: by now a shell may have set its own.
    fn restore(&self) {
        if let Ok(now) = tcgetattr(&self.terminal)
            && !now.output_modes.contains(OutputModes::OPOST)
            && !now.local_modes.intersects(LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO)
        {
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.modes);
        }
    }
}

/// Makes the session and starts the launcher in it.
fn prepare(socket: &UnixStream) -> io::Result<(Program, Callers)> {
    let (kind, fds) = messages::receive_fds(socket)?;
    let [terminal, delivery, callers]: [OwnedFd; 3] =
        fds.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
    let callers = Callers { terminal: callers, modes: tcgetattr(&terminal)? };
    setsid()?;
    ioctl_tiocsctty(&terminal)?;
    let launcher = start::spawn(ourselves(LAUNCHER).stdin(Stdio::from(delivery)).process_group(0))?;
    let pid = i32::try_from(launcher.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    if kind == b'f' {
        tcsetpgrp(&terminal, pid)?;
    }
    let state = Mutex::new(State { terminal: Some(terminal), interrupted: None });
    Ok((Program { pid, state }, callers))
}

struct Program {
    pid: Pid,
    state: Mutex<State>,
}

struct State {
    /// `None` once the program has ended and is collected: from then on its number may be another's.
    terminal: Option<OwnedFd>,
    /// The group that had the terminal when it was taken back.
    interrupted: Option<Pid>,
}

impl Program {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the program and reports what becomes of it.
    fn watch(&self, mut reports: UnixStream) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        loop {
            // only looks: it is collected under the lock, so that no order meets a number that is no longer the program's
            match waitid(WaitId::Pid(self.pid), options) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            let mut state = self.state();
            let status = match waitpid(Some(self.pid), WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(Some((_, status))) => status,
                _ => continue,
            };
            let report = match (Ending::of(status), status.stopping_signal()) {
                (Some(Ending::Code(code)), _) => Report::Exited(i32::from(code)),
                (Some(Ending::Signal(signal)), _) => Report::Killed(signal),
                (None, Some(signal)) => Report::Stopped(signal),
                (None, None) => continue,
            };
            let ended = !matches!(report, Report::Stopped(_));
            if ended {
                state.terminal = None; // so that its reader meets the end
            }
            drop(state);
            if reports.write_all(&report.to_bytes()).is_err() || ended {
                return;
            }
        }
    }

    fn obey(&self, order: Order) {
        let mut state = self.state();
        let State { terminal: Some(terminal), interrupted } = &mut *state else { return };
        match order {
            Order::Signal(signal) => {
                let _ = kill_process(self.pid, signal);
            }
            Order::Raw(_) => {}
            Order::SignalGroup(signal) => {
                let group = tcgetpgrp(&*terminal).ok().filter(|group| *group != getpgrp());
                let _ = kill_process_group(group.unwrap_or(self.pid), signal);
            }
            Order::Continue { foreground } => {
                if foreground {
                    self.give(terminal, interrupted.take());
                } else {
                    *interrupted = self.take_back(terminal).or(*interrupted);
                }
                let _ = kill_process_group(self.pid, Signal::CONT);
            }
        }
    }

    /// Gives the terminal to the group that had it, else to the program's. Allowed, because we have it ourselves.
    fn give(&self, terminal: &OwnedFd, interrupted: Option<Pid>) {
        if tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()) {
            let alive = interrupted.filter(|group| test_kill_process_group(*group).is_ok());
            let group = alive.unwrap_or(self.pid);
            let _ = tcsetpgrp(terminal, group);
            let _ = kill_process_group(group, Signal::CONT);
        }
    }

    /// Takes the terminal back, so that the program is stopped when it wants the keyboard; the group that had it.
    fn take_back(&self, terminal: &OwnedFd) -> Option<Pid> {
        let group = tcgetpgrp(terminal).ok().filter(|group| *group != getpgrp())?;
        let stdin = terminal.as_fd().try_clone_to_owned().ok()?;
        let mut helper = ourselves(HAND_OVER);
        helper.arg(getpgrp().as_raw_nonzero().to_string());
        helper.stdin(Stdio::from(stdin)).process_group(group.as_raw_nonzero().get());
        start::spawn(&mut helper).and_then(|mut child| child.wait()).ok()?;
        Some(group)
    }
}
