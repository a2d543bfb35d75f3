//! Everything that can go wrong with a vault, precisely. Never a value, never a passphrase.

use crate::chain::{ChainFault, Rejection};
use crate::crypto::CryptoError;
use crate::domain::{Role, ScopeRef, SecretName};
use crate::store::StoreError;
use std::{path::PathBuf, sync::Arc};

/// Why a use case did not succeed. Fields are public facts: names, roles, positions, paths.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum VaultError {
    #[error("there is no vault at {0}")]
    NoVault(PathBuf),
    #[error("there is a vault at {0} already")]
    VaultExists(PathBuf),
    #[error("there is a store at {0}, but no identity to open it with")]
    OrphanStore(PathBuf),
    #[error("the vault is locked")]
    Locked,
    #[error("this passphrase does not open the vault")]
    WrongPassphrase,
    #[error("the identity file {0} is damaged: {1}")]
    IdentityDamaged(PathBuf, CryptoError),
    #[error("{0} was made by a newer version of sealbox")]
    Newer(String),
    #[error("you are not a member of {0}")]
    NotAMember(ScopeRef),
    #[error("you have not joined a vault yet")]
    NotJoined,
    #[error("your role in {scope} is {have}; this takes {need}")]
    Role { scope: ScopeRef, have: Role, need: Role },
    #[error("there is no project {0}")]
    NoProject(String),
    #[error("there is a project {0} already")]
    ProjectExists(String),
    #[error("{scope} has no secret {name}")]
    NoSecret { scope: ScopeRef, name: SecretName, nearest: Option<SecretName> },
    #[error("{name} has no version {version}")]
    NoVersion { name: SecretName, version: u32 },
    #[error("version {version} of {name} is too old: its value was removed")]
    VersionGone { name: SecretName, version: u32 },
    #[error("{name} exists already in {scope}")]
    SecretExists { scope: ScopeRef, name: SecretName },
    #[error("{name} was changed by somebody else: you saw version {seen}, now it is {now}")]
    Changed { name: SecretName, seen: u32, now: u32 },
    #[error("{0} of these names exist already")]
    ImportExists(usize, Vec<SecretName>),
    #[error("the store withholds the value of {name}, version {version}")]
    Withheld { name: SecretName, version: u32 },
    #[error(
        "the value of {name}, version {version}, does not open: it was changed, or sealed wrongly by its author"
    )]
    Unreadable { name: SecretName, version: u32 },
    #[error("there is no member {0}")]
    NoMember(String),
    #[error("{0} is a member already, with the role {1}")]
    MemberExists(String, Role),
    #[error("the label {0} is taken by another member")]
    LabelTaken(String),
    #[error("the last owner cannot leave or be lowered")]
    LastOwner,
    #[error("{owner} sent a key for {scope} that is not the one promised in the chain")]
    KeyMismatch { scope: ScopeRef, owner: String },
    #[error("{0}")]
    Invalid(String),
    #[error("the backup was not restored: {0}")]
    BackupRefused(String),
    #[error("{what}: {fault}")]
    Chain { what: String, fault: ChainFault },
    #[error("the chain did not accept an entry of our own: {0}")]
    OwnEntry(#[from] Rejection),
    #[error("others kept writing at the same time; nothing was changed")]
    Contended,
    #[error("the recovery key belongs to another vault")]
    ForeignRecoveryKey,
    #[error(
        "somebody left {0} and its keys were not changed: nothing can be written before an owner changes something"
    )]
    KeysOverdue(ScopeRef),
    #[error("the value is withheld: that it was read could not be written down")]
    NotRecorded(#[source] Box<VaultError>),
    /// A fault that stays: a scope that does not open says so each time somebody asks for it.
    #[error(transparent)]
    Shared(Arc<VaultError>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] std::io::Error),
}

impl VaultError {
    /// The fault itself, also if it is shared.
    pub fn root(&self) -> &Self {
        match self {
            Self::Shared(fault) => fault.root(),
            other => other,
        }
    }
}
