//! One line of a scope's signed history, in words. Labels and names come from other people: escape them.

use super::{Role, ScopeRef};
use serde::{Deserialize, Serialize};

/// One line of the signed history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// Which scope.
    pub scope: ScopeRef,
    /// Position in the chain.
    pub seq: u64,
    /// When, as the author claims, milliseconds since 1970.
    pub time_ms: u64,
    /// Label of the author.
    pub author: String,
    /// Stable code: `scope_created`, `secret_created`, `secret_updated`, `secret_rewrapped`, `secret_deleted`,
    /// `member_added`, `member_role_changed`, `member_removed`, `keys_rotated`, `project_created`.
    pub action: String,
    /// The secret's, member's or project's name, if there is one and the user may see it.
    pub subject: Option<String>,
    /// The version written.
    pub version: Option<u32>,
    /// The role given.
    pub role: Option<Role>,
    /// SHA-256 of the entry in hexadecimal.
    pub hash: String,
}
