//! R12: nothing sealed can be moved. Every ciphertext is tried in every place where another one of its kind belongs.

use super::attic::{states, values};
use crate::chain::builder::{id as public, person};
use crate::people::{Machine, ORG, project, read, set};
use crate::store::wrappers::{HostileStore, Tables};
use sealbox::chain::State;
use sealbox::crypto::{FullKey, MetaKey, SecretKey, Subject, boxes, scope_keys::BlobContext};
use sealbox::domain::{KeyClass, ProjectName, ScopeId};
use sealbox::vault::VaultError;
use std::collections::BTreeMap;

/// Two scopes, two generations, two versions, two secrets of the same names.
fn sample() -> (Machine, HostileStore) {
    let (machine, mut vault) = Machine::founded();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    let web = project("web");
    let (_, guest) = crate::people::admit(
        &mut vault,
        "fay",
        &[(&ORG, sealbox::domain::Role::Read), (&web, sealbox::domain::Role::Read)],
    );
    drop(guest);
    for text in ["one", "two"] {
        for scope in [&ORG, &web] {
            set(&mut vault, scope, "A", &format!("{scope} A {text}")).unwrap();
            set(&mut vault, scope, "B", &format!("{scope} B {text}")).unwrap();
            if text == "one" {
                vault.remove_member(scope, "fay").unwrap();
            }
        }
    }
    let store = HostileStore::copy_of(&machine.raw_store());
    (machine, store)
}

/// The owner's keys by scope and generation.
fn keys(machine: &Machine, tables: &Tables) -> BTreeMap<(ScopeId, u32), FullKey> {
    let me = machine.identity().identity;
    let mut all = BTreeMap::new();
    for state in states(tables) {
        let member = &state.members[&me.public().sign];
        for received in &member.boxes {
            let context = boxes::BoxContext {
                scope: &received.bound_to.0,
                generation: received.generation,
                recipient: &me.public().sign,
                class: received.class,
            };
            let key = FullKey::from_key(me.open_box(context, &received.sealed).unwrap());
            all.insert((state.scope, received.generation), key);
        }
    }
    all
}

#[test]
fn a_value_opens_in_its_own_place_and_in_no_other() {
    let (machine, store) = sample();
    let tables = store.tables();
    let (keys, values) = (keys(&machine, &tables), values(&tables));
    assert_eq!((keys.len(), values.len()), (4, 8));
    for (from, (.., blob)) in values.iter().enumerate() {
        for (to, (scope, secret, version, generation, _)) in values.iter().enumerate() {
            let context = BlobContext {
                scope: &scope.0,
                secret: &secret.0,
                version: *version,
                generation: *generation,
            };
            for ((of, g), key) in &keys {
                let own = from == to && of == scope && g == generation;
                assert_eq!(key.open_value(context, blob).is_ok(), own, "blob {from} in place {to}");
            }
        }
    }
}

#[test]
fn values_that_change_places_in_the_table_are_withheld_not_shown() {
    let (machine, store) = sample();
    let keys: Vec<_> = store.tables().blobs.keys().copied().collect();
    let vault = machine.open_over(Box::new(store.clone())).unwrap();
    let good = store.tables().blobs;
    for from in &keys {
        for to in keys.iter().filter(|to| *to != from) {
            store.tamper(|tables| {
                tables.blobs = good.clone();
                tables.blobs.insert(*to, good[from].clone());
            });
            for scope in [&ORG, &project("web")] {
                for secret in ["A", "B"] {
                    match read(&vault, scope, secret) {
                        Ok(text) => assert_eq!(text, format!("{scope} {secret} two")),
                        Err(error) => assert!(matches!(error, VaultError::Withheld { .. })),
                    }
                }
            }
        }
    }
}

fn metas(keys: &BTreeMap<(ScopeId, u32), FullKey>) -> BTreeMap<(ScopeId, u32), MetaKey> {
    keys.iter().map(|(at, key)| (*at, key.meta().unwrap())).collect()
}

#[test]
fn a_name_or_label_opens_in_its_own_place_and_in_no_other() {
    let (machine, store) = sample();
    let tables = store.tables();
    let metas = metas(&keys(&machine, &tables));
    let states = states(&tables);
    // every sealed text with its place: (scope in the AAD, subject, generation, key's scope)
    let mut places = Vec::new();
    for state in &states {
        places.push((ScopeId::NONE, Subject::Scope, 1, state.scope, state.label));
        for (id, secret) in &state.secrets {
            places.push((
                state.scope,
                Subject::Secret(&id.0),
                secret.name_generation,
                state.scope,
                secret.name,
            ));
        }
        for (sign, member) in &state.members {
            let label = &member.label;
            places.push((label.bound_to, Subject::Member(sign), label.generation, state.scope, label.sealed));
        }
    }
    assert!(places.len() >= 10);
    for (from, (.., sealed)) in places.iter().enumerate() {
        for (to, (scope, subject, generation, owner, _)) in places.iter().enumerate() {
            let opened = metas[&(*owner, *generation)].open_name(&scope.0, *subject, sealed).is_ok();
            // the owner of both scopes has the same label key in each genesis, but not the same scope key
            assert_eq!(opened, from == to, "text {from} in place {to}");
        }
    }
}

