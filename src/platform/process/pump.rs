//! One stream from the program to ours, through a filter, on a thread of its own.
//!
//! Reads, filters and writes in turn, so that what waits is one piece and the program feels our reader's pace. When our
//! reader goes away, the reading end is closed and the program meets the broken pipe that it would have met without us.
//!
//! The end: a stream ends when nobody can write to it any more. A process that the program left behind may keep it open
//! for ever, so once the program itself has ended, we go on reading only until it has been silent for a moment, or has
//! given as much as a pipe can have held: what the program wrote before its end is never lost.

use crate::platform::process::pipes::{Filters, Stream};
use crate::platform::process::{Ending, Filter, RunError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long nothing must come before a held piece of text is let go: a prompt has to appear.
pub(super) const SETTLE_AFTER: Duration = Duration::from_millis(30);
/// How long a stream may be silent after the program's end.
pub(super) const SILENCE: Duration = Duration::from_millis(200);
/// How much is read after the program's end: more than the pipe of an ordinary user can hold.
pub(super) const REST: usize = 1 << 20;
/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Carries everything from `from` to `to`. `ended` is a pipe that nobody writes to; its other end is closed when the
/// program has ended. Fails if `to` did not take everything (a full disk), unless its reader went away.
pub(super) fn carry(
    from: OwnedFd,
    to: BorrowedFd<'_>,
    ended: &OwnedFd,
    filter: Box<dyn Filter>,
) -> Result<(), Errno> {
    match carried(from, to, ended, filter) {
        Err(Errno::PIPE) => Ok(()),
        other => other,
    }
}

/// `from` is closed at the end in any case: a program that goes on meets the broken pipe.
fn carried(
    from: OwnedFd,
    to: BorrowedFd<'_>,
    ended: &OwnedFd,
    mut filter: Box<dyn Filter>,
) -> Result<(), Errno> {
    let mut piece = Zeroizing::new(vec![0_u8; PIECE]);
    let mut out = Vec::with_capacity(PIECE);
    let mut held = false;
    let mut left = None;
    loop {
        match next(&from, ended, held, &mut left) {
            Next::Readable => {}
            Next::Silent => {
                filter.settle(&mut out);
                held = false;
                deliver(to, &mut out)?;
                continue;
            }
            Next::Over => break,
        }
        let count = match rustix::io::read(&from, piece.as_mut_slice()) {
            Ok(0) | Err(Errno::IO) => break,
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(_) => break,
        };
        if let Some(left) = &mut left {
            *left = usize::saturating_sub(*left, count);
        }
        filter.push(piece.get(..count).unwrap_or_default(), &mut out);
        held = true;
        deliver(to, &mut out)?;
    }
    filter.finish(&mut out);
    deliver(to, &mut out)
}

/// The threads that carry a program's streams.
pub(super) struct Pumps(Vec<std::thread::JoinHandle<Result<(), Errno>>>);

impl Pumps {
    /// Starts one for each stream.
    pub(super) fn start(streams: Vec<Stream>, filters: Option<Filters<'_>>, ended: OwnedFd) -> Self {
        let ended = std::sync::Arc::new(ended);
        let pumps = streams.into_iter().zip(filters.into_iter().cycle()).map(|(stream, filter)| {
            let (ended, filter) = (std::sync::Arc::clone(&ended), filter());
            std::thread::spawn(move || carry(stream.from, stream.to, &ended, filter))
        });
        Self(pumps.collect())
    }

    /// Waits for all of them. What a stream of ours did not take is an error: the program took it for written.
    pub(super) fn end(self, ending: Ending) -> Result<Ending, RunError> {
        let results: Vec<_> = self.0.into_iter().map(|pump| pump.join().unwrap_or(Err(Errno::IO))).collect();
        match results.into_iter().find_map(Result::err) {
            Some(errno) => Err(RunError::Output { ending, source: errno.into() }),
            None => Ok(ending),
        }
    }
}

enum Next {
    Readable,
    /// Nothing came for a moment, and the filter may hold something.
    Silent,
    Over,
}

/// Waits for what happens next. `left` is what may still be read, once the program has ended.
fn next(from: &OwnedFd, ended: &OwnedFd, held: bool, left: &mut Option<usize>) -> Next {
    loop {
        let mut watched = [PollFd::new(from, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        let timeout = match (held, &left) {
            (_, Some(0)) => return Next::Over,
            (_, Some(_)) => Some(SILENCE),
            (true, None) => Some(SETTLE_AFTER),
            (false, None) => None,
        };
        let fds = if left.is_some() { watched.get_mut(..1).unwrap_or_default() } else { &mut watched };
        match poll(fds, timeout.map(timespec).as_ref()) {
            Err(Errno::INTR) => continue,
            Err(_) => return Next::Over,
            Ok(0) if left.is_some() => return Next::Over,
            Ok(0) => return Next::Silent,
            Ok(_) => {}
        }
        let [stream, end] = watched;
        if left.is_none() && !end.revents().is_empty() {
            *left = Some(REST);
        }
        if !stream.revents().is_empty() {
            return Next::Readable;
        }
    }
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// Writes everything, also to a stream that our caller made non-blocking, and empties `out`.
fn deliver(to: BorrowedFd<'_>, out: &mut Vec<u8>) -> Result<(), Errno> {
    let mut rest = out.as_slice();
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => drop(poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None)),
            Err(errno) => return Err(errno),
        }
    }
    out.clear();
    Ok(())
}

/// What a standard stream of ours is, for the choice of what the program gets in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Terminal,
    /// What is written there is never seen by anybody, so there is nothing to filter.
    Nowhere,
    /// Anything else, by device and file number.
    File(u64, u64),
}

#[allow(clippy::unnecessary_cast, reason = "the fields' types differ between systems")]
pub(super) fn kind(stream: impl AsFd) -> Kind {
    if rustix::termios::isatty(&stream) {
        return Kind::Terminal;
    }
    let (found, null) = (rustix::fs::fstat(&stream), rustix::fs::stat("/dev/null"));
    match (found, null) {
        (Ok(found), Ok(null)) if found.st_rdev == null.st_rdev && found.st_mode == null.st_mode => {
            Kind::Nowhere
        }
        (Ok(found), _) => Kind::File(found.st_dev as u64, found.st_ino as u64),
        (Err(_), _) => Kind::Nowhere,
    }
}
