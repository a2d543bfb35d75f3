//! What a front end may know of a member. Labels come from other people: escape them before showing them.

use super::{Role, SecretName};
use serde::{Deserialize, Serialize};

/// One member of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberInfo {
    /// What owners call them.
    pub label: String,
    /// Their public ID string.
    pub id: String,
    /// What they may do; `None` for a former member.
    pub role: Option<Role>,
    /// True for a worker's token.
    pub machine: bool,
    /// True for the user who asks.
    pub me: bool,
    /// When they got this role, milliseconds since 1970.
    pub since_ms: u64,
    /// Label of the owner who gave it.
    pub granted_by: String,
}

/// What a change of a member's role led to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberChanged {
    /// True if the scope got new keys.
    pub rotated: bool,
    /// Names of secrets that the member could read: rotate them at their source.
    pub exposed: Vec<SecretName>,
}
