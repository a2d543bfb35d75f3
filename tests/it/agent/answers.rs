//! R32: nothing that the agent answers holds the seed, a scope key or the recovery key.

use super::Desk;
use crate::env::holds;
use crate::people::{Machine, passphrase, value};
use crate::service::walk::{Stage, Who, requests};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sealbox::agent::protocol::{Hello, MAX_FRAME, MAX_HELLO, PATIENCE, frame, receive, send};
use sealbox::agent::{carries, socket};
use sealbox::crypto::{FullKey, boxes::BoxContext};
use sealbox::domain::Role;
use sealbox::service::*;
use sealbox::store::{SqliteStore, Store};
use std::ops::ControlFlow;

/// The seed of the owner, and `K` and `M` of every scope and generation.
fn keys(machine: &Machine) -> Vec<[u8; 32]> {
    let me = machine.identity().identity;
    let store = SqliteStore::open(&machine.store()).unwrap();
    let mut all = vec![*me.seed().expose()];
    for id in store.scopes().unwrap() {
        let mut replay = sealbox::chain::Replay::new(id, None, false);
        store
            .entries(&id, None, &mut |seq, body| {
                replay.feed(seq, body).unwrap();
                ControlFlow::Continue(())
            })
            .unwrap();
        for received in &replay.state().unwrap().members[&me.public().sign].boxes {
            let context = BoxContext {
                scope: &received.bound_to.0,
                generation: received.generation,
                recipient: &me.public().sign,
                class: received.class,
            };
            let key = FullKey::from_key(me.open_box(context, &received.sealed).unwrap());
            all.push(*key.meta().unwrap().expose());
            all.push(*key.expose());
        }
    }
    all
}

/// The ways in which bytes could stand in JSON.
fn shapes(key: &[u8; 32]) -> Vec<Vec<u8>> {
    let reversed: Vec<u8> = key.iter().rev().copied().collect();
    let list = serde_json::to_string(&key.to_vec()).unwrap();
    vec![
        key.to_vec(),
        reversed,
        sealbox::domain::scope::hex(key).into_bytes(),
        STANDARD.encode(key).trim_end_matches('=').into(),
        URL_SAFE_NO_PAD.encode(key).into(),
        list.trim_matches(['[', ']']).into(),
    ]
}

#[test]
fn no_answer_of_any_request_holds_a_key() {
    let count = requests(&Stage::of(Who::Member(Role::Owner))).len();
    let mut answered = 0;
    for n in 0..count {
        let stage = Stage::of(Who::Member(Role::Owner));
        let request = requests(&stage).swap_remove(n);
        if !carries(&request) {
            continue;
        }
        let kind = request.kind();
        let keys = keys(&stage.owner);
        assert!(keys.len() >= 5, "the seed, and K and M of two scopes");
        let answer = stage.service.handle(request);
        answered += usize::from(answer.is_ok());
        let travels = frame(&answer).unwrap();
        for shape in keys.iter().flat_map(shapes) {
            assert!(!holds(&travels, &shape), "{kind} answers with a key");
        }
    }
    assert!(answered > 20, "only {answered} were answered");
}

#[test]
fn what_makes_or_replaces_a_vault_is_refused_by_the_agent_itself() {
    let desk = Desk::new();
    desk.unlock();
    let stage = Stage::of(Who::Nobody);
    let mut refused = 0;
    let prepare = Request::InitPrepare(InitPrepare {
        organization: "o".into(),
        name: "n".into(),
        passphrase: passphrase(),
    });
    let recover = Request::Recover(Recover {
        recovery_key: value("sbkey1"),
        from: None,
        name: "n".into(),
        passphrase: passphrase(),
    });
    for request in requests(&stage).into_iter().chain([prepare, recover]).filter(|request| !carries(request))
    {
        let stream = socket::connect(&desk.paths()).unwrap();
        send(&stream, &frame(&Hello::new(&desk.env.vault(), false)).unwrap()).unwrap();
        receive(&stream, MAX_HELLO, PATIENCE, None).unwrap().unwrap();
        let kind = request.kind();
        send(&stream, &frame(&request).unwrap()).unwrap();
        let bytes = receive(&stream, MAX_FRAME, PATIENCE, None).unwrap().unwrap();
        let answer: Result<Answer, ServiceError> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(answer.err().map(|error| error.kind), Some(ErrorKind::Usage), "{kind}");
        refused += 1;
    }
    assert!(refused >= 10, "{refused}");
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
}
