//! An unlocked vault: the identity, the store, and every scope that can be reached from the trusted roots.
//!
//! Owns the two loops that everything else stands on: following what others write, and writing (read to the head,
//! build, sign, compare-and-swap, try again). A scope that is damaged does not hide the others.

use super::error::VaultError;
use super::members::rotation_for_all;
use super::reads::Recorder;
use super::space::{Space, Synced};
use crate::chain::{Body, ChainFault, Draft, Entry, Header};
use crate::crypto::{Identity, random};
use crate::domain::{Role, ScopeId, ScopeRef};
use crate::platform::clock::Clock;
use crate::store::{Batch, BlobHash, Committed, NewEntry, Pins, Store, StoreError};
use std::{sync::Arc, time::Duration};

/// How long a writer keeps trying while others are faster.
const PATIENCE: Duration = Duration::from_secs(20);

/// An unlocked vault.
pub struct Vault {
    pub(super) identity: Identity,
    pub(super) store: Box<dyn Store>,
    pub(super) pins: Pins,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) roots: Vec<ScopeId>,
    slots: Vec<Slot>,
    /// Look past forks, for an owner who is about to settle them.
    past_forks: bool,
    change_counter: Option<i64>,
    changes_by_others: u64,
    pub(super) recorder: Recorder,
}

struct Slot {
    id: ScopeId,
    opened: Result<Space, Arc<VaultError>>,
}

/// What one write adds to a scope's chain.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) bodies: Vec<Body>,
    pub(super) blobs: Vec<(BlobHash, Vec<u8>)>,
    pub(super) delete_blobs: Vec<BlobHash>,
    /// Entries of another, new scope that must appear in the same transaction.
    pub(super) others: Vec<NewEntry>,
}

