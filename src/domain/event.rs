//! One line of a scope's log, in words: a change of its signed history, or a reading of the read log. Labels, hosts and
//! programs come from other people: escape them.

use super::{ReadCode, Role, ScopeRef, SecretName};
use serde::{Deserialize, Serialize};

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// Which scope.
    pub scope: ScopeRef,
    /// Position in the scope's chain, or in its author's chain of readings.
    pub seq: u64,
    /// When, as the author claims, milliseconds since 1970.
    pub time_ms: u64,
    /// Label of the author.
    pub author: String,
    /// Stable code: `scope_created`, `secret_created`, `secret_updated`, `secret_rewrapped`, `secret_deleted`,
    /// `secret_rotation_set`, `member_added`, `member_role_changed`, `member_removed`, `keys_rotated`, `project_created`;
    /// for a reading `reveal`, `copy`, `get`, `run`, `inject`, `export`.
    pub action: String,
    /// The secret's, member's or project's name, if there is one and the user may see it.
    pub subject: Option<String>,
    /// The version written.
    pub version: Option<u32>,
    /// The role given.
    pub role: Option<Role>,
    /// SHA-256 of the entry in hexadecimal.
    pub hash: String,
    /// The rotation interval that was set, in seconds; 0 if it was taken away.
    #[serde(default)]
    pub rotate_every_s: Option<u64>,
    /// Present for a reading, absent for a change.
    #[serde(default)]
    pub read: Option<ReadFacts>,
}

/// Which lines of the log are asked for. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPick {
    /// Changes, readings, or both.
    #[serde(default)]
    pub kind: LogKind,
    /// Only by, or about, this member: a label, or a public ID string.
    #[serde(default)]
    pub member: Option<String>,
    /// Only about this secret.
    #[serde(default)]
    pub name: Option<SecretName>,
    /// Only what claims to be this young or younger, milliseconds since 1970.
    #[serde(default)]
    pub since_ms: Option<u64>,
}

/// Changes, readings, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// Both, merged by time.
    #[default]
    All,
    /// The signed history.
    Changes,
    /// The read log.
    Reads,
}

/// What a reading says beyond who and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFacts {
    /// How it ended.
    pub code: ReadCode,
    /// Which secrets.
    pub names: Vec<SecretName>,
    /// On which machine, as it calls itself.
    pub host: String,
    /// By which program, as it calls itself.
    pub program: String,
}
