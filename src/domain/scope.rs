//! Scopes: the organization, seen by every project, and the projects.
//!
//! A [`ScopeId`] is the hash of the scope's first entry and therefore cannot be forged; a [`ScopeRef`] is how a
//! person names a scope.

use super::Role;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// SHA-256 of a scope's genesis entry: self-certifying (SPEC 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub [u8; 32]);

impl ScopeId {
    /// All zeros: stands for "no scope" inside a genesis entry.
    pub const NONE: Self = Self([0; 32]);

    /// Lower-case hexadecimal, 64 characters.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// Lower-case hexadecimal of any bytes.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

/// A project's name: 1 to 64 of `a-z 0-9 - _ .`, starting with a letter or digit. Lower case, so that it is never
/// mistaken for a secret's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(String);

impl ProjectName {
    /// Accepts exactly the rule above.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && text.len() <= 64 && text.chars().all(ok) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a project name has 1 to 64 of a-z, 0-9, - _ . and starts with a letter or digit".to_owned())
        }
    }

    /// What one typed character becomes in a project-name field: lower-cased if it is allowed, otherwise nothing.
    pub fn typed(c: char) -> Option<char> {
        let c = c.to_ascii_lowercase();
        (c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')).then_some(c)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ProjectName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ProjectName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<ProjectName> for String {
    fn from(name: ProjectName) -> Self {
        name.0
    }
}

/// A scope as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeRef {
    /// The organization.
    Organization,
    /// One project.
    Project(ProjectName),
}

impl fmt::Display for ScopeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization => f.write_str("the organization"),
            Self::Project(name) => write!(f, "project {name}"),
        }
    }
}

/// One scope that the user is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeInfo {
    /// How to ask for it.
    pub scope: ScopeRef,
    /// Its name: the organization's or the project's.
    pub label: String,
    /// Scope id in hexadecimal.
    pub id: String,
    /// What the user may do here.
    pub role: Role,
    /// Number of living secrets.
    pub secrets: usize,
    /// Number of present members.
    pub members: usize,
    /// Sequence number of the newest entry.
    pub head: u64,
    /// When the newest entry was written, milliseconds since 1970.
    pub updated_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_names_follow_their_rule() {
        for good in ["billing", "a", "web-2", "x_y.z", "0"] {
            assert!(ProjectName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Billing", "-a", ".a", "a b", "a/b", "é", &"a".repeat(65)] {
            assert!(ProjectName::parse(bad).is_err(), "{bad}");
        }
    }
}
