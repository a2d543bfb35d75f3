//! What a chain says, and `apply`: the one function that changes it (SPEC 1.6).
//!
//! Pure: no clock, no keys, no I/O. `apply` either accepts an entry whole or leaves the state untouched. The invariant
//! it guards above all is `dirty`: after a member lost access to a key, nothing may be put before a rotation, so that no
//! value is ever encrypted under a key that a removed member holds.

use super::body::{
    Body, BoxFor, GenesisBody, MAX_BOXES, MemberBody, PutBody, RotateBody, ScheduleBody, SecretId,
};
use super::entry::{Entry, EntryHash};
use crate::crypto::{PublicId, SealedBox, SealedInterval, SealedName, VerifyKey, scope_keys::Wrap};
use crate::domain::{KeyClass, Role, ScopeId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// How far an entry may stand beyond the one before it. Junk in between is stepped over; but an entry at the very end of
/// all positions would leave no place for a next one, and a rogue writer could end a chain for everybody.
pub const MAX_STEP: u64 = 1 << 20;

/// A member, present or former.
#[derive(Debug, Clone)]
pub struct Member {
    /// Public keys.
    pub id: PublicId,
    /// Parsed signing key.
    pub key: VerifyKey,
    /// `None` once removed.
    pub role: Option<Role>,
    /// True for a worker's token.
    pub machine: bool,
    /// What owners call them.
    pub label: SealedLabel,
    /// Who gave the present role: a signing key.
    pub granted_by: [u8; 32],
    /// When, as claimed, milliseconds since 1970.
    pub since_ms: u64,
    /// The entry that gave or took the present role.
    pub since_seq: u64,
    /// Every key this member was ever sent, oldest first.
    pub boxes: Vec<Received>,
}

/// A member's sealed label.
#[derive(Debug, Clone, Copy)]
pub struct SealedLabel {
    /// The generation of the key that it is sealed under.
    pub generation: u32,
    /// The scope in its AAD: zeros if it stands in the genesis entry, whose id did not exist yet.
    pub bound_to: ScopeId,
    /// The sealed text.
    pub sealed: SealedName,
}

/// A key that a member was sent.
#[derive(Debug, Clone)]
pub struct Received {
    /// The scope in the box's AAD: zeros if it stands in the genesis entry.
    pub bound_to: ScopeId,
    /// The key's generation.
    pub generation: u32,
    /// Which key.
    pub class: KeyClass,
    /// The box.
    pub sealed: SealedBox,
    /// Signing key of the owner who sent it.
    pub sender: [u8; 32],
}

/// The keys of one generation, as far as they are public.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Commitment to `K`.
    pub commit_full: [u8; 32],
    /// Commitment to `M`.
    pub commit_meta: [u8; 32],
    /// The keys of the generation before, sealed under these; `None` for the first.
    pub wraps: Option<(Wrap, Wrap)>,
}

/// One version of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The generation that its blob is sealed under now.
    pub generation: u32,
    /// SHA-256 of its blob.
    pub blob: [u8; 32],
    /// Who wrote it.
    pub author: [u8; 32],
    /// When, as claimed, milliseconds since 1970.
    pub time_ms: u64,
    /// The entry that first put it.
    pub seq: u64,
    /// Who sealed it anew under a newer key, if that was another member: nobody can tell that the value is the same, so
    /// it must not stand under the author's name alone.
    pub resealed_by: Option<[u8; 32]>,
}

/// A living secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Sealed name.
    pub name: SealedName,
    /// The generation that the name is sealed under.
    pub name_generation: u32,
    /// Versions 1, 2, … in order; never empty.
    pub versions: Vec<Version>,
    /// Versions below this have no ciphertext any more.
    pub floor: u32,
    /// How often it must be changed: the newest word on it.
    pub schedule: Option<Box<Schedule>>,
}

/// A secret's sealed rotation interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The generation of the key that it is sealed under.
    pub generation: u32,
    /// The interval.
    pub sealed: SealedInterval,
}

impl Secret {
    /// The newest version number.
    pub fn current(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap_or(u32::MAX)
    }

