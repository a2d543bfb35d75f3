//! The terminal that our caller gave us, while a program runs in a terminal of its own.
//!
//! Owns its modes. Invariant: while they are raw, the modes from before are kept, and come back when this is dropped, on
//! a panic too; and they are never touched while another job is in the foreground.

use nix::unistd::{getpgrp, tcgetpgrp};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The caller's terminal, opened anew so that it can be non-blocking without changing that for our caller.
pub(super) struct Outer {
    fd: OwnedFd,
    /// It is the controlling terminal, on which jobs take turns.
    controls: bool,
    before: Option<Termios>,
}

impl Outer {
    /// The terminal behind one of our standard streams.
    pub(super) fn open(stream: BorrowedFd<'_>) -> io::Result<Self> {
        let controls = tcgetpgrp(stream).is_ok();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let by_name = |name: &str| openat(CWD, name, flags, Mode::empty());
        let opened = if controls {
            by_name("/dev/tty")
        } else {
            use std::os::fd::AsRawFd;
            by_name(&format!("/dev/fd/{}", stream.as_raw_fd()))
        };
        let fd = match opened {
            Ok(fd) => fd,
            // another user's terminal after `su`: it cannot be opened anew, and will be used as it is
            Err(_) => stream.try_clone_to_owned()?,
        };
        Ok(Self { fd, controls, before: None })
    }

    pub(super) fn modes(&self) -> io::Result<Termios> {
        Ok(tcgetattr(&self.fd)?)
    }

    pub(super) fn size(&self) -> io::Result<Winsize> {
        Ok(tcgetwinsize(&self.fd)?)
    }

    /// True if the keyboard is ours at this moment. In a container the terminal's groups may be outside of our process
    /// namespace, and so may ours: both are 0 then, and the keyboard is taken to be ours.
    pub(super) fn is_foreground(&self) -> bool {
        !self.controls || tcgetpgrp(&self.fd).is_ok_and(|group| group == getpgrp())
    }

    /// Every key as it is typed, nothing echoed: the program's own terminal does all that.
    pub(super) fn make_raw(&mut self) -> io::Result<()> {
        let mut modes = tcgetattr(&self.fd)?;
        if self.before.is_none() {
            self.before = Some(modes.clone());
        }
        modes.make_raw();
        Ok(tcsetattr(&self.fd, OptionalActions::Now, &modes)?)
    }

    /// The modes from before, if they are raw now.
    pub(super) fn restore(&mut self) {
        if let Some(before) = self.before.take()
            && self.is_foreground()
        {
            let _ = tcsetattr(&self.fd, OptionalActions::Now, &before);
        }
    }

    /// Another job has the terminal, with modes of its own.
    pub(super) fn forget(&mut self) {
        self.before = None;
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        self.restore();
    }
}

impl AsFd for Outer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
