//! Golden chains: stored bytes with the outcome that every version, and every other implementation, must give.
//!
//! `tests/testkit/chains.json` is written once, by this test under `SEALBOX_WRITE_TESTKIT=1`, and then kept for ever. Each
//! vector has one fault and is named after it. Boxes and nonces are random, so the bytes are stored, not rebuilt.

use super::builder::{
    ChainBuilder, genesis_body, genesis_entry, id, no_box, raw, sid, sign, with_non_canonical_s,
};
use sealbox::chain::{Body, BoxFor, MemberBody, PutBody, Replay, ScheduleBody};
use sealbox::crypto::{FullKey, sha256};
use sealbox::domain::{KeyClass, Role, ScopeId, scope::hex};
use serde_json::{Value, json};
use std::path::PathBuf;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/testkit/chains.json")
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What comes out of rows, in words that do not depend on our types.
fn outcome(scope: ScopeId, rows: &[(u64, Vec<u8>)]) -> Value {
    let mut replay = Replay::new(scope, None, false);
    let verdicts: Vec<String> = rows
        .iter()
        .map(|(seq, bytes)| replay.feed(*seq, bytes).err().map_or("ok".to_owned(), |why| format!("{why:?}")))
        .collect();
    let head = replay.head().map(|head| hex(&head.hash));
    let fault = replay.state().err().map(|fault| fault.to_string());
    let state = replay.state().ok().map(|state| {
        json!({
            "members": state.members.iter().map(|(key, m)| json!([hex(&key[..4]), m.role.map(Role::word)])).collect::<Vec<_>>(),
            "secrets": secrets(state),
            "generation": state.generation(), "dirty": state.dirty, "children": state.children.len(),
        })
    });
    json!({ "last": verdicts.last(), "head": head, "fault": fault, "ignored": replay.ignored(), "state": state })
}

fn secrets(state: &sealbox::chain::State) -> Vec<Value> {
    let all = state.secrets.iter().map(|(id, secret)| {
        let schedule = secret.schedule.as_ref().map(|schedule| schedule.generation);
        json!([hex(&id.0[..2]), secret.current(), secret.floor, schedule])
    });
    let mut all: Vec<Value> = all.collect();
    all.sort_by_key(Value::to_string);
    all
}

