//! The read log: who took which values, written by those who took them (SPEC 1.9).
//!
//! Owns our own chain in each scope (append, keep it short) and the reading of everybody's. Advisory: what cannot be
//! written is counted and holds nobody up, unless it is required; then a value that cannot be accounted for is not
//! handed out. Nothing here changes a scope's state or pin, and no record has a field that a value could enter.

use super::error::VaultError;
use super::session::Vault;
use super::space::Space;
use crate::chain::{ReadChain, ReadDraft, ReadEntry, ReadHeader};
use crate::crypto::{RecordContext, sha256};
use crate::domain::{
    LogEvent, ReadCode, ReadFacts, ReadRecord, Role, ScopeId, ScopeRef, SecretName,
    reading::{self, MAX_HOST, MAX_PROGRAM},
    scope::hex,
};
use crate::platform::host;
use crate::store::{Care, Committed, NewReads, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::time::Duration;

/// Records that an author keeps in one scope. Older ones are removed now and then.
const KEPT_RECORDS: u64 = 10_000;
/// How often old records are removed: at every so manieth position.
const PRUNE_EVERY: u64 = 256;
/// Names in one record; a reading of more takes several.
const NAMES_IN_RECORD: usize = 256;
/// How many junk rows above our newest record are stepped over.
const MOST_JUNK: usize = 1_000;
/// How often another process of ours may be faster. From the second time on we wait a little longer each time, so that
/// many at once come through one after the other.
const TRIES: u32 = 64;
/// By how much each wait is longer than the one before.
const WAIT: Duration = Duration::from_micros(250);

/// What a session knows of its own read logs.
#[derive(Default)]
pub(super) struct Recorder {
    required: bool,
    /// Our newest record in each scope, as far as this session has seen.
    newest: HashMap<ScopeId, (u64, [u8; 32])>,
    lost: u64,
    why: String,
}

/// The sealed part of a record.
#[derive(Serialize, Deserialize)]
struct Details {
    #[serde(flatten)]
    record: ReadRecord,
    host: String,
}

impl Vault {
    /// From now on a reading that cannot be written down durably is an error.
    pub fn require_records(&mut self, required: bool) {
        self.recorder.required = required;
    }

    /// How many readings of this session could not be written down, and the newest reason.
    pub fn unrecorded(&self) -> Option<(u64, &str)> {
        (self.recorder.lost > 0).then_some((self.recorder.lost, self.recorder.why.as_str()))
    }

    /// Writes down that we read, or tried to, in a scope that we are a member of. To be called before a value is handed
    /// out. All names of one reading come in one call.
    ///
    /// # Errors
    /// Only if records are required: then nothing may be handed out.
    pub fn record_reads(&mut self, scope: &ScopeRef, record: &ReadRecord) -> Result<(), VaultError> {
        let Err(error) = self.append_reads(scope, record) else { return Ok(()) };
        if self.recorder.required {
            return Err(VaultError::NotRecorded(Box::new(error)));
        }
        self.recorder.lost += 1;
        self.recorder.why = error.to_string();
        Ok(())
    }

    fn append_reads(&mut self, scope: &ScopeRef, record: &ReadRecord) -> Result<(), VaultError> {
        let details = details_of(record)?;
        if details.is_empty() {
            return Ok(());
        }
        let care = if self.recorder.required { Care::Durable } else { Care::Brief };
        let (time_ms, author) = (self.clock.wall_ms(), self.identity.public().sign);
        let signer = self.identity.signer()?;
        for attempt in 0..TRIES {
            let space = self.space_as(scope, Role::Read)?;
            let id = space.id;
            let generation = space.state()?.generation();
            let key = space.ring().and_then(|ring| ring.meta(generation)).ok_or(VaultError::NotJoined)?;
            let Newest { seq: before, hash, taken } = self.newest(space)?;
            let mut seqs = Vec::with_capacity(details.len());
            for _ in &details {
                let mut seq = seqs.last().unwrap_or(&before).saturating_add(1);
                while taken.contains(&seq) {
                    seq = seq.saturating_add(1);
                }
                seqs.push(seq);
            }
            let last = seqs.last().copied().unwrap_or(before);
            let gone = pruned(last);
            let (mut prev, mut records) = (hash, Vec::with_capacity(details.len()));
            for (seq, plain) in seqs.into_iter().zip(&details) {
                let context = RecordContext { scope: &id.0, author: &author, seq, generation };
                let header = ReadHeader {
                    scope: id,
                    seq,
                    prev,
                    author,
                    time_ms,
                    oldest: gone.min(before) + 1,
                    generation,
                };
                let draft = ReadDraft { header, details: key.seal_details(context, plain)? };
                let bytes = draft.sign(&signer)?;
                prev = sha256(&bytes);
                records.push((seq, bytes));
            }
            let drop_through = (gone > pruned(before)).then_some(gone);
            let reads = NewReads { scope: id, author, records, drop_through };
            match self.store.append_reads(&reads, care)? {
                Committed::Yes => {
                    self.recorder.newest.insert(id, (last, prev));
                    return Ok(());
                }
                Committed::Conflict => std::thread::sleep(WAIT * attempt), // another process of ours was faster: read again
            }
        }
        Err(VaultError::Contended)
    }

    /// Our newest record in a scope. What this session wrote itself is not forgotten because the store says so: then
    /// what was cut off shows as a gap.
    fn newest(&self, space: &Space) -> Result<Newest, VaultError> {
        let known = self.recorder.newest.get(&space.id).copied();
        let me = self.identity.public().sign;
        let key = space.state()?.members.get(&me).map(|member| &member.key);
        let (mut found, mut taken) = (None, BTreeSet::new());
        self.store.newest_reads(&space.id, &me, &mut |seq, bytes| {
            let hash = sha256(bytes);
            let ours = known == Some((seq, hash))
                || ReadEntry::parse(bytes).is_ok_and(|entry| {
                    let header = &entry.header;
                    header.seq == seq
                        && header.scope == space.id
                        && header.author == me
                        && key.is_some_and(|key| entry.is_signed_by(key))
                });
            if ours {
                found = Some((seq, hash));
                return ControlFlow::Break(());
            }
            taken.insert(seq);
            if taken.len() > MOST_JUNK { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if taken.len() > MOST_JUNK {
            let what = "its read log is full of rows that nobody signed".to_owned();
            return Err(StoreError::Damaged { location: self.store.location(), what }.into());
        }
        let newest = match (known, found) {
            (Some(known), Some(found)) if found.0 <= known.0 => Some(known),
            (known, found) => found.or(known),
        };
        let (seq, hash) = newest.unwrap_or((0, [0; 32]));
        Ok(Newest { seq, hash, taken })
    }

    /// What a signing key is called in a scope, if that is open and knows it.
    pub fn person_in(&self, scope: &ScopeId, sign: &[u8; 32]) -> Option<String> {
        let spaces = self.spaces();
        spaces.into_iter().find(|(_, space)| space.id == *scope)?.1.known_person(sign)
    }

    /// Of these names, those that a reading of `scope` takes from there and those that it takes from the organization.
    pub fn sources<'a>(
        &self,
        scope: &'a ScopeRef,
        names: impl Iterator<Item = SecretName>,
    ) -> Vec<(&'a ScopeRef, Vec<SecretName>)> {
        const ORGANIZATION: &ScopeRef = &ScopeRef::Organization;
        let own = self.space(scope).map(Space::names).ok();
        let (here, there): (Vec<_>, Vec<_>) =
            names.partition(|name| own.is_some_and(|own| own.contains_key(name)));
        [(scope, here), (ORGANIZATION, there)].into_iter().filter(|(_, names)| !names.is_empty()).collect()
    }

    /// The readings of everybody in a scope, each author's in their order; only the newest `limit` of each author.
    pub(super) fn readings(
        &self,
        scope: &ScopeRef,
        space: &Space,
        limit: Option<usize>,
    ) -> Result<Vec<Vec<LogEvent>>, VaultError> {
        let mut logs = Vec::new();
        for member in space.state()?.members.values() {
            let mut chain = ReadChain::new(space.id, &member.key);
            self.store.reads(&space.id, &member.id.sign, &mut |seq, bytes| {
                chain.feed(seq, bytes);
                ControlFlow::Continue(())
            })?;
            let records = chain.finish().records;
            let skip = limit.map_or(0, |limit| records.len().saturating_sub(limit));
            let events = records.iter().skip(skip).filter_map(|bytes| event(scope, space, bytes));
            logs.push(events.collect());
        }
        Ok(logs)
    }
}

/// Our newest record in a scope: position, hash, and the positions above it that junk takes.
struct Newest {
    seq: u64,
    hash: [u8; 32],
    taken: BTreeSet<u64>,
}

/// How far an author whose newest record is `seq` has removed the older ones.
fn pruned(seq: u64) -> u64 {
    (seq - seq % PRUNE_EVERY).saturating_sub(KEPT_RECORDS)
}

/// The plaintexts of the records that a reading takes.
fn details_of(record: &ReadRecord) -> Result<Vec<Vec<u8>>, VaultError> {
    let (program, host) =
        (reading::short(&record.program, MAX_PROGRAM), reading::short(&host::name(), MAX_HOST));
    let part = |names: &[SecretName]| {
        let record = ReadRecord { names: names.to_vec(), program: program.clone(), ..*record };
        serde_json::to_vec(&Details { record, host: host.clone() })
            .map_err(|error| VaultError::Invalid(error.to_string()))
    };
    match record.names.as_slice() {
        // An empty export gave nothing away.
        [] if record.code == ReadCode::Ok => Ok(Vec::new()),
        [] => Ok(vec![part(&[])?]),
        names => names.chunks(NAMES_IN_RECORD).map(part).collect(),
    }
}

/// A record in words; `None` if its details do not open, or are not what a record says.
fn event(scope: &ScopeRef, space: &Space, bytes: &[u8]) -> Option<LogEvent> {
    let entry = ReadEntry::parse(bytes).ok()?;
    let header = &entry.header;
    let context = RecordContext {
        scope: &header.scope.0,
        author: &header.author,
        seq: header.seq,
        generation: header.generation,
    };
    let plain = space.ring()?.meta(header.generation)?.open_details(context, entry.details).ok()?;
    let Details { record, host } = serde_json::from_slice(&plain).ok()?;
    let subject = match record.names.as_slice() {
        [name] => Some(name.to_string()),
        _ => None,
    };
    Some(LogEvent {
        scope: scope.clone(),
        seq: header.seq,
        time_ms: header.time_ms,
        author: space.person(&header.author),
        action: record.action.token().to_owned(),
        subject,
        version: record.version,
        role: None,
        hash: hex(&entry.hash()),
        rotate_every_s: None,
        read: Some(ReadFacts { code: record.code, names: record.names, host, program: record.program }),
    })
}
