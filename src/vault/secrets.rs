//! Secrets: list, read, write, delete, history, rollback.
//!
//! A value is sealed under the newest generation, padded, and bound to scope, secret, version and generation. Ten versions
//! are kept; the ciphertext of older ones is deleted in the transaction that pushes them out.

use super::error::VaultError;
use super::session::{Plan, Vault};
use super::space::Space;
use crate::chain::{Body, PutBody, Secret, SecretId, Version};
use crate::crypto::{Subject, random, scope_keys::BlobContext, sha256};
use crate::domain::{
    Role, ScopeInfo, ScopeRef, SecretMeta, SecretName, SecretValue, SetMode, VersionMeta, filter,
};
use crate::store::BlobHash;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How many versions keep their ciphertext.
pub(super) const KEPT_VERSIONS: u32 = 10;

/// A value that was read.
pub struct Reading {
    /// The plaintext.
    pub value: SecretValue,
    /// Its version.
    pub version: u32,
}

/// The names of one scope, each with its current version.
pub struct Names<'v> {
    names: &'v BTreeMap<SecretName, SecretId>,
    secrets: &'v HashMap<SecretId, Secret>,
}

impl<'v> Names<'v> {
    /// One of them.
    pub fn get(&self, name: &SecretName) -> Option<(&'v SecretName, u32)> {
        let (name, id) = self.names.get_key_value(name)?;
        Some((name, self.secrets.get(id)?.current()))
    }

    /// All of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&'v SecretName, u32)> + use<'v> {
        let secrets = self.secrets;
        self.names.iter().filter_map(|(name, id)| Some((name, secrets.get(id)?.current())))
    }
}

impl Vault {
    /// The scopes we are a member of.
    pub fn scopes(&self) -> Result<Vec<ScopeInfo>, VaultError> {
        self.spaces()
            .into_iter()
            .map(|(scope, space)| {
                let state = space.state()?;
                let role = space.role().ok_or_else(|| VaultError::NotAMember(scope.clone()))?;
                Ok(ScopeInfo {
                    label: space.label().unwrap_or_default().to_owned(),
                    id: space.id.hex(),
                    role,
                    secrets: space.names().len(),
                    members: state.present().count(),
                    head: state.seq,
                    updated_ms: state.time_ms,
                    scope,
                })
            })
            .collect()
    }

    /// The organization's name, if we are a member of it.
    pub fn organization(&self) -> Option<String> {
        self.space(&ScopeRef::Organization).ok()?.label().map(str::to_owned)
    }

    /// What others call us: the label in the organization, else in any scope.
    pub fn my_label(&self) -> Option<String> {
        self.spaces().first().map(|(_, space)| space.person(&self.identity.public().sign))
    }

    /// Names and dates, sorted by name; and what is quarantined, in words.
    pub fn list(&self, scope: &ScopeRef) -> Result<(Role, Vec<SecretMeta>, Vec<String>), VaultError> {
        let space = self.space_as(scope, Role::Read)?;
        let role = space.role().unwrap_or(Role::Read);
        let state = space.state()?;
        let list =
            space.names().iter().filter_map(|(name, id)| space.meta(name, id, state, state.secrets.get(id)?));
        let odd = space.quarantined().into_iter().map(|seq| format!("<invalid, entry {seq}>")).collect();
        Ok((role, list.collect(), odd))
    }

    /// The names of a scope, and our role in it: what a plan is made from. Takes the role `need`.
    pub fn names(&self, scope: &ScopeRef, need: Role) -> Result<(Role, Names<'_>), VaultError> {
        let space = self.space_as(scope, need)?;
        let names = Names { names: space.names(), secrets: &space.state()?.secrets };
        Ok((space.role().unwrap_or(Role::Read), names))
    }

    /// Opens one version, or the current one. Takes the role `run`.
    pub fn read(
        &self,
        scope: &ScopeRef,
        name: &SecretName,
        version: Option<u32>,
    ) -> Result<Reading, VaultError> {
        let space = self.space_as(scope, Role::Run)?;
        let (id, secret) = existing(space, scope, name)?;
        let number = version.unwrap_or_else(|| secret.current());
        let value = self.open_version(space, name, &id, secret, number)?;
        Ok(Reading { value, version: number })
    }

