//! What wakes an agent that nobody asks for anything: an alarm, and a change in its folders.
//!
//! The alarm is in boot time: it rings at the instant that was set last, also when the machine slept through it. While
//! nothing is set and nothing changes, whoever waits sleeps for good: an idle agent takes no CPU.

use std::{io, time::Duration};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod clockwork {
    use super::*;
    use crate::platform::paths::VaultPaths;
    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::os::fd::OwnedFd;

    /// The folder of the socket (which goes when a person's last session ends) and that of the vault. That a folder
    /// itself went is not told while we have a file of it open; that its files went is.
    pub(in super::super) struct Places(OwnedFd);

    impl Places {
        /// `None` if the system has no more watches to give: then the alarm is what notices, later.
        pub(in super::super) fn of(paths: &VaultPaths) -> Option<Self> {
            let own = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
            let listing = WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
            let watch = inotify::init(CreateFlags::CLOEXEC).ok()?;
            inotify::add_watch(&watch, &paths.runtime, own | listing).ok()?;
            inotify::add_watch(&watch, &paths.data, own | listing).ok()?;
            Some(Self(watch))
        }

        /// Returns when something happened there; false if that can no longer be told.
        pub(in super::super) fn wait(&self) -> bool {
            let mut events = [0; 4096]; // which they are is not looked at
            loop {
                match rustix::io::read(&self.0, &mut events) {
                    Ok(1..) => return true,
                    Err(rustix::io::Errno::INTR) => {}
                    _ => return false,
                }
            }
        }
    }

    /// See the module.
    pub(in super::super) struct Alarm(OwnedFd);

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self(timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?))
        }

        /// Rings at `at` (time since boot), at once if that is past; `None` turns it off.
        pub(in super::super) fn set(&self, at: Option<Duration>) {
            let none = Timespec { tv_sec: 0, tv_nsec: 0 };
            let value = at.map_or(none, |at| Timespec {
                tv_sec: i64::try_from(at.as_secs()).unwrap_or(i64::MAX / 4),
                tv_nsec: at.subsec_nanos().max(1).into(), // all zeros would turn it off
            });
            let spec = Itimerspec { it_interval: none, it_value: value };
            let _ = timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &spec); // its fields are in range
        }

        /// Returns when it rings.
        pub(in super::super) fn wait(&self) {
            let mut times = [0; 8];
            while let Err(errno) = rustix::io::read(&self.0, &mut times) {
                if errno != rustix::io::Errno::INTR {
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod clockwork {
    use super::*;
    use crate::platform::{
        clock::{Clock, SystemClock},
        paths::VaultPaths,
    };
    use std::sync::{Condvar, Mutex, PoisonError};

    /// See the module: here the alarm is what notices.
    pub(in super::super) struct Places;

    impl Places {
        pub(in super::super) fn of(_paths: &VaultPaths) -> Option<Self> {
            None
        }

        pub(in super::super) fn wait(&self) -> bool {
            false
        }
    }

    /// How long a sleep may last, because it may not count a suspend.
    const STEP: Duration = Duration::from_secs(30);

    /// See the module.
    pub(in super::super) struct Alarm(Mutex<Option<Duration>>, Condvar);

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self(Mutex::new(None), Condvar::new()))
        }

        pub(in super::super) fn set(&self, at: Option<Duration>) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
            self.1.notify_all();
        }

        pub(in super::super) fn wait(&self) {
            let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                at = match *at {
                    None => self.1.wait(at).unwrap_or_else(PoisonError::into_inner),
                    Some(due) => {
                        let left = due.saturating_sub(SystemClock.since_boot());
                        if left.is_zero() {
                            *at = None;
                            return;
                        }
                        self.1.wait_timeout(at, left.min(STEP)).unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
        }
    }
}

pub(super) use clockwork::{Alarm, Places};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::{Clock, SystemClock};
    use std::sync::Arc;

    #[test]
    fn it_rings_when_it_was_set_to_and_an_earlier_setting_counts() {
        let alarm = Arc::new(Alarm::new().unwrap());
        let now = SystemClock.since_boot();
        alarm.set(Some(now + Duration::from_secs(3600)));
        let other = Arc::clone(&alarm);
        let waiting = std::thread::spawn(move || other.wait());
        std::thread::sleep(Duration::from_millis(30));
        assert!(!waiting.is_finished());
        alarm.set(Some(SystemClock.since_boot() + Duration::from_millis(20)));
        waiting.join().unwrap();
        alarm.set(Some(Duration::from_secs(1)));
        alarm.wait(); // what is past rings at once
    }
}
