//! `.sealbox.toml`: which vault and project a folder belongs to, the names it needs, and the folders to scan. Safe to
//! commit.
//!
//! Found from the current folder upward, as git finds its own. Because a cloned repository or a shared folder may hold
//! one that a stranger wrote, it can only *name* a vault, never point at a folder with one, and a file of another user
//! is refused.

use super::{ConfigError, read_toml, unknown};
use crate::domain::{ProjectName, SecretName};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The name of the file.
pub const FILE_NAME: &str = ".sealbox.toml";
const KNOWN: [&str; 4] = ["vault", "project", "names", "scan"];
/// The most folders that one file may name.
const MAX_FOLDERS: usize = 256;

/// What a project file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFile {
    /// Name of a vault, 1 to 32 of `a-z 0-9 _ -`.
    pub vault: Option<String>,
    /// The project that commands in this folder mean.
    pub project: Option<ProjectName>,
    /// The names that this folder needs.
    pub names: Vec<SecretName>,
    /// Folders or files to scan, relative to the file, without `..`; see [`ProjectFile::folders`].
    pub scan: Vec<PathBuf>,
}

/// Why a folder to scan is not scanned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} leads out of the folder of {FILE_NAME} through a link; it is not scanned", super::shown(.0))]
pub struct Outside(pub PathBuf);

impl ProjectFile {
    /// The folders to scan, below `base`, the folder in which this file is. A link that leads out of it is refused: the
    /// file may come with other people's code. A folder that does not exist is passed on, for the scan to name it.
    ///
    /// # Errors
    /// [`Outside`], naming the first folder that is elsewhere.
    pub fn folders(&self, base: &Path) -> Result<Vec<PathBuf>, Outside> {
        let real = |path: &Path| path.canonicalize().ok();
        let root = real(base);
        let place = |folder: &PathBuf| {
            let path = if folder == Path::new(".") { base.to_owned() } else { base.join(folder) };
            match (&root, real(&path)) {
                (Some(root), Some(found)) if !found.starts_with(root) => Err(Outside(folder.clone())),
                _ => Ok(path),
            }
        };
        self.scan.iter().map(place).collect()
    }
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
    let scan = folders(table).map_err(|(key, problem)| bad(&key, problem.to_owned()))?;
    Ok(ProjectFile { vault, project, names, scan })
}

/// The list `scan`; an error is the key with its problem.
fn folders(table: &toml::Table) -> Result<Vec<PathBuf>, (String, &'static str)> {
    let Some(list) = table.get("scan") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| ("scan".to_owned(), "must be a list"))?;
    if list.len() > MAX_FOLDERS {
        return Err(("scan".to_owned(), "has more than 256 folders"));
    }
    let folder = |(at, entry): (usize, &toml::Value)| {
        let bad = |problem| (format!("scan[{at}]"), problem);
        let text = entry.as_str().ok_or_else(|| bad("must be text in quotes"))?;
        let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if text.is_empty() || text.contains('\0') || !Path::new(text).components().all(inside) {
            return Err(bad("must be a folder below this file, such as \"src\": relative and without .."));
        }
        Ok(PathBuf::from(text))
    };
    list.iter().enumerate().map(folder).collect()
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
            found("vault = \"work\"\nproject = \"billing\"\nnames = [\"API_KEY\", \"DB_URL\"]\nscan = [\"src\", \".\"]\n")
                .unwrap();
        assert_eq!(file.scan, [Path::new("src"), Path::new(".")]);
        assert_eq!(file.vault.as_deref(), Some("work"));
        assert_eq!(file.names.iter().map(SecretName::as_str).collect::<Vec<_>>(), ["API_KEY", "DB_URL"]);
        assert_eq!(found("").unwrap(), ProjectFile::default());
    }

    #[test]
    fn a_folder_to_scan_that_leads_outside_through_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let base = home.path().join("repo");
        std::fs::create_dir_all(base.join("src")).unwrap();
        std::os::unix::fs::symlink(home.path(), base.join("out")).unwrap();
        let file = |folder: &str| ProjectFile { scan: vec![folder.into()], ..ProjectFile::default() };
        assert_eq!(file("src").folders(&base).unwrap(), [base.join("src")]);
        assert_eq!(file(".").folders(&base).unwrap(), std::slice::from_ref(&base));
        assert_eq!(file("gone").folders(&base).unwrap(), [base.join("gone")]);
        assert_eq!(file("out").folders(&base).unwrap_err(), Outside("out".into()));
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
            ("scan = \"src\"\n", "scan must be a list"),
            ("scan = [\"src\", \"../other\"]\n", "scan[1] must be a folder below this file"),
            ("scan = [\"a/../../b\"]\n", "scan[0] must be a folder below this file"),
            ("scan = [\"/etc\"]\n", "scan[0] must be a folder below this file"),
            ("scan = [\"\"]\n", "scan[0] must be a folder below this file"),
            ("scan = [1]\n", "scan[0] must be text"),
            ("project = \n", "not valid TOML"),
        ] {
            let error = found(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }
}
