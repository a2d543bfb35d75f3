//! Signals as events on a file descriptor.
//!
//! Owns which signals are passed on to the program. One that our caller had made us ignore (`nohup`, a background job of
//! a script) is left ignored: a handler would be reset by `exec`, and the program would die of what it was to survive.

use crate::platform::process::RunError;
use rustix::process::Signal;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Cause;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// What is passed on to the program: everything that ends, wakes or informs a program and that is not a fault of its own.
const PASSED_ON: &[Signal] = &[
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::WINCH,
    Signal::CONT,
];

/// Watched signals. They are remembered from the moment this is made.
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
}

/// One signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) signal: Signal,
    /// It was no process that sent it: the terminal did, to its whole foreground group.
    pub(super) by_kernel: bool,
}

impl Signals {
    /// Begins to watch. To be called before anything is made that must be cleaned up, files of secrets above all.
    pub fn watch() -> Result<Self, RunError> {
        let refused = RunError::system("watch for signals");
        let ignored = ignored_mask();
        let numbers =
            PASSED_ON.iter().map(|signal| signal.as_raw()).filter(|number| !is_in(ignored, *number));
        // the end of a child is always to be heard of
        let numbers: Vec<i32> = numbers.chain([Signal::CHILD.as_raw()]).collect();
        let made = UnixStream::pair()
            .and_then(|(read, write)| SignalDelivery::with_pipe(read, write, WithOrigin::default(), numbers));
        made.map(|delivery| Self { delivery }).map_err(refused)
    }

    /// Begins to watch for Ctrl-Z as well, which from now on no longer stops this process by itself.
    pub(super) fn add_stop(&self) {
        if !is_in(ignored_mask(), Signal::TSTP.as_raw()) {
            let _ = self.delivery.handle().add_signal(Signal::TSTP.as_raw());
        }
    }

    /// What came since the last call.
    pub(super) fn arrived(&mut self) -> Vec<Arrived> {
        let origins = self.delivery.pending();
        let known = |number| {
            PASSED_ON.iter().chain(&[Signal::CHILD, Signal::TSTP]).find(|signal| signal.as_raw() == number)
        };
        origins
            .filter_map(|origin| {
                let by_kernel = origin.cause == Cause::Kernel;
                known(origin.signal).map(|signal| Arrived { signal: *signal, by_kernel })
            })
            .collect()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }
}

/// The hang-up of its terminal no longer ends this process by itself. What it starts is ended by one as before: a handler
/// is not passed on by `exec`.
pub(super) fn outlive_hang_up() {
    if !is_in(ignored_mask(), Signal::HUP.as_raw()) {
        let _ = signal_hook::flag::register(Signal::HUP.as_raw(), Default::default());
    }
}

/// The signals that this process ignores, as bits; none where the system does not tell.
fn ignored_mask() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    digits.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

fn is_in(mask: u64, signal: i32) -> bool {
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or(0) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_read_from_its_first_bit() {
        assert!(is_in(0b1, 1) && !is_in(0b1, 2) && is_in(0x1000, 13) && !is_in(u64::MAX, 65));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn rusts_own_ignored_broken_pipe_is_seen() {
        assert!(is_in(ignored_mask(), Signal::PIPE.as_raw()));
    }
}
