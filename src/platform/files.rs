//! Private files: written whole or not at all, readable by their owner only, never through a symlink (SPEC R1, R40).
//!
//! Owns the order of effects: temporary file in the same folder, write, fsync, rename, fsync of the folder. Modes are
//! set on the open file, so the umask plays no part. It does not know what the bytes mean. Invariant: at every instant,
//! and after a kill at any of them, the path holds either the whole old or the whole new content.

use super::failpoint::step;
use rustix::fs::{CWD, Mode, OFlags, fchmod, openat};
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// Bits that a private file or folder must not have: group, others, set-id and sticky.
const FOREIGN_BITS: u32 = 0o7077;

/// A file or folder was found open to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Which one.
    pub path: PathBuf,
    /// The permission bits it had.
    pub mode_was: u32,
    /// False if the system did not let us narrow it.
    pub fixed: bool,
}

impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = crate::domain::printable::line(&self.path.to_string_lossy());
        let was = self.mode_was;
        if self.fixed {
            write!(f, "{shown} was open to others (mode {was:04o}); it is private now")
        } else {
            write!(f, "{shown} is open to others (mode {was:04o}) and could not be narrowed: chmod go= it")
        }
    }
}

/// Replaces or creates a file of mode 0600, durably. Fails with `InvalidInput` if the path is a symlink; on any error
/// the old content stays and no temporary file is left.
pub fn write_private_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink()) {
        return Err(Error::new(ErrorKind::InvalidInput, "it is a symbolic link; name the file itself"));
    }
    let temporary = Temporary::written(path, bytes)?;
    step("files: before rename");
    std::fs::rename(&temporary.path, path)?;
    step("files: after rename");
    temporary.keep();
    sync_folder_of(path)
}

/// Creates a file of mode 0600, durably; fails with `AlreadyExists` if anything, even a dangling symlink, has the name.
pub fn create_private_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let temporary = Temporary::written(path, bytes)?;
    step("files: before link");
    match rename_no_replace(&temporary.path, path) {
        Ok(()) => temporary.keep(),
        // the file system has no such rename: a hard link refuses an existing name as well, and Drop removes the other
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            std::fs::hard_link(&temporary.path, path)?;
            drop(temporary);
        }
        Err(e) => return Err(e),
    }
    step("files: after link");
    sync_folder_of(path)
}

/// Reads a regular file of at most `max_bytes` bytes into memory that wipes itself. A mode wider than 0600 is narrowed
/// and reported. Fails with `InvalidInput` if it is a symlink or no regular file, `FileTooLarge` if it is longer.
pub fn read_private(path: &Path, max_bytes: usize) -> io::Result<(Zeroizing<Vec<u8>>, Option<Repair>)> {
    // NONBLOCK: a FIFO planted at the path must not hang us before we see what it is
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path, flags, Mode::empty()).map_err(no_symlink)?);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let too_large = || Error::new(ErrorKind::FileTooLarge, format!("it is longer than {max_bytes} bytes"));
    let len = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if len > max_bytes {
        return Err(too_large());
    }
    let repair = narrowed(&file, path, FILE_MODE)?;
    // all the room at once: a growing vector would leave unwiped copies behind
    let limit = max_bytes.saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(len.saturating_add(1).min(limit)));
    (&file).take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes {
        return Err(too_large());
    }
    Ok((bytes, repair))
}

/// Narrows an existing regular file to 0600 without opening it: closing a second descriptor of a database file would
/// drop the locks that SQLite holds through the first.
pub fn narrow(path: &Path) -> io::Result<Option<Repair>> {
    let found = std::fs::symlink_metadata(path)?;
    let mode_was = found.mode() & 0o7777;
    if !found.is_file() || mode_was & FOREIGN_BITS == 0 {
        return Ok(None);
    }
    let fixed = std::fs::set_permissions(path, std::fs::Permissions::from_mode(FILE_MODE)).is_ok();
    Ok(Some(Repair { path: path.to_owned(), mode_was, fixed }))
}

/// Makes sure that a folder exists, belongs to us and is closed to others; missing parents are created closed too.
/// Fails with `InvalidInput` if the last component is a symlink or no folder, `PermissionDenied` if another user owns it.
pub fn private_dir(path: &Path) -> io::Result<Option<Repair>> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match std::fs::DirBuilder::new().mode(DIR_MODE).create(folder) {
            Ok(()) => std::fs::set_permissions(folder, std::fs::Permissions::from_mode(DIR_MODE))?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {} // another process was faster, or a dangling symlink
            Err(e) => return Err(e),
        }
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = File::from(openat(CWD, path, flags, Mode::empty()).map_err(no_symlink)?);
    if folder.metadata()?.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::new(ErrorKind::PermissionDenied, "the folder belongs to another user"));
    }
    narrowed(&folder, path, DIR_MODE)
}

