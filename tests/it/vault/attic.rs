//! Everything that a thief of the whole database can try with one identity: every box under every context, every wrap,
//! every derivation, until nothing new comes out. What opens then is what that identity can ever open.

use crate::people::{Machine, ORG, admit, project, read, set};
use crate::store::wrappers::{HostileStore, Tables};
use sealbox::chain::{Body, Entry, Replay, SecretId, State};
use sealbox::crypto::{
    FullKey, Identity, MetaKey, SealedBox, SecretKey, Subject,
    boxes::BoxContext,
    kdf,
    scope_keys::{BlobContext, Wrap},
};
use sealbox::domain::{KeyClass, ProjectName, Role, ScopeId};
use std::collections::BTreeSet;

/// Every chain of the tables, replayed.
pub(super) fn states(tables: &Tables) -> Vec<State> {
    let mut scopes: Vec<ScopeId> = tables.rows.keys().map(|(scope, _)| *scope).collect();
    scopes.dedup();
    let replayed = scopes.into_iter().filter_map(|scope| {
        let mut replay = Replay::new(scope, None, false);
        for ((_, seq), bytes) in tables.rows.iter().filter(|((id, _), _)| *id == scope) {
            let _ = replay.feed(*seq, bytes);
        }
        replay.state().ok().cloned()
    });
    replayed.collect()
}

/// Bodies of every entry, valid or not.
fn bodies(tables: &Tables) -> Vec<Body> {
    tables.rows.values().filter_map(|bytes| Some(Entry::parse(bytes).ok()?.body)).collect()
}

/// Every value that was ever put, as its blob with the context in which an honest client opens it.
pub(super) fn values(tables: &Tables) -> Vec<(ScopeId, SecretId, u32, u32, Vec<u8>)> {
    let mut all = Vec::new();
    for ((scope, _), bytes) in &tables.rows {
        if let Ok(Entry { body: Body::Put(put), .. }) = Entry::parse(bytes)
            && let Some(blob) = tables.blobs.get(&(*scope, put.blob))
        {
            all.push((*scope, put.secret, put.version, put.generation, blob.clone()));
        }
    }
    all
}

/// All keys that this identity can reach, by force.
pub(super) fn reachable(tables: &Tables, me: &Identity) -> Vec<[u8; 32]> {
    let scopes: Vec<ScopeId> =
        states(tables).iter().map(|state| state.scope).chain([ScopeId::NONE]).collect();
    let bodies = bodies(tables);
    let mut sealed: Vec<SealedBox> = Vec::new();
    let mut wraps: Vec<Wrap> = Vec::new();
    for body in &bodies {
        match body {
            Body::Genesis(body) => sealed.extend(body.boxes.iter().map(|one| one.sealed)),
            Body::Member(body) => sealed.extend(body.sealed.iter().map(|(_, one)| *one)),
            Body::Rotate(body) => {
                sealed.extend(body.boxes.iter().map(|one| one.sealed));
                wraps.extend([body.wrap_full, body.wrap_meta]);
            }
            _ => {}
        }
    }
    // Plain arrays: hundreds of locked pages would use up what a process may lock.
    let mut found: Vec<[u8; 32]> = vec![*me.seed().expose()];
    let mut seen: BTreeSet<[u8; 32]> = found.iter().copied().collect();
    let generations = 1..=states(tables).iter().map(State::generation).max().unwrap_or(1);
    for one in &sealed {
        for (scope, generation) in scopes.iter().flat_map(|s| generations.clone().map(move |g| (s, g))) {
            for class in [KeyClass::Full, KeyClass::Meta] {
                let context = BoxContext { scope: &scope.0, generation, recipient: &me.public().sign, class };
                found.extend(
                    me.open_box(context, one).ok().map(|key| *key.expose()).filter(|key| seen.insert(*key)),
                );
            }
        }
    }
    let labels = [
        "sc1/value",
        "sc1/meta",
        "sc1/name",
        "sc1/wrap",
        "sc1/commit",
        "sc1/sign",
        "sc1/box",
        "sc1/identity",
    ];
    let mut at = 0;
    while at < found.len().min(60) {
        let here = SecretKey::copy_of(&found[at]);
        let mut fresh: Vec<[u8; 32]> =
            labels.iter().map(|label| *kdf::derive_brief(&here.expose(), label).unwrap()).collect();
        let (full, meta) =
            (FullKey::from_key(SecretKey::copy_of(&found[at])), MetaKey::from_key(here).unwrap());
        at += 1;
        for wrap in &wraps {
            for (scope, generation) in scopes.iter().flat_map(|s| generations.clone().map(move |g| (s, g))) {
                fresh.extend(full.unwrap(&scope.0, generation, wrap).ok().map(|key| *key.expose()));
                fresh.extend(meta.unwrap(&scope.0, generation, wrap).ok().map(|key| *key.expose()));
            }
        }
        // keys of keys of keys: two levels of derivation are more than the design has
        for key in fresh {
            if seen.insert(key) {
                found.push(key);
            }
        }
    }
    found
}

