//! The vocabulary of failure that crosses the door: a stable kind, one sentence, and what to do next. Never a value.

use crate::chain::ChainFault;
use crate::domain::Role;
use crate::resolve::ResolveError;
use crate::store::StoreError;
use crate::vault::VaultError;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind::AlreadyExists;

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

impl From<VaultError> for ServiceError {
    /// Ties every fault of a vault to a kind and to the next step.
    fn from(error: VaultError) -> Self {
        Self::from(&error)
    }
}

impl From<ResolveError> for ServiceError {
    /// A plan that cannot be made names everything that is wrong with it; what is missing weighs more than a role.
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Vault(error) => Self::from(error),
            ResolveError::Provider { .. } => Self::new(ErrorKind::Failure, error.to_string()),
            ResolveError::Problems(problems) => {
                let kind = |kind| Self::new(kind, problems.to_string());
                match problems.denied.first() {
                    _ if !problems.unknown.is_empty() => {
                        kind(ErrorKind::NotFound).hint("sealbox find NAME, or sealbox set NAME")
                    }
                    Some((_, scope, _)) if problems.no_provider.is_empty() => kind(ErrorKind::Denied)
                        .hint(format!("ask an owner for the role {} in {scope}", Role::Run)),
                    _ => kind(ErrorKind::NotFound).hint("correct the reference"),
                }
            }
        }
    }
}

impl From<&VaultError> for ServiceError {
    fn from(error: &VaultError) -> Self {
        use ErrorKind as Kind;
        let plain = |kind| Self::new(kind, error.to_string()).caused_by(error);
        match error.root() {
            VaultError::NoVault(_) => {
                plain(Kind::NotFound).hint("sealbox init --org NAME --name YOU, or just `sealbox`")
            }
            VaultError::VaultExists(_) => {
                plain(Kind::Conflict).hint("use it, or choose another one: --vault NAME")
            }
            VaultError::OrphanStore(_) => plain(Kind::Conflict)
                .hint("sealbox restore --recovery-key-file FILE, or `sealbox reset` to start anew"),
            VaultError::Locked => plain(Kind::Locked).hint("sealbox unlock, or give the passphrase"),
            VaultError::WrongPassphrase => {
                plain(Kind::Locked).hint("try again; forgotten? sealbox restore --recovery-key-file FILE")
            }
            VaultError::IdentityDamaged(..) => plain(Kind::Damaged)
                .hint("put a copy of the identity file back, or sealbox restore --recovery-key-file FILE"),
            VaultError::Newer(_) | VaultError::Store(StoreError::Newer { .. }) => {
                plain(Kind::Damaged).hint("upgrade sealbox")
            }
            VaultError::NotAMember(_) => {
                plain(Kind::Denied).hint("ask an owner: sealbox member add, with your `sealbox id`")
            }
            VaultError::NotJoined => {
                plain(Kind::NotFound).hint("send `sealbox id` to an owner, then: sealbox join LINK")
            }
            VaultError::Role { need, .. } => {
                plain(Kind::Denied).hint(format!("ask an owner for the role {need}"))
            }
            VaultError::NoProject(_) => plain(Kind::NotFound).hint("sealbox project list"),
            VaultError::NoSecret { nearest: Some(name), .. } => {
                plain(Kind::NotFound).hint(format!("did you mean {name}?"))
            }
            VaultError::NoSecret { .. } => plain(Kind::NotFound).hint("sealbox list, or sealbox find NAME"),
            VaultError::NoVersion { name, .. } | VaultError::VersionGone { name, .. } => {
                plain(Kind::NotFound).hint(format!("sealbox history {name}"))
            }
            VaultError::NoMember(_) => plain(Kind::NotFound).hint("sealbox member list"),
            VaultError::ProjectExists(_) => plain(Kind::Conflict),
            VaultError::SecretExists { name, .. } => {
                plain(Kind::Conflict).hint(format!("sealbox edit {name}"))
            }
            VaultError::Changed { name, .. } => {
                plain(Kind::Conflict).hint(format!("look at it first: sealbox history {name}"))
            }
            VaultError::ImportExists(..) => plain(Kind::Conflict).hint("--on-existing update, or skip"),
            VaultError::MemberExists(..) => plain(Kind::Conflict).hint("sealbox member role WHO ROLE"),
            VaultError::LabelTaken(_) | VaultError::LastOwner => plain(Kind::Conflict),
            VaultError::Contended => plain(Kind::Conflict).hint("try again"),
            VaultError::Withheld { .. } => {
                plain(Kind::Damaged).hint("sealbox verify; sealbox restore BACKUP")
            }
            VaultError::Unreadable { .. } | VaultError::KeyMismatch { .. } | VaultError::OwnEntry(_) => {
                plain(Kind::Damaged).hint("sealbox verify")
            }
            VaultError::Chain { fault: ChainFault::Newer { .. }, .. } => {
                plain(Kind::Damaged).hint("upgrade sealbox")
            }
            VaultError::Chain { fault: ChainFault::Stale { .. }, .. } => plain(Kind::Damaged)
                .hint("if you restored a backup on purpose: sealbox doctor --accept-rollback"),
            VaultError::Chain { fault: ChainFault::Forked { .. }, .. } => {
                plain(Kind::Damaged).hint("an owner can settle it: sealbox doctor --settle-fork")
            }
            VaultError::Chain { .. } => plain(Kind::Damaged).hint("sealbox verify; sealbox restore BACKUP"),
            VaultError::ForeignRecoveryKey => {
                plain(Kind::NotFound).hint("use the store or backup that the key belongs to")
            }
            VaultError::NotRecorded(_) => plain(Kind::Failure)
                .hint("make the store writable, or set audit.required = false in config.toml"),
            VaultError::Invalid(_) => plain(Kind::Usage),
            VaultError::KeysOverdue(_) => {
                plain(Kind::Conflict).hint("ask an owner to write anything here, then try again")
            }
            VaultError::BackupRefused(_) => {
                plain(Kind::Damaged).hint("if it is only old: sealbox restore FILE --accept-rollback")
            }
            VaultError::Store(StoreError::Damaged { location, .. }) if location.ends_with("pins.db") => {
                plain(Kind::Damaged).hint("sealbox doctor --accept-rollback takes the store as it is now")
            }
            VaultError::Store(StoreError::Damaged { .. }) => {
                plain(Kind::Damaged).hint("sealbox restore BACKUP")
            }
            VaultError::Store(StoreError::Missing { .. }) => {
                plain(Kind::Damaged).hint("the store file is gone: sealbox restore BACKUP")
            }
            VaultError::Store(StoreError::Io { source, .. }) if source.kind() == AlreadyExists => {
                plain(Kind::Conflict).hint("choose a file that does not exist")
            }
            VaultError::Shared(_) | VaultError::Store(_) | VaultError::Crypto(_) | VaultError::Io(..) => {
                plain(Kind::Failure)
            }
        }
    }
}