/// Overwrites a file with zeros and removes it, durably; a missing file is fine. It is removed even if it could not be
/// overwritten. On SSDs and copy-on-write file systems the overwriting is best effort: it is the removal that counts.
pub fn remove_wiped(path: &Path) -> io::Result<()> {
    let wiped = match open_to_wipe(path) {
        Ok(file) => overwrite(file),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == ErrorKind::InvalidInput => return Err(e),
        Err(e) => Err(e),
    };
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => sync_folder_of(path)?,
    }
    wiped
}

fn open_to_wipe(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path, flags, Mode::empty()).map_err(no_symlink)?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// Overwrites an open regular file with zeros, durably.
pub(super) fn overwrite(mut file: File) -> io::Result<()> {
    let mut left = file.metadata()?.len();
    file.rewind()?;
    let zeros = [0u8; 4096];
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all(zeros.get(..now).unwrap_or(&zeros))?;
        left = left.saturating_sub(now as u64);
    }
    file.sync_all()
}

/// Narrows an open file or folder to `mode` if others can reach it.
fn narrowed(file: &File, path: &Path, mode: u32) -> io::Result<Option<Repair>> {
    let mode_was = file.metadata()?.mode() & 0o7777;
    if mode_was & FOREIGN_BITS == 0 {
        return Ok(None);
    }
    let fixed = fchmod(file, Mode::from_raw_mode(mode as _)).is_ok();
    Ok(Some(Repair { path: path.to_owned(), mode_was, fixed }))
}

/// A complete, synced temporary file beside its target; removed on drop unless it was renamed away.
struct Temporary {
    path: PathBuf,
    armed: bool,
}

impl Temporary {
    fn written(target: &Path, bytes: &[u8]) -> io::Result<Self> {
        step("files: before create");
        let (mut file, temporary) = Self::created(target)?;
        step("files: after create");
        fchmod(&file, Mode::from_raw_mode(FILE_MODE as _))?;
        step("files: before write");
        file.write_all(bytes)?;
        step("files: after write");
        file.sync_all()?;
        step("files: after fsync");
        Ok(temporary)
    }

    fn created(target: &Path) -> io::Result<(File, Self)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = target
            .file_name()
            .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..1000 {
            let mut unique = std::ffi::OsString::from(".");
            unique.push(name);
            unique.push(format!(".tmp-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
            let path = target.with_file_name(unique);
            match openat(CWD, &path, flags, Mode::from_raw_mode(FILE_MODE as _)) {
                Ok(fd) => return Ok((File::from(fd), Self { path, armed: true })),
                Err(rustix::io::Errno::EXIST) => {} // left behind by a killed process that had our number
                Err(e) => return Err(e.into()),
            }
        }
        Err(Error::new(ErrorKind::AlreadyExists, "too many temporary files were left in the folder"))
    }

    fn keep(mut self) {
        self.armed = false;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.armed {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(e) if [Errno::NOSYS, Errno::NOTSUP, Errno::INVAL].contains(&e) => {
            Err(ErrorKind::Unsupported.into())
        }
        done => Ok(done?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_no_replace(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Makes a rename or removal in the folder of `path` durable.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    step("files: before folder fsync");
    File::open(folder)?.sync_all()?;
    step("files: after folder fsync");
    Ok(())
}

/// O_NOFOLLOW reports a symlink as a loop, and together with O_DIRECTORY as "not a directory": say it plainly.
fn no_symlink(e: rustix::io::Errno) -> Error {
    if e == rustix::io::Errno::LOOP {
        Error::new(ErrorKind::InvalidInput, "it is a symbolic link")
    } else if e == rustix::io::Errno::NOTDIR {
        Error::new(ErrorKind::InvalidInput, "it is a symbolic link or no folder")
    } else {
        e.into()
    }
}

/// True if a folder is on a file system that is in memory, as far as the system tells: only Linux does.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn in_memory(folder: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    // the field's type differs between architectures, and its sign does not matter
    rustix::fs::statfs(folder)
        .is_ok_and(|found| [TMPFS, RAMFS].contains(&(found.f_type as u64 & 0xffff_ffff)))
}

/// As above: nobody knows.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn in_memory(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn writing_replaces_the_whole_content_and_is_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("identity");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private_atomic(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(names(home.path()), ["identity"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_and_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("folder");
        std::fs::create_dir(&path).unwrap();
        assert!(write_private_atomic(&path, b"new").is_err());
        assert_eq!(names(home.path()), ["folder"]);
        assert!(write_private_atomic(&home.path().join("none/x"), b"new").is_err());
    }

    #[test]
    fn symlinks_are_refused_everywhere() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        std::fs::write(&real, "kept").unwrap();
        symlink(&real, &link).unwrap();
        assert!(write_private_atomic(&link, b"x").is_err());
        assert!(read_private(&link, 10).is_err());
        assert!(remove_wiped(&link).is_err());
        assert_eq!(create_private_new(&link, b"x").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&real).unwrap(), b"kept");
        let (folder, link) = (home.path().join("d"), home.path().join("dl"));
        std::fs::create_dir(&folder).unwrap();
        symlink(&folder, &link).unwrap();
        assert!(private_dir(&link).is_err());
        symlink(home.path().join("nowhere"), home.path().join("dangling")).unwrap();
        assert!(private_dir(&home.path().join("dangling")).is_err());
    }

