//! Where the socket is, and who may be at its ends (SPEC R31, R34).
//!
//! Owns the rules of the folder (ours, 0700, no symbolic link), of the socket (0600, in a folder that is closed before it is
//! bound) and of the lock file, which is held for the agent's life: whoever holds it is the only agent and may replace a
//! socket that a killed one left behind. Both ends see the other's user before a byte is sent or parsed.

use super::error::AgentError;
use crate::platform::paths::VaultPaths;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, sockopt};
use std::{
    fs::{DirBuilder, File, Metadata},
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{
            fs::{DirBuilderExt, MetadataExt, PermissionsExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

/// Connections that wait while all workers are busy.
const BACKLOG: i32 = 128;
/// How long to wait for a place in the queue.
const CONNECT: Duration = Duration::from_secs(2);

/// The socket of a vault's agent.
pub fn socket_path(paths: &VaultPaths) -> PathBuf {
    paths.runtime.join("agent.sock")
}

/// The file whose lock makes an agent the only one.
pub fn lock_path(paths: &VaultPaths) -> PathBuf {
    paths.runtime.join("agent.lock")
}

fn refuse(folder: &Path, why: &'static str) -> AgentError {
    AgentError::Folder { folder: folder.to_owned(), why }
}

/// The folder must be ours and closed to others; nothing is repaired, because somebody may have been in it.
fn check_folder(folder: &Path, found: &Metadata) -> Result<(), AgentError> {
    if found.file_type().is_symlink() {
        Err(refuse(folder, "is a symbolic link"))
    } else if !found.is_dir() {
        Err(refuse(folder, "is no folder"))
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        Err(refuse(folder, "belongs to another user"))
    } else if found.mode() & 0o077 != 0 {
        Err(refuse(folder, "can be reached by others: chmod 700 it"))
    } else {
        Ok(())
    }
}

/// Looks at the folder of the socket.
///
/// # Errors
/// [`AgentError::Absent`] if it is not there, [`AgentError::Folder`] if it is not safe.
pub fn look(paths: &VaultPaths) -> Result<(), AgentError> {
    match std::fs::symlink_metadata(&paths.runtime) {
        Ok(found) => check_folder(&paths.runtime, &found),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(AgentError::Absent),
        Err(error) => Err(AgentError::Broken(error)),
    }
}

/// Makes the folder of the socket, closed from its first moment, or checks the one that is there.
pub fn make_folder(paths: &VaultPaths) -> Result<(), AgentError> {
    let folder = &paths.runtime;
    match look(paths) {
        Err(AgentError::Absent) => {}
        other => return other,
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(AgentError::Broken)?;
    look(paths)
}

/// The only agent of a folder, until it is dropped or its process ends.
pub struct Only {
    _lock: File,
}

impl Only {
    /// Takes the lock. Fails with [`AgentError::Taken`] if another agent holds it.
    pub fn take(paths: &VaultPaths) -> Result<Self, AgentError> {
        make_folder(paths)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(CWD, lock_path(paths), flags, Mode::from_raw_mode(0o600))
            .map(File::from)
            .map_err(|errno| AgentError::Broken(errno.into()))?;
        match file.try_lock() {
            Ok(()) => {
                // Whom to end if it ever stops answering; see `holder`.
                let named = file.set_len(0).and_then(|()| (&file).write_all(number().as_bytes()));
                named.map_err(AgentError::Broken)?;
                Ok(Self { _lock: file })
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(AgentError::Taken),
            Err(std::fs::TryLockError::Error(error)) => Err(AgentError::Broken(error)),
        }
    }
}

fn number() -> String {
    format!("{}\n", std::process::id())
}

/// The process that holds the lock of this folder; `None` if nobody does, or the folder is not safe.
pub(super) fn holder(paths: &VaultPaths) -> Option<u32> {
    look(paths).ok()?;
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = openat(CWD, lock_path(paths), flags, Mode::empty()).map(File::from).ok()?;
    if !matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    (&mut file).take(16).read_to_string(&mut text).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}

/// The address of the socket. One that is too long for an address is reached through its open folder.
fn address(folder: &Path) -> Result<(SocketAddrUnix, Option<OwnedFd>), AgentError> {
    let broken = |errno: rustix::io::Errno| AgentError::Broken(errno.into());
    match SocketAddrUnix::new(folder.join("agent.sock")) {
        Ok(address) => Ok((address, None)),
        Err(rustix::io::Errno::NAMETOOLONG) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let open = openat(CWD, folder, flags, Mode::empty()).map_err(broken)?;
            let short = format!("/proc/self/fd/{}/agent.sock", open.as_raw_fd());
            if !Path::new("/proc/self/fd").is_dir() {
                return Err(refuse(folder, "has a name that is too long for a socket"));
            }
            Ok((SocketAddrUnix::new(short).map_err(broken)?, Some(open)))
        }
        Err(errno) => Err(broken(errno)),
    }
}

/// A socket that no program we start inherits.
fn new_socket() -> Result<OwnedFd, AgentError> {
    let broken = |errno: rustix::io::Errno| AgentError::Broken(errno.into());
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    #[cfg(not(target_vendor = "apple"))]
    let made = rustix::net::socket_with(family, kind, rustix::net::SocketFlags::CLOEXEC, None);
    #[cfg(target_vendor = "apple")] // which cannot be told so at once
    let made = rustix::net::socket(family, kind, None).and_then(|socket| {
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        Ok(socket)
    });
    made.map_err(broken)
}

/// Listens, in place of whatever was left behind. Only for who holds the lock; the process has the umask 077.
pub fn listen(paths: &VaultPaths, _only: &Only) -> Result<UnixListener, AgentError> {
    let path = socket_path(paths);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(AgentError::Broken(error)),
        _ => {}
    }
    let broken = |errno: rustix::io::Errno| AgentError::Broken(errno.into());
    let (address, _folder) = address(&paths.runtime)?;
    let socket = new_socket()?;
    rustix::net::bind(&socket, &address).map_err(broken)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(AgentError::Broken)?;
    rustix::net::listen(&socket, BACKLOG).map_err(broken)?;
    Ok(UnixListener::from(socket))
}

/// Connects, and sees that the other side is this user.
///
/// # Errors
/// [`AgentError::Absent`] if nobody listens; see [`AgentError`] for the rest.
pub fn connect(paths: &VaultPaths) -> Result<UnixStream, AgentError> {
    look(paths)?;
    let (address, _folder) = address(&paths.runtime)?;
    let socket = new_socket()?;
    // a full queue must not hold us for ever
    let _ = sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(CONNECT));
    rustix::net::connect(&socket, &address).map_err(|errno| match errno {
        rustix::io::Errno::NOENT | rustix::io::Errno::CONNREFUSED => AgentError::Absent,
        rustix::io::Errno::AGAIN | rustix::io::Errno::TIMEDOUT => AgentError::Silent,
        errno => AgentError::Broken(errno.into()),
    })?;
    if is_us(&socket)? { Ok(UnixStream::from(socket)) } else { Err(AgentError::Stranger) }
}

/// True if the process at the other end belongs to this user.
pub fn is_us(socket: impl AsFd) -> Result<bool, AgentError> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // nix: a peer outside of our process namespace has the number 0, which rustix takes for an error
        use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
        let peer = getsockopt(&socket, PeerCredentials).map_err(|errno| AgentError::Broken(errno.into()))?;
        Ok(peer.uid() == rustix::process::geteuid().as_raw())
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = socket;
        Err(AgentError::Unsupported)
    }
}