/// The vectors, from fresh randomness.
fn make() -> Value {
    let base = ChainBuilder::standard();
    let mut vectors =
        vec![json!({ "name": "the standard chain", "rows": [], "expect": outcome(base.scope, &base.rows) })];
    let next = base.state.seq + 1;
    let mut add = |name: &str, more: Vec<(u64, Vec<u8>)>| {
        let rows: Vec<_> = base.rows.iter().cloned().chain(more.clone()).collect();
        let more: Vec<_> = more.iter().map(|(seq, bytes)| json!([seq, hex(bytes)])).collect();
        vectors.push(json!({ "name": name, "rows": more, "expect": outcome(base.scope, &rows) }));
    };
    let put = |n| Body::Put(base.first_put(n));
    let entry = |author: &str, body: Body| vec![(next, base.entry(author, body))];
    let member = |body: MemberBody| entry("ada", Body::Member(body));
    add("a valid put by a writer", entry("wil", put(3)));
    add("a valid next version", entry("wil", Body::Put(base.put(1, 3, 1))));
    add("a valid rewrap", entry("wil", Body::Put(base.put(1, 1, 1))));
    add("a valid delete", entry("wil", Body::Delete(sid(1))));
    add("a valid admission", member(base.member("nina", Role::Read)));
    add("a valid rotation", entry("ada", Body::Rotate(base.rotation().0)));
    let schedule = |n| Body::Schedule(base.schedule(n, 86_400));
    add("a valid interval", entry("wil", schedule(1)));
    add("interval by a reader", entry("rea", schedule(1)));
    add("interval by a runner", entry("rune", schedule(1)));
    add("interval by a removed writer", entry("fay", schedule(1)));
    add("interval of a deleted secret", entry("wil", schedule(2)));
    add("interval of no secret", entry("wil", schedule(9)));
    let old = ScheduleBody { generation: 1, ..base.schedule(1, 86_400) };
    add("interval of an old generation", entry("wil", Body::Schedule(old)));
    let long = [vec![1; 16], vec![0, 0, 0, 2], vec![9; 49]].concat();
    add("interval with a trailing byte", vec![(next, raw("wil", 7, base.header("wil"), &long))]);
    add("junk bytes", vec![(next, b"junk".to_vec()), (i64::MAX as u64, b"junk".to_vec())]);
    add("put by a reader", entry("rea", put(3)));
    add("put by a runner", entry("rune", put(3)));
    add("put by a stranger", entry("mallory", put(3)));
    add("put by a removed writer", entry("fay", put(3)));
    add("member by a writer", entry("wil", Body::Member(base.member("nina", Role::Read))));
    add("signed by another", vec![(next, sign("wil", base.header("ada"), put(3)))]);
    add("non-canonical S", vec![(next, with_non_canonical_s(base.entry("wil", put(3))))]);
    add("trailing byte", vec![(next, [base.entry("wil", put(3)), vec![0]].concat())]);
    add("another scope", vec![(next, base.bent("wil", put(3), |h| h.scope = ScopeId([1; 32])))]);
    add("another row", vec![(next + 1, base.entry("wil", put(3)))]);
    add(
        "position beyond reach",
        vec![(i64::MAX as u64, base.bent("wil", put(3), |h| h.seq = i64::MAX as u64))],
    );
    add("fork by a writer", vec![(next, base.bent("wil", put(3), |h| h.prev = [1; 32]))]);
    let fork = (next, base.bent("wil", put(3), |h| h.prev = [1; 32]));
    add("fork settled by an owner", vec![fork, (next + 1, base.bent("ada", put(4), |h| h.seq = next + 1))]);
    add("newer kind by an owner", vec![(next, raw("ada", 6, base.header("ada"), b""))]);
    add("newer kind by a writer", vec![(next, raw("wil", 6, base.header("wil"), b""))]);
    add("newer kind by a reader", vec![(next, raw("rea", 6, base.header("rea"), b""))]);
    add("old generation", entry("wil", Body::Put(PutBody { generation: 1, ..base.first_put(3) })));
    add("id of a deleted secret", entry("wil", put(2)));
    add("floor zero", entry("wil", Body::Put(PutBody { floor: 0, ..base.first_put(3) })));
    add("version gap", entry("wil", Body::Put(base.put(1, 4, 1))));
    add("name repeated", entry("wil", Body::Put(PutBody { version: 3, ..base.first_put(1) })));
    add(
        "full key for a reader",
        member(MemberBody { sealed: Some((KeyClass::Full, no_box())), ..base.member("nina", Role::Read) }),
    );
    let mut short = base.rotation().0;
    short.boxes.pop();
    add("rotation without a member", entry("ada", Body::Rotate(short)));
    let mut long = base.rotation().0;
    long.boxes.push(BoxFor { recipient: id("fay").sign, class: KeyClass::Full, sealed: no_box() });
    add("rotation with a former member", entry("ada", Body::Rotate(long)));
    let dirty = base.entry("ada", Body::Member(base.removal("wil")));
    let after = base.bent("ada", put(3), |h| (h.seq, h.prev) = (next + 1, sha256(&dirty)));
    add("put while dirty", vec![(next, dirty), (next + 1, after)]);
    let dirty = base.entry("ada", Body::Member(base.removal("wil")));
    let after = base.bent("ada", schedule(1), |h| (h.seq, h.prev) = (next + 1, sha256(&dirty)));
    add("interval while dirty", vec![(next, dirty), (next + 1, after)]);
    let rows: Vec<_> = base.rows.iter().map(|(seq, bytes)| json!([seq, hex(bytes)])).collect();
    let weak = {
        let mut body = genesis_body(&["ada"], ScopeId::NONE, &FullKey::generate().unwrap());
        body.boxes[0].class = KeyClass::Meta;
        genesis_entry("ada", body)
    };
    let founding = json!([{ "name": "founder without the full key", "scope": hex(&sha256(&weak)), "rows": [[0, hex(&weak)]],
        "expect": outcome(ScopeId(sha256(&weak)), &[(0, weak.clone())]) }]);
    json!({ "format": "SC1", "scope": hex(&base.scope.0), "base": rows, "vectors": vectors, "founding": founding })
}

fn rows(list: &Value) -> Vec<(u64, Vec<u8>)> {
    list.as_array().unwrap().iter().map(|row| (row[0].as_u64().unwrap(), bytes(&row[1]))).collect()
}

#[test]
fn golden_chains_have_the_outcome_that_was_written_down() {
    if std::env::var_os("SEALBOX_WRITE_TESTKIT").is_some() {
        std::fs::write(file(), serde_json::to_string_pretty(&make()).unwrap() + "\n").unwrap();
    }
    let kit: Value = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    let scope = ScopeId(bytes(&kit["scope"]).try_into().unwrap());
    let base = rows(&kit["base"]);
    let vectors = kit["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 39);
    for vector in vectors {
        let all: Vec<_> = base.iter().cloned().chain(rows(&vector["rows"])).collect();
        assert_eq!(outcome(scope, &all), vector["expect"], "{}", vector["name"]);
    }
    for vector in kit["founding"].as_array().unwrap() {
        let scope = ScopeId(bytes(&vector["scope"]).try_into().unwrap());
        assert_eq!(outcome(scope, &rows(&vector["rows"])), vector["expect"], "{}", vector["name"]);
    }
}
