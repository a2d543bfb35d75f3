//! Members: who may do what, and the change of keys that goes with every loss of access.
//!
//! Removing or lowering somebody and rotating the keys are two entries of one transaction, so that there is no moment at
//! which a removed member still holds the key that new values are sealed under (SPEC 1.7, R2).

use super::error::VaultError;
use super::founding::seal_box;
use super::link::Link;
use super::session::{Plan, Vault};
use super::space::Space;
use crate::chain::{Body, Head, Member, MemberBody, RotateBody};
use crate::crypto::{FullKey, PublicId, Subject};
use crate::domain::{KeyClass, Label, MemberChanged, MemberInfo, Role, ScopeRef, SecretName};

impl Vault {
    /// Members, highest role first, then former members; by label within.
    pub fn members(&self, scope: &ScopeRef) -> Result<Vec<MemberInfo>, VaultError> {
        let space = self.space_as(scope, Role::Read)?;
        let mut members: Vec<_> = space
            .state()?
            .members
            .values()
            .map(|member| MemberInfo {
                label: space.person(&member.id.sign),
                id: member.id.to_text(),
                role: member.role,
                machine: member.machine,
                me: member.id == *self.identity.public(),
                since_ms: member.since_ms,
                granted_by: space.person(&member.granted_by),
            })
            .collect();
        members.sort_by(|one, two| two.role.cmp(&one.role).then_with(|| one.label.cmp(&two.label)));
        Ok(members)
    }

    /// Admits somebody by ID string; answers with the link to send them.
    pub fn add_member(
        &mut self,
        scope: &ScopeRef,
        id: &str,
        label: &str,
        role: Role,
    ) -> Result<String, VaultError> {
        let id = PublicId::parse(id.trim()).map_err(|_| {
            VaultError::Invalid(
                "this is not a sealbox ID (sbid1…): ask for the output of `sealbox id`".to_owned(),
            )
        })?;
        let label = parse_label(label)?;
        self.write(scope, Role::Owner, |_, space| {
            let state = space.state()?;
            if let Some(role) = state.role_of(&id.sign) {
                return Err(VaultError::MemberExists(space.person(&id.sign), role));
            }
            if state.present().any(|(member, _)| space.person(&member.id.sign) == label.as_str()) {
                return Err(VaultError::LabelTaken(label.to_string()));
            }
            let generation = state.generation();
            let meta = space.ring().and_then(|ring| ring.meta(generation)).ok_or(VaultError::NotJoined)?;
            let sealed = meta.seal_name(&space.id.0, Subject::Member(&id.sign), label.as_str())?;
            let body = grant(space, id, role, false, Some(sealed))?;
            Ok((Plan { bodies: vec![body], ..Plan::default() }, ()))
        })?;
        Ok(self.link_for(&id).to_text())
    }

    /// Everything that this identity was granted, as far as we can see it.
    fn link_for(&self, id: &PublicId) -> Link {
        let scopes = self.spaces().into_iter().filter_map(|(_, space)| {
            let state = space.state().ok()?;
            state.role_of(&id.sign)?;
            Some((space.id, Head { seq: state.seq, hash: state.hash }))
        });
        Link { scopes: scopes.collect(), store_url: format!("sqlite:{}", self.store.location()) }
    }

    /// Changes a role. Losing the key to values, or the key to names, rotates the keys in the same transaction.
    pub fn set_role(&mut self, scope: &ScopeRef, who: &str, role: Role) -> Result<MemberChanged, VaultError> {
        self.change(scope, who, Some(role))
    }

    /// Removes a member and rotates the keys, in one transaction.
    pub fn remove_member(&mut self, scope: &ScopeRef, who: &str) -> Result<MemberChanged, VaultError> {
        self.change(scope, who, None)
    }

