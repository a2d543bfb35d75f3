//! Every question that a front end can ask, each a plain serializable type with its answer type and its need.
//!
//! [`Request`] is the sum of them; `ask` turns one typed question into its own answer. The table at the end of this
//! file is the only place that ties question, answer and need together.

use super::answer::*;
use super::wire;
pub use crate::domain::{LogKind, LogPick, OnExisting, SetMode};
use crate::domain::{Passphrase, Role, ScopeRef, SecretName, SecretValue};
pub use crate::resolve::Wanted;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What must be true before a request is carried out. The role check itself is made by keys and signatures further
/// down; this states it so that a front end is told before it asks a person for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Answered in any state, and never counts as activity.
    Nothing,
    /// The vault must be unlocked.
    Unlocked,
    /// The vault must be unlocked and the user must hold at least this role in this scope.
    Role(ScopeRef, Role),
}

/// Why a value is read: decides the role it takes, and what the read log will say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A program takes it (`get`, `export`, `run`): role `run`.
    Resolve,
    /// A person looks at it on the screen: role `write`.
    Reveal,
    /// A person copies it: role `write`.
    Copy,
}

/// One typed question.
pub trait Call: Sized {
    /// The answer that belongs to it.
    type Answer;
    /// Wraps the question into the sum type.
    fn into_request(self) -> Request;
    /// Takes the answer out of the sum type; `None` if it is the answer to something else.
    fn unwrap_answer(answer: Answer) -> Option<Self::Answer>;
}

/// State, lock countdown and warnings. A polling request: never counts as activity.
#[derive(Serialize, Deserialize)]
pub struct Status {}

/// Makes a new vault in memory and returns its recovery key; nothing is written before [`InitCommit`].
#[derive(Serialize, Deserialize)]
pub struct InitPrepare {
    /// The organization's name, 1 to 64 printable characters.
    pub organization: String,
    /// The user's own label, 1 to 64 printable characters.
    pub name: String,
    /// Protects the identity file.
    #[serde(with = "wire::passphrase")]
    pub passphrase: Passphrase,
}

/// Writes the prepared vault: all of it or nothing. Afterwards the vault is unlocked.
#[derive(Serialize, Deserialize)]
pub struct InitCommit {}

/// Opens the vault. A wrong passphrase is one generic `Locked` error.
#[derive(Serialize, Deserialize)]
pub struct Unlock {
    /// As typed.
    #[serde(with = "wire::passphrase")]
    pub passphrase: Passphrase,
}

/// Wipes the keys from memory.
#[derive(Serialize, Deserialize)]
pub struct Lock {}

/// Keeps the unlocked vault open for so many seconds from now, idle or not, and no longer. Never longer than the hard limit.
#[derive(Serialize, Deserialize)]
pub struct KeepOpen {
    /// From now.
    pub seconds: u64,
}

/// Tells the service that the user did something on the screen that needed no other request; restarts the idle clock.
#[derive(Serialize, Deserialize)]
pub struct Touch {}

/// The scopes that the user is a member of: the organization first, then projects by name.
#[derive(Serialize, Deserialize)]
pub struct ListScopes {}

/// Names and dates of one scope, sorted by name.
#[derive(Serialize, Deserialize)]
pub struct ListSecrets {
    /// Which scope.
    pub scope: ScopeRef,
}

/// One value.
#[derive(Serialize, Deserialize)]
pub struct GetSecret {
    /// Which scope; there is no fall-through to the organization.
    pub scope: ScopeRef,
    /// Which secret.
    pub name: SecretName,
    /// `None` for the current version.
    pub version: Option<u32>,
    /// Why.
    pub purpose: Purpose,
    /// Who asks, for the read log: the program and its command, such as `sealbox get`. Cut after 64 characters.
    pub program: String,
}

/// Creates a secret or writes a new version.
#[derive(Serialize, Deserialize)]
pub struct SetSecret {
    /// Which scope.
    pub scope: ScopeRef,
    /// Which secret.
    pub name: SecretName,
    /// The new value.
    #[serde(with = "wire::value")]
    pub value: SecretValue,
    /// What is expected to be there.
    pub mode: SetMode,
}

/// Sets how often a secret must be changed; with a value, writes that too, in the same transaction.
#[derive(Serialize, Deserialize)]
pub struct SetRotation {
    /// Which scope.
    pub scope: ScopeRef,
    /// Which secret.
    pub name: SecretName,
    /// In seconds, an hour to 3650 days; `None` takes the interval away.
    pub every_s: Option<u64>,
    /// A new value, if the interval is not all that changes.
    pub with: Option<NewValue>,
}

