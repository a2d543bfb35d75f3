//! The demo's folder: made in memory if possible, held by a lock, removed in every way a process can end but kill -9;
//! what a killed demo left behind is swept by the next one.

use std::{
    fs::File,
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const PREFIX: &str = "sealbox-demo-";
/// Not `lock`: that is the vault's own file in the same folder.
const LOCK: &str = "demo.lock";

/// Removes the folder when dropped.
pub(crate) struct Folder {
    inner: tempfile::TempDir,
    armed: Arc<AtomicBool>,
    _lock: File,
}

impl Folder {
    /// In `$XDG_RUNTIME_DIR`, else `/dev/shm`, else the folder for temporary files.
    pub(crate) fn create() -> io::Result<Self> {
        let runtime =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let places: Vec<PathBuf> =
            runtime.into_iter().chain([PathBuf::from("/dev/shm"), std::env::temp_dir()]).collect();
        for place in &places {
            sweep(place);
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for place in places.iter().filter(|place| place.is_dir()) {
            match Self::create_in(place) {
                Ok(folder) => return Ok(folder),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn create_in(place: &Path) -> io::Result<Self> {
        let mode = std::fs::Permissions::from_mode(0o700);
        let inner = tempfile::Builder::new().prefix(PREFIX).permissions(mode).tempdir_in(place)?;
        // named only once it is held, so that no other demo takes this folder for an abandoned one
        let unnamed = inner.path().join("demo.new");
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        std::fs::rename(&unnamed, inner.path().join(LOCK))?;
        let armed = Arc::new(AtomicBool::new(true));
        watch_signals(inner.path().to_path_buf(), armed.clone());
        Ok(Self { inner, armed, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.inner.path()
    }

    /// Signals are somebody else's from now on.
    pub(crate) fn disarm(&self) {
        self.armed.store(false, Ordering::SeqCst);
    }
}

/// While armed, a deadly signal removes the folder first.
fn watch_signals(path: PathBuf, armed: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
            let [Ok(mut terminate), Ok(mut hangup), Ok(mut interrupt)] = kinds.map(signal) else { return };
            let number = tokio::select! {
                _ = terminate.recv() => 15,
                _ = hangup.recv() => 1,
                _ = interrupt.recv() => 2,
            };
            if armed.load(Ordering::SeqCst) {
                let _ = std::fs::remove_dir_all(&path); // ending anyway; the next demo sweeps what is left
                std::process::exit(128 + number);
            }
        });
    });
}

/// Removes demo folders of ours whose process is gone.
fn sweep(place: &Path) {
    let Ok(entries) = std::fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw());
        if ours && abandoned(&entry.path().join(LOCK)) {
            let _ = std::fs::remove_dir_all(entry.path()); // somebody else may sweep at the same time
        }
    }
}

/// True if the lock file exists and nobody holds it. A folder without one is just being made.
fn abandoned(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_its_guard() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create_in(place.path()).unwrap();
        let path = folder.path().to_path_buf();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn only_the_folders_of_dead_demos_are_swept() {
        let place = tempfile::tempdir().unwrap();
        let living = Folder::create_in(place.path()).unwrap();
        let dead = place.path().join(format!("{PREFIX}dead"));
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join(LOCK), "").unwrap();
        let other = place.path().join("something-else");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join(LOCK), "").unwrap();
        sweep(place.path());
        assert!(living.path().exists() && other.exists());
        assert!(!dead.exists());
    }
}
