//! The case with a terminal: the program lives in a terminal of its own, and we stand between the two.
//!
//! Owns the loop that carries keys in and filtered output out, and job control on both sides. While we have the caller's
//! terminal it is raw, and every key is the program's. The program's stop (Ctrl-Z) becomes ours, and our going on
//! becomes its. If we start without the keyboard (in the background, or with only some streams on the terminal, where
//! another job may be using it), the program starts without it too, and gets it when it wants it: the system stops it
//! for that, and we hear of it.

use crate::platform::process::messages::{self, LEN, Order, Report};
use crate::platform::process::outer::Outer;
use crate::platform::process::pipes::{self, Filters, Stream};
use crate::platform::process::pump::{self, Kind, Pumps, REST, SETTLE_AFTER, SILENCE};
use crate::platform::process::signals::Arrived;
use crate::platform::process::{Ending, Filter, Launch, RunError, Signals, StartError, monitor, pty, reap};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_current_process_group};
use rustix::termios::{OptionalActions, tcsetattr, tcsetwinsize};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// What waits to be written, in either direction, before reading stops.
const HIGH: usize = 64 << 10;
/// How much is read at once: what a pseudo-terminal gives.
const PIECE: usize = 4096;
/// How long the output must be silent before a stopped program is taken to have written everything.
const STOPPED_SILENCE: Duration = Duration::from_millis(20);
/// How often to look, while we are in the background of a terminal that the program is to have, whether we are in the
/// foreground again: a shell that brings a running job there tells nobody. No timer runs otherwise.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long to wait for our own stop before it is clear that there is nobody who would wake us, so that the system
/// ignores it.
const STOP_COMES_WITHIN: Duration = Duration::from_millis(100);

/// True if the program's output goes to a terminal.
pub(super) fn applies() -> bool {
    [rustix::stdio::stdout(), rustix::stdio::stderr()].into_iter().any(|fd| pump::kind(fd) == Kind::Terminal)
}

/// Runs the program to its end in a terminal of its own.
pub(super) fn run(launch: &Launch, signals: Signals, filters: Filters<'_>) -> Result<Ending, RunError> {
    let (out, err) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    let shown = if pump::kind(out) == Kind::Terminal { out } else { err };
    let outer = Outer::open(shown).map_err(RunError::system("open the terminal"))?;
    let (ours, theirs) = pty::open().map_err(RunError::system("make a terminal for the program"))?;
    if let Ok(size) = outer.size() {
        let _ = tcsetwinsize(&ours, size);
    }
    let (streams, carried) = streams(&theirs)?;
    let (orders, monitors_end) = UnixStream::pair().map_err(RunError::system("make a socket"))?;
    let (delivery, launchers_end) = UnixStream::pair().map_err(RunError::system("make a socket"))?;
    let child = monitor::start(monitors_end).map_err(RunError::system("start this program again"))?;
    let monitor = pipes::pid_of(&child)?;
    let on_terminal = |stream| pump::kind(stream) == Kind::Terminal;
    let interactive = on_terminal(rustix::stdio::stdin()) && on_terminal(out);
    let foreground = interactive && outer.is_foreground();
    // the monitor takes the caller's modes from there
    let modes_copied = outer.is_foreground() && copy_modes(&outer, &ours);
    let beside = [theirs.as_fd(), launchers_end.as_fd(), outer.as_fd()];
    messages::send_fds(&orders, if foreground { b'f' } else { b'b' }, &beside)
        .map_err(RunError::system("talk to the monitor"))?;
    drop((theirs, launchers_end));
    let mut session = Session {
        outer,
        program: ours,
        drained: false,
        orders,
        delivery: Delivery::Waiting(delivery, streams),
        reports: Vec::new(),
        signals,
        monitor,
        filter: filters(),
        piece: Zeroizing::new(vec![0; PIECE]),
        to_outer: Vec::new(),
        to_program: Vec::new(),
        settle_at: None,
        wanted: interactive,
        keyboard: false,
        modes_copied,
        watches_stop: false,
        outer_gone: false,
        ending: None,
        failure: None,
    };
    if foreground {
        session.take_keyboard();
    } else {
        session.watch_stop();
    }
    let (ended, program_runs) = pipes::pipe().map_err(RunError::system("make a pipe"))?;
    let pumps = Pumps::start(carried, Some(filters), ended);
    let ending = session.run(launch);
    drop(program_runs);
    match ending {
        Ok(ending) => pumps.end(ending),
        Err(error) => {
            let _ = pumps.end(Ending::Code(0));
            Err(error)
        }
    }
}

