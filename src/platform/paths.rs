//! Where a vault's files are (SPEC 1.12): XDG folders, or one self-contained folder.

use std::path::PathBuf;

/// The files of one vault. All are 0600 in folders of 0700.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultPaths {
    /// Holds `identity` and `store.db`.
    pub data: PathBuf,
    /// Holds `pins.db`.
    pub state: PathBuf,
    /// Holds `config.toml`.
    pub config: PathBuf,
    /// Memory-backed if the system has such a place; for sockets and the editor's file.
    pub runtime: PathBuf,
}

impl VaultPaths {
    /// Everything in one folder: for `demo`, tests and `--vault /some/path`.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            state: folder.join("state"),
            config: folder.join("config"),
            runtime: folder.join("run"),
            data: folder,
        }
    }

    /// The passphrase-sealed identity.
    pub fn identity(&self) -> PathBuf {
        self.data.join("identity")
    }

    /// The embedded store.
    pub fn store(&self) -> PathBuf {
        self.data.join("store.db")
    }

    /// The newest entry seen of each scope.
    pub fn pins(&self) -> PathBuf {
        self.state.join("pins.db")
    }
}