    /// A version by number, from 1.
    pub fn version(&self, number: u32) -> Option<&Version> {
        self.versions.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

/// Everything that a valid chain says.
#[derive(Debug, Clone)]
pub struct State {
    /// The chain.
    pub scope: ScopeId,
    /// The organization of a project; `None` for an organization.
    pub parent: Option<ScopeId>,
    /// The scope's own sealed name (generation 1).
    pub label: SealedName,
    /// Position of the newest valid entry.
    pub seq: u64,
    /// Its hash.
    pub hash: EntryHash,
    /// Its time, as claimed.
    pub time_ms: u64,
    /// By signing key, present and former.
    pub members: BTreeMap<[u8; 32], Member>,
    /// Generation `g` is at index `g - 1`.
    pub generations: Vec<Generation>,
    /// Somebody lost access to a key that is still in use: only a rotation may follow, no put.
    pub dirty: bool,
    /// Living secrets.
    pub secrets: HashMap<SecretId, Secret>,
    /// Ids that may never be used again.
    pub deleted: HashSet<SecretId>,
    /// Projects, in the order of their creation. Only in an organization.
    pub children: Vec<ScopeId>,
    /// Position of the newest entry by which somebody lost a key that opened values.
    pub last_key_loss: Option<u64>,
}

/// Why an entry does not count. Fields say nothing that a hostile author could choose freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum Rejection {
    #[error("the bytes are not an entry")]
    Malformed,
    #[error("the entry belongs to another scope or position")]
    Misplaced,
    #[error("the author is not a member")]
    Stranger,
    #[error("the author's role does not allow this")]
    Role,
    #[error("the signature is not valid")]
    Signature,
    #[error("it does not follow the newest entry")]
    Unchained,
    #[error("this kind of entry is not known to this version")]
    UnknownKind,
    #[error("a genesis entry is wrong")]
    Genesis,
    #[error("a member entry breaks a rule")]
    Member,
    #[error("the last owner cannot leave")]
    LastOwner,
    #[error("a box is missing, extra, or of the wrong class")]
    Boxes,
    #[error("the generation is not the current one")]
    Generation,
    #[error("keys must be rotated before anything is put")]
    Dirty,
    #[error("the version does not follow")]
    Version,
    #[error("the floor is wrong")]
    Floor,
    #[error("the secret does not exist or was deleted")]
    Secret,
    #[error("the name is missing or repeated")]
    Name,
    #[error("the project entry is wrong")]
    Child,
}

impl State {
    /// The state after a genesis entry, which must hash to `scope` and be signed by one of its owners.
    pub fn found(scope: ScopeId, entry: &Entry<'_>) -> Result<Self, Rejection> {
        let Body::Genesis(body) = &entry.body else { return Err(Rejection::Genesis) };
        let header = &entry.header;
        let hash = entry.hash();
        if header.scope != ScopeId::NONE || header.seq != 0 || header.prev != [0; 32] || hash != scope.0 {
            return Err(Rejection::Genesis);
        }
        let members = founders(body, entry)?;
        let author = members.get(&header.author).ok_or(Rejection::Stranger)?;
        if !entry.is_signed_by(&author.key) {
            return Err(Rejection::Signature);
        }
        Ok(Self {
            scope,
            parent: (body.parent != ScopeId::NONE).then_some(body.parent),
            label: body.label,
            seq: 0,
            hash,
            time_ms: header.time_ms,
            members,
            generations: vec![Generation {
                commit_full: body.commit_full,
                commit_meta: body.commit_meta,
                wraps: None,
            }],
            dirty: false,
            secrets: HashMap::new(),
            deleted: HashSet::new(),
            children: Vec::new(),
            last_key_loss: None,
        })
    }

    /// Accepts `entry` whole, or says why not and changes nothing. With `trusted` the signature is not computed again:
    /// only for entries whose hash this client has verified before, or has just signed itself.
    pub fn apply(&mut self, entry: &Entry<'_>, trusted: bool) -> Result<(), Rejection> {
        let header = &entry.header;
        let step = header.seq.checked_sub(self.seq);
        if header.scope != self.scope || !step.is_some_and(|step| (1..=MAX_STEP).contains(&step)) {
            return Err(Rejection::Misplaced);
        }
        let role =
            self.members.get(&header.author).ok_or(Rejection::Stranger)?.role.ok_or(Rejection::Stranger)?;
        if role < Role::Write {
            return Err(Rejection::Role);
        }
        if !trusted && !self.is_authentic(entry) {
            return Err(Rejection::Signature);
        }
        if header.prev != self.hash {
            return Err(Rejection::Unchained);
        }
        if role < need(&entry.body) {
            return Err(Rejection::Role);
        }
        match &entry.body {
            Body::Genesis(_) => return Err(Rejection::Genesis),
            Body::Member(body) => self.apply_member(body, entry)?,
            Body::Rotate(body) => self.apply_rotate(body, entry)?,
            Body::Put(body) => self.apply_put(body, entry)?,
            Body::Delete(secret) => {
                self.secrets.remove(secret).ok_or(Rejection::Secret)?;
                self.deleted.insert(*secret);
            }
            Body::Schedule(body) => self.apply_schedule(body)?,
            Body::Child(scope) => {
                if self.parent.is_some() || *scope == self.scope || self.children.contains(scope) {
                    return Err(Rejection::Child);
                }
                self.children.push(*scope);
            }
            Body::Unknown(_) => return Err(Rejection::UnknownKind),
        }
        self.seq = header.seq;
        self.hash = entry.hash();
        self.time_ms = header.time_ms;
        Ok(())
    }