/// The program's three streams, and those of them that are not on its terminal and go through a filter of their own.
fn streams(theirs: &OwnedFd) -> Result<([OwnedFd; 3], Vec<Stream>), RunError> {
    let mut carried = Vec::new();
    let failed = || RunError::system("make a pipe");
    let mut end = |to: BorrowedFd<'static>| -> Result<OwnedFd, RunError> {
        match pump::kind(to) {
            Kind::Terminal => theirs.try_clone().map_err(failed()),
            Kind::Nowhere => to.try_clone_to_owned().map_err(failed()),
            Kind::File(..) => {
                let (from, into) = pipes::pipe().map_err(failed())?;
                carried.push(Stream { from, to });
                Ok(into)
            }
        }
    };
    let (out, err) = (end(rustix::stdio::stdout())?, end(rustix::stdio::stderr())?);
    let stdin = rustix::stdio::stdin();
    let input = match pump::kind(stdin) {
        Kind::Terminal => theirs.try_clone().map_err(failed())?,
        _ => stdin.try_clone_to_owned().map_err(failed())?,
    };
    Ok(([input, out, err], carried))
}

/// How far the program's parcel is.
enum Delivery {
    /// The launcher is not there yet.
    Waiting(UnixStream, [OwnedFd; 3]),
    /// Sent; the end of the socket means that the launcher became the program.
    Sent(UnixStream),
    Done,
}

struct Session {
    outer: Outer,
    /// Our end of the program's terminal. Closing it hangs the terminal up, so it stays open until the end is known.
    program: OwnedFd,
    /// Nobody has the other end open any more, and everything was read.
    drained: bool,
    orders: UnixStream,
    delivery: Delivery,
    /// Bytes of a report that is not complete yet.
    reports: Vec<u8>,
    signals: Signals,
    monitor: Pid,
    filter: Box<dyn Filter>,
    piece: Zeroizing<Vec<u8>>,
    to_outer: Vec<u8>,
    to_program: Vec<u8>,
    settle_at: Option<Instant>,
    /// The program is to have the keyboard whenever we have it.
    wanted: bool,
    /// We have the keyboard, and the program gets it.
    keyboard: bool,
    /// The program's terminal has the modes that the caller's had. They are copied as soon as ours is the foreground job:
    /// before that, they are those of a shell that edits a line.
    modes_copied: bool,
    /// Ctrl-Z no longer stops us by itself.
    watches_stop: bool,
    /// The caller's terminal was closed.
    outer_gone: bool,
    ending: Option<Ending>,
    failure: Option<RunError>,
}

impl Session {
    fn run(mut self, launch: &Launch) -> Result<Ending, RunError> {
        while self.ending.is_none() && self.failure.is_none() {
            let waits = self.wanted && !self.keyboard && !self.outer_gone;
            self.turn(launch, waits.then_some(LOOK_EVERY))?;
            if waits && !self.keyboard && self.outer.is_foreground() {
                self.went_on();
            }
        }
        if self.failure.is_none() {
            self.read_rest();
        }
        self.outer.restore();
        let _ = self.orders.shutdown(std::net::Shutdown::Both); // the monitor ends
        let _ = rustix::process::waitpid(Some(self.monitor), rustix::process::WaitOptions::empty());
        match (self.failure, self.ending) {
            (Some(failure), _) => Err(failure),
            (None, ending) => Ok(ending.unwrap_or(Ending::Signal(Signal::HUP.as_raw()))),
        }
    }

    /// Everything that the program wrote before its end, and a little of what it left behind.
    fn read_rest(&mut self) {
        let mut left = REST;
        while left > 0 && !self.drained {
            match self.read_program_within(SILENCE) {
                Some(count) => left = left.saturating_sub(count),
                None => break,
            }
            self.write_out();
            if self.to_outer.len() >= HIGH && !self.wait_until_written() {
                return;
            }
        }
        self.filter.finish(&mut self.to_outer);
        self.wait_until_written();
    }

