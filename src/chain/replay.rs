//! Rows in, state out (SPEC 1.6 "row handling", 1.8).
//!
//! Junk (bad bytes, bad signature, stranger, too low a role, a broken rule) is ignored and counted: it can neither block
//! nor fork a chain. Two things stop everything: an entry that a present writer or owner really signed for this position
//! but that does not chain (unless a later owner entry chains past it), and a kind that only a newer version knows.

use super::body::{Body, SecretId};
use super::entry::{Entry, EntryHash};
use super::state::{Rejection, State};
use crate::crypto::CryptoError;
use crate::domain::{Role, ScopeId};
use std::collections::BTreeSet;

/// Position and hash of an entry: what a pin holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Position.
    pub seq: u64,
    /// SHA-256 of the entry.
    pub hash: EntryHash,
}

/// Why a chain cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// There is no valid first entry for this scope.
    #[error("the scope has no valid first entry: the store is another one, or damaged")]
    NoGenesis,
    /// A member signed something for this position that does not follow.
    #[error("damaged or forked at entry {seq}, signed by {signer}")]
    Forked {
        /// Position of the entry.
        seq: u64,
        /// The signer's public key in hexadecimal, first 16 digits.
        signer: String,
    },
    /// A member wrote something that only a newer version understands.
    #[error("entry {seq} was written by a newer version of sealbox")]
    Newer {
        /// Position of the entry.
        seq: u64,
    },
    /// The entry at the pin is another one than this machine has verified before.
    #[error(
        "entry {seq} is not the one that this machine has seen before: the store was tampered with or forked"
    )]
    PinMismatch {
        /// Position of the pin.
        seq: u64,
    },
    /// The store ends before the newest entry that this machine has verified.
    #[error("the store is older than what this machine has seen: it ends at entry {head}, seen was {pin}")]
    Stale {
        /// Where the store ends.
        head: u64,
        /// Where the pin is.
        pin: u64,
    },
}

/// A replay in progress; keeps going as new rows arrive.
#[derive(Debug)]
pub struct Replay {
    scope: ScopeId,
    state: Option<State>,
    fault: Option<(u64, ChainFault)>,
    ignored: u64,
    /// Positions above the head that are taken by junk.
    taken: BTreeSet<u64>,
    /// Secrets that were created or deleted since somebody last asked, in order.
    touched: Vec<SecretId>,
    pin: Option<Head>,
    pin_met: bool,
    /// While true, signatures of entries up to the pin are not computed: the pin's hash vouches for them in the end.
    trust_pinned: bool,
}

impl Replay {
    /// Starts before the first row. `pin` is the newest entry that this machine has verified. With `trust_pinned`,
    /// signatures up to the pin are taken as verified; if the pin is then not met, the caller must start again without.
    pub fn new(scope: ScopeId, pin: Option<Head>, trust_pinned: bool) -> Self {
        Self {
            scope,
            state: None,
            fault: None,
            ignored: 0,
            taken: BTreeSet::new(),
            touched: Vec::new(),
            pin,
            pin_met: pin.is_none(),
            trust_pinned: trust_pinned && pin.is_some(),
        }
    }

    /// Takes the next row, in order of `seq`. Says why it does not count, if it does not. Rows above the head may be fed
    /// again; they are counted once.
    pub fn feed(&mut self, seq: u64, bytes: &[u8]) -> Result<(), Rejection> {
        let outcome = self.take(seq, bytes);
        if outcome.is_err() && self.taken.insert(seq) {
            self.ignored += 1;
        }
        outcome
    }

    fn take(&mut self, seq: u64, bytes: &[u8]) -> Result<(), Rejection> {
        let entry = Entry::parse(bytes).map_err(|error| self.unreadable(seq, error))?;
        let Some(state) = &mut self.state else {
            if entry.header.seq != seq {
                return Err(Rejection::Misplaced);
            }
            let state = State::found(self.scope, &entry)?;
            self.state = Some(state);
            self.accepted(seq);
            return Ok(());
        };
        if entry.header.seq != seq {
            return Err(Rejection::Misplaced);
        }
        let trusted = self.trust_pinned && self.pin.is_some_and(|pin| seq <= pin.seq);
        let is_owner = state.role_of(&entry.header.author) == Some(Role::Owner);
        if let Some((_, fault)) = &self.fault {
            // After a fork only an owner who knowingly continues from the head may settle it.
            let settled = is_owner && matches!(fault, ChainFault::Forked { .. });
            if !settled || entry.header.prev != state.hash || !state.is_authentic(&entry) {
                return Err(Rejection::Unchained);
            }
        }
        match state.apply(&entry, trusted) {
            Ok(()) => {
                self.fault = None;
                self.touched.extend(touches(&entry));
                self.accepted(seq);
                Ok(())
            }
            Err(rejection) => {
                let signer = || crate::domain::scope::hex(entry.header.author.get(..8).unwrap_or_default());
                // `apply` looks at role and signature before these two, so they come from a present writer or owner.
                // A trusted replay has not looked at the signature: it will not meet its pin and be run again.
                match rejection {
                    Rejection::Unchained => {
                        self.fault.get_or_insert((seq, ChainFault::Forked { seq, signer: signer() }));
                    }
                    Rejection::UnknownKind => {
                        self.fault.get_or_insert((seq, ChainFault::Newer { seq }));
                    }
                    _ => {}
                }
                Err(rejection)
            }
        }
    }

