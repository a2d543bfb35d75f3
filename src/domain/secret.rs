//! What a front end may know of a secret without opening it: never a value, never a length.

use super::SecretName;
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
