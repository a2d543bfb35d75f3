//! What the service answers. Labels and names in here come from other people: escape them before showing them.

use super::wire;
use crate::crypto::fingerprint::FingerprintSet;
use crate::domain::leak::{NotSearched, ValueOwner};
pub use crate::domain::lint::LintReport;
pub use crate::domain::{ImportReport, LogEvent, MemberChanged, MemberInfo, ReadFacts, ScopeInfo};
use crate::domain::{Reference, Role, ScopeRef, SecretMeta, SecretName, SecretValue, VersionMeta};
pub use crate::resolve::Source;
use serde::{Deserialize, Serialize};

/// Where the vault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultState {
    /// No identity here: `init`, `join` or `restore` comes first.
    Absent,
    /// There is an identity and it is locked.
    Locked,
    /// Keys are in memory.
    Unlocked,
}

/// Answer to `Status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Where the vault stands.
    pub state: VaultState,
    /// The folder of this vault.
    pub vault: String,
    /// Where the sealed rows are, without a password.
    pub store: String,
    /// The organization's name, while unlocked and if the user is a member of it.
    pub organization: Option<String>,
    /// The user's label, while unlocked and a member somewhere.
    pub me: Option<String>,
    /// Seconds until it locks by itself, while unlocked: the nearer of the two countdowns in `lock`. `None` if both are off.
    pub lock_in_s: Option<u64>,
    /// More about locking, and who holds the keys.
    #[serde(default)]
    pub lock: LockReport,
    /// Counts the times that rows written by somebody else were noticed.
    pub changes_by_others: u64,
    /// True for a throw-away vault made by `demo`.
    pub demo: bool,
    /// One-line warnings (memory could not be locked, a file mode was repaired, ignored rows).
    pub warnings: Vec<String>,
}

/// Why the vault was locked. The token is stable: the agent's log and `--json` carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockReason {
    /// Somebody said so.
    Asked,
    /// Nothing was done for as long as `lock.idle` says.
    Idle,
    /// It was open for as long as `lock.max` (or `unlock --for`) says.
    Limit,
    /// Identity or store were replaced by another program.
    Replaced,
    /// The agent that held the keys has ended.
    AgentEnded,
}

impl LockReason {
    /// The stable token.
    pub fn token(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Idle => "idle",
            Self::Limit => "limit",
            Self::Replaced => "replaced",
            Self::AgentEnded => "agent_ended",
        }
    }

    /// In words, for a person who finds it locked.
    pub fn words(self) -> &'static str {
        match self {
            Self::Asked => "the vault is locked",
            Self::Idle => "locked after a while without activity",
            Self::Limit => "locked: it has been open for as long as it may",
            Self::Replaced => "locked: its files were changed by another program",
            Self::AgentEnded => "the agent has ended; unlocking starts it again",
        }
    }
}

/// Who holds the keys while a vault is unlocked through an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReport {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

/// Part of the answer to `Status`: both countdowns, the last lock, the agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LockReport {
    /// Seconds until the idle lock, while unlocked; `None` if it is off.
    pub idle_in_s: Option<u64>,
    /// Seconds until the hard limit, while unlocked; `None` if it is off.
    pub limit_in_s: Option<u64>,
    /// Why it was locked last, while locked; `None` if it was never open.
    pub reason: Option<LockReason>,
    /// The agent that answered; `None` for a service in the asking process.
    pub agent: Option<AgentReport>,
}

/// Answer to `InitPrepare`.
#[derive(Serialize, Deserialize)]
pub struct RecoveryKey {
    /// Text to print on paper, in groups separated by spaces; full authority over the vault.
    #[serde(with = "wire::value")]
    pub key: SecretValue,
}

/// Answer to `ListSecrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretList {
    /// The user's role in this scope: decides what a front end offers.
    pub role: Role,
    /// Sorted by name.
    pub secrets: Vec<SecretMeta>,
    /// Entries whose name is invalid or taken, as `<invalid, entry 123>`; never printed raw.
    pub quarantined: Vec<String>,
}

/// Answer to `GetSecret`.
#[derive(Serialize, Deserialize)]
pub struct Revealed {
    /// The plaintext.
    #[serde(with = "wire::value")]
    pub value: SecretValue,
    /// Its version.
    pub version: u32,
}

