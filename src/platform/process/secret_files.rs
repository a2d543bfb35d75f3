//! Secrets as files in a folder of our making, for programs that read `/run/secrets`; wiped and removed on drop.
//!
//! Owns the folder from making to removal. Invariant: a folder that held anything before is refused, and our files are
//! reached through the folder itself, whatever stands at its path by then: nothing of anybody else is ever wiped. A
//! folder that was there before stays, empty of our files. A folder of our own naming is locked while we live, so that
//! one whose owner was killed is known, and the next run removes it.

use crate::domain::{SecretName, SecretValue};
use crate::platform::{editor, files};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fstat, openat, unlinkat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// How a folder of our own naming is called once it is locked, and before.
const LOCKED: &str = "sealbox-files-";
const FRESH: &str = "sealbox-new-";

/// The files of one run.
pub struct SecretFiles {
    folder: PathBuf,
    /// The folder itself, wherever it is moved. Holds the lock, if there is one.
    open: OwnedFd,
    made: bool,
    files: Vec<SecretName>,
}

impl SecretFiles {
    /// An empty folder of mode 0700: `folder`, which must be empty or not exist. `DirectoryNotEmpty` if it is not empty,
    /// `InvalidInput` if it is a symlink or no folder, `PermissionDenied` if it belongs to another user.
    pub fn at(folder: &Path) -> io::Result<Self> {
        let folder = std::path::absolute(folder)?;
        let made = match std::fs::symlink_metadata(&folder) {
            Ok(_) => false,
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(error),
        };
        if made && folder.parent().is_some_and(|parent| !parent.is_dir()) {
            return Err(Error::new(ErrorKind::NotFound, "the folder above it does not exist"));
        }
        if !made && std::fs::read_dir(&folder)?.next().is_some() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        files::private_dir(&folder)?;
        Self::opened(folder, made)
    }

    /// A new folder of mode 0700: in memory if the system has such a place, else in `runtime`.
    pub fn anywhere(runtime: &Path) -> io::Result<Self> {
        let base = match editor::memory_folder(runtime) {
            Ok(base) => base,
            Err(_) => {
                files::private_dir(runtime)?;
                runtime.to_owned()
            }
        };
        let fresh = tempfile::Builder::new().prefix(FRESH).tempdir_in(base)?.keep();
        let mut made = Self::opened(fresh, true)?;
        files::private_dir(&made.folder)?;
        // gets the name by which others know it only once it is locked, so that nobody takes it for left behind
        let name = made.folder.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_prefix(FRESH));
        if let Some(unique) = name
            && flock(&made.open, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let named = made.folder.with_file_name(format!("{LOCKED}{unique}"));
            std::fs::rename(&made.folder, &named)?;
            made.folder = named;
        }
        Ok(made)
    }

    /// Removes what runs that were killed left behind in the places of [`Self::anywhere`]. A program that outlived its
    /// run loses its files by this. What cannot be removed stays for the next time.
    pub fn sweep(runtime: &Path) {
        let bases = [Some(runtime.to_owned()), editor::memory_folder(runtime).ok()];
        for entry in bases.into_iter().flatten().filter_map(|base| std::fs::read_dir(base).ok()).flatten() {
            let Ok(entry) = entry else { continue };
            if !entry.file_name().to_str().is_some_and(|name| name.starts_with(LOCKED)) {
                continue;
            }
            let Ok(mut found) = Self::opened(entry.path(), false) else { continue };
            let ours = fstat(&found.open).is_ok_and(|it| it.st_uid == rustix::process::geteuid().as_raw());
            found.made = ours && flock(&found.open, FlockOperation::NonBlockingLockExclusive).is_ok();
            // dropped here: what was made by us and has no owner any more goes away with everything in it
        }
    }

    fn opened(folder: PathBuf, made: bool) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = openat(CWD, &folder, flags, Mode::empty())?;
        Ok(Self { folder, open, made, files: Vec::new() })
    }

    /// Writes one secret, mode 0600, under its name.
    pub fn write(&mut self, name: &SecretName, value: &SecretValue) -> io::Result<()> {
        let written = files::create_private_new(&self.folder.join(name.as_str()), value.expose());
        if !matches!(&written, Err(error) if error.kind() == ErrorKind::AlreadyExists) {
            self.files.push(name.clone());
        }
        written
    }

    /// True if the folder still is where we made it.
    fn is_in_its_place(&self) -> bool {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let there = openat(CWD, &self.folder, flags, Mode::empty()).and_then(fstat);
        matches!((there, fstat(&self.open)), (Ok(there), Ok(ours))
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino))
    }

    fn remove_file(&self, name: &SecretName) {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(file) = openat(&self.open, name.as_str(), flags, Mode::empty()).map(File::from)
            && file.metadata().is_ok_and(|found| found.is_file())
        {
            let _ = files::overwrite(file);
        }
        let _ = unlinkat(&self.open, name.as_str(), AtFlags::empty());
    }

    /// Where the files are; absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// True if the folder is in memory and no disk will ever see the values.
    pub fn is_in_memory(&self) -> bool {
        files::in_memory(&self.folder)
    }
}