    pub(super) fn open_version(
        &self,
        space: &Space,
        name: &SecretName,
        id: &SecretId,
        secret: &Secret,
        number: u32,
    ) -> Result<SecretValue, VaultError> {
        let unreadable = || VaultError::Unreadable { name: name.clone(), version: number };
        let version = secret
            .version(number)
            .ok_or_else(|| VaultError::NoVersion { name: name.clone(), version: number })?;
        if number < secret.floor {
            return Err(VaultError::VersionGone { name: name.clone(), version: number });
        }
        let blob = self
            .store
            .blob(&space.id, &version.blob)?
            .filter(|blob| sha256(blob) == version.blob)
            .ok_or_else(|| VaultError::Withheld { name: name.clone(), version: number })?;
        let key = space.ring().and_then(|ring| ring.full(version.generation)).ok_or_else(unreadable)?;
        let context = BlobContext {
            scope: &space.id.0,
            secret: &id.0,
            version: number,
            generation: version.generation,
        };
        key.open_value(context, &blob).map_err(|_| unreadable())
    }

    /// Writes a value; says the version and whether the secret is new.
    pub fn set(
        &mut self,
        scope: &ScopeRef,
        name: &SecretName,
        value: &SecretValue,
        mode: SetMode,
    ) -> Result<(u32, bool), VaultError> {
        self.write(scope, Role::Write, |_, space| {
            let found = expected(space, scope, name, mode)?;
            let mut plan = Plan::default();
            let version = plan_put(&mut plan, space, name, found, value)?;
            Ok((plan, (version, found.is_none())))
        })
    }

    /// Deletes a secret with every ciphertext. Says how many ciphertexts went.
    pub fn delete(&mut self, scope: &ScopeRef, name: &SecretName) -> Result<usize, VaultError> {
        self.write(scope, Role::Write, |_, space| {
            let (id, secret) = existing(space, scope, name)?;
            let count = kept(secret).count();
            let delete_blobs = doomed(space, &id, &secret.versions, &[])?;
            Ok((Plan { bodies: vec![Body::Delete(id)], delete_blobs, ..Plan::default() }, count))
        })
    }

    /// The versions of a secret, newest first, and our role.
    pub fn history(
        &self,
        scope: &ScopeRef,
        name: &SecretName,
    ) -> Result<(Role, Vec<VersionMeta>), VaultError> {
        let space = self.space_as(scope, Role::Read)?;
        let (_, secret) = existing(space, scope, name)?;
        let rows = (1..=secret.current()).rev().filter_map(|number| {
            let version = secret.version(number)?;
            Some(VersionMeta {
                version: number,
                updated_ms: version.time_ms,
                updated_by: space.author(version),
                current: number == secret.current(),
                kept: number >= secret.floor,
            })
        });
        Ok((space.role().unwrap_or(Role::Read), rows.collect()))
    }

    /// Writes the value of an old version as a new one.
    pub fn rollback(&mut self, scope: &ScopeRef, name: &SecretName, to: u32) -> Result<u32, VaultError> {
        self.write(scope, Role::Write, |vault, space| {
            let (id, secret) = existing(space, scope, name)?;
            let value = vault.open_version(space, name, &id, secret, to)?;
            let mut plan = Plan::default();
            let version = plan_put(&mut plan, space, name, Some((id, secret)), &value)?;
            Ok((plan, version))
        })
    }

    /// Fuzzy search over all names we can see, best first.
    pub fn find(&self, query: &str) -> Result<Vec<(ScopeRef, SecretMeta)>, VaultError> {
        let mut rows = Vec::new();
        for (scope, space) in self.spaces() {
            let state = space.state()?;
            for (name, id) in space.names() {
                rows.extend(state.secrets.get(id).map(|secret| (scope.clone(), space, (name, id), secret)));
            }
        }
        let hits = filter::Filter::new(query).rank(rows.iter().map(|(_, _, (name, _), _)| name.as_str()));
        let found = hits.into_iter().filter_map(|hit| {
            let (scope, space, (name, id), secret) = rows.get(hit.index)?;
            Some((scope.clone(), space.meta(name, id, space.state().ok()?, secret)?))
        });
        Ok(found.collect())
    }
}