    #[test]
    fn create_new_never_replaces() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("store.db");
        create_private_new(&path, b"first").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(create_private_new(&path, b"second").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(names(home.path()), ["store.db"]);
    }

    /// Not a test by itself: the process that the next one kills.
    #[test]
    #[ignore = "started by a_kill_at_any_step_leaves_the_old_or_the_new"]
    fn the_writer_that_is_killed() {
        if let Some(path) = std::env::var_os("SEALBOX_TEST_FILE") {
            write_private_atomic(Path::new(&path), b"new").unwrap();
        }
    }

    #[test]
    #[cfg(debug_assertions)] // there are no failpoints in a release build
    fn a_kill_at_any_step_leaves_the_old_or_the_new() {
        use std::os::unix::process::ExitStatusExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("identity");
        let mut seen = Vec::new();
        for at in 1.. {
            std::fs::write(&path, "old").unwrap();
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "platform::files::tests::the_writer_that_is_killed", "--ignored"])
                .env("SEALBOX_TEST_FILE", &path)
                .env("SEALBOX_KILL_AT_STEP", at.to_string())
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            let content = std::fs::read_to_string(&path).unwrap();
            assert!(["old", "new"].contains(&content.as_str()), "killed at step {at}: {content:?}");
            if status.success() {
                assert_eq!(content, "new");
                break;
            }
            assert_eq!(status.signal(), Some(9), "step {at}");
            seen.push(content);
        }
        assert!(
            seen.len() >= 8 && seen.iter().any(|c| c == "old") && seen.iter().any(|c| c == "new"),
            "{seen:?}"
        );
        assert!(seen.is_sorted_by(|a, b| a >= b), "once new, never old again: {seen:?}");
    }

    #[test]
    fn of_two_creators_at_once_exactly_one_wins() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("identity");
        let wins: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8u8)
                .map(|n| {
                    let path = &path;
                    scope.spawn(move || usize::from(create_private_new(path, &[n]).is_ok()))
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(wins, 1);
        assert_eq!(names(home.path()), ["identity"]);
    }

    #[test]
    fn reading_has_a_limit_and_repairs_a_wide_mode() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("identity");
        std::fs::write(&path, "12345").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (bytes, repair) = read_private(&path, 5).unwrap();
        assert_eq!(bytes.as_slice(), b"12345");
        assert_eq!(repair, Some(Repair { path: path.clone(), mode_was: 0o644, fixed: true }));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read_private(&path, 5).unwrap().1, None);
        assert_eq!(read_private(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read_private(home.path(), 5).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(read_private(&home.path().join("no"), 5).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(read_private(Path::new("/dev/zero"), 5).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn folders_are_created_closed_and_wide_ones_are_narrowed() {
        let home = tempfile::tempdir().unwrap();
        let deep = home.path().join("a/b/c");
        assert_eq!(private_dir(&deep).unwrap(), None);
        for folder in ["a", "a/b", "a/b/c"] {
            assert_eq!(mode(&home.path().join(folder)), 0o700);
        }
        std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(private_dir(&deep).unwrap().unwrap().mode_was, 0o755);
        assert_eq!(mode(&deep), 0o700);
        std::fs::write(home.path().join("file"), "").unwrap();
        assert!(private_dir(&home.path().join("file")).is_err());
    }

    #[test]
    fn the_folder_of_another_user_is_refused() {
        if rustix::process::geteuid().is_root() {
            return; // root owns / and every other candidate here
        }
        assert_eq!(private_dir(Path::new("/")).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_wiped_file_is_zeroed_and_gone() {
        let home = tempfile::tempdir().unwrap();
        let (path, witness) = (home.path().join("draft"), home.path().join("witness"));
        std::fs::write(&path, vec![7u8; 9000]).unwrap();
        std::fs::hard_link(&path, &witness).unwrap();
        remove_wiped(&path).unwrap();
        assert!(!path.exists());
        assert_eq!(std::fs::read(&witness).unwrap(), vec![0u8; 9000]);
        remove_wiped(&path).unwrap();
    }
}
