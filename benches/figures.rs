//! The figures of sealbox, measured in one run: `cargo bench`.
//!
//! Prints each figure beside what it should reach. Nothing here is a test: a slow machine prints larger numbers and
//! still succeeds. Everything runs in a throw-away folder, on real files, with the real store; only the key derivation
//! is cheap, because its cost is a policy and not a figure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

use sealbox::{
    crypto::{KdfCost, KdfPolicy},
    domain::{Passphrase, ScopeRef, SecretName, SecretValue},
    platform::{clock::SystemClock, paths::VaultPaths},
    vault::{Home, OnExisting, Vault},
};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const CHEAP: KdfPolicy = KdfPolicy { cost: KdfCost { memory_kib: 8, passes: 1, lanes: 1 }, floor_kib: 8 };

fn main() {
    println!("{:<58} {:>12}   reach", "figure", "measured");
    // `cargo bench --bench figures -- 10000` measures that size only.
    let mut sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000];
    }
    for count in sizes {
        vault_figures(count);
    }
}

fn report(figure: &str, measured: Duration, reach: &str) {
    println!("{figure:<58} {:>9.1} ms   {reach}", measured.as_secs_f64() * 1e3);
}

/// The middle one of several runs.
fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..runs).map(|_| run()).collect();
    times.sort();
    times[runs / 2]
}

fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = run();
    (start.elapsed(), result)
}

fn passphrase() -> Passphrase {
    Passphrase::new("bench".to_owned())
}

fn home(folder: &Path) -> Home {
    Home::new(VaultPaths::in_folder(folder), CHEAP, Arc::new(SystemClock))
}

fn entries(count: usize) -> Vec<(SecretName, SecretValue)> {
    (0..count)
        .map(|n| {
            let name = SecretName::parse(&format!("SERVICE_{:03}_KEY_{n:06}", n % 500)).unwrap();
            (name, SecretValue::new(format!("value-of-{n}-0123456789abcdef").into_bytes()).unwrap())
        })
        .collect()
}

fn vault_figures(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let organization = ScopeRef::Organization;
    let mut vault = home.commit(home.prepare("acme", "bench", &passphrase()).unwrap()).unwrap();
    let list = entries(count);
    let (time, _) = timed(|| vault.import(&organization, &list, OnExisting::Fail, false).unwrap());
    report(&format!("import {count} secrets, durable, all or nothing"), time, "1000 ms at 10,000");
    drop(vault);

    let open = || -> (Duration, Vault) { timed(|| home.unlock(&passphrase()).unwrap()) };
    report(&format!("open {count} secrets behind a pin"), median(5, || open().0), "250 ms at 100,000");
    let name = list[count / 2].0.clone();
    let get = median(5, || {
        timed(|| {
            let vault = home.unlock(&passphrase()).unwrap();
            vault.read(&organization, &name, None).unwrap()
        })
        .0
    });
    report(&format!("get without an agent, key derivation excluded, {count}"), get, "40 ms at 10,000");
    let cold = median(3, || {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("state/pins.db{suffix}")));
        }
        open().0
    });
    report(&format!("open {count} secrets cold: every signature verified"), cold, "4000 ms at 100,000");
    let (_, mut vault) = open();
    let listed = median(5, || timed(|| vault.list(&organization).unwrap()).0);
    report(&format!("list {count} secrets, warm"), listed, "100 ms at 10,000");
    let value = SecretValue::new(b"new".to_vec()).unwrap();
    let set = median(9, || {
        timed(|| vault.set(&organization, &name, &value, sealbox::vault::Expect::Anything).unwrap()).0
    });
    report(&format!("set one secret, durable, at {count}"), set, "");
}
