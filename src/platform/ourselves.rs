//! Starting this program again as a process of its own (the agent, the clipboard's helper, the parts of `run`), and the one
//! line by which such a process says how it began.
//!
//! Owns no argument and no environment: whoever starts one says what it is for. Invariant: a program that was replaced by a
//! newer one while it ran still starts itself.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdout, Command},
    time::{Duration, Instant},
};

/// The longest line that is listened to, in bytes.
const LONGEST: usize = 1024;

/// A command that starts this binary again.
pub fn command() -> Command {
    // by its name if that is still ours, because it shows in `ps`; by the kernel's own link if it was replaced meanwhile
    let exe = std::env::current_exe().ok().filter(|path| path.is_file());
    let mut command = Command::new(exe.as_deref().unwrap_or(Path::new("/proc/self/exe")));
    command.arg0("sealbox");
    command
}

/// The first line that the process says, without its end; what there is of it if the process closes before.
///
/// # Errors
/// `TimedOut` if that takes longer than `within`; what the system says otherwise.
pub fn first_line(said: &mut ChildStdout, within: Duration) -> io::Result<String> {
    let until = Instant::now() + within;
    let mut bytes = Vec::new();
    let mut piece = [0; 256];
    while !bytes.contains(&b'\n') && bytes.len() < LONGEST {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(&*said, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            ready => ready?,
        };
        match said.read(&mut piece)? {
            0 => break,
            count => bytes.extend(piece.iter().take(count)),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned())
}

/// Sees to it that a program which stays keeps no dead child in the process table.
pub fn reap_in_the_end(mut child: Child, name: &str) {
    let _ = std::thread::Builder::new().name(name.to_owned()).spawn(move || child.wait());
}
