//! R7 and R8: many writers at once, in processes and in threads, and two first runs at the same instant.

use super::conformance::rows;
use crate::env::{Ran, TestEnv};
use crate::people::{Machine, ORG, names, passphrase, set};
use sealbox::store::SqliteStore;
use sealbox::vault::VaultError;
use std::sync::Barrier;

/// The chain of the organization has no hole and every row is at its place.
fn gap_free(store: &SqliteStore, scope: &sealbox::domain::ScopeId, entries: u64) {
    let seqs: Vec<u64> = rows(store, scope, None).into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, (0..entries).collect::<Vec<_>>());
}

#[test]
fn eight_processes_write_to_one_scope_and_nothing_is_lost() {
    const PROCESSES: usize = 8;
    const PUTS: usize = 5;
    let env = TestEnv::with_vault();
    std::thread::scope(|scope| {
        for process in 0..PROCESSES {
            let env = &env;
            scope.spawn(move || {
                for n in 0..PUTS {
                    let name = format!("P{process}_{n}");
                    Ran::of(env.command(&["set", &name]), name.as_bytes()).ok();
                }
                Ran::of(env.command(&["set", "SHARED"]), format!("{process}").as_bytes()).ok();
            });
        }
    });
    let list = env.run(&["list", "--json"]).ok().json();
    let secrets = list["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), PROCESSES * PUTS + 1);
    let shared = secrets.iter().find(|secret| secret["name"] == "SHARED").unwrap();
    assert_eq!(shared["version"], PROCESSES, "every version of the shared secret is there");
    let verify = env.run(&["verify", "--json"]).ok().json();
    assert_eq!(verify["scopes"][0]["entries"], 1 + PROCESSES * (PUTS + 1));
    assert_eq!(verify["scopes"][0]["ignored"], 0);
    assert_eq!(env.run(&["get", "P7_4"]).ok().text(), "P7_4");
}

#[test]
fn sixteen_threads_with_a_vault_each_write_to_one_scope_and_nothing_is_lost() {
    const THREADS: u64 = 16;
    const PUTS: u64 = 12;
    let (machine, vault) = Machine::founded();
    drop(vault);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let machine = &machine;
            scope.spawn(move || {
                let mut vault = machine.open();
                for n in 0..PUTS {
                    set(&mut vault, &ORG, &format!("T{thread}_{n}"), "x").unwrap();
                }
            });
        }
    });
    let vault = machine.open();
    assert_eq!(names(&vault, &ORG).len() as u64, THREADS * PUTS);
    gap_free(&machine.raw_store(), &machine.identity().roots[0], 1 + THREADS * PUTS);
}

#[test]
fn two_first_runs_at_once_make_one_vault() {
    for _ in 0..10 {
        let machine = Machine::new();
        let start = Barrier::new(4);
        let made: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let prepared = machine.home().prepare("acme", "ada", &passphrase()).unwrap();
                        start.wait();
                        machine.home().commit(&prepared).map(|vault| vault.my_id())
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let won: Vec<_> = made.iter().filter_map(|made| made.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        assert!(made.iter().all(|made| matches!(made, Ok(_) | Err(VaultError::VaultExists(_)))));
        assert_eq!(machine.open().my_id(), *won[0], "the identity is the one that won");
        assert_eq!(sealbox::store::Store::scopes(&machine.raw_store()).unwrap(), machine.identity().roots);
    }
}

#[test]
fn two_first_runs_of_the_program_at_once_make_one_vault() {
    let env = TestEnv::new();
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let init = |n: usize| {
            let key = format!("key{n}.txt");
            let env = &env;
            move || {
                Ran::of(
                    env.command(&["init", "--org", "acme", "--name", "ada", "--recovery-key-file", &key]),
                    b"",
                )
            }
        };
        let runs = [scope.spawn(init(0)), scope.spawn(init(1))];
        runs.map(|run| run.join().unwrap()).into()
    });
    let mut codes: Vec<i32> = ran.iter().map(|ran| ran.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 13], "{} {}", ran[0].stderr, ran[1].stderr);
    env.run_with(&["set", "A"], b"x").ok();
    env.run(&["verify"]).ok();
}
