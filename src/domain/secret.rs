//! What a front end may know of a secret without opening it: never a value, never a length.

use super::{SecretName, span};
use serde::{Deserialize, Serialize};

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretMeta {
    /// The immutable name.
    pub name: SecretName,
    /// Version of the current value, counted from 1.
    pub version: u32,
    /// When the current version was written: milliseconds since 1970, as its author claims.
    pub updated_ms: u64,
    /// Label of who wrote the current version. It comes from another person: escape it before showing it.
    pub updated_by: String,
    /// When version 1 was written, in milliseconds since 1970.
    pub created_ms: u64,
    /// Label of who wrote version 1.
    pub created_by: String,
    /// Somebody who could read the current value has been removed since it was written: rotate it at its source.
    pub exposed: bool,
    /// How often the value must be changed, in seconds; `None` if nobody said so.
    #[serde(default)]
    pub rotate_every_s: Option<u64>,
}

/// Where a secret stands in its rotation interval, in seconds from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The value is older than its interval, by so much.
    Due(u64),
    /// So much is left, and that is little: a quarter of the interval or 14 days, whichever is less.
    Soon(u64),
    /// So much is left.
    Later(u64),
}

impl SecretMeta {
    /// Where this secret stands at `now_ms`; `None` without an interval. A value from the future is new.
    pub fn rotation(&self, now_ms: u64) -> Option<Rotation> {
        let every = self.rotate_every_s?;
        let age = now_ms.saturating_sub(self.updated_ms) / 1000;
        Some(match every.checked_sub(age) {
            None | Some(0) => Rotation::Due(age.saturating_sub(every)),
            Some(left) if left <= (every / 4).min(14 * 86_400) => Rotation::Soon(left),
            Some(left) => Rotation::Later(left),
        })
    }

    /// When the value falls due, milliseconds since 1970; `None` without an interval.
    pub fn rotation_due_ms(&self) -> Option<u64> {
        Some(self.updated_ms.saturating_add(self.rotate_every_s?.saturating_mul(1000)))
    }
}

impl Rotation {
    /// True if the value must be changed now.
    pub fn is_due(self) -> bool {
        matches!(self, Self::Due(_))
    }

    /// `rotation due`, or `due in 12 d`.
    pub fn words(self) -> String {
        match self {
            Self::Due(_) => "rotation due".to_owned(),
            Self::Soon(left) | Self::Later(left) => format!("due in {}", span::about(left)),
        }
    }

    /// The words, if they are worth a flag in a table: when it is due, or will be soon.
    pub fn flag(self) -> Option<String> {
        (!matches!(self, Self::Later(_))).then(|| self.words())
    }
}

/// One row of a secret's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionMeta {
    /// Version number, counted from 1.
    pub version: u32,
    /// When it was written, milliseconds since 1970, as its author claims.
    pub updated_ms: u64,
    /// Label of its author; escape it before showing it.
    pub updated_by: String,
    /// True for the newest version.
    pub current: bool,
    /// False once the version fell below the floor and its ciphertext was deleted.
    pub kept: bool,
}

/// What `set` expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetMode {
    /// The name must be new; otherwise a conflict.
    Create,
    /// The name must exist, at this version; otherwise not found or a conflict.
    Replace {
        /// The version that the user was looking at.
        seen: u32,
    },
    /// Either way.
    Upsert,
}

/// What an import does with names that exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExisting {
    /// Write a new version where the value differs.
    Update,
    /// Leave them alone.
    Skip,
    /// Refuse the whole import.
    Fail,
}

/// What an import did, or would do: names only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// New names.
    pub created: Vec<SecretName>,
    /// Names that got a new version.
    pub updated: Vec<SecretName>,
    /// Names whose value is the same already.
    pub unchanged: Vec<SecretName>,
    /// Names left alone because they exist.
    pub skipped: Vec<SecretName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_due_an_interval_after_it_was_written() {
        const DAY: u64 = 86_400;
        let mut meta = SecretMeta {
            name: SecretName::parse("A").unwrap(),
            version: 1,
            updated_ms: 1_000 * DAY * 1000,
            updated_by: String::new(),
            created_ms: 0,
            created_by: String::new(),
            exposed: false,
            rotate_every_s: None,
        };
        let at = |meta: &SecretMeta, day: u64| meta.rotation(day * DAY * 1000);
        assert_eq!(at(&meta, 5_000), None);
        meta.rotate_every_s = Some(90 * DAY);
        assert_eq!(at(&meta, 1_000), Some(Rotation::Later(90 * DAY)));
        assert_eq!(at(&meta, 1_075), Some(Rotation::Later(15 * DAY)));
        assert_eq!(at(&meta, 1_078).unwrap().flag().as_deref(), Some("due in 12 d"));
        assert_eq!(at(&meta, 1_090).unwrap().flag().as_deref(), Some("rotation due"));
        assert_eq!(at(&meta, 1_093), Some(Rotation::Due(3 * DAY)));
        assert_eq!(at(&meta, 1_000).unwrap().flag(), None);
        assert_eq!(at(&meta, 0), Some(Rotation::Later(90 * DAY)), "a value from the future is new");
        assert_eq!(meta.rotation_due_ms(), Some(1_090 * DAY * 1000));
        meta.rotate_every_s = Some(u64::MAX);
        assert_eq!(at(&meta, 2_000).map(Rotation::is_due), Some(false));
    }
}