    /// True if the entry is signed by the member it names as its author.
    pub fn is_authentic(&self, entry: &Entry<'_>) -> bool {
        self.members.get(&entry.header.author).is_some_and(|author| entry.is_signed_by(&author.key))
    }

    /// The present role of a signing key.
    pub fn role_of(&self, sign: &[u8; 32]) -> Option<Role> {
        self.members.get(sign)?.role
    }

    /// The newest generation, from 1.
    pub fn generation(&self) -> u32 {
        u32::try_from(self.generations.len()).unwrap_or(u32::MAX)
    }

    /// Members that have not been removed.
    pub fn present(&self) -> impl Iterator<Item = (&Member, Role)> {
        self.members.values().filter_map(|member| Some((member, member.role?)))
    }

    /// True if somebody who could read the current version was removed after it was written.
    pub fn is_exposed(&self, secret: &Secret) -> bool {
        let written = secret.versions.last().map_or(u64::MAX, |version| version.seq);
        self.last_key_loss.is_some_and(|loss| written < loss)
    }

    fn apply_member(&mut self, body: &MemberBody, entry: &Entry<'_>) -> Result<(), Rejection> {
        let new_role = match body.role {
            0 => None,
            byte => Some(Role::from_byte(byte).ok_or(Rejection::Member)?),
        };
        let old = self.members.get(&body.id.sign);
        let old_role = old.and_then(|member| member.role);
        if body.generation != self.generation() {
            return Err(Rejection::Generation);
        }
        if body.sealed.as_ref().map(|(class, _)| *class) != new_role.map(Role::key_class) {
            return Err(Rejection::Boxes);
        }
        match old {
            None if new_role.is_none() || body.label.is_none() => return Err(Rejection::Member),
            Some(old) if old.id != body.id || old.machine != body.machine => return Err(Rejection::Member),
            Some(old) if old.role.is_none() && new_role.is_none() => return Err(Rejection::Member),
            _ => {}
        }
        let owners_left = self.present().any(|(m, role)| role == Role::Owner && m.id.sign != body.id.sign);
        if new_role != Some(Role::Owner) && !owners_left {
            return Err(Rejection::LastOwner);
        }
        // A rotation must carry a box for everybody: more members than boxes, and nobody could ever be removed.
        if old_role.is_none() && new_role.is_some() && self.present().count() >= MAX_BOXES {
            return Err(Rejection::Boxes);
        }
        let key = VerifyKey::parse(&body.id.sign).map_err(|_| Rejection::Member)?;
        let label = match (&body.label, old) {
            (Some(sealed), _) => {
                SealedLabel { generation: body.generation, bound_to: self.scope, sealed: *sealed }
            }
            (None, Some(old)) => old.label,
            (None, None) => return Err(Rejection::Member),
        };
        let mut boxes = old.map(|old| old.boxes.clone()).unwrap_or_default();
        boxes.extend(body.sealed.iter().map(|(class, sealed)| Received {
            bound_to: self.scope,
            generation: body.generation,
            class: *class,
            sealed: *sealed,
            sender: entry.header.author,
        }));
        let (before, after) = (old_role.map(Role::key_class), new_role.map(Role::key_class));
        if after < before {
            self.dirty = true;
            if before == Some(KeyClass::Full) {
                self.last_key_loss = Some(entry.header.seq);
            }
        }
        let member = Member {
            id: body.id,
            key,
            role: new_role,
            machine: body.machine,
            label,
            granted_by: entry.header.author,
            since_ms: entry.header.time_ms,
            since_seq: entry.header.seq,
            boxes,
        };
        self.members.insert(body.id.sign, member);
        Ok(())
    }

    fn apply_rotate(&mut self, body: &RotateBody, entry: &Entry<'_>) -> Result<(), Rejection> {
        if Some(body.generation) != self.generation().checked_add(1) {
            return Err(Rejection::Generation);
        }
        let want: BTreeMap<_, _> = self.present().map(|(m, role)| (m.id.sign, role.key_class())).collect();
        check_boxes(&body.boxes, &want)?;
        for one in &body.boxes {
            if let Some(member) = self.members.get_mut(&one.recipient) {
                member.boxes.push(Received {
                    bound_to: self.scope,
                    generation: body.generation,
                    class: one.class,
                    sealed: one.sealed,
                    sender: entry.header.author,
                });
            }
        }
        self.generations.push(Generation {
            commit_full: body.commit_full,
            commit_meta: body.commit_meta,
            wraps: Some((body.wrap_full, body.wrap_meta)),
        });
        self.dirty = false;
        Ok(())
    }

