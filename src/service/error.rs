//! The vocabulary of failure that crosses the door: a stable kind, one sentence, and what to do next. Never a value.

use serde::{Deserialize, Serialize};

/// A fixed token for each way that a request can fail; logs and `--json` carry it, and the exit code follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Anything without a kind of its own: I/O, a full disk, a bug.
    Failure,
    /// The request itself makes no sense (a bad name, a value that is too long).
    Usage,
    /// The user said no.
    Cancelled,
    /// No such secret, version, project, member or vault.
    NotFound,
    /// The vault is locked, or the passphrase is wrong.
    Locked,
    /// The role does not allow it.
    Denied,
    /// Somebody else was faster, or the thing exists already.
    Conflict,
    /// The vault is damaged, tampered with, rolled back, or newer than this program.
    Damaged,
}

impl ErrorKind {
    /// The stable token, as in `--json`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::Cancelled => "cancelled",
            Self::NotFound => "not_found",
            Self::Locked => "locked",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::Damaged => "damaged",
        }
    }
}

/// Why a request was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    /// The stable kind.
    pub kind: ErrorKind,
    /// What failed and why, in one sentence without a full stop.
    pub message: String,
    /// The exact next command or key, if there is one.
    pub hint: Option<String>,
    /// The chain of causes, for `-v`; never a value.
    pub causes: Vec<String>,
}

impl ServiceError {
    /// An error without a hint.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, causes: Vec::new() }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the causes below `error`, outermost first.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            self.causes.push(inner.to_string());
            cause = inner.source();
        }
        self
    }
}