/// The secret that a write is about, if there is one, and if it is as the writer thinks.
pub(super) fn expected<'a>(
    space: &'a Space,
    scope: &ScopeRef,
    name: &SecretName,
    mode: SetMode,
) -> Result<Option<(SecretId, &'a Secret)>, VaultError> {
    let found = space.secret(name)?;
    match (mode, &found) {
        (SetMode::Create, Some(_)) => {
            Err(VaultError::SecretExists { scope: scope.clone(), name: name.clone() })
        }
        (SetMode::Replace { .. }, None) => Err(no_secret(space, scope, name)),
        (SetMode::Replace { seen }, Some((_, secret))) if secret.current() != seen => {
            Err(VaultError::Changed { name: name.clone(), seen, now: secret.current() })
        }
        _ => Ok(found),
    }
}

/// Adds one put to a plan: seals the value, and the name if the secret is new; drops versions below the floor.
/// Says the new version.
pub(super) fn plan_put(
    plan: &mut Plan,
    space: &Space,
    name: &SecretName,
    found: Option<(SecretId, &Secret)>,
    value: &SecretValue,
) -> Result<u32, VaultError> {
    let generation = space.state()?.generation();
    let ring = space.ring().ok_or(VaultError::NotJoined)?;
    let key = ring.full(generation).ok_or(VaultError::NotJoined)?;
    let (secret, version, floor, sealed_name) = match found {
        Some((id, secret)) => {
            let version = secret.current() + 1;
            let floor = secret.floor.max((version + 1).saturating_sub(KEPT_VERSIONS)).max(1);
            if floor > secret.floor {
                let at = usize::try_from(floor - 1).unwrap_or(usize::MAX).min(secret.versions.len());
                let (dropped, stay) = secret.versions.split_at(at);
                plan.delete_blobs.extend(doomed(space, &id, dropped, stay)?);
            }
            (id, version, floor, None)
        }
        None => {
            let id = SecretId(random::array()?);
            let meta = ring.meta(generation).ok_or(VaultError::NotJoined)?;
            (id, 1, 1, Some(meta.seal_name(&space.id.0, Subject::Secret(&id.0), name.as_str())?))
        }
    };
    let context = BlobContext { scope: &space.id.0, secret: &secret.0, version, generation };
    let blob = key.seal_value(context, value)?;
    let hash = sha256(&blob);
    plan.bodies.push(Body::Put(PutBody {
        secret,
        version,
        generation,
        floor,
        name: sealed_name,
        blob: hash,
    }));
    plan.blobs.push((hash, blob));
    Ok(version)
}

/// Ciphertexts of `dropped` versions that nothing else needs. An entry may name any hash: without this look, a member could
/// point a secret of their own at another one's ciphertext, and have it deleted by whoever deletes theirs.
fn doomed(
    space: &Space,
    id: &SecretId,
    dropped: &[Version],
    stay: &[Version],
) -> Result<Vec<BlobHash>, VaultError> {
    let mut doomed: HashSet<BlobHash> = dropped.iter().map(|version| version.blob).collect();
    for version in stay {
        doomed.remove(&version.blob);
    }
    for (_, other) in space.state()?.secrets.iter().filter(|(other, _)| *other != id) {
        for version in kept(other) {
            doomed.remove(&version.blob);
        }
    }
    Ok(doomed.into_iter().collect())
}

/// The versions of a secret whose ciphertext is still there.
pub(super) fn kept(secret: &Secret) -> impl Iterator<Item = &crate::chain::Version> {
    (secret.floor..=secret.current()).filter_map(|number| secret.version(number))
}

pub(super) fn existing<'a>(
    space: &'a Space,
    scope: &ScopeRef,
    name: &SecretName,
) -> Result<(SecretId, &'a Secret), VaultError> {
    space.secret(name)?.ok_or_else(|| no_secret(space, scope, name))
}

fn no_secret(space: &Space, scope: &ScopeRef, name: &SecretName) -> VaultError {
    let nearest = filter::nearest(name.as_str(), space.names().keys().map(SecretName::as_str))
        .and_then(|text| SecretName::parse(text).ok());
    VaultError::NoSecret { scope: scope.clone(), name: name.clone(), nearest }
}
