//! One scope, opened: its replayed chain, the keys we hold, and the names those keys open.
//!
//! Follows the store as it grows. Names are decrypted once; a name that breaks the rule, or that an earlier secret holds
//! already, is quarantined and never shown raw (SPEC 1.5).

use super::error::VaultError;
use super::keyring::Keyring;
use crate::chain::{Head, Member, Replay, SealedLabel, Secret, SecretId, State, Version};
use crate::crypto::{Identity, Subject, sha256};
use crate::domain::span::LONGEST_ROTATION;
use crate::domain::{Role, ScopeId, ScopeRef, SecretMeta, SecretName, scope::hex};
use crate::store::{Pins, Store};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

pub(super) struct Space {
    pub(super) id: ScopeId,
    replay: Replay,
    /// Who signed an entry that does not follow, if that was set aside.
    fork: Option<String>,
    /// The head that pins, keys and names were last brought up to.
    settled: Option<Head>,
    ring: Option<Keyring>,
    /// What `ring` was built for: rebuilt when either changes.
    ring_for: Option<(Role, u32)>,
    label: Option<String>,
    names: BTreeMap<SecretName, SecretId>,
    known: HashMap<SecretId, SecretName>,
    quarantined: HashSet<SecretId>,
    people: HashMap<[u8; 32], String>,
}

impl Space {
    /// Reads and verifies the whole chain. Signatures up to the pin are vouched for by the pin's hash.
    pub(super) fn load(
        id: ScopeId,
        store: &dyn Store,
        pins: &Pins,
        me: &Identity,
        past_forks: bool,
    ) -> Result<Self, VaultError> {
        let pin = pins.get(&id)?.map(|(seq, hash)| Head { seq, hash });
        let mut replay = Replay::new(id, pin, true);
        read_into(&mut replay, store, &id)?;
        if replay.must_check_signatures() {
            replay = Replay::new(id, pin, false);
            read_into(&mut replay, store, &id)?;
        }
        let fork = if past_forks { replay.set_fork_aside() } else { None };
        let mut space = Self {
            id,
            replay,
            fork,
            settled: None,
            ring: None,
            ring_for: None,
            label: None,
            names: BTreeMap::new(),
            known: HashMap::new(),
            quarantined: HashSet::new(),
            people: HashMap::new(),
        };
        space.settle(pins, me)?;
        Ok(space)
    }

