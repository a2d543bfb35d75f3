//! Verification by anybody: every signature, link and ciphertext hash, without a key (SPEC 1.6).

use super::error::VaultError;
use super::secrets::kept;
use crate::chain::{ChainFault, Head, ReadChain, Replay, State};
use crate::crypto::sha256;
use crate::domain::{ScopeId, scope::hex};
use crate::store::{Pins, Store};
use std::{collections::HashMap, ops::ControlFlow};

/// What was found out about one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeReport {
    /// The scope.
    pub id: ScopeId,
    /// Valid entries.
    pub entries: u64,
    /// Rows that did not count.
    pub ignored: u64,
    /// Ciphertexts present and matching.
    pub blobs: usize,
    /// Newest entry.
    pub head: Option<Head>,
    /// What is wrong, in words.
    pub faults: Vec<String>,
    /// The read log of each member who has one. Advisory: nothing in it makes a scope unsound.
    pub read_logs: Vec<ReadLogReport>,
    /// Rows of the read log that count for nobody.
    pub read_junk: u64,
}

/// What was found out about one member's read log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLogReport {
    /// The member's signing key.
    pub author: [u8; 32],
    /// Records that count.
    pub records: usize,
    /// First and last position of each stretch that is missing.
    pub missing: Vec<(u64, u64)>,
    /// Records that do not follow the one before them.
    pub unlinked: Vec<u64>,
}

/// Verifies the scopes given and every project found below them. With `pins`, also that nothing older or other than
/// what this machine has seen is served.
pub fn verify(
    store: &dyn Store,
    pins: Option<&Pins>,
    scopes: &[ScopeId],
) -> Result<Vec<ScopeReport>, VaultError> {
    let mut todo: Vec<ScopeId> = scopes.to_vec();
    let mut reports: Vec<ScopeReport> = Vec::new();
    let mut at = 0;
    while let Some(id) = todo.get(at).copied() {
        at += 1;
        let pin = match pins {
            Some(pins) => pins.get(&id)?.map(|(seq, hash)| Head { seq, hash }),
            None => None,
        };
        let (report, children) = verify_scope(store, id, pin)?;
        reports.push(report);
        for child in children {
            if !todo.contains(&child) {
                todo.push(child);
            }
        }
    }
    Ok(reports)
}

fn verify_scope(
    store: &dyn Store,
    id: ScopeId,
    pin: Option<Head>,
) -> Result<(ScopeReport, Vec<ScopeId>), VaultError> {
    let mut replay = Replay::new(id, pin, false);
    let mut entries = 0;
    store.entries(&id, None, &mut |seq, bytes| {
        entries += u64::from(replay.feed(seq, bytes).is_ok());
        ControlFlow::Continue(())
    })?;
    let mut report = ScopeReport {
        id,
        entries,
        ignored: replay.ignored(),
        blobs: 0,
        head: replay.head(),
        faults: replay.state().err().iter().map(ChainFault::to_string).collect(),
        read_logs: Vec::new(),
        read_junk: 0,
    };
    let Ok(state) = replay.state_despite_rollback() else { return Ok((report, Vec::new())) };
    check_blobs(store, state, &mut report)?;
    check_reads(store, state, &mut report)?;
    Ok((report, state.children.clone()))
}

/// Looks at the read logs: signatures, links, and what is missing.
fn check_reads(store: &dyn Store, state: &State, report: &mut ScopeReport) -> Result<(), VaultError> {
    let all = store.count_reads(&state.scope)?;
    let (mut seen, mut junk) = (0, 0);
    for member in state.members.values() {
        let mut chain = ReadChain::new(state.scope, &member.key);
        store.reads(&state.scope, &member.id.sign, &mut |seq, bytes| {
            seen += 1;
            chain.feed(seq, bytes);
            ControlFlow::Continue(())
        })?;
        let found = chain.finish();
        junk += found.junk;
        if !found.records.is_empty() {
            report.read_logs.push(ReadLogReport {
                author: member.id.sign,
                records: found.records.len(),
                missing: found.missing,
                unlinked: found.unlinked,
            });
        }
    }
    report.read_junk = junk.saturating_add(all.saturating_sub(seen));
    Ok(())
}

fn check_blobs(store: &dyn Store, state: &State, report: &mut ScopeReport) -> Result<(), VaultError> {
    let mut wanted: HashMap<[u8; 32], u64> = HashMap::new();
    for secret in state.secrets.values() {
        wanted.extend(kept(secret).map(|version| (version.blob, version.seq)));
    }
    let mut damaged = Vec::new();
    store.blobs(&state.scope, &mut |hash, data| {
        let Ok(hash) = <[u8; 32]>::try_from(hash) else { return ControlFlow::Continue(()) };
        if let Some(seq) = wanted.remove(&hash) {
            if sha256(data) == hash {
                report.blobs += 1;
            } else {
                damaged.push(format!("the value put by entry {seq} is damaged (ciphertext {})", hex(&hash)));
            }
        }
        ControlFlow::Continue(())
    })?;
    let mut missing: Vec<_> = wanted.into_iter().collect();
    missing.sort_by_key(|(_, seq)| *seq);
    report.faults.extend(damaged);
    report.faults.extend(
        missing.into_iter().map(|(hash, seq)| {
            format!("the value put by entry {seq} is missing (ciphertext {})", hex(&hash))
        }),
    );
    Ok(())
}
