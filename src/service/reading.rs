//! Which requests read values, and what the read log says of them: the place where readings are written down (`resolving`
//! does so for what it plans).
//!
//! A request is looked at before it is carried out; afterwards its outcome becomes a record, before the answer leaves. If
//! records are required and this one cannot be written, the answer is dropped (which wipes its values) and the caller
//! gets an error. Words about the read log for `verify` are made here too.

use super::{Answer, Purpose, Request};
use crate::domain::{ReadAction, ReadCode, ReadRecord, ScopeRef, SecretName, scope::hex};
use crate::vault::{Vault, VaultError, verify::ScopeReport};

/// A request that reads values.
pub(super) struct Watch {
    scope: ScopeRef,
    action: ReadAction,
    /// The names asked for; none if it is all of them.
    names: Vec<SecretName>,
    version: Option<u32>,
    program: String,
}

impl Watch {
    /// The reading in a request, if it is one.
    pub(super) fn of(request: &Request) -> Option<Self> {
        match request {
            Request::GetSecret(call) => Some(Self {
                scope: call.scope.clone(),
                action: match call.purpose {
                    Purpose::Resolve => ReadAction::Get,
                    Purpose::Reveal => ReadAction::Reveal,
                    Purpose::Copy => ReadAction::Copy,
                },
                names: vec![call.name.clone()],
                version: call.version,
                program: call.program.clone(),
            }),
            Request::Export(call) => Some(Self {
                scope: call.scope.clone(),
                action: ReadAction::Export,
                names: call.names.clone().unwrap_or_default(),
                version: None,
                program: call.program.clone(),
            }),
            _ => None,
        }
    }

    /// Writes down what came of it, and hands that on.
    pub(super) fn record(
        self,
        vault: &mut Vault,
        answered: Result<Answer, VaultError>,
    ) -> Result<Answer, VaultError> {
        match &answered {
            Ok(Answer::GetSecret(revealed)) => {
                let version = Some(revealed.version);
                vault.record_reads(&self.scope, &self.told(ReadCode::Ok, self.names.clone(), version))?;
            }
            Ok(Answer::Export(exported)) => {
                let names = exported.entries.iter().map(|(name, _)| name.clone());
                for (scope, names) in vault.sources(&self.scope, names) {
                    vault.record_reads(scope, &self.told(ReadCode::Ok, names, None))?;
                }
            }
            Err(error) => {
                if let Some((code, scope, name)) = failed(error) {
                    let names = name.map_or_else(|| self.names.clone(), |name| vec![name.clone()]);
                    let record = self.told(code, names, self.version);
                    let scope = scope.unwrap_or(&self.scope);
                    // The reading has failed already, and nothing is handed out: its own error is the one to tell.
                    let _ = vault.record_reads(scope, &record);
                }
            }
            Ok(_) => {}
        }
        answered
    }

    fn told(&self, code: ReadCode, names: Vec<SecretName>, version: Option<u32>) -> ReadRecord {
        ReadRecord { action: self.action, code, names, version, program: self.program.clone() }
    }
}

/// What the read log says of a failure, where, and about which name; `None` for what is no answer to the question (a
/// disk, a damaged scope).
pub(super) fn failed(error: &VaultError) -> Option<(ReadCode, Option<&ScopeRef>, Option<&SecretName>)> {
    Some(match error.root() {
        VaultError::NoSecret { scope, name, .. } => (ReadCode::SecretNotFound, Some(scope), Some(name)),
        VaultError::NoVersion { name, .. } | VaultError::VersionGone { name, .. } => {
            (ReadCode::VersionNotFound, None, Some(name))
        }
        VaultError::Role { scope, .. } => (ReadCode::PermissionDenied, Some(scope), None),
        VaultError::Withheld { name, .. } => (ReadCode::ValueWithheld, None, Some(name)),
        VaultError::Unreadable { name, .. } => (ReadCode::Unreadable, None, Some(name)),
        _ => return None,
    })
}

/// What is odd about the read logs of a scope, one sentence each.
pub(super) fn notes(report: &ScopeReport, person: &dyn Fn(&[u8; 32]) -> Option<String>) -> Vec<String> {
    let mut notes = Vec::new();
    for log in &report.read_logs {
        let who = person(&log.author).unwrap_or_else(|| hex(log.author.get(..8).unwrap_or_default()));
        for (first, last) in &log.missing {
            let which = if first == last {
                format!("record {first} is")
            } else {
                format!("records {first}..{last} are")
            };
            notes.push(format!("read log of {who}: {which} missing"));
        }
        for seq in &log.unlinked {
            notes.push(format!("read log of {who}: record {seq} does not follow the one before it"));
        }
    }
    match report.read_junk {
        0 => {}
        1 => notes.push("one row of the read log is junk and was ignored".to_owned()),
        rows => notes.push(format!("{rows} rows of the read log are junk and were ignored")),
    }
    notes
}