/// Which file a path names, so that an agent can see that its socket is not its own any more.
pub(super) fn inode(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, VaultPaths) {
        let home = tempfile::tempdir().unwrap();
        let paths = VaultPaths::in_folder(home.path().join("vault"));
        (home, paths)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn the_socket_is_private_in_a_private_folder() {
        let (_home, paths) = place();
        let only = Only::take(&paths).unwrap();
        let listener = listen(&paths, &only).unwrap();
        assert_eq!(
            (mode(&paths.runtime), mode(&socket_path(&paths)), mode(&lock_path(&paths))),
            (0o700, 0o600, 0o600)
        );
        let client = connect(&paths).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(is_us(&server).unwrap() && is_us(&client).unwrap());
    }

    #[test]
    fn an_open_or_foreign_or_linked_folder_is_refused_and_left_alone() {
        let (home, paths) = place();
        std::fs::create_dir_all(&paths.runtime).unwrap();
        for open in [0o755, 0o770, 0o701] {
            std::fs::set_permissions(&paths.runtime, std::fs::Permissions::from_mode(open)).unwrap();
            assert!(matches!(Only::take(&paths), Err(AgentError::Folder { .. })), "{open:o}");
            assert!(matches!(connect(&paths), Err(AgentError::Folder { .. })), "{open:o}");
            assert_eq!(mode(&paths.runtime), open);
        }
        std::fs::remove_dir(&paths.runtime).unwrap();
        let real = home.path().join("real");
        DirBuilder::new().mode(0o700).create(&real).unwrap();
        std::os::unix::fs::symlink(&real, &paths.runtime).unwrap();
        let told = Only::take(&paths).err().unwrap().to_string();
        assert!(told.contains("symbolic link"), "{told}");
        std::fs::remove_file(&paths.runtime).unwrap();
        std::fs::write(&paths.runtime, "").unwrap();
        assert!(matches!(connect(&paths), Err(AgentError::Folder { .. })));
    }

    #[test]
    fn one_holds_the_lock_and_the_next_replaces_what_it_left() {
        let (_home, paths) = place();
        assert!(matches!(connect(&paths), Err(AgentError::Absent)));
        let only = Only::take(&paths).unwrap();
        assert!(matches!(Only::take(&paths), Err(AgentError::Taken)));
        drop(listen(&paths, &only).unwrap());
        assert!(socket_path(&paths).exists(), "as after kill -9");
        assert!(matches!(connect(&paths), Err(AgentError::Absent)));
        drop(only);
        let only = Only::take(&paths).unwrap();
        let _listener = listen(&paths, &only).unwrap();
        connect(&paths).unwrap();
    }

    #[test]
    fn a_folder_with_a_very_long_name_works_too() {
        let home = tempfile::tempdir().unwrap();
        let paths = VaultPaths::in_folder(home.path().join("long".repeat(50)));
        let only = Only::take(&paths).unwrap();
        let listener = listen(&paths, &only).unwrap();
        let client = connect(&paths).unwrap();
        (&client).write_all(b"x").unwrap();
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);
    }
}
