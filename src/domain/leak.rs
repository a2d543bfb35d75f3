//! What may be told of values that leaked into files: whose they are and where, never what they are.

use super::{ScopeRef, SecretName};
use serde::{Deserialize, Serialize};

/// One version of one secret that a scan looks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValueOwner {
    /// Where it is kept.
    pub scope: ScopeRef,
    /// Its name.
    pub name: SecretName,
    /// Its version.
    pub version: u32,
    /// False for an older version that is still kept: a leak of it matters until the value was changed at its source.
    pub current: bool,
}

/// Why a value is not searched for: it would be found where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum TooVague {
    /// Fewer than eight bytes.
    #[error("too short to scan for")]
    Short,
    /// A word, a host, a short number, or one character again and again.
    #[error("too plain to scan for")]
    Plain,
}

/// A secret whose current value is not searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotSearched {
    /// Where it is kept.
    pub scope: ScopeRef,
    /// Its name.
    pub name: SecretName,
    /// Why; `None` if its ciphertext could not be opened.
    pub why: Option<TooVague>,
}