impl Vault {
    /// Opens every reachable scope, also those with a fork in them: for [`Self::settle_forks`] only.
    pub fn open_past_forks(
        identity: Identity,
        roots: Vec<ScopeId>,
        store: Box<dyn Store>,
        pins: Pins,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, VaultError> {
        Self::start(identity, roots, store, pins, clock, true)
    }

    /// Opens every reachable scope. `roots` came over a trusted channel; projects are found through the signed `child`
    /// entries of the organization.
    pub fn open(
        identity: Identity,
        roots: Vec<ScopeId>,
        store: Box<dyn Store>,
        pins: Pins,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, VaultError> {
        Self::start(identity, roots, store, pins, clock, false)
    }

    fn start(
        identity: Identity,
        roots: Vec<ScopeId>,
        store: Box<dyn Store>,
        pins: Pins,
        clock: Arc<dyn Clock>,
        past_forks: bool,
    ) -> Result<Self, VaultError> {
        let mut vault = Self {
            identity,
            store,
            pins,
            clock,
            roots,
            slots: Vec::new(),
            past_forks,
            change_counter: None,
            changes_by_others: 0,
            recorder: Recorder::default(),
        };
        vault.change_counter = Some(vault.store.change_counter()?);
        vault.load_missing();
        // With a single scope that cannot be used there is nothing to show but its fault.
        if let [Slot { opened: Err(_), .. }] = vault.slots.as_slice()
            && let Some(Slot { opened: Err(error), .. }) = vault.slots.pop()
        {
            return Err(Arc::try_unwrap(error).unwrap_or_else(VaultError::Shared));
        }
        Ok(vault)
    }

    /// Loads roots, and children of the organizations among them, that have no slot yet.
    fn load_missing(&mut self) {
        let roots = self.roots.clone();
        for id in roots {
            self.load(id);
        }
        let children: Vec<ScopeId> = self
            .slots
            .iter()
            .filter_map(|slot| slot.opened.as_ref().ok()?.state().ok())
            .flat_map(|state| state.children.clone())
            .collect();
        for id in children {
            self.load(id);
        }
    }

    fn load(&mut self, id: ScopeId) {
        if !self.slots.iter().any(|slot| slot.id == id) {
            let opened = self.open_space(id);
            self.slots.push(Slot { id, opened });
        }
    }

    fn open_space(&self, id: ScopeId) -> Result<Space, Arc<VaultError>> {
        Space::load(id, &*self.store, &self.pins, &self.identity, self.past_forks).map_err(Arc::new)
    }

    /// Reads what others wrote since the last call. Cheap when nothing did.
    pub fn refresh(&mut self) -> Result<(), VaultError> {
        let counter = self.store.change_counter()?;
        let unread =
            |slot: &Slot| slot.opened.as_ref().err().is_some_and(|error| may_pass(error) || is_stale(error));
        if self.change_counter == Some(counter) && !self.slots.iter().any(unread) {
            return Ok(());
        }
        let mut changed = false;
        let mut slots = std::mem::take(&mut self.slots);
        let mut passing = None;
        for slot in &mut slots {
            match &mut slot.opened {
                Ok(space) => match space.sync(&*self.store, &self.pins, &self.identity) {
                    Ok(Synced::Same) => {}
                    Ok(Synced::Grown) => changed = true,
                    // The store is not the one that was read: start over, and let the pin judge it.
                    Ok(Synced::Replaced) => {
                        changed = true;
                        slot.opened = self.open_space(slot.id);
                    }
                    // The disk or the network: what was verified stays, and the next call reads on.
                    Err(error) if may_pass(&error) => passing = Some(error),
                    Err(error) => slot.opened = Err(Arc::new(error)),
                },
                Err(_) => slot.opened = self.open_space(slot.id),
            }
        }
        self.slots = slots;
        if let Some(error) = passing {
            self.change_counter = None;
            return Err(error);
        }
        self.load_missing();
        self.change_counter = Some(counter);
        if changed {
            self.changes_by_others += 1;
        }
        Ok(())
    }

    /// Counts the refreshes that found entries written by others.
    pub fn changes_by_others(&self) -> u64 {
        self.changes_by_others
    }

    /// Every scope that could be opened and that we are a member of: the organization, then projects by name.
    pub(super) fn spaces(&self) -> Vec<(ScopeRef, &Space)> {
        let mut spaces: Vec<(ScopeRef, &Space)> = Vec::new();
        for slot in &self.slots {
            let Ok(space) = &slot.opened else { continue };
            let (Some(reference), Some(_)) = (space.reference(), space.role()) else { continue };
            // A scope that was only found below an organization must say itself that it belongs there, or an owner
            // could pass another organization off as this one.
            let is_ours = |id: &ScopeId| self.roots.contains(id);
            if !is_ours(&space.id) && !space.parent().is_some_and(|parent| is_ours(&parent)) {
                continue;
            }
            // Two projects of one name: the first one in the chain holds it.
            if !spaces.iter().any(|(other, _)| *other == reference) {
                spaces.push((reference, space));
            }
        }
        spaces.sort_by(|one, two| one.0.cmp(&two.0));
        spaces
    }

    /// Scopes that could not be opened, with the reason.
    pub fn broken(&self) -> impl Iterator<Item = (ScopeId, &VaultError)> {
        self.slots.iter().filter_map(|slot| Some((slot.id, slot.opened.as_ref().err()?.as_ref())))
    }

    /// Rows that were ignored, over all scopes.
    pub fn ignored_rows(&self) -> u64 {
        self.slots.iter().filter_map(|slot| Some(slot.opened.as_ref().ok()?.replay().ignored())).sum()
    }

    /// The scope that a person named, if we are a member.
    pub(super) fn space(&self, scope: &ScopeRef) -> Result<&Space, VaultError> {
        if let Some((_, space)) = self.spaces().into_iter().find(|(reference, _)| reference == scope) {
            return Ok(space);
        }
        // A broken scope cannot tell its name: better its fault than "there is no such project".
        if let Some(Err(fault)) = self.slots.iter().map(|slot| &slot.opened).find(|opened| opened.is_err()) {
            return Err(VaultError::Shared(Arc::clone(fault)));
        }
        match scope {
            _ if self.slots.is_empty() => Err(VaultError::NotJoined),
            ScopeRef::Organization => Err(VaultError::NotAMember(scope.clone())),
            ScopeRef::Project(name) => Err(VaultError::NoProject(name.to_string())),
        }
    }

    /// The scope, if our role there is at least `need`.
    pub(super) fn space_as(&self, scope: &ScopeRef, need: Role) -> Result<&Space, VaultError> {
        let space = self.space(scope)?;
        match space.role() {
            Some(have) if have >= need => Ok(space),
            Some(have) => Err(VaultError::Role { scope: scope.clone(), have, need }),
            None => Err(VaultError::NotAMember(scope.clone())),
        }
    }

    /// Ok if our role in `scope` is at least `need`.
    pub fn require(&self, scope: &ScopeRef, need: Role) -> Result<(), VaultError> {
        self.space_as(scope, need).map(|_| ())
    }

    /// Builds on the newest state, signs and appends; starts over when somebody was faster, for at most 20 s.
    /// `build` sees the scope as of now and may refuse. An empty plan writes nothing.
    pub(super) fn write<T>(
        &mut self,
        scope: &ScopeRef,
        need: Role,
        mut build: impl FnMut(&Self, &Space) -> Result<(Plan, T), VaultError>,
    ) -> Result<T, VaultError> {
        let start = self.clock.since_boot();
        loop {
            self.refresh()?;
            let space = self.space_as(scope, need)?;
            let id = space.id;
            // Somebody lost access and the keys were not changed: by another program, ours does both at once. No value may
            // be put before they are, and only an owner can.
            let overdue = space.state()?.dirty && space.role() == Some(Role::Owner);
            if overdue {
                let plan = Plan { bodies: vec![rotation_for_all(space)?], ..Plan::default() };
                let batch = self.sign(space, plan)?;
                if self.commit(&id, &batch)? == Committed::Yes {
                    continue;
                }
            } else {
                let (plan, outcome) = build(self, space)?;
                if plan.bodies.is_empty() {
                    return Ok(outcome);
                }
                let batch = self.sign(space, plan)?;
                if self.commit(&id, &batch)? == Committed::Yes {
                    return Ok(outcome);
                }
            }
            if self.clock.since_boot().saturating_sub(start) > PATIENCE {
                return Err(VaultError::Contended);
            }
            std::thread::sleep(jitter());
        }
    }

    /// Commits a batch of our own entries and takes those of scope `id` into the open space.
    fn commit(&mut self, id: &ScopeId, batch: &Batch) -> Result<Committed, VaultError> {
        let committed = self.store.commit(batch).inspect_err(|_| {
            self.change_counter = None; // it may have been carried out all the same: read again
        })?;
        if committed == Committed::Conflict {
            self.change_counter = None; // read again even if the counter could not tell
            return Ok(committed);
        }
        let own = batch.entries.iter().filter(|entry| entry.scope == *id).map(|entry| entry.body.as_slice());
        let slot = self.slots.iter_mut().find(|slot| slot.id == *id).map(|slot| &mut slot.opened);
        if let Some(Ok(space)) = slot {
            space.append_own(own, &self.pins, &self.identity)?;
        }
        self.load_missing();
        Ok(committed)
    }

    /// Chains and signs the bodies of a plan, stepping over positions that junk has taken. Refuses what readers would not
    /// accept, so that it never becomes a row.
    fn sign(&self, space: &Space, plan: Plan) -> Result<Batch, VaultError> {
        let signer = self.identity.signer()?;
        let state = space.state()?;
        let seals = plan.bodies.iter().any(|body| matches!(body, Body::Put(_) | Body::Schedule(_)));
        // Puts, deletes and schedules were planned on this very state; only what they cannot see is looked at again.
        let by_construction =
            |body: &Body| matches!(body, Body::Put(_) | Body::Delete(_) | Body::Schedule(_));
        let mut trial = (!plan.bodies.iter().all(by_construction)).then(|| state.clone());
        if seals && state.dirty && trial.is_none() {
            let scope = space.reference().unwrap_or(ScopeRef::Organization);
            return Err(VaultError::KeysOverdue(scope));
        }
        let mut prev = state.hash;
        let mut seq = space.replay().next_seq();
        let builds_on = vec![(space.id, state.seq, state.hash)];
        let mut batch = Batch { builds_on, entries: plan.others, ..Batch::default() };
        for body in plan.bodies {
            let header = Header {
                scope: space.id,
                seq,
                prev,
                author: self.identity.public().sign,
                time_ms: self.clock.wall_ms(),
            };
            let body = Draft { header, body }.sign(&signer)?;
            if let Some(state) = &mut trial {
                state.apply(&Entry::parse(&body)?, true)?;
            }
            prev = crate::crypto::sha256(&body);
            batch.entries.push(NewEntry { scope: space.id, seq, body });
            seq = space.replay().next_free(seq + 1);
        }
        batch.blobs = plan.blobs.into_iter().map(|(hash, data)| (space.id, hash, data)).collect();
        batch.delete_blobs = plan.delete_blobs.into_iter().map(|hash| (space.id, hash)).collect();
        Ok(batch)
    }

    /// Settles forks (SPEC 1.6) in a vault that was opened past them: an owner's entry that knowingly goes on from the
    /// valid head makes every client go on there too. Says each scope's name and who had signed what did not follow.
    pub fn settle_forks(&mut self) -> Result<Vec<(String, String)>, VaultError> {
        let mut settled = Vec::new();
        let forks: Vec<(ScopeRef, String, String)> = self
            .spaces()
            .into_iter()
            .filter_map(|(scope, space)| {
                let signer = space.fork_set_aside()?.to_owned();
                Some((scope, space.label().unwrap_or_default().to_owned(), signer))
            })
            .collect();
        for (scope, name, signer) in forks {
            self.write(&scope, Role::Owner, |_, space| {
                Ok((Plan { bodies: vec![rotation_for_all(space)?], ..Plan::default() }, ()))
            })?;
            settled.push((name, signer));
        }
        Ok(settled)
    }

    /// Takes the store's present content as the newest of every scope (SPEC R10), after a person agreed. Scopes that the
    /// store does not have any more are forgotten.
    pub fn accept_rollback(store: &dyn Store, pins: &Pins) -> Result<(), VaultError> {
        let present = store.scopes()?;
        if !pins.scopes()?.iter().any(|id| present.contains(id)) {
            return Err(VaultError::Invalid("this store holds no scope that this machine knows".to_owned()));
        }
        for id in pins.scopes()? {
            if !present.contains(&id) {
                pins.forget(&id)?;
                continue;
            }
            let mut replay = crate::chain::Replay::new(id, None, false);
            store.entries(&id, None, &mut |seq, bytes| {
                let _ = replay.feed(seq, bytes);
                std::ops::ControlFlow::Continue(())
            })?;
            let state = replay
                .state_despite_rollback()
                .map_err(|fault| VaultError::Chain { what: format!("scope {}", id.hex()), fault })?;
            pins.force(&id, state.seq, &state.hash)?;
        }
        Ok(())
    }

    /// Our own public ID string.
    pub fn my_id(&self) -> String {
        self.identity.public().to_text()
    }

    /// Where the rows are.
    pub fn location(&self) -> String {
        self.store.location()
    }
}

/// True if the store could not be read for a reason that may be gone the next time.
fn may_pass(error: &VaultError) -> bool {
    matches!(error, VaultError::Store(error) if !matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. }))
}

/// True if the store ended before our pin when it was read: a restore that a person accepted moves the rows first and the
/// pin second, and this session may have looked in between.
fn is_stale(error: &VaultError) -> bool {
    matches!(error, VaultError::Chain { fault: ChainFault::Stale { .. }, .. })
}

/// 1 to 8 ms, so that many writers do not run in step.
fn jitter() -> Duration {
    let byte = random::array::<1>().map_or(0, |[byte]| byte);
    Duration::from_micros(1000 + u64::from(byte) * 27)
}