    fn unreadable(&mut self, seq: u64, error: CryptoError) -> Rejection {
        if self.state.is_none() && seq == 0 && error == CryptoError::Newer {
            self.fault.get_or_insert((seq, ChainFault::Newer { seq }));
        }
        Rejection::Malformed
    }

    fn accepted(&mut self, seq: u64) {
        if let Some(state) = &self.state
            && self.pin.is_some_and(|pin| pin.seq == seq && pin.hash == state.hash)
        {
            self.pin_met = true;
        }
        self.taken = self.taken.split_off(&seq);
    }

    /// Applies an entry that this client has just signed and the store has accepted.
    pub fn append_own(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let entry = Entry::parse(bytes).map_err(|_| Rejection::Malformed)?;
        let seq = entry.header.seq;
        self.state.as_mut().ok_or(Rejection::Genesis)?.apply(&entry, true)?;
        self.touched.extend(touches(&entry));
        self.accepted(seq);
        Ok(())
    }

    /// The state, if the chain can be used for reading and writing.
    pub fn state(&self) -> Result<&State, ChainFault> {
        let state = self.state_despite_rollback()?;
        match self.pin {
            Some(pin) if !self.pin_met && state.seq < pin.seq => {
                Err(ChainFault::Stale { head: state.seq, pin: pin.seq })
            }
            Some(pin) if !self.pin_met => Err(ChainFault::PinMismatch { seq: pin.seq }),
            _ => Ok(state),
        }
    }

    /// Takes the chain as it was before a fork, so that an owner can write the entry that settles it for everybody. Says
    /// who had signed the entry that did not follow, if there was one.
    pub fn set_fork_aside(&mut self) -> Option<String> {
        let Some((_, ChainFault::Forked { signer, .. })) = &self.fault else { return None };
        let signer = signer.clone();
        self.fault = None;
        Some(signer)
    }

    /// The state without looking at the pin: for `verify`, and to accept a rollback knowingly.
    pub fn state_despite_rollback(&self) -> Result<&State, ChainFault> {
        match (&self.fault, &self.state) {
            (Some((_, fault)), _) => Err(fault.clone()),
            (None, Some(state)) => Ok(state),
            (None, None) => Err(ChainFault::NoGenesis),
        }
    }

    /// True if a trusted replay did not end at its pin and must be run again with every signature checked.
    pub fn must_check_signatures(&self) -> bool {
        self.trust_pinned && !self.pin_met
    }

    /// The newest valid entry.
    pub fn head(&self) -> Option<Head> {
        self.state.as_ref().map(|state| Head { seq: state.seq, hash: state.hash })
    }

    /// Secrets created or deleted since the last call, in the order in which it happened.
    pub fn take_touched(&mut self) -> Vec<SecretId> {
        std::mem::take(&mut self.touched)
    }

    /// Rows that did not count.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// The position after which to go on reading: the newest valid entry. Not the newest row, because that may be junk
    /// far above, and honest entries are written below it.
    pub fn resume_after(&self) -> Option<u64> {
        self.state.as_ref().map(|state| state.seq)
    }

    /// The first position above the head that no row takes.
    pub fn next_seq(&self) -> u64 {
        self.next_free(self.state.as_ref().map_or(0, |state| state.seq + 1))
    }

    /// The first position from `seq` on that no row takes.
    pub fn next_free(&self, mut seq: u64) -> u64 {
        while self.taken.contains(&seq) {
            seq += 1;
        }
        seq
    }
}

/// The secret that an entry creates or deletes.
fn touches(entry: &Entry<'_>) -> Option<SecretId> {
    match &entry.body {
        Body::Put(put) if put.name.is_some() => Some(put.secret),
        Body::Delete(secret) => Some(*secret),
        _ => None,
    }
}
