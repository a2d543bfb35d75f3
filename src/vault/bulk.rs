//! Many secrets at once: import in one transaction, export in one pass.

use super::error::VaultError;
use super::secrets::plan_put;
use super::session::{Plan, Vault};
use crate::domain::{ImportReport, OnExisting, Role, ScopeRef, SecretName, SecretValue};
use std::collections::BTreeMap;

impl Vault {
    /// Writes all entries in one transaction, or none. Names must be unique.
    pub fn import(
        &mut self,
        scope: &ScopeRef,
        entries: &[(SecretName, SecretValue)],
        on_existing: OnExisting,
        dry_run: bool,
    ) -> Result<ImportReport, VaultError> {
        let mut seen = std::collections::BTreeSet::new();
        if let Some((name, _)) = entries.iter().find(|(name, _)| !seen.insert(name)) {
            return Err(VaultError::Invalid(format!("{name} occurs twice")));
        }
        self.write(scope, Role::Write, |vault, space| {
            let (mut plan, mut outcome) = (Plan::default(), ImportReport::default());
            if on_existing == OnExisting::Fail {
                let taken: Vec<_> = entries
                    .iter()
                    .map(|(name, _)| name)
                    .filter(|name| space.names().contains_key(name))
                    .cloned()
                    .collect();
                if !taken.is_empty() {
                    return Err(VaultError::ImportExists(taken.len(), taken));
                }
            }
            for (name, value) in entries {
                let found = space.secret(name)?;
                let list = match found {
                    None => &mut outcome.created,
                    Some(_) if on_existing == OnExisting::Skip => {
                        outcome.skipped.push(name.clone());
                        continue;
                    }
                    Some((id, secret)) => {
                        let now = vault.open_version(space, name, &id, secret, secret.current())?;
                        if now.expose() == value.expose() {
                            outcome.unchanged.push(name.clone());
                            continue;
                        }
                        &mut outcome.updated
                    }
                };
                list.push(name.clone());
                if !dry_run {
                    plan_put(&mut plan, space, name, found, value)?;
                }
            }
            Ok((plan, outcome))
        })
    }

    /// Reads all values, or those named, sorted by name. With `with_organization`, a project also yields the
    /// organization's secrets that it does not override.
    pub fn export(
        &self,
        scope: &ScopeRef,
        names: Option<&[SecretName]>,
        with_organization: bool,
    ) -> Result<Vec<(SecretName, SecretValue)>, VaultError> {
        let mut sources: BTreeMap<&SecretName, &ScopeRef> = BTreeMap::new();
        let organization = ScopeRef::Organization;
        if with_organization && *scope != organization {
            let space = self.space_as(&organization, Role::Run)?;
            sources.extend(space.names().keys().map(|name| (name, &organization)));
        }
        let space = self.space_as(scope, Role::Run)?;
        sources.extend(space.names().keys().map(|name| (name, scope)));
        let wanted: Vec<(&SecretName, &ScopeRef)> = match names {
            None => sources.into_iter().collect(),
            // A name that is nowhere is asked of the scope itself, whose error names the nearest one.
            Some(names) => names.iter().map(|name| (name, *sources.get(name).unwrap_or(&scope))).collect(),
        };
        wanted
            .into_iter()
            .map(|(name, from)| Ok((name.clone(), self.read(from, name, None)?.value)))
            .collect()
    }
}