    fn apply_put(&mut self, body: &PutBody, entry: &Entry<'_>) -> Result<(), Rejection> {
        if body.generation != self.generation() {
            return Err(Rejection::Generation);
        }
        if self.dirty {
            return Err(Rejection::Dirty);
        }
        if body.floor > body.version || body.floor == 0 {
            return Err(Rejection::Floor);
        }
        let version = Version {
            generation: body.generation,
            blob: body.blob,
            author: entry.header.author,
            time_ms: entry.header.time_ms,
            seq: entry.header.seq,
            resealed_by: None,
        };
        match self.secrets.get_mut(&body.secret) {
            None => {
                if self.deleted.contains(&body.secret) {
                    return Err(Rejection::Secret);
                }
                if body.version != 1 {
                    return Err(Rejection::Version);
                }
                let name = body.name.ok_or(Rejection::Name)?;
                let (name_generation, floor) = (body.generation, body.floor);
                let secret = Secret { name, name_generation, versions: vec![version], floor, schedule: None };
                self.secrets.insert(body.secret, secret);
            }
            Some(secret) => {
                if body.name.is_some() {
                    return Err(Rejection::Name);
                }
                if body.floor < secret.floor {
                    return Err(Rejection::Floor);
                }
                if Some(body.version) == secret.current().checked_add(1) {
                    secret.versions.push(version);
                } else {
                    // A rewrap: the same value under a newer key; author and time of the value stay.
                    let at = usize::try_from(body.version).ok().and_then(|number| number.checked_sub(1));
                    let old = at.and_then(|at| secret.versions.get_mut(at)).ok_or(Rejection::Version)?;
                    if body.generation <= old.generation {
                        return Err(Rejection::Version);
                    }
                    (old.generation, old.blob) = (body.generation, body.blob);
                    let signer = entry.header.author;
                    old.resealed_by = (signer != old.author).then_some(signer).or(old.resealed_by);
                }
                secret.floor = body.floor;
            }
        }
        Ok(())
    }

    /// As with a put: nothing new is sealed under a key that somebody who left still holds.
    fn apply_schedule(&mut self, body: &ScheduleBody) -> Result<(), Rejection> {
        if body.generation != self.generation() {
            return Err(Rejection::Generation);
        }
        if self.dirty {
            return Err(Rejection::Dirty);
        }
        let secret = self.secrets.get_mut(&body.secret).ok_or(Rejection::Secret)?;
        secret.schedule = Some(Box::new(Schedule { generation: body.generation, sealed: body.sealed }));
        Ok(())
    }
}

/// The least role that may sign this kind.
pub fn need(body: &Body) -> Role {
    match body {
        Body::Put(_) | Body::Delete(_) | Body::Schedule(_) => Role::Write,
        // Kinds of the future stop every older client, so only an owner may bring them in.
        Body::Genesis(_) | Body::Member(_) | Body::Rotate(_) | Body::Child(_) | Body::Unknown(_) => {
            Role::Owner
        }
    }
}

fn founders(body: &GenesisBody, entry: &Entry<'_>) -> Result<BTreeMap<[u8; 32], Member>, Rejection> {
    let mut members = BTreeMap::new();
    for owner in &body.owners {
        let key = VerifyKey::parse(&owner.id.sign).map_err(|_| Rejection::Genesis)?;
        let boxes = body.boxes.iter().filter(|one| one.recipient == owner.id.sign).map(|one| Received {
            bound_to: ScopeId::NONE,
            generation: 1,
            class: one.class,
            sealed: one.sealed,
            sender: entry.header.author,
        });
        let member = Member {
            id: owner.id,
            key,
            role: Some(Role::Owner),
            machine: false,
            label: SealedLabel { generation: 1, bound_to: ScopeId::NONE, sealed: owner.label },
            granted_by: entry.header.author,
            since_ms: entry.header.time_ms,
            since_seq: 0,
            boxes: boxes.collect(),
        };
        if members.insert(owner.id.sign, member).is_some() {
            return Err(Rejection::Genesis);
        }
    }
    check_boxes(&body.boxes, &members.keys().map(|sign| (*sign, KeyClass::Full)).collect())?;
    Ok(members)
}

/// Ok if the boxes are for exactly these recipients, once each, of exactly these classes.
fn check_boxes(boxes: &[BoxFor], want: &BTreeMap<[u8; 32], KeyClass>) -> Result<(), Rejection> {
    let have: BTreeMap<_, _> = boxes.iter().map(|one| (one.recipient, one.class)).collect();
    if have.len() == boxes.len() && have == *want { Ok(()) } else { Err(Rejection::Boxes) }
}
