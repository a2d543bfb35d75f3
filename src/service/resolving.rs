//! `Resolve`: plan, walk, write down, answer.
//!
//! The role check of the request is made at the door; the plan checks the organization's. As in `reading`, what was read is
//! in the read log before its values leave, one record for each scope that gave some; so is what was refused. A dry run
//! reads nothing and leaves no record.

use super::{answer::*, reading, request::Resolve, request::ResolvePurpose};
use crate::domain::{ReadAction, ReadCode, ReadRecord, ScopeRef, SecretName};
use crate::resolve::{
    Item, NoProviders, Plan, Problems, ResolveError, Source, execute, plan::NAMED, prepare, rehearse,
};
use crate::vault::{Vault, VaultError};
use std::collections::BTreeMap;

/// Answers a `Resolve` on an open vault. `allowed` is what the door says of the role.
pub(super) fn resolve(
    vault: &mut Vault,
    call: &Resolve,
    allowed: Result<(), VaultError>,
) -> Result<Resolved, ResolveError> {
    let providers = NoProviders;
    let planned = allowed
        .map_err(ResolveError::from)
        .and_then(|()| prepare(vault, &call.scope, &call.wanted, &providers));
    if call.dry_run {
        let plan = planned?;
        return Ok(answered(rehearse(&plan), plan));
    }
    let read = planned.and_then(|plan| Ok((execute(vault, &plan, &providers)?, plan)));
    match read {
        Ok((items, plan)) => {
            for (scope, names) in by_scope(&plan) {
                let version = one(&plan).filter(|_| names.len() == 1);
                vault.record_reads(&scope, &record(call, ReadCode::Ok, names, version))?;
            }
            Ok(answered(items, plan))
        }
        Err(error) => {
            // Nothing is handed out: the error itself is the one to tell, whether or not it could be written down.
            for (scope, code, names) in refused(call, &error) {
                let _ = vault.record_reads(&scope, &record(call, code, names, None));
            }
            Err(error)
        }
    }
}

fn answered(items: Vec<Item>, plan: Plan) -> Resolved {
    Resolved { items: items.into_iter().map(ResolvedItem::from).collect(), warning: plan.warning }
}

fn record(call: &Resolve, code: ReadCode, names: Vec<SecretName>, version: Option<u32>) -> ReadRecord {
    let action = match call.purpose {
        ResolvePurpose::Run => ReadAction::Run,
        ResolvePurpose::Inject => ReadAction::Inject,
    };
    ReadRecord { action, code, names, version, program: call.program.clone() }
}

/// The names that each scope of the vault gives.
fn by_scope(plan: &Plan) -> BTreeMap<ScopeRef, Vec<SecretName>> {
    let mut scopes: BTreeMap<ScopeRef, Vec<SecretName>> = BTreeMap::new();
    for step in &plan.steps {
        if let (Source::Scope(scope), Some(name)) = (step.source(), step.reference().secret()) {
            scopes.entry(scope).or_default().push(name.clone());
        }
    }
    scopes
}

/// The version, if the plan is about one secret.
fn one(plan: &Plan) -> Option<u32> {
    match plan.steps.as_slice() {
        [step] => step.version(),
        _ => None,
    }
}

/// What the read log says of a failure: where, how it ended, and about which names (the first of very many).
fn refused(call: &Resolve, error: &ResolveError) -> Vec<(ScopeRef, ReadCode, Vec<SecretName>)> {
    match error {
        ResolveError::Vault(error) => reading::failed(error)
            .map(|(code, scope, name)| {
                (scope.unwrap_or(&call.scope).clone(), code, name.cloned().into_iter().collect())
            })
            .into_iter()
            .collect(),
        ResolveError::Problems(problems) => refused_plan(call, problems),
        ResolveError::Provider { .. } => Vec::new(),
    }
}

fn refused_plan(call: &Resolve, problems: &Problems) -> Vec<(ScopeRef, ReadCode, Vec<SecretName>)> {
    let mut records = Vec::new();
    let unknown: Vec<_> = problems.unknown.iter().take(NAMED).map(|(name, _)| name.clone()).collect();
    if !unknown.is_empty() {
        records.push((call.scope.clone(), ReadCode::SecretNotFound, unknown));
    }
    if let Some((_, scope, _)) = problems.denied.first() {
        let denied = problems.denied.iter().take(NAMED).map(|(name, ..)| name.clone()).collect();
        records.push((scope.clone(), ReadCode::PermissionDenied, denied));
    }
    records
}

impl From<Item> for ResolvedItem {
    fn from(item: Item) -> Self {
        Self { reference: item.reference, source: item.source, version: item.version, value: item.value }
    }
}
