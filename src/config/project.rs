//! `.sealbox.toml`: which vault and project a folder belongs to, and the names it needs. Safe to commit.
//!
//! Found from the current folder upward, as git finds its own. Because a cloned repository or a shared folder may hold
//! one that a stranger wrote, it can only *name* a vault, never point at a folder with one, and a file of another user
//! is refused.

use super::{ConfigError, read_toml, unknown};
use crate::domain::{ProjectName, SecretName};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE_NAME: &str = ".sealbox.toml";
const KNOWN: [&str; 3] = ["vault", "project", "names"];

/// What a project file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFile {
    /// Name of a vault, 1 to 32 of `a-z 0-9 _ -`.
    pub vault: Option<String>,
    /// The project that commands in this folder mean.
    pub project: Option<ProjectName>,
    /// The names that this folder needs.
    pub names: Vec<SecretName>,
}

/// The nearest project file in `from` or above it, up to the root of the file system, with its path. What is no
/// regular file is passed over; a file of another user (root excepted) may have been planted in a folder such as /tmp
/// and is an error.
pub fn find_upward(from: &Path) -> Result<Option<(PathBuf, ProjectFile)>, ConfigError> {
    for folder in from.ancestors() {
        let path = folder.join(FILE_NAME);
        let Ok(found) = std::fs::metadata(&path) else { continue };
        if !found.is_file() {
            continue; // a planted FIFO must not hang us either
        }
        if !trusted(found.uid()) {
            return Err(ConfigError::ForeignOwner { path });
        }
        if let Some(table) = read_toml(&path)? {
            let file = parse(&path, &table)?;
            return Ok(Some((path, file)));
        }
    }
    Ok(None)
}

fn trusted(owner: u32) -> bool {
    owner == rustix::process::geteuid().as_raw() || owner == 0
}

fn parse(path: &Path, table: &toml::Table) -> Result<ProjectFile, ConfigError> {
    if let Some(key) = table.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(unknown(path, "", key, &KNOWN));
    }
    let bad = |key: &str, problem: String| ConfigError::BadValue {
        place: super::shown(path),
        key: key.to_owned(),
        problem,
    };
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| bad(key, "must be text in quotes".to_owned())),
    };
    let vault = text("vault")?.map(str::to_owned);
    if vault.as_deref().is_some_and(|name| !vault_name(name)) {
        let problem = "must be a vault's name, 1 to 32 of a-z, 0-9, _ and -; a folder is given with --vault";
        return Err(bad("vault", problem.to_owned()));
    }
    let project = text("project")?.map(ProjectName::parse).transpose();
    let project = project.map_err(|why| bad("project", format!("is not a project: {why}")))?;
    let list = match table.get("names") {
        None => &Vec::new(),
        Some(list) => list.as_array().ok_or_else(|| bad("names", "must be a list".to_owned()))?,
    };
    let mut names = Vec::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        let name = entry.as_str().map(SecretName::parse);
        match name {
            Some(Ok(name)) => names.push(name),
            Some(Err(why)) => return Err(bad(&format!("names[{at}]"), format!("is not a name: {why}"))),
            None => return Err(bad(&format!("names[{at}]"), "must be text in quotes".to_owned())),
        }
    }
    Ok(ProjectFile { vault, project, names })
}

fn vault_name(name: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<ProjectFile, ConfigError> {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE_NAME), text).unwrap();
        find_upward(home.path()).map(|found| found.unwrap().1)
    }

    #[test]
    fn the_nearest_file_upward_counts() {
        let home = tempfile::tempdir().unwrap();
        let deep = home.path().join("a/b/c");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(home.path().join(FILE_NAME), "project = \"outer\"\n").unwrap();
        assert_eq!(find_upward(&deep).unwrap().unwrap().1.project.unwrap().as_str(), "outer");
        std::fs::write(home.path().join("a/b").join(FILE_NAME), "project = \"inner\"\n").unwrap();
        let (path, file) = find_upward(&deep).unwrap().unwrap();
        assert_eq!(path, home.path().join("a/b").join(FILE_NAME));
        assert_eq!(file.project.unwrap().as_str(), "inner");
    }

    #[test]
    fn what_is_no_file_of_ours_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let inner = home.path().join("a");
        std::fs::create_dir_all(inner.join(FILE_NAME)).unwrap();
        std::fs::write(home.path().join(FILE_NAME), "project = \"outer\"\n").unwrap();
        assert_eq!(find_upward(&inner).unwrap().unwrap().1.project.unwrap().as_str(), "outer");
        assert!(trusted(0) && trusted(rustix::process::geteuid().as_raw()));
        assert!(!trusted(rustix::process::geteuid().as_raw() + 1));
    }

    #[test]
    fn everything_it_may_say_is_read() {
        let file =
            found("vault = \"work\"\nproject = \"billing\"\nnames = [\"API_KEY\", \"DB_URL\"]\n").unwrap();
        assert_eq!(file.vault.as_deref(), Some("work"));
        assert_eq!(file.names.iter().map(SecretName::as_str).collect::<Vec<_>>(), ["API_KEY", "DB_URL"]);
        assert_eq!(found("").unwrap(), ProjectFile::default());
    }

    #[test]
    fn it_cannot_point_at_a_vault_outside_and_mistakes_are_named() {
        for (text, wanted) in [
            ("vault = \"./vault\"\n", "vault must be a vault's name"),
            ("vault = \"/tmp/x\"\n", "vault must be a vault's name"),
            ("projekt = \"x\"\n", "unknown setting projekt; did you mean project?"),
            ("project = \"Billing\"\n", "project is not a project"),
            ("project = 3\n", "project must be text"),
            ("names = \"A\"\n", "names must be a list"),
            ("names = [\"A\", \"b\"]\n", "names[1] is not a name"),
            ("names = [3]\n", "names[0] must be text"),
            ("project = \n", "not valid TOML"),
        ] {
            let error = found(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }
}
