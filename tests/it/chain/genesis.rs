//! One fault at a time in the entry that founds a scope.

use super::builder::{genesis_body, genesis_entry, id, no_box, sign, with_non_canonical_s};
use sealbox::chain::{Body, BoxFor, Entry, GenesisBody, Header, OwnerIn, Rejection, State};
use sealbox::crypto::{FullKey, PublicId, sha256};
use sealbox::domain::{KeyClass, Role, ScopeId};

fn honest() -> GenesisBody {
    genesis_body(&["ada", "olga"], ScopeId::NONE, &FullKey::generate().unwrap())
}

fn header() -> Header {
    Header { scope: ScopeId::NONE, seq: 0, prev: [0; 32], author: id("ada").sign, time_ms: 1 }
}

/// What comes of bytes whose scope is their own hash.
fn outcome(bytes: &[u8]) -> Result<State, Rejection> {
    State::found(ScopeId(sha256(bytes)), &Entry::parse(bytes).unwrap())
}

#[track_caller]
fn refused(bytes: &[u8], why: Rejection) {
    assert_eq!(outcome(bytes).err(), Some(why));
}

#[test]
fn an_honest_genesis_founds_a_scope_with_its_owners() {
    let state = outcome(&genesis_entry("ada", honest())).unwrap();
    assert_eq!((state.seq, state.generation(), state.dirty, state.parent), (0, 1, false, None));
    for owner in ["ada", "olga"] {
        assert_eq!(state.role_of(&id(owner).sign), Some(Role::Owner));
        assert_eq!(state.members[&id(owner).sign].boxes.len(), 1);
    }
}

#[test]
fn a_genesis_of_another_scope_is_refused() {
    let bytes = genesis_entry("ada", honest());
    let entry = Entry::parse(&bytes).unwrap();
    assert_eq!(State::found(ScopeId([1; 32]), &entry).err(), Some(Rejection::Genesis));
}

#[test]
fn a_genesis_with_a_bent_header_is_refused() {
    for bend in [(|h| h.scope = ScopeId([1; 32])) as fn(&mut Header), |h| h.seq = 1, |h| h.prev = [1; 32]] {
        let mut bent = header();
        bend(&mut bent);
        refused(&sign("ada", bent, Body::Genesis(honest())), Rejection::Genesis);
    }
}

#[test]
fn another_kind_cannot_found_a_scope() {
    refused(&sign("ada", header(), Body::Child(ScopeId([1; 32]))), Rejection::Genesis);
}

#[test]
fn a_founder_who_is_no_owner_is_refused() {
    refused(&genesis_entry("mallory", honest()), Rejection::Stranger);
}

#[test]
fn a_genesis_without_owners_is_refused() {
    let body = GenesisBody { owners: Vec::new(), boxes: Vec::new(), ..honest() };
    refused(&genesis_entry("ada", body), Rejection::Stranger);
}

#[test]
fn a_genesis_that_its_author_did_not_sign_is_refused() {
    refused(&sign("olga", header(), Body::Genesis(honest())), Rejection::Signature);
    refused(&with_non_canonical_s(genesis_entry("ada", honest())), Rejection::Signature);
}

#[test]
fn an_owner_twice_is_refused() {
    let mut body = honest();
    body.owners.push(body.owners[0].clone());
    body.boxes.push(body.boxes[0].clone());
    refused(&genesis_entry("ada", body), Rejection::Genesis);
}

#[test]
fn an_owner_with_a_low_order_key_is_refused() {
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut body = honest();
    let label = body.owners[0].label;
    body.owners.push(OwnerIn { id: PublicId { sign: weak, boxed: [5; 32] }, label });
    body.boxes.push(BoxFor { recipient: weak, class: KeyClass::Full, sealed: no_box() });
    refused(&genesis_entry("ada", body), Rejection::Genesis);
}

#[test]
fn founding_boxes_are_exactly_one_full_key_for_each_owner() {
    let stranger = BoxFor { recipient: id("mallory").sign, class: KeyClass::Full, sealed: no_box() };
    let bends: [&dyn Fn(&mut GenesisBody); 5] = [
        &|body| body.boxes.truncate(1),
        &|body| body.boxes.push(stranger.clone()),
        &|body| body.boxes[1] = stranger.clone(),
        &|body| body.boxes.push(body.boxes[0].clone()),
        &|body| body.boxes[1].class = KeyClass::Meta,
    ];
    for bend in bends {
        let mut body = honest();
        bend(&mut body);
        refused(&genesis_entry("ada", body), Rejection::Boxes);
    }
}
