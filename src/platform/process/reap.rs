//! How a program ended, and the collecting of ended children.
//!
//! As process 1 of a container we inherit every orphan, and nobody else will ever collect them: so any ended child is
//! collected, whoever's it was.

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

impl Ending {
    /// The exit code by which a shell tells it: the program's own, or 128 and the signal's number.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => u8::try_from(128 + (signal & 0x7f)).unwrap_or(u8::MAX),
        }
    }

    /// `None` if the status is no ending (stopped, continued).
    pub(super) fn of(status: WaitStatus) -> Option<Self> {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Some(Self::Code(u8::try_from(code & 0xff).unwrap_or(u8::MAX))),
            (None, Some(signal)) => Some(Self::Signal(signal)),
            (None, None) => None,
        }
    }
}

/// Collects every child that has ended; says how `program` did, if it is among them.
pub(super) fn collect(program: Pid) -> Option<Ending> {
    let mut ended = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == program => ended = Ending::of(status).or(ended),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_told_as_128_and_its_number() {
        assert_eq!(Ending::Signal(15).exit_code(), 143);
        assert_eq!(Ending::Signal(9).exit_code(), 137);
        assert_eq!(Ending::Code(7).exit_code(), 7);
    }
}
