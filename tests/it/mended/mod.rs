//! What a review of the core found, and was mended: each test here would have failed before.
//!
//! Holds what these tests share: a rogue member's pen over the real SQLite file, and a look at the sealed rows as
//! anybody may take it, without a key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod files;
mod locked;
mod people;
mod session;

use crate::people::Machine;
use sealbox::chain::{Body, Draft, Header, Replay, State};
use sealbox::crypto::{FullKey, Identity, boxes};
use sealbox::domain::{ScopeId, SecretValue};
use sealbox::store::{Batch, BlobHash, Committed, NewEntry, Store};
use sealbox::vault::verify::verify;
use std::ops::ControlFlow;

/// The organization of a machine.
fn root(machine: &Machine) -> ScopeId {
    machine.identity().roots[0]
}

/// What the store of this machine says of its organization.
fn state(machine: &Machine) -> State {
    let scope = root(machine);
    let mut replay = Replay::new(scope, None, false);
    machine
        .raw_store()
        .entries(&scope, None, &mut |seq, bytes| {
            let _ = replay.feed(seq, bytes); // junk is counted
            ControlFlow::Continue(())
        })
        .unwrap();
    replay.state().unwrap().clone()
}

/// Everything in the store of this machine is signed, chained and there; nothing in it is junk.
#[track_caller]
fn is_sound(machine: &Machine) {
    for report in verify(&machine.raw_store(), None, &[root(machine)]).unwrap() {
        assert_eq!((report.faults, report.ignored), (Vec::<String>::new(), 0));
    }
}

/// Signs an entry past every check of a client and puts it behind the head of `machine`'s store.
fn forge(
    machine: &Machine,
    me: &Identity,
    body: Body,
    blobs: Vec<(BlobHash, Vec<u8>)>,
    bend: impl FnOnce(&mut Header),
) {
    let state = state(machine);
    let (scope, seq) = (state.scope, state.seq + 1);
    let mut header = Header { scope, seq, prev: state.hash, author: me.public().sign, time_ms: 1 };
    bend(&mut header);
    let body = Draft { header, body }.sign(&me.signer().unwrap()).unwrap();
    let batch = Batch {
        entries: vec![NewEntry { scope, seq, body }],
        blobs: blobs.into_iter().map(|(hash, data)| (scope, hash, data)).collect(),
        ..Batch::default()
    };
    assert_eq!(machine.raw_store().commit(&batch).unwrap(), Committed::Yes);
}

/// The newest key that this member was sent.
fn key(machine: &Machine, me: &Identity) -> FullKey {
    let state = state(machine);
    let received = state.members[&me.public().sign].boxes.last().unwrap();
    let context = boxes::BoxContext {
        scope: &received.bound_to.0,
        generation: received.generation,
        recipient: &me.public().sign,
        class: received.class,
    };
    FullKey::from_key(me.open_box(context, &received.sealed).unwrap())
}

/// A value sealed as version `version` of the secret `secret` under the newest key that `me` was sent.
fn sealed(
    machine: &Machine,
    me: &Identity,
    secret: [u8; 16],
    version: u32,
    value: &SecretValue,
) -> (BlobHash, Vec<u8>) {
    let (scope, generation) = (root(machine), state(machine).generation());
    let context =
        sealbox::crypto::scope_keys::BlobContext { scope: &scope.0, secret: &secret, version, generation };
    let blob = key(machine, me).seal_value(context, value).unwrap();
    (sealbox::crypto::sha256(&blob), blob)
}

/// How many ciphertexts lie in the store of this machine.
fn blobs(machine: &Machine) -> usize {
    let mut count = 0;
    machine
        .raw_store()
        .blobs(&root(machine), &mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    count
}