/// How many of the values any of the keys opens.
pub(super) fn opened(tables: &Tables, keys: &[[u8; 32]]) -> usize {
    let values = values(tables);
    let opens = |(scope, secret, version, generation, blob): &(ScopeId, SecretId, u32, u32, Vec<u8>)| {
        let context =
            BlobContext { scope: &scope.0, secret: &secret.0, version: *version, generation: *generation };
        let aad =
            [b"sc1/blob".as_slice(), &scope.0, &secret.0, &version.to_be_bytes(), &generation.to_be_bytes()]
                .concat();
        keys.iter().any(|key| {
            FullKey::from_key(SecretKey::copy_of(key)).open_value(context, blob).is_ok()
                || sealbox::crypto::aead::open(key, blob, &aad).is_ok()
        })
    };
    values.iter().filter(|value| opens(value)).count()
}

/// How many names of secrets any of the keys opens.
fn names_opened(tables: &Tables, keys: &[[u8; 32]]) -> usize {
    let opens = |state: &State, id: &SecretId| {
        let sealed = &state.secrets[id].name;
        let meta = |key| MetaKey::from_key(SecretKey::copy_of(key)).unwrap();
        keys.iter().any(|key| meta(key).open_name(&state.scope.0, Subject::Secret(&id.0), sealed).is_ok())
    };
    states(tables).iter().map(|state| state.secrets.keys().filter(|id| opens(state, id)).count()).sum()
}

struct Office {
    tables: Tables,
    owner: Machine,
    reader: Machine,
    runner: Machine,
    former: Machine,
    values_before: usize,
}

/// An organization and a project in which everything happened that hands out keys.
fn office() -> Office {
    let (owner, mut vault) = Machine::founded();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    let web = project("web");
    for scope in [&ORG, &web] {
        set(&mut vault, scope, "OLD", "of generation 1").unwrap();
    }
    let (reader, _) = admit(&mut vault, "rea", &[(&ORG, Role::Read), (&web, Role::Read)]);
    let (runner, _) = admit(&mut vault, "rune", &[(&ORG, Role::Run)]);
    let (former, _) = admit(&mut vault, "fay", &[(&ORG, Role::Write), (&web, Role::Write)]);
    let (_, other) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    drop(other);
    let values_before = values(&HostileStore::copy_of(&owner.raw_store()).tables()).len();
    for scope in [&ORG, &web] {
        vault.remove_member(scope, "fay").unwrap();
        set(&mut vault, scope, "OLD", "of generation 2").unwrap();
        set(&mut vault, scope, "NEW", "of generation 2").unwrap();
    }
    vault.set_role(&ORG, "wil", Role::Read).unwrap();
    set(&mut vault, &ORG, "NEWEST", "of generation 3").unwrap();
    let tables = HostileStore::copy_of(&owner.raw_store()).tables();
    Office { tables, owner, reader, runner, former, values_before }
}

#[test]
fn with_the_whole_database_a_reader_opens_names_and_no_value() {
    let office = office();
    let all = values(&office.tables).len();
    assert_eq!(all, 7);
    let keys = reachable(&office.tables, &office.owner.identity().identity);
    assert_eq!(opened(&office.tables, &keys), all, "the search itself finds what an owner can open");
    let keys = reachable(&office.tables, &office.reader.identity().identity);
    assert_eq!(opened(&office.tables, &keys), 0);
    assert_eq!(names_opened(&office.tables, &keys), 5, "names are what a reader is for");
    assert!(keys.len() > 4, "and it does hold keys");
}

#[test]
fn a_runner_of_one_scope_opens_nothing_of_another() {
    let office = office();
    let keys = reachable(&office.tables, &office.runner.identity().identity);
    assert_eq!(opened(&office.tables, &keys), 4, "all of the organization, nothing of the project");
}

#[test]
fn a_former_member_opens_what_was_there_and_nothing_that_came_later() {
    let office = office();
    let keys = reachable(&office.tables, &office.former.identity().identity);
    assert_eq!(opened(&office.tables, &keys), office.values_before);
}

#[test]
fn a_stranger_opens_nothing_at_all() {
    let office = office();
    let keys = reachable(&office.tables, &Identity::generate().unwrap());
    assert_eq!((opened(&office.tables, &keys), names_opened(&office.tables, &keys)), (0, 0));
}

#[test]
fn the_reader_is_told_so_by_the_vault_as_well() {
    let office = office();
    let vault = office.reader.open_over(Box::new(HostileStore::copy_of(&office.owner.raw_store()))).unwrap();
    assert!(vault.list(&ORG).unwrap().1.len() == 3);
    assert!(matches!(read(&vault, &ORG, "OLD"), Err(sealbox::vault::VaultError::Role { .. })));
}
