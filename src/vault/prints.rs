//! Fingerprints of the values of many scopes, for the search for leaks. No value leaves this file.
//!
//! Older versions that are still kept are searched for too: a leak of one matters until it was changed at its source.
//! What cannot be searched for is named, never silently left out.

use super::error::VaultError;
use super::secrets::kept;
use super::session::Vault;
use crate::chain::SecretId;
use crate::crypto::fingerprint::FingerprintSet;
use crate::domain::leak::{NotSearched, ValueOwner};
use crate::domain::{Role, ScopeRef, SecretName, SecretValue};

/// Fingerprints and whose they are.
pub struct Prints {
    /// The fingerprints; their owners are places in [`Self::owners`].
    pub set: FingerprintSet,
    /// One for each value that is searched for.
    pub owners: Vec<ValueOwner>,
    /// Secrets whose current value is not searched for.
    pub not_searched: Vec<NotSearched>,
    /// Scopes that were asked for and in which our role opens no value.
    pub left_out: Vec<(ScopeRef, Role)>,
}

impl Vault {
    /// Fingerprints of every kept version of every secret in `scopes`, or in every scope of ours. Scopes in which our role
    /// is below `run` are left out and named.
    ///
    /// # Errors
    /// If a scope that was named does not exist for us, or there is no randomness.
    pub fn prints(&self, scopes: Option<&[ScopeRef]>) -> Result<Prints, VaultError> {
        let wanted: Vec<ScopeRef> = match scopes {
            Some(scopes) => scopes.to_vec(),
            None => self.spaces().into_iter().map(|(scope, _)| scope).collect(),
        };
        let mut prints = Prints {
            set: FingerprintSet::new()?,
            owners: Vec::new(),
            not_searched: Vec::new(),
            left_out: Vec::new(),
        };
        for scope in wanted {
            match self.space_as(&scope, Role::Run) {
                Ok(space) => {
                    for (name, id) in space.names() {
                        self.print_secret(&mut prints, &scope, name, id)?;
                    }
                }
                Err(VaultError::Role { have, .. }) => prints.left_out.push((scope, have)),
                Err(error) => return Err(error),
            }
        }
        Ok(prints)
    }

    fn print_secret(
        &self,
        prints: &mut Prints,
        scope: &ScopeRef,
        name: &SecretName,
        id: &SecretId,
    ) -> Result<(), VaultError> {
        let space = self.space(scope)?;
        let Some(secret) = space.state()?.secrets.get(id) else { return Ok(()) };
        let current = secret.current();
        let mut seen: Vec<SecretValue> = Vec::new();
        for back in 0..kept(secret).count() {
            let version = current.saturating_sub(u32::try_from(back).unwrap_or(u32::MAX));
            let not = |why| NotSearched { scope: scope.clone(), name: name.clone(), why };
            let value = match self.open_version(space, name, id, secret, version) {
                Ok(value) => value,
                Err(error @ VaultError::Store(_)) => return Err(error),
                Err(_) if version == current => {
                    prints.not_searched.push(not(None));
                    continue;
                }
                Err(_) => continue, // `verify` is who complains about old ciphertexts
            };
            if seen.iter().any(|other| other.expose() == value.expose()) {
                continue;
            }
            let owner = u32::try_from(prints.owners.len()).unwrap_or(u32::MAX);
            match prints.set.add(owner, &value) {
                Ok(()) => prints.owners.push(ValueOwner {
                    scope: scope.clone(),
                    name: name.clone(),
                    version,
                    current: version == current,
                }),
                Err(why) if version == current => prints.not_searched.push(not(Some(why))),
                Err(_) => {}
            }
            seen.push(value);
        }
        Ok(())
    }
}