    /// Reads the rows that are new, after making sure that the newest one known is still there: a store that was put
    /// back or cut under a living session is not the one that was verified.
    pub(super) fn sync(
        &mut self,
        store: &dyn Store,
        pins: &Pins,
        me: &Identity,
    ) -> Result<Synced, VaultError> {
        let Some(head) = self.replay.head() else { return Ok(Synced::Replaced) };
        let (replay, mut is_there) = (&mut self.replay, false);
        store.entries(&self.id, head.seq.checked_sub(1), &mut |seq, bytes| {
            if seq == head.seq {
                is_there = sha256(bytes) == head.hash;
            } else if is_there {
                let _ = replay.feed(seq, bytes); // junk is counted by the replay; faults show in its state
            }
            if is_there { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if !is_there {
            return Ok(Synced::Replaced);
        }
        if self.replay.head() == self.settled {
            self.state()?; // a fork or a newer kind may have arrived without moving the head
            return Ok(Synced::Same);
        }
        self.settle(pins, me)?;
        Ok(Synced::Grown)
    }

    /// Takes entries that we wrote ourselves and that the store has accepted.
    pub(super) fn append_own<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a [u8]>,
        pins: &Pins,
        me: &Identity,
    ) -> Result<(), VaultError> {
        for entry in entries {
            self.replay.append_own(entry)?;
        }
        self.learn(me)?;
        // The entries are durable already: a pin that cannot be written now is no reason to call the write failed. It
        // moves with the next entry.
        let _ = self.pin(pins);
        Ok(())
    }

    /// Brings keys, labels, names and the pin up to the state.
    fn settle(&mut self, pins: &Pins, me: &Identity) -> Result<(), VaultError> {
        self.learn(me)?;
        self.pin(pins)
    }

    fn pin(&self, pins: &Pins) -> Result<(), VaultError> {
        let state = self.state()?;
        Ok(pins.advance(&self.id, state.seq, &state.hash)?)
    }

    /// Brings keys, labels and names up to the state.
    fn learn(&mut self, me: &Identity) -> Result<(), VaultError> {
        let state = self.replay.state().map_err(|fault| self.fault(fault))?;
        let member = state.members.get(&me.public().sign);
        let ring_for = member.and_then(|member| Some((member.role?, state.generation())));
        if ring_for != self.ring_for {
            self.ring = match (member, ring_for) {
                (Some(member), Some((role, _))) => {
                    let scope = scope_ref(state, self.label.as_deref());
                    Some(Keyring::open(me, state, member, role, &scope)?)
                }
                _ => None,
            };
            self.ring_for = ring_for;
        }
        if let Some(ring) = &self.ring {
            let meta = |generation| ring.meta(generation);
            if self.label.is_none() {
                self.label = meta(1)
                    .and_then(|key| key.open_name(&ScopeId::NONE.0, Subject::Scope, &state.label).ok())
                    .or_else(|| Some(short(&self.id.0)));
            }
            for member in state.members.values() {
                let label = open_label(ring, member).unwrap_or_else(|| short(&member.id.sign));
                self.people.insert(member.id.sign, label);
            }
        }
        self.index()?;
        self.settled = self.replay.head();
        Ok(())
    }

    /// Brings the names up to the secrets that were created or deleted since the last time.
    fn index(&mut self) -> Result<(), VaultError> {
        if self.ring.is_none() {
            return Ok(()); // what was touched is kept until there are keys
        }
        let mut touched = self.replay.take_touched();
        let (Some(ring), Ok(state)) = (&self.ring, self.replay.state()) else { return Ok(()) };
        let mut freed = false;
        for id in &touched {
            if !state.secrets.contains_key(id) {
                self.quarantined.remove(id);
                if let Some(name) = self.known.remove(id) {
                    self.names.remove(&name);
                    freed = true;
                }
            }
        }
        // A deleted secret frees its name for a later one that was quarantined: look at those again, oldest first.
        if freed && !self.quarantined.is_empty() {
            let mut again: Vec<SecretId> = self.quarantined.drain().collect();
            again.sort_by_key(|id| {
                state.secrets.get(id).and_then(|secret| Some(secret.versions.first()?.seq))
            });
            again.append(&mut touched);
            touched = again;
        }
        let fresh: Vec<(SecretId, &Secret)> = touched
            .into_iter()
            .filter(|id| !self.known.contains_key(id))
            .filter_map(|id| Some((id, state.secrets.get(&id)?)))
            .collect();
        for ((id, _), name) in fresh.iter().zip(open_names(ring, &self.id, &fresh)) {
            match name.filter(|name| !self.names.contains_key(name)) {
                Some(name) => {
                    self.names.insert(name.clone(), *id);
                    self.known.insert(*id, name);
                }
                None => {
                    self.quarantined.insert(*id);
                }
            }
        }
        Ok(())
    }

    /// The verified state.
    pub(super) fn state(&self) -> Result<&State, VaultError> {
        self.replay.state().map_err(|fault| self.fault(fault))
    }

    pub(super) fn replay(&self) -> &Replay {
        &self.replay
    }

    fn fault(&self, fault: crate::chain::ChainFault) -> VaultError {
        let what = self.label.clone().unwrap_or_else(|| format!("scope {}", short(&self.id.0)));
        VaultError::Chain { what, fault }
    }

    /// Who signed the entry that forked this scope, if it was opened past it.
    pub(super) fn fork_set_aside(&self) -> Option<&str> {
        self.fork.as_deref()
    }

    /// The fault of a store whose rows are no longer those that were verified.
    pub(super) fn changed_underneath(&self) -> VaultError {
        let seq = self.replay.head().map_or(0, |head| head.seq);
        self.fault(crate::chain::ChainFault::PinMismatch { seq })
    }

    /// How a person names this scope.
    pub(super) fn reference(&self) -> Option<ScopeRef> {
        let state = self.replay.state_despite_rollback().ok()?;
        match (state.parent, &self.label) {
            (None, _) => Some(ScopeRef::Organization),
            (Some(_), Some(label)) => crate::domain::ProjectName::parse(label).ok().map(ScopeRef::Project),
            (Some(_), None) => None,
        }
    }

    /// The organization that a project says it belongs to.
    pub(super) fn parent(&self) -> Option<ScopeId> {
        self.replay.state_despite_rollback().ok()?.parent
    }

    /// The scope's own name, if we hold a key to it.
    pub(super) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Our role here, if we are a member.
    pub(super) fn role(&self) -> Option<Role> {
        self.ring_for.map(|(role, _)| role)
    }

    pub(super) fn ring(&self) -> Option<&Keyring> {
        self.ring.as_ref()
    }

    /// What a signing key is called here.
    pub(super) fn person(&self, sign: &[u8; 32]) -> String {
        self.people.get(sign).cloned().unwrap_or_else(|| short(sign))
    }

    /// Who wrote a version; with whoever sealed it anew since, because only they know that the value is still the same.
    pub(super) fn author(&self, version: &Version) -> String {
        let author = self.person(&version.author);
        match &version.resealed_by {
            Some(other) => format!("{author}, resealed by {}", self.person(other)),
            None => author,
        }
    }

    /// As [`Self::person`], for a key that may be nobody's here.
    pub(super) fn known_person(&self, sign: &[u8; 32]) -> Option<String> {
        self.people.get(sign).cloned()
    }

    pub(super) fn names(&self) -> &BTreeMap<SecretName, SecretId> {
        &self.names
    }

    /// Positions of entries whose name is invalid or taken.
    pub(super) fn quarantined(&self) -> Vec<u64> {
        let Ok(state) = self.state() else { return Vec::new() };
        let mut entries: Vec<u64> = self
            .quarantined
            .iter()
            .filter_map(|id| state.secrets.get(id)?.versions.first().map(|version| version.seq))
            .collect();
        entries.sort_unstable();
        entries
    }

    /// A living secret by name.
    pub(super) fn secret(&self, name: &SecretName) -> Result<Option<(SecretId, &Secret)>, VaultError> {
        let state = self.state()?;
        Ok(self.names.get(name).and_then(|id| Some((*id, state.secrets.get(id)?))))
    }

    /// How often a secret must be changed, in seconds. What does not open is as good as never said: it decides nothing.
    pub(super) fn rotate_every_s(&self, id: &SecretId, secret: &Secret) -> Option<u64> {
        let schedule = secret.schedule.as_deref()?;
        let key = self.ring.as_ref()?.meta(schedule.generation)?;
        key.open_interval(&self.id.0, &id.0, schedule.generation, &schedule.sealed)
            .ok()
            .filter(|seconds| (1..=LONGEST_ROTATION).contains(seconds))
    }

    /// What the list shows of a secret.
    pub(super) fn meta(
        &self,
        name: &SecretName,
        id: &SecretId,
        state: &State,
        secret: &Secret,
    ) -> Option<SecretMeta> {
        let (first, last) = (secret.versions.first()?, secret.versions.last()?);
        Some(SecretMeta {
            name: name.clone(),
            version: secret.current(),
            updated_ms: last.time_ms,
            updated_by: self.author(last),
            created_ms: first.time_ms,
            created_by: self.author(first),
            exposed: state.is_exposed(secret),
            rotate_every_s: self.rotate_every_s(id, secret),
        })
    }
}

/// What reading on found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synced {
    /// Nothing that counts.
    Same,
    /// New valid entries.
    Grown,
    /// The newest entry that was known is gone: the store is another one now.
    Replaced,
}

fn read_into(replay: &mut Replay, store: &dyn Store, id: &ScopeId) -> Result<(), VaultError> {
    store.entries(id, replay.resume_after(), &mut |seq, bytes| {
        let _ = replay.feed(seq, bytes); // junk is counted by the replay; faults show in its state
        ControlFlow::Continue(())
    })?;
    Ok(())
}

/// Decrypts names, on all cores where there are enough of them. `None` for what does not open or breaks the rule.
fn open_names(ring: &Keyring, scope: &ScopeId, secrets: &[(SecretId, &Secret)]) -> Vec<Option<SecretName>> {
    const WORTH_A_THREAD: usize = 2000;
    let open = |(id, secret): &(SecretId, &Secret)| {
        let key = ring.meta(secret.name_generation)?;
        let text = key.open_name(&scope.0, Subject::Secret(&id.0), &secret.name).ok()?;
        SecretName::parse(&text).ok()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = secrets.len().div_ceil(cores).max(WORTH_A_THREAD);
    std::thread::scope(|threads| {
        let mut shares = secrets.chunks(share);
        let first = shares.next().unwrap_or_default();
        let others: Vec<_> =
            shares.map(|share| threads.spawn(move || share.iter().map(open).collect::<Vec<_>>())).collect();
        let mut names: Vec<_> = first.iter().map(open).collect();
        for other in others {
            // A thread that died opened nothing: its names show as quarantined instead of taking the program down.
            names.extend(other.join().unwrap_or_default());
        }
        names.resize(secrets.len(), None);
        names
    })
}

fn open_label(ring: &Keyring, member: &Member) -> Option<String> {
    let SealedLabel { generation, bound_to, sealed } = &member.label;
    ring.meta(*generation)?.open_name(&bound_to.0, Subject::Member(&member.id.sign), sealed).ok()
}

fn scope_ref(state: &State, label: Option<&str>) -> ScopeRef {
    let project = label.and_then(|label| crate::domain::ProjectName::parse(label).ok());
    match (state.parent, project) {
        (Some(_), Some(name)) => ScopeRef::Project(name),
        _ => ScopeRef::Organization,
    }
}

/// The first eight hexadecimal digits: enough to tell apart what has no name.
fn short(bytes: &[u8; 32]) -> String {
    hex(bytes.get(..4).unwrap_or_default())
}
