//! The agent's log: when it started, ended, was unlocked and locked, and whom it refused. Never a name, a value, or a byte of
//! a request.
//!
//! Owns its bound: at most two files of 256 KiB. A log that cannot be written is no reason to stop.

use crate::domain::date;
use crate::platform::{clock::Clock, files};
use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The longest log file, in bytes.
const MAX: u64 = 256 * 1024;

pub(super) struct Journal {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    turn: Mutex<()>,
}

impl Journal {
    /// In the vault's state folder.
    pub(super) fn new(state: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { path: state.join("agent.log"), clock, turn: Mutex::new(()) }
    }

    /// One line. `what` is made of words of this program and numbers only.
    pub(super) fn note(&self, what: &str) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{} {what}\n", date::iso(self.clock.wall_ms()));
        let _ = self.write(line.as_bytes()); // see above
    }

    fn write(&self, line: &[u8]) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            files::private_dir(folder)?;
        }
        if std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.len() + line.len() as u64 > MAX) {
            std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let mut options = OpenOptions::new();
        let mut file =
            options.append(true).create(true).mode(0o600).custom_flags(no_link).open(&self.path)?;
        file.write_all(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::SystemClock;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn it_is_private_and_stays_within_two_files() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let journal = Journal::new(&state, Arc::new(SystemClock));
        let long = "x".repeat(8 * 1024);
        for _ in 0..100 {
            journal.note(&long);
        }
        let sizes: Vec<(u64, u32)> = ["agent.log", "agent.log.1"]
            .map(|name| std::fs::metadata(state.join(name)).unwrap())
            .iter()
            .map(|found| (found.len(), found.mode() & 0o7777))
            .collect();
        assert!(sizes.iter().all(|(size, mode)| *size <= MAX && *mode == 0o600), "{sizes:?}");
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 2);
    }

    #[test]
    fn a_symbolic_link_is_not_written_through() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("target");
        std::fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, home.path().join("agent.log")).unwrap();
        Journal::new(home.path(), Arc::new(SystemClock)).note("start");
        assert_eq!(std::fs::read(&target).unwrap(), b"kept");
    }
}