/// Answer to `SetSecret`, `SetRotation` and `Rollback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The version that now is current.
    pub version: u32,
    /// True if the secret is new.
    pub created: bool,
}

/// Answer to `DeleteSecret`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// How many versions' ciphertexts were removed.
    pub versions: usize,
}

/// Answer to `GetHistory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The user's role in the scope.
    pub role: Role,
    /// Newest first.
    pub versions: Vec<VersionMeta>,
}

/// One hit of `FindSecrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Where.
    pub scope: ScopeRef,
    /// What.
    pub secret: SecretMeta,
}

/// Answer to `AddMember`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// `scj1_…@location`: send it to the new member over a channel that is not the store.
    pub link: String,
}

/// What was verified of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeVerified {
    /// Scope id in hexadecimal.
    pub id: String,
    /// Its name, if the vault is unlocked.
    pub label: Option<String>,
    /// Valid entries.
    pub entries: u64,
    /// Rows that were ignored as junk.
    pub ignored: u64,
    /// Ciphertexts that were found and match their entry.
    pub blobs: usize,
    /// Sequence number of the newest entry.
    pub head: u64,
    /// SHA-256 of the newest entry in hexadecimal.
    pub head_hash: String,
    /// What is wrong, in words; empty if the scope is sound.
    pub faults: Vec<String>,
    /// Records of the read log that count.
    #[serde(default)]
    pub reads: usize,
    /// What is odd about the read log, in words. It is advisory, so none of this makes the scope unsound.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Answer to `Verify` and `Restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// One row a scope.
    pub scopes: Vec<ScopeVerified>,
}

impl VerifyReport {
    /// True if nothing is wrong anywhere.
    pub fn sound(&self) -> bool {
        self.scopes.iter().all(|scope| scope.faults.is_empty())
    }
}

/// Answer to `Export`.
#[derive(Serialize, Deserialize)]
pub struct Exported {
    /// Sorted by name.
    #[serde(with = "wire::entries")]
    pub entries: Vec<(SecretName, SecretValue)>,
}

/// Answer to `Backup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Number of scopes in it.
    pub scopes: usize,
    /// Number of entries in it.
    pub entries: u64,
}

/// One scope that `SettleForks` settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledFork {
    /// The scope's name.
    pub label: String,
    /// First 16 hexadecimal digits of the public key that had signed the entry that did not follow.
    pub signer: String,
}

/// Answer to `Fingerprints`: what a scan looks for. As sensitive as hashes of the values: no `Debug`, no `Clone`.
#[derive(Serialize, Deserialize)]
pub struct Fingerprinted {
    /// What to look for; the owners in it are places in [`Self::owners`].
    #[serde(with = "wire::fingerprints")]
    pub set: FingerprintSet,
    /// Whose the values are.
    pub owners: Vec<ValueOwner>,
    /// Secrets whose current value is not searched for, and why.
    pub not_searched: Vec<NotSearched>,
    /// Scopes in which the user's role (the second) opens no value.
    pub left_out: Vec<(ScopeRef, Role)>,
}

/// How one check of `doctor` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warning,
    /// Broken.
    Failed,
}

/// One check of `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub next: Option<String>,
}

/// Answer to `Doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

/// Answer to `Resolve`.
#[derive(Serialize, Deserialize)]
pub struct Resolved {
    /// In the order asked for, each once; sorted by name if all were asked for.
    pub items: Vec<ResolvedItem>,
    /// What was left out of "all" and why, in words.
    pub warning: Option<String>,
}

/// One value, and where it came from.
#[derive(Serialize, Deserialize)]
pub struct ResolvedItem {
    /// What was referred to.
    pub reference: Reference,
    /// Where it was found.
    pub source: Source,
    /// The version of a secret of the vault.
    pub version: Option<u32>,
    /// The plaintext; `None` in a dry run.
    #[serde(with = "wire::optional")]
    pub value: Option<SecretValue>,
}

impl ResolvedItem {
    /// The name, of a secret of the vault.
    pub fn name(&self) -> Option<&SecretName> {
        match &self.reference {
            Reference::Secret(name) => Some(name),
            Reference::Provider { .. } => None,
        }
    }
}