    /// Waits for one thing to happen, and deals with it.
    fn turn(&mut self, launch: &Launch, at_most: Option<Duration>) -> Result<(), RunError> {
        let ready = self.wait(at_most)?;
        if self.settle_at.is_some_and(|at| at <= Instant::now()) {
            self.settle_at = None;
            self.filter.settle(&mut self.to_outer);
        }
        if ready.program {
            self.read_program();
        }
        if ready.keys {
            self.read_keys();
        }
        self.write_out();
        self.write_keys();
        if ready.delivery {
            self.delivered(launch);
        }
        if ready.orders {
            self.read_reports(launch);
        }
        if ready.signals {
            let arrived = self.signals.arrived();
            self.handle(&arrived);
        }
        Ok(())
    }

    fn wait(&self, at_most: Option<Duration>) -> Result<Ready, RunError> {
        let when = |wanted: bool, flags: PollFlags| if wanted { flags } else { PollFlags::empty() };
        let program = when(self.to_outer.len() < HIGH && !self.drained, PollFlags::IN)
            | when(!self.to_program.is_empty() && !self.drained, PollFlags::OUT);
        let outer = when(self.keyboard && self.to_program.len() < HIGH && !self.outer_gone, PollFlags::IN)
            | when(!self.to_outer.is_empty() && !self.outer_gone, PollFlags::OUT);
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            PollFd::new(&self.orders, PollFlags::IN),
        ];
        let program = watch(&mut fds, Some(self.program.as_fd()), program);
        let outer = watch(&mut fds, Some(self.outer.as_fd()), outer);
        let delivery = match &self.delivery {
            Delivery::Sent(socket) => watch(&mut fds, Some(socket.as_fd()), PollFlags::IN),
            _ => None,
        };
        let settle = self.settle_at.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = [settle, at_most].into_iter().flatten().min().map(pump::timespec);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(RunError::system("wait for the program")(errno.into())),
        }
        let has = |at: Option<usize>, flags: PollFlags| {
            at.and_then(|at| fds.get(at)).is_some_and(|fd| fd.revents().intersects(flags))
        };
        let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        Ok(Ready {
            signals: has(Some(0), readable),
            orders: has(Some(1), readable),
            program: has(program, readable),
            keys: self.keyboard && has(outer, readable),
            delivery: has(delivery, readable),
        })
    }

    /// Reads one piece of what the program wrote; how much, `None` if there was nothing.
    fn read_program(&mut self) -> Option<usize> {
        match rustix::io::read(&self.program, self.piece.as_mut_slice()) {
            Err(Errno::INTR | Errno::AGAIN) => None,
            Ok(0) | Err(_) => {
                self.drained = true;
                None
            }
            Ok(count) => {
                self.filter.push(self.piece.get(..count).unwrap_or_default(), &mut self.to_outer);
                self.settle_at = Some(Instant::now() + SETTLE_AFTER);
                Some(count)
            }
        }
    }

    /// The same, if something comes within this time.
    fn read_program_within(&mut self, time: Duration) -> Option<usize> {
        let mut watched = [PollFd::new(&self.program, PollFlags::IN)];
        match poll(&mut watched, Some(&pump::timespec(time))) {
            Ok(0) => None,
            Err(Errno::INTR) => Some(0),
            Err(_) => None,
            Ok(_) => self.read_program().or((!self.drained).then_some(0)),
        }
    }

    fn read_keys(&mut self) {
        match rustix::io::read(&self.outer, self.piece.as_mut_slice()) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => self.terminal_closed(),
            Ok(count) => self.to_program.extend_from_slice(self.piece.get(..count).unwrap_or_default()),
        }
    }

    /// Writes what the terminal takes now.
    fn write_out(&mut self) {
        while !self.to_outer.is_empty() && !self.outer_gone {
            match rustix::io::write(&self.outer, &self.to_outer) {
                Ok(count) => drop(self.to_outer.drain(..count.min(self.to_outer.len()))),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.terminal_closed(),
            }
        }
        if self.outer_gone {
            self.to_outer.clear();
        }
    }

    fn write_keys(&mut self) {
        if self.drained {
            self.to_program.clear();
        }
        while !self.to_program.is_empty() {
            match rustix::io::write(&self.program, &self.to_program) {
                Ok(count) => drop(self.to_program.drain(..count.min(self.to_program.len()))),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.to_program.clear(),
            }
        }
    }

    /// Waits until everything is on the terminal; false if a signal says that nobody waits for it.
    fn wait_until_written(&mut self) -> bool {
        loop {
            self.write_out();
            if self.to_outer.is_empty() {
                return true;
            }
            let mut watched = [
                PollFd::new(&self.outer, PollFlags::OUT),
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            ];
            let _ = poll(&mut watched, None);
            let ends = [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT];
            if self.signals.arrived().iter().any(|arrived| ends.contains(&arrived.signal)) {
                return false;
            }
        }
    }

    /// As if the program were on the terminal that was closed.
    fn terminal_closed(&mut self) {
        if !self.outer_gone {
            self.outer_gone = true;
            self.keyboard = false;
            self.outer.forget();
            self.order(Order::SignalGroup(Signal::HUP));
            self.order(Order::Continue { foreground: false });
        }
    }

    fn order(&mut self, order: Order) {
        let _ = (&self.orders).write_all(&order.to_bytes()); // a monitor that is gone is heard of by its report
    }

    fn read_reports(&mut self, launch: &Launch) {
        let mut bytes = [0; 64];
        match (&self.orders).read(&mut bytes) {
            Ok(0) => {
                if self.ending.is_none() {
                    self.ending = Some(Ending::Signal(Signal::HUP.as_raw()));
                }
            }
            Ok(count) => self.reports.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            Err(_) => {}
        }
        while let Some((report, _)) = self.reports.split_first_chunk::<LEN>() {
            let report = Report::from_bytes(*report);
            self.reports.drain(..LEN);
            match report {
                Some(Report::Ready) => self.deliver(launch),
                Some(Report::Failed(number)) => {
                    let error = io::Error::from_raw_os_error(number);
                    self.failure = Some(RunError::system("make a session for the program")(error));
                }
                Some(Report::Stopped(signal)) => self.stopped(signal),
                Some(Report::Exited(code)) => self.ending = Some(Ending::Code(code.try_into().unwrap_or(1))),
                Some(Report::Killed(signal)) => self.ending = Some(Ending::Signal(signal)),
                None => {}
            }
        }
        // a launcher that could not become the program has said so before it ended
        if self.ending.is_some() {
            self.delivered(launch);
        }
    }

    fn deliver(&mut self, launch: &Launch) {
        let Delivery::Waiting(socket, streams) = std::mem::replace(&mut self.delivery, Delivery::Done) else {
            return;
        };
        match messages::send_parcel(&socket, launch, &streams.each_ref().map(AsFd::as_fd)) {
            Ok(()) => self.delivery = Delivery::Sent(socket),
            Err(error) => self.failure = Some(RunError::system("hand over the program")(error)),
        }
    }

    /// The launcher became the program, or says why it could not.
    fn delivered(&mut self, launch: &Launch) {
        let Delivery::Sent(socket) = std::mem::replace(&mut self.delivery, Delivery::Done) else { return };
        let mut number = [0; 4];
        if (&socket).read_exact(&mut number).is_ok() {
            let error = io::Error::from_raw_os_error(i32::from_be_bytes(number));
            self.failure = Some(StartError::new(launch, error).into());
        }
    }

    fn handle(&mut self, arrived: &[Arrived]) {
        for Arrived { signal, by_kernel } in arrived.iter().copied() {
            match signal {
                // the monitor's own end shows on its socket, behind its last report
                Signal::CHILD => {
                    let _ = reap::collect(self.monitor);
                }
                Signal::CONT => self.went_on(),
                Signal::WINCH => {
                    self.copy_size();
                    if !by_kernel {
                        self.order(Order::SignalGroup(signal));
                    }
                }
                // the keyboard means whoever is in the foreground there; a process means the program
                _ if by_kernel || signal == Signal::HUP || signal == Signal::TSTP => {
                    self.order(Order::SignalGroup(signal));
                }
                _ => self.order(Order::Signal(signal)),
            }
        }
    }

    fn copy_size(&self) {
        if let Ok(size) = self.outer.size() {
            let _ = tcsetwinsize(&self.program, size); // the system tells the program's foreground group if it changed
        }
    }

    fn take_keyboard(&mut self) {
        self.modes_copied = self.modes_copied || copy_modes(&self.outer, &self.program);
        match self.outer.make_raw() {
            Ok(()) => {
                self.keyboard = true;
                self.order(Order::Raw(true));
            }
            Err(_) => self.terminal_closed(),
        }
    }

    fn watch_stop(&mut self) {
        if !self.watches_stop {
            self.watches_stop = true;
            self.signals.add_stop();
        }
    }

    /// The program was stopped: by Ctrl-Z, or because it wants a terminal that it has not.
    fn stopped(&mut self, number: i32) {
        let wants_terminal =
            [Signal::TTIN, Signal::TTOU].into_iter().find(|signal| signal.as_raw() == number);
        if wants_terminal.is_some() && self.outer.is_foreground() && !self.outer_gone {
            self.wanted = true;
            self.copy_size();
            self.take_keyboard();
            return self.order(Order::Continue { foreground: true });
        }
        // what it wrote last (leaving the alternate screen) belongs before the shell's prompt
        while self.read_program_within(STOPPED_SILENCE).is_some() && self.to_outer.len() < HIGH {}
        self.filter.settle(&mut self.to_outer);
        self.settle_at = None;
        self.wait_until_written();
        self.keyboard = false;
        self.outer.restore();
        self.order(Order::Raw(false));
        // the stop that the program met, where that still stops us; a handler cannot be taken away again, and then
        // another stop signal has to do
        let own = wants_terminal.unwrap_or(if self.watches_stop { Signal::TTOU } else { Signal::TSTP });
        let _ = kill_current_process_group(own);
        let meanwhile = self.until_continued();
        let woken = meanwhile.iter().any(|arrived| arrived.signal == Signal::CONT);
        if !woken && wants_terminal.is_some() {
            // nobody could ever wake us, so we were not stopped: the program goes on, with a silent keyboard
            self.order(Order::Continue { foreground: true });
        } else {
            self.went_on();
        }
        let others: Vec<Arrived> =
            meanwhile.into_iter().filter(|arrived| arrived.signal != Signal::CONT).collect();
        self.handle(&others);
    }

    /// Waits for our own stop to come and to be over; what came meanwhile.
    fn until_continued(&mut self) -> Vec<Arrived> {
        let since = Instant::now();
        let mut meanwhile = Vec::new();
        loop {
            meanwhile.extend(self.signals.arrived());
            let left = STOP_COMES_WITHIN.saturating_sub(since.elapsed());
            if left.is_zero() || meanwhile.iter().any(|arrived| arrived.signal == Signal::CONT) {
                return meanwhile;
            }
            let mut watched = [PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
            let _ = poll(&mut watched, Some(&pump::timespec(left)));
        }
    }

    /// We were woken: the terminal may be ours again or another's, and may have another size.
    fn went_on(&mut self) {
        self.copy_size();
        let foreground = self.outer.is_foreground() && !self.outer_gone;
        if foreground && self.wanted {
            self.take_keyboard();
        } else if !foreground {
            self.keyboard = false;
            self.outer.forget();
            self.order(Order::Raw(false));
            self.watch_stop();
        }
        self.order(Order::Continue { foreground: foreground && self.wanted });
    }
}

/// The program's terminal begins with the modes of the caller's; false if that failed.
fn copy_modes(outer: &Outer, program: &OwnedFd) -> bool {
    outer.modes().is_ok_and(|modes| tcsetattr(program, OptionalActions::Now, &modes).is_ok())
}

/// Adds a descriptor, unless it is watched for nothing: it would still report a hang-up, for ever. Its place in the list.
fn watch<'a>(fds: &mut Vec<PollFd<'a>>, fd: Option<BorrowedFd<'a>>, flags: PollFlags) -> Option<usize> {
    let fd = fd.filter(|_| !flags.is_empty())?;
    fds.push(PollFd::from_borrowed_fd(fd, flags));
    Some(fds.len() - 1)
}

/// What can be read.
struct Ready {
    signals: bool,
    orders: bool,
    program: bool,
    keys: bool,
    delivery: bool,
}
