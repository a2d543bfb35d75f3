//! A pseudo-terminal: our end and the program's end.

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::io;
use std::os::fd::OwnedFd;

/// Our end, which does not block, and the program's end. No other program inherits either.
pub(super) fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"))]
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd"
    )))]
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let ours = openpt(flags)?;
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = programs_end(&ours)?;
    let status = rustix::fs::fcntl_getfl(&ours)?;
    rustix::fs::fcntl_setfl(&ours, status | OFlags::NONBLOCK)?;
    Ok((ours, theirs))
}

fn programs_end(ours: &OwnedFd) -> io::Result<OwnedFd> {
    // by the descriptor where that is possible: in a container the name may be another terminal's
    #[cfg(target_os = "linux")]
    if let Ok(theirs) =
        rustix::pty::ioctl_tiocgptpeer(ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
    {
        return Ok(theirs);
    }
    let name = ptsname(ours, Vec::new())?;
    Ok(openat(CWD, name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?)
}