/// A value to be written.
#[derive(Serialize, Deserialize)]
pub struct NewValue {
    /// The new value.
    #[serde(with = "wire::value")]
    pub value: SecretValue,
    /// What is expected to be there.
    pub mode: SetMode,
}

/// Deletes a secret and every version's ciphertext, for good.
#[derive(Serialize, Deserialize)]
pub struct DeleteSecret {
    /// Which scope.
    pub scope: ScopeRef,
    /// Which secret.
    pub name: SecretName,
}

/// The versions of one secret, newest first.
#[derive(Serialize, Deserialize)]
pub struct GetHistory {
    /// Which scope.
    pub scope: ScopeRef,
    /// Which secret.
    pub name: SecretName,
}

/// Writes an old version's value again, as a new version.
#[derive(Serialize, Deserialize)]
pub struct Rollback {
    /// Which scope.
    pub scope: ScopeRef,
    /// Which secret.
    pub name: SecretName,
    /// The version to bring back.
    pub version: u32,
}

/// Fuzzy search over the names of every scope the user can see, best match first.
#[derive(Serialize, Deserialize)]
pub struct FindSecrets {
    /// What was typed; empty finds everything.
    pub query: String,
}

/// Creates a project; every owner of the organization becomes its owner.
#[derive(Serialize, Deserialize)]
pub struct CreateProject {
    /// Its name, unique in the organization.
    pub name: crate::domain::ProjectName,
}

/// The members of a scope, owners first.
#[derive(Serialize, Deserialize)]
pub struct ListMembers {
    /// Which scope.
    pub scope: ScopeRef,
}

/// Admits somebody by the ID string that they sent over another channel; answers with the link to send back.
#[derive(Serialize, Deserialize)]
pub struct AddMember {
    /// Which scope.
    pub scope: ScopeRef,
    /// The ID string, as printed by `sealbox id`.
    pub id: String,
    /// What to call them, 1 to 64 printable characters, unique in the scope.
    pub label: String,
    /// What they may do.
    pub role: Role,
}

/// Changes a member's role; lowering it below `run` also changes the scope's keys.
#[derive(Serialize, Deserialize)]
pub struct SetMemberRole {
    /// Which scope.
    pub scope: ScopeRef,
    /// Label or ID string.
    pub member: String,
    /// The new role.
    pub role: Role,
}

/// Removes a member and changes the scope's keys, in one transaction.
#[derive(Serialize, Deserialize)]
pub struct RemoveMember {
    /// Which scope.
    pub scope: ScopeRef,
    /// Label or ID string.
    pub member: String,
}

/// The user's own ID string. Needs an unlocked identity.
#[derive(Serialize, Deserialize)]
pub struct MyId {}

/// Makes an identity without a vault (for somebody about to join one) and answers its ID string.
#[derive(Serialize, Deserialize)]
pub struct CreateIdentity {
    /// Protects the identity file.
    #[serde(with = "wire::passphrase")]
    pub passphrase: Passphrase,
}

/// Opens the scopes named by a link from an owner.
#[derive(Serialize, Deserialize)]
pub struct Join {
    /// `scj1_…`, as printed by `member add`.
    pub link: String,
    /// Where the store is, if not where the link says.
    pub store: Option<PathBuf>,
    /// Opens this user's identity file.
    #[serde(with = "wire::passphrase")]
    pub passphrase: Passphrase,
}

/// Changes the passphrase (and, if given, the memory cost) of the identity file; no data is touched.
#[derive(Serialize, Deserialize)]
pub struct ChangePassphrase {
    /// The present one.
    #[serde(with = "wire::passphrase")]
    pub old: Passphrase,
    /// The next one.
    #[serde(with = "wire::passphrase")]
    pub new: Passphrase,
    /// Argon2id memory in MiB, 64 to 4096; `None` keeps the policy.
    pub memory_mib: Option<u32>,
}

/// The signed history of a scope and its read log, merged by time, oldest first.
#[derive(Serialize, Deserialize)]
pub struct GetLog {
    /// Which scope.
    pub scope: ScopeRef,
    /// Only the newest so many; `None` for all.
    pub limit: Option<usize>,
    /// Which lines; the default is all of them.
    #[serde(default)]
    pub pick: LogPick,
}

