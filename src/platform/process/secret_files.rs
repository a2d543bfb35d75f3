//! Secrets as files in a folder of our making, for programs that read `/run/secrets`; wiped and removed on drop.
//!
//! Owns the folder from making to removal. Invariant: a folder that held anything before is refused, so that nothing of
//! anybody else is ever wiped; and a folder that was there before stays, empty of our files.

use crate::domain::{SecretName, SecretValue};
use crate::platform::{editor, files};
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};

/// The files of one run.
pub struct SecretFiles {
    folder: PathBuf,
    made: bool,
    files: Vec<PathBuf>,
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
        Ok(Self { folder, made, files: Vec::new() })
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
        let folder = tempfile::Builder::new().prefix("sealbox-files-").tempdir_in(base)?.keep();
        let made = Self { folder, made: true, files: Vec::new() };
        files::private_dir(&made.folder)?;
        Ok(made)
    }

    /// Writes one secret, mode 0600, under its name.
    pub fn write(&mut self, name: &SecretName, value: &SecretValue) -> io::Result<()> {
        let file = self.folder.join(name.as_str());
        self.files.push(file.clone());
        files::create_private_new(&file, value.expose())
    }

    /// Where the files are; absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// True if the folder is in memory and no disk will ever see the values.
    pub fn is_in_memory(&self) -> bool {
        editor::in_memory(&self.folder)
    }
}

impl Drop for SecretFiles {
    fn drop(&mut self) {
        if self.made {
            editor::wipe_folder(&self.folder, 8); // also what the program put there: perhaps a copy
            let _ = std::fs::remove_dir_all(&self.folder);
        } else {
            for file in &self.files {
                let _ = files::remove_wiped(file);
            }
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
