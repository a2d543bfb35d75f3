//! Typed settings, their load order (default, file, environment), and the project file that is found upward.
//!
//! Owns the spelling of every setting and the errors of wrong ones; applying them is the front ends' business. No file
//! of this room ever holds a secret.

pub mod project;
pub mod settings;

pub use project::ProjectFile;
pub use settings::Settings;

use crate::domain::{filter, printable};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest settings or project file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Why a settings file, a project file or a variable was not accepted. Safe on a terminal.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists and cannot be read.
    #[error("{}: {source}", shown(path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {message}", shown(path))]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and what, on one line.
        message: String,
    },
    /// A key that is not known.
    #[error("{}: unknown setting {key}{}", shown(path), hint(suggestion))]
    UnknownKey {
        /// Which file.
        path: PathBuf,
        /// The key with its section.
        key: String,
        /// The known key nearest to it.
        suggestion: Option<String>,
    },
    /// A known key with a value it cannot have; the place is a file or a variable.
    #[error("{place}: {key} {problem}")]
    BadValue {
        /// File or environment variable.
        place: String,
        /// The key with its section.
        key: String,
        /// What it must be instead.
        problem: String,
    },
    /// A project file that another user could have planted.
    #[error("{} belongs to another user; sealbox does not follow it", shown(path))]
    ForeignOwner {
        /// Which file.
        path: PathBuf,
    },
}

fn shown(path: &Path) -> String {
    printable::line(&path.to_string_lossy())
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|key| format!("; did you mean {key}?")).unwrap_or_default()
}

/// Reads and parses a small TOML file; `None` if there is none.
fn read_toml(path: &Path) -> Result<Option<toml::Table>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(e)),
    };
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        let problem = std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it is longer than 64 KiB");
        return Err(unreadable(problem));
    }
    let table = text.parse::<toml::Table>().map_err(|e| {
        let line = e.span().map(|span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        ConfigError::Syntax {
            path: path.to_owned(),
            message: format!("{place}{}", printable::line(e.message())),
        }
    })?;
    Ok(Some(table))
}

/// The error for a key that is none of `known`.
fn unknown(path: &Path, section: &str, key: &str, known: &[&str]) -> ConfigError {
    let full = |key: &str| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    ConfigError::UnknownKey {
        path: path.to_owned(),
        key: printable::line(&full(key)),
        suggestion: filter::nearest(key, known.iter().copied()).map(full),
    }
}
