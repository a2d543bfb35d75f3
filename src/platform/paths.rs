//! Where a vault's files are (SPEC 1.12): XDG folders, or one self-contained folder.
//!
//! Pure: the environment is an argument and nothing is created. No path ever leads into a shared folder such as /tmp
//! unless a person names it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The longest vault name, in characters.
const MAX_VAULT_NAME: usize = 32;

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

/// Why no vault folder could be determined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathsError {
    /// Neither `HOME` nor the XDG variable is set.
    #[error("no place for the vault: HOME is not set; set it, or give a folder with --vault /some/path")]
    NoHome,
    /// A vault name outside `[a-z0-9_-]{1,32}`.
    #[error("a vault is a name of 1 to 32 of a-z, 0-9, _ and -, or a folder written with a /")]
    BadName,
    /// A relative folder, while the current folder is gone.
    #[error("the current folder cannot be read; give the vault's folder as an absolute path")]
    NoCurrentDir,
}

impl VaultPaths {
    /// The default vault (`None`), a named vault, or, if the text holds a `/`, everything in that folder.
    /// `env` looks up one environment variable. Relative XDG values are ignored, as the XDG specification says.
    pub fn resolve(vault: Option<&str>, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, PathsError> {
        if let Some(folder) = vault.filter(|text| text.contains('/')) {
            let folder = std::path::absolute(folder).map_err(|_| PathsError::NoCurrentDir)?;
            return Ok(Self::in_folder(folder));
        }
        let data = xdg(env, "XDG_DATA_HOME", ".local/share")?;
        let state = xdg(env, "XDG_STATE_HOME", ".local/state")?;
        let config = xdg(env, "XDG_CONFIG_HOME", ".config")?;
        // never /tmp: without a runtime folder of the session, one of our own is the only private place
        let runtime = absolute(env("XDG_RUNTIME_DIR")).map(|folder| folder.join("sealbox"));
        let runtime = runtime.unwrap_or_else(|| state.join("run"));
        match vault {
            None => Ok(Self { data, state, config, runtime }),
            Some(name) if valid_name(name) => {
                let place = Path::new("vaults").join(name);
                Ok(Self {
                    data: data.join(&place),
                    state: state.join(&place),
                    config,
                    runtime: runtime.join(&place),
                })
            }
            Some(_) => Err(PathsError::BadName),
        }
    }

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

fn valid_name(name: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=MAX_VAULT_NAME).contains(&name.len()) && name.bytes().all(ok)
}

fn xdg(
    env: &dyn Fn(&str) -> Option<OsString>,
    variable: &str,
    below_home: &str,
) -> Result<PathBuf, PathsError> {
    let base = absolute(env(variable)).or_else(|| Some(absolute(env("HOME"))?.join(below_home)));
    base.map(|base| base.join("sealbox")).ok_or(PathsError::NoHome)
}

fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(vault: Option<&str>, vars: &[(&str, &str)]) -> Result<VaultPaths, PathsError> {
        VaultPaths::resolve(vault, &|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn home_alone_gives_the_usual_folders() {
        let paths = resolve(None, &[("HOME", "/h")]).unwrap();
        assert_eq!(paths.identity(), Path::new("/h/.local/share/sealbox/identity"));
        assert_eq!(paths.pins(), Path::new("/h/.local/state/sealbox/pins.db"));
        assert_eq!(paths.config, Path::new("/h/.config/sealbox"));
        assert_eq!(paths.runtime, Path::new("/h/.local/state/sealbox/run"));
    }

    #[test]
    fn xdg_variables_win_unless_they_are_relative_or_empty() {
        let all = [
            ("HOME", "/h"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "relative"),
            ("XDG_CONFIG_HOME", ""),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
        ];
        let paths = resolve(None, &all).unwrap();
        assert_eq!(paths.store(), Path::new("/d/sealbox/store.db"));
        assert_eq!(paths.state, Path::new("/h/.local/state/sealbox"));
        assert_eq!(paths.config, Path::new("/h/.config/sealbox"));
        assert_eq!(paths.runtime, Path::new("/run/user/7/sealbox"));
    }

    #[test]
    fn a_named_vault_has_its_own_data_state_and_runtime() {
        let paths = resolve(Some("work_2"), &[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")]).unwrap();
        assert_eq!(paths.data, Path::new("/h/.local/share/sealbox/vaults/work_2"));
        assert_eq!(paths.state, Path::new("/h/.local/state/sealbox/vaults/work_2"));
        assert_eq!(paths.config, Path::new("/h/.config/sealbox"));
        assert_eq!(paths.runtime, Path::new("/r/sealbox/vaults/work_2"));
        for bad in ["", "Work", "..", "a b", "é", &"a".repeat(33)] {
            assert_eq!(resolve(Some(bad), &[("HOME", "/h")]), Err(PathsError::BadName), "{bad}");
        }
    }

    #[test]
    fn a_folder_holds_everything_and_becomes_absolute() {
        assert_eq!(resolve(Some("/v/x"), &[]).unwrap(), VaultPaths::in_folder("/v/x"));
        assert!(resolve(Some("./x"), &[]).unwrap().data.is_absolute());
    }

    #[test]
    fn without_home_the_error_says_what_to_do() {
        assert_eq!(resolve(None, &[]), Err(PathsError::NoHome));
        assert_eq!(resolve(None, &[("HOME", "relative")]), Err(PathsError::NoHome));
        assert!(PathsError::NoHome.to_string().contains("--vault"));
        assert!(
            resolve(None, &[("XDG_DATA_HOME", "/d"), ("XDG_STATE_HOME", "/s"), ("XDG_CONFIG_HOME", "/c")])
                .is_ok()
        );
    }
}