/// Verifies every signature, link and ciphertext hash of every known scope. Needs no key.
#[derive(Serialize, Deserialize)]
pub struct Verify {}

/// Writes many secrets in one transaction.
#[derive(Serialize, Deserialize)]
pub struct Import {
    /// Which scope.
    pub scope: ScopeRef,
    /// Names (unique) and values.
    #[serde(with = "wire::entries")]
    pub entries: Vec<(SecretName, SecretValue)>,
    /// What to do with names that exist.
    pub on_existing: OnExisting,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// Reads many values.
#[derive(Serialize, Deserialize)]
pub struct Export {
    /// Which scope.
    pub scope: ScopeRef,
    /// Only these; `None` for all.
    pub names: Option<Vec<SecretName>>,
    /// For a project: also the organization's secrets that the project does not override.
    pub with_organization: bool,
    /// Who asks, for the read log; as in [`GetSecret`].
    pub program: String,
}

/// Writes a copy of the sealed store to a new file (0600). Needs no key.
#[derive(Serialize, Deserialize)]
pub struct Backup {
    /// Must not exist.
    pub to: PathBuf,
}

/// Replaces the store by a backup, after verifying the whole of it.
#[derive(Serialize, Deserialize)]
pub struct Restore {
    /// A file made by [`Backup`].
    pub from: PathBuf,
    /// Accept that the backup is older than what this machine has seen.
    pub accept_rollback: bool,
}

/// Makes a new identity on a machine that has only the recovery key and a store (or a backup of it).
#[derive(Serialize, Deserialize)]
pub struct Recover {
    /// The recovery key as printed at init.
    #[serde(with = "wire::value")]
    pub recovery_key: SecretValue,
    /// The store file or backup to open; `None` for the vault's own store.
    pub from: Option<PathBuf>,
    /// The user's label in the new identity.
    pub name: String,
    /// Protects the new identity file.
    #[serde(with = "wire::passphrase")]
    pub passphrase: Passphrase,
}

/// Destroys the local identity, pins and embedded store. The caller has asked for the typed confirmation.
#[derive(Serialize, Deserialize)]
pub struct Reset {}

/// Looks at files, modes, store, chain and pins, and says what is wrong. Works in any state.
#[derive(Serialize, Deserialize)]
pub struct Doctor {
    /// Take the store's present state as the newest, although this machine has seen a newer one.
    pub accept_rollback: bool,
}

/// Keyed fingerprints of values, to search files for leaks: for a process that must not hold the values. Scopes in which
/// the user's role is below `run` are left out and named.
#[derive(Serialize, Deserialize)]
pub struct Fingerprints {
    /// Which scopes; `None` for all that the user can see.
    pub scopes: Option<Vec<ScopeRef>>,
}

/// Looks for what is against good practice. Answers names only; values do not leave the vault.
#[derive(Serialize, Deserialize)]
pub struct Lint {
    /// Which scope; `None` for all that the user can see.
    pub scope: Option<ScopeRef>,
}

/// Settles forks as an owner: writes an entry that goes on from the valid head, which every client then accepts.
#[derive(Serialize, Deserialize)]
pub struct SettleForks {
    /// A vault with a forked organization does not unlock, so the identity is opened for this alone.
    #[serde(with = "wire::passphrase")]
    pub passphrase: Passphrase,
}

/// The values that references stand for, or (with `dry_run`) where they would come from.
#[derive(Serialize, Deserialize)]
pub struct Resolve {
    /// Where names are looked for first; of a project, they fall through to the organization.
    pub scope: ScopeRef,
    /// What is wanted.
    pub wanted: Wanted,
    /// What for.
    pub purpose: ResolvePurpose,
    /// The program that takes the values, for the read log, such as `sealbox inject`.
    pub program: String,
    /// Only say where each value would come from. Takes the role `read` instead of `run`.
    pub dry_run: bool,
}

/// What values are resolved for; the read log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvePurpose {
    /// The environment or files of a program.
    Run,
    /// A text with references.
    Inject,
}

