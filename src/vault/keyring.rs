//! The scope keys that an identity holds: exactly those that its present role is entitled to.
//!
//! A reader's ring is built from the box with `M` and has no slot with a `K` in it, even if an older box of the same
//! person, from a time as a writer, would still open. Every key is checked against the commitment in the signed chain,
//! so nobody can be handed another key than the others have (SPEC 1.5).

use super::error::VaultError;
use crate::chain::{Member, Received, State};
use crate::crypto::{FullKey, Identity, MetaKey, boxes::BoxContext, scope_keys::same_commitment};
use crate::domain::{KeyClass, Role, ScopeRef};
use std::collections::BTreeMap;

/// Keys by generation.
pub(super) struct Keyring {
    full: BTreeMap<u32, FullKey>,
    meta: BTreeMap<u32, MetaKey>,
}

impl Keyring {
    /// Opens the newest box that fits `role` and walks back through the wraps to generation 1.
    pub(super) fn open(
        identity: &Identity,
        state: &State,
        member: &Member,
        role: Role,
        scope: &ScopeRef,
    ) -> Result<Self, VaultError> {
        let class = role.key_class();
        let mismatch = |sender: &[u8; 32]| VaultError::KeyMismatch {
            scope: scope.clone(),
            owner: format!("owner {}", crate::domain::scope::hex(sender.get(..8).unwrap_or_default())),
        };
        let received = member
            .boxes
            .iter()
            .rev()
            .find(|received| received.class == class)
            .ok_or_else(|| mismatch(&[0; 32]))?;
        let context = BoxContext {
            scope: &received.bound_to.0,
            generation: received.generation,
            recipient: &member.id.sign,
            class,
        };
        let key = identity.open_box(context, &received.sealed).map_err(|_| mismatch(&received.sender))?;
        let mut ring = Self { full: BTreeMap::new(), meta: BTreeMap::new() };
        match class {
            KeyClass::Full => ring.walk_full(state, received, FullKey::from_key(key)),
            KeyClass::Meta => ring.walk_meta(state, received, MetaKey::from_key(key)?),
        }?
        .then_some(())
        .ok_or_else(|| mismatch(&received.sender))?;
        Ok(ring)
    }

    fn walk_full(&mut self, state: &State, from: &Received, mut key: FullKey) -> Result<bool, VaultError> {
        for generation in (1..=from.generation).rev() {
            let Some(public) = generation_of(state, generation) else { return Ok(false) };
            if !same_commitment(&key.commitment()?, &public.commit_full) {
                return Ok(false);
            }
            let meta = key.meta()?;
            if !same_commitment(&meta.commitment()?, &public.commit_meta) {
                return Ok(false);
            }
            let older = match &public.wraps {
                Some((full, _)) => match key.unwrap(&state.scope.0, generation, full) {
                    Ok(older) => Some(older),
                    Err(_) => return Ok(false),
                },
                None => None,
            };
            self.meta.insert(generation, meta);
            self.full.insert(generation, key);
            let Some(older) = older else { break };
            key = older;
        }
        Ok(true)
    }

    fn walk_meta(&mut self, state: &State, from: &Received, mut key: MetaKey) -> Result<bool, VaultError> {
        for generation in (1..=from.generation).rev() {
            let Some(public) = generation_of(state, generation) else { return Ok(false) };
            if !same_commitment(&key.commitment()?, &public.commit_meta) {
                return Ok(false);
            }
            let older = match &public.wraps {
                Some((_, meta)) => match key.unwrap(&state.scope.0, generation, meta) {
                    Ok(older) => Some(older),
                    Err(_) => return Ok(false),
                },
                None => None,
            };
            self.meta.insert(generation, key);
            let Some(older) = older else { break };
            key = older;
        }
        Ok(true)
    }

    /// `K` of a generation; `None` for a reader.
    pub(super) fn full(&self, generation: u32) -> Option<&FullKey> {
        self.full.get(&generation)
    }

    /// `M` of a generation.
    pub(super) fn meta(&self, generation: u32) -> Option<&MetaKey> {
        self.meta.get(&generation)
    }
}

fn generation_of(state: &State, generation: u32) -> Option<&crate::chain::Generation> {
    state.generations.get(usize::try_from(generation).ok()?.checked_sub(1)?)
}