#[test]
fn an_interval_opens_in_its_own_place_and_in_no_other() {
    let (machine, mut vault) = Machine::founded();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    for (scope, secret, days) in [(&ORG, "A", 1), (&ORG, "B", 2), (&project("web"), "A", 3)] {
        set(&mut vault, scope, secret, "x").unwrap();
        vault.set_rotation(scope, &crate::people::name(secret), Some(days * 86_400), None).unwrap();
    }
    let tables = HostileStore::copy_of(&machine.raw_store()).tables();
    let metas = metas(&keys(&machine, &tables));
    let mut places = Vec::new();
    for state in &states(&tables) {
        for (id, secret) in &state.secrets {
            places.push((state.scope, id.0, *secret.schedule.clone().unwrap()));
        }
    }
    assert_eq!(places.len(), 3);
    for (from, (.., schedule)) in places.iter().enumerate() {
        for (to, (scope, secret, _)) in places.iter().enumerate() {
            for ((of, _), meta) in &metas {
                let opened =
                    meta.open_interval(&scope.0, secret, schedule.generation, &schedule.sealed).is_ok();
                assert_eq!(opened, from == to && of == scope, "interval {from} in place {to}");
            }
        }
    }
}

#[test]
fn a_box_opens_for_its_recipient_scope_generation_and_class_only() {
    let key = FullKey::generate().unwrap();
    let (to, other) = (person("ada"), person("olga"));
    let (scope, elsewhere) = ([1; 32], [2; 32]);
    let (mine, theirs) = (public("ada").sign, public("olga").sign);
    let right = boxes::BoxContext { scope: &scope, generation: 3, recipient: &mine, class: KeyClass::Full };
    let sealed = boxes::seal(&to.public().boxed, right, &key.expose()).unwrap();
    assert!(to.open_box(right, &sealed).is_ok_and(|opened| *opened.expose() == *key.expose()));
    assert!(other.open_box(right, &sealed).is_err());
    for wrong in [
        boxes::BoxContext { scope: &elsewhere, ..right },
        boxes::BoxContext { generation: 2, ..right },
        boxes::BoxContext { recipient: &theirs, ..right },
        boxes::BoxContext { class: KeyClass::Meta, ..right },
    ] {
        assert!(to.open_box(wrong, &sealed).is_err());
    }
}

#[test]
fn a_wrap_opens_in_its_own_scope_generation_and_class_only() {
    let (new, old) = (FullKey::generate().unwrap(), FullKey::generate().unwrap());
    let (scope, elsewhere) = ([1; 32], [2; 32]);
    let full = new.wrap(&scope, 2, &old).unwrap();
    let meta = new.meta().unwrap().wrap(&scope, 2, &old.meta().unwrap()).unwrap();
    assert!(new.unwrap(&scope, 2, &full).is_ok() && new.meta().unwrap().unwrap(&scope, 2, &meta).is_ok());
    assert!(new.unwrap(&elsewhere, 2, &full).is_err() && new.unwrap(&scope, 3, &full).is_err());
    assert!(new.unwrap(&scope, 2, &meta).is_err() && new.meta().unwrap().unwrap(&scope, 2, &full).is_err());
    // not even with the other class's key bytes
    let bytes = SecretKey::copy_of(&new.meta().unwrap().expose());
    assert!(FullKey::from_key(bytes).unwrap(&scope, 2, &meta).is_err());
    assert!(old.unwrap(&scope, 2, &full).is_err(), "an old key does not walk forward");
}

#[test]
fn an_entry_counts_in_its_own_scope_and_row_only() {
    let (_, store) = sample();
    let tables = store.tables();
    let heads: Vec<[u8; 32]> = states(&tables).iter().map(|state: &State| state.hash).collect();
    let keys: Vec<_> = tables.rows.keys().copied().collect();
    for from in &keys {
        for to in keys.iter().filter(|to| *to != from) {
            let mut changed = tables.clone();
            changed.rows.insert(*to, tables.rows[from].clone());
            let after: Vec<[u8; 32]> = states(&changed).iter().map(|state| state.hash).collect();
            assert_ne!(after, heads, "row {from:?} passed for {to:?}");
        }
    }
}