/// Ties each question to its answer and its need; generates the two sum types.
macro_rules! door {
    ($($call:ident -> $answer:ty, $need:expr;)+) => {
        /// Any question. See the type of the same name for its meaning.
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "each variant wraps the documented type of the same name")]
        pub enum Request { $($call($call),)+ }

        /// Any answer, tagged by the question it belongs to.
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "each variant wraps the answer type of the question of the same name")]
        pub enum Answer { $($call($answer),)+ }

        impl Request {
            /// What must hold before this is carried out.
            pub fn need(&self) -> Need {
                match self { $(Self::$call(call) => { let need: fn(&$call) -> Need = $need; need(call) })+ }
            }

            /// False for what a screen asks by itself to stay up to date: such a request must never keep the vault open.
            pub fn is_activity(&self) -> bool {
                !matches!(
                    self,
                    Self::Status(_) | Self::ListScopes(_) | Self::ListSecrets(_) | Self::ListMembers(_)
                        | Self::GetHistory(_) | Self::GetLog(_) | Self::Doctor(_) | Self::Verify(_)
                )
            }

            /// A stable token for logs.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$call(_) => stringify!($call),)+ }
            }
        }

        $(impl Call for $call {
            type Answer = $answer;
            fn into_request(self) -> Request { Request::$call(self) }
            fn unwrap_answer(answer: Answer) -> Option<$answer> {
                match answer { Answer::$call(inner) => Some(inner), _ => None }
            }
        })+
    };
}

door! {
    Status -> StatusReport, |_| Need::Nothing;
    InitPrepare -> RecoveryKey, |_| Need::Nothing;
    InitCommit -> (), |_| Need::Nothing;
    Unlock -> (), |_| Need::Nothing;
    Lock -> (), |_| Need::Nothing;
    Touch -> (), |_| Need::Unlocked;
    KeepOpen -> (), |_| Need::Unlocked;
    ListScopes -> Vec<ScopeInfo>, |_| Need::Unlocked;
    ListSecrets -> SecretList, |call| Need::Role(call.scope.clone(), Role::Read);
    GetSecret -> Revealed, |call| Need::Role(call.scope.clone(), match call.purpose {
        Purpose::Resolve => Role::Run,
        Purpose::Reveal | Purpose::Copy => Role::Write,
    });
    SetSecret -> Written, |call| Need::Role(call.scope.clone(), Role::Write);
    SetRotation -> Written, |call| Need::Role(call.scope.clone(), Role::Write);
    DeleteSecret -> Deleted, |call| Need::Role(call.scope.clone(), Role::Write);
    GetHistory -> History, |call| Need::Role(call.scope.clone(), Role::Read);
    Rollback -> Written, |call| Need::Role(call.scope.clone(), Role::Write);
    FindSecrets -> Vec<Found>, |_| Need::Unlocked;
    CreateProject -> (), |_| Need::Role(ScopeRef::Organization, Role::Owner);
    ListMembers -> Vec<MemberInfo>, |call| Need::Role(call.scope.clone(), Role::Read);
    AddMember -> Admitted, |call| Need::Role(call.scope.clone(), Role::Owner);
    SetMemberRole -> MemberChanged, |call| Need::Role(call.scope.clone(), Role::Owner);
    RemoveMember -> MemberChanged, |call| Need::Role(call.scope.clone(), Role::Owner);
    MyId -> String, |_| Need::Unlocked;
    CreateIdentity -> String, |_| Need::Nothing;
    Join -> Vec<ScopeInfo>, |_| Need::Nothing;
    ChangePassphrase -> (), |_| Need::Nothing;
    GetLog -> Vec<LogEvent>, |call| Need::Role(call.scope.clone(), Role::Read);
    Verify -> VerifyReport, |_| Need::Nothing;
    Import -> ImportReport, |call| Need::Role(call.scope.clone(), Role::Write);
    Export -> Exported, |call| Need::Role(call.scope.clone(), Role::Run);
    Backup -> BackupReport, |_| Need::Nothing;
    Restore -> VerifyReport, |_| Need::Nothing;
    Recover -> Vec<ScopeInfo>, |_| Need::Nothing;
    Reset -> (), |_| Need::Nothing;
    Doctor -> DoctorReport, |_| Need::Nothing;
    SettleForks -> Vec<SettledFork>, |_| Need::Nothing;
    Resolve -> Resolved, |call| {
        Need::Role(call.scope.clone(), if call.dry_run { Role::Read } else { Role::Run })
    };
    Fingerprints -> Fingerprinted, |_| Need::Unlocked;
    Lint -> LintReport, |call| match &call.scope {
        Some(scope) => Need::Role(scope.clone(), Role::Read),
        None => Need::Unlocked,
    };
}