    fn change(
        &mut self,
        scope: &ScopeRef,
        who: &str,
        role: Option<Role>,
    ) -> Result<MemberChanged, VaultError> {
        let (rotated, lost_values) = self.write(scope, Role::Owner, |vault, space| {
            let (member, old) = find_member(space, who)?;
            if role == Some(old) {
                return Ok((Plan::default(), (false, false)));
            }
            let state = space.state()?;
            if old == Role::Owner && state.present().filter(|(_, role)| *role == Role::Owner).count() == 1 {
                return Err(VaultError::LastOwner);
            }
            if member.id == *vault.identity.public() {
                let text =
                    "you cannot lower or remove yourself: ask another owner, who then also changes the keys";
                return Err(VaultError::Invalid(text.to_owned()));
            }
            let mut bodies = vec![match role {
                Some(role) => grant(space, member.id, role, member.machine, None)?,
                None => Body::Member(MemberBody {
                    id: member.id,
                    role: 0,
                    machine: member.machine,
                    generation: state.generation(),
                    label: None,
                    sealed: None,
                }),
            }];
            let loses = role.map(Role::key_class) < Some(old.key_class());
            if loses {
                let stay = state
                    .present()
                    .filter(|(other, _)| other.id != member.id)
                    .map(|(other, r)| (other.id, r));
                bodies.push(rotation(space, stay.chain(role.map(|role| (member.id, role))))?);
            }
            let lost_values = loses && old.key_class() == KeyClass::Full;
            Ok((Plan { bodies, ..Plan::default() }, (loses, lost_values)))
        })?;
        let exposed = if lost_values { self.exposed(scope)? } else { Vec::new() };
        Ok(MemberChanged { rotated, exposed })
    }

    fn exposed(&self, scope: &ScopeRef) -> Result<Vec<SecretName>, VaultError> {
        let space = self.space(scope)?;
        let state = space.state()?;
        let exposed = space
            .names()
            .iter()
            .filter(|(_, id)| state.secrets.get(id).is_some_and(|secret| state.is_exposed(secret)));
        Ok(exposed.map(|(name, _)| name.clone()).collect())
    }
}

pub(super) fn parse_label(text: &str) -> Result<Label, VaultError> {
    Label::parse(text).map_err(|why| VaultError::Invalid(why.to_owned()))
}

/// A present member by label, by ID string, or by the hexadecimal start of the signing key.
fn find_member<'a>(space: &'a Space, who: &str) -> Result<(&'a Member, Role), VaultError> {
    let who = who.trim();
    let by_id = PublicId::parse(who).ok();
    let mut found = space.state()?.present().filter(|(member, _)| {
        by_id.map_or_else(|| space.person(&member.id.sign) == who, |id| member.id == id)
    });
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(VaultError::Invalid(format!("more than one member is called {who}: use the ID")))
        }
        (None, _) => Err(VaultError::NoMember(who.to_owned())),
    }
}

/// A member entry that hands over the key of the present generation.
fn grant(
    space: &Space,
    id: PublicId,
    role: Role,
    machine: bool,
    label: Option<crate::crypto::SealedName>,
) -> Result<Body, VaultError> {
    let generation = space.state()?.generation();
    let ring = space.ring().ok_or(VaultError::NotJoined)?;
    let class = role.key_class();
    let key = match class {
        KeyClass::Full => ring.full(generation).map(FullKey::expose),
        KeyClass::Meta => ring.meta(generation).map(|key| key.expose()),
    };
    let key = key.ok_or(VaultError::NotJoined)?;
    let sealed = seal_box(&id, &space.id, generation, class, &key)?;
    Ok(Body::Member(MemberBody {
        id,
        role: role as u8,
        machine,
        generation,
        label,
        sealed: Some((class, sealed.sealed)),
    }))
}

/// New keys for exactly these members.
fn rotation(space: &Space, members: impl Iterator<Item = (PublicId, Role)>) -> Result<Body, VaultError> {
    let state = space.state()?;
    let old = state.generation();
    let ring = space.ring().ok_or(VaultError::NotJoined)?;
    let (old_full, old_meta) = ring.full(old).zip(ring.meta(old)).ok_or(VaultError::NotJoined)?;
    let generation = old.checked_add(1).ok_or(VaultError::Contended)?;
    let full = FullKey::generate()?;
    let meta = full.meta()?;
    let boxes = members
        .map(|(id, role)| {
            let key = match role.key_class() {
                KeyClass::Full => full.expose(),
                KeyClass::Meta => meta.expose(),
            };
            seal_box(&id, &space.id, generation, role.key_class(), &key)
        })
        .collect::<Result<_, _>>()?;
    Ok(Body::Rotate(RotateBody {
        generation,
        commit_full: full.commitment()?,
        commit_meta: meta.commitment()?,
        wrap_full: full.wrap(&space.id.0, generation, old_full)?,
        wrap_meta: meta.wrap(&space.id.0, generation, old_meta)?,
        boxes,
    }))
}

/// New keys for the members as they are.
pub(super) fn rotation_for_all(space: &Space) -> Result<Body, VaultError> {
    rotation(space, space.state()?.present().map(|(member, role)| (member.id, role)))
}
