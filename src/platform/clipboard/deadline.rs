//! Waiting for an instant or for a file descriptor, whichever comes first, in boot time: a suspended laptop's clipboard
//! is cleared as soon as it wakes, not later by as long as it slept.

use crate::platform::clock::{Clock, SystemClock};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::time::Duration;

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// The time is over.
    Time,
    /// The other side has something to say, or is gone.
    Ready,
}

/// An instant; `None` never comes.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Option<Duration>);

impl Deadline {
    /// So long from now.
    pub(super) fn after(time: Option<Duration>) -> Self {
        Self(time.map(|time| SystemClock.since_boot().saturating_add(time)))
    }

    /// Blocks. No timer runs in between.
    pub(super) fn wait(&self, other: Option<BorrowedFd<'_>>) -> Result<Woken, Errno> {
        let alarm = self.alarm()?;
        loop {
            let left = self.0.map(|end| end.saturating_sub(SystemClock.since_boot()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Woken::Time);
            }
            let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(2);
            fds.extend(other.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
            fds.extend(alarm.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
            // Without an alarm in boot time this is late by the length of a suspend, and no more.
            let timeout = left.map(|left| Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            });
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
            if other.is_some() && fds.first().is_some_and(|fd| !fd.revents().is_empty()) {
                return Ok(Woken::Ready);
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn alarm(&self) -> Result<Option<rustix::fd::OwnedFd>, Errno> {
        use rustix::time::{
            Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
        };
        let Some(end) = self.0 else { return Ok(None) };
        let alarm = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let at = Timespec {
            tv_sec: i64::try_from(end.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: end.subsec_nanos().into(),
        };
        timerfd_settime(
            &alarm,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval: never, it_value: at },
        )?;
        Ok(Some(alarm))
    }

    #[cfg(not(target_os = "linux"))]
    fn alarm(&self) -> Result<Option<rustix::fd::OwnedFd>, Errno> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::time::Instant;

    #[test]
    fn the_time_ends_a_wait_and_so_does_the_other_side() {
        let start = Instant::now();
        let short = Deadline::after(Some(Duration::from_millis(30)));
        assert_eq!(short.wait(None).unwrap(), Woken::Time);
        assert!(start.elapsed() >= Duration::from_millis(30));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(writer);
        let never = Deadline::after(None);
        assert_eq!(never.wait(Some(reader.as_fd())).unwrap(), Woken::Ready);
    }
}