impl Drop for SecretFiles {
    fn drop(&mut self) {
        for name in &self.files {
            self.remove_file(name);
        }
        if self.made && self.is_in_its_place() {
            editor::wipe_folder(&self.folder, 8); // also what the program put there: perhaps a copy
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn secret() -> (SecretName, SecretValue) {
        (SecretName::parse("API_KEY").unwrap(), SecretValue::new(b"value".to_vec()).unwrap())
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_folder_that_was_made_is_removed_with_everything_in_it() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("secrets");
        let (name, value) = secret();
        let mut made = SecretFiles::at(&place).unwrap();
        made.write(&name, &value).unwrap();
        assert_eq!((mode(&place), mode(&place.join("API_KEY"))), (0o700, 0o600));
        std::fs::write(place.join("copy"), "value").unwrap();
        drop(made);
        assert!(!place.exists());
    }

    #[test]
    fn a_folder_that_was_there_stays_and_loses_only_our_files() {
        let home = tempfile::tempdir().unwrap();
        let (name, value) = secret();
        let mut made = SecretFiles::at(home.path()).unwrap();
        made.write(&name, &value).unwrap();
        std::fs::write(home.path().join("other"), "x").unwrap();
        drop(made);
        let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["other"]);
    }

    #[test]
    fn what_stands_in_the_place_of_a_moved_folder_is_left_alone_and_our_files_go() {
        let home = tempfile::tempdir().unwrap();
        let (place, moved, other) = (home.path().join("a"), home.path().join("b"), home.path().join("c"));
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("precious"), "x").unwrap();
        let (name, value) = secret();
        let mut made = SecretFiles::at(&place).unwrap();
        made.write(&name, &value).unwrap();
        std::fs::rename(&place, &moved).unwrap();
        std::os::unix::fs::symlink(&other, &place).unwrap();
        drop(made);
        assert_eq!(std::fs::read_to_string(other.join("precious")).unwrap(), "x");
        assert!(moved.exists() && !moved.join("API_KEY").exists());
    }

    #[test]
    fn a_file_that_has_another_name_outside_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let (place, precious) = (home.path().join("a"), home.path().join("precious"));
        std::fs::write(&precious, "x").unwrap();
        let made = SecretFiles::at(&place).unwrap();
        std::fs::hard_link(&precious, place.join("link")).unwrap();
        drop(made);
        assert!(!place.exists());
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "x");
    }

    #[test]
    fn what_a_killed_run_left_behind_is_swept_and_what_a_living_one_uses_is_not() {
        let runtime = tempfile::tempdir().unwrap();
        let (name, value) = secret();
        let dead = runtime.path().join(format!("{LOCKED}dead"));
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join("API_KEY"), "value").unwrap();
        let mut alive = SecretFiles::anywhere(runtime.path()).unwrap();
        alive.write(&name, &value).unwrap();
        SecretFiles::sweep(runtime.path());
        assert!(!dead.exists() && alive.folder().join("API_KEY").exists());
    }

    #[test]
    fn what_is_not_empty_or_not_a_folder_is_refused() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("other"), "x").unwrap();
        assert_eq!(SecretFiles::at(home.path()).err().unwrap().kind(), ErrorKind::DirectoryNotEmpty);
        assert!(SecretFiles::at(&home.path().join("other")).is_err());
        assert!(SecretFiles::at(&home.path().join("no/such")).is_err());
        std::fs::create_dir(home.path().join("real")).unwrap();
        std::os::unix::fs::symlink(home.path().join("real"), home.path().join("link")).unwrap();
        assert!(SecretFiles::at(&home.path().join("link")).is_err());
    }

    #[test]
    fn a_folder_of_its_own_is_private_and_goes_away() {
        let home = tempfile::tempdir().unwrap();
        let made = SecretFiles::anywhere(&home.path().join("run")).unwrap();
        let place = made.folder().to_owned();
        assert!(place.is_absolute() && mode(&place) == 0o700);
        drop(made);
        assert!(!place.exists());
    }
}
