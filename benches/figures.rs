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
    domain::{OnExisting, Passphrase, ScopeRef, SecretName, SecretValue, SetMode},
    platform::{clock::SystemClock, paths::VaultPaths},
    service::{InitCommit, InitPrepare, LocalService, Service, ServiceOptions, ask},
    tui::{Copier, CopyReport, Driver},
    vault::{Home, Vault},
};
use std::{
    io::Write,
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
        screen_figures(count);
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
    let mut vault = home.commit(&home.prepare("acme", "bench", &passphrase()).unwrap()).unwrap();
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
    let set = median(9, || timed(|| vault.set(&organization, &name, &value, SetMode::Upsert).unwrap()).0);
    report(&format!("set one secret, durable, at {count}"), set, "");
}

struct NoClipboard;

impl Copier for NoClipboard {
    fn copy(&self, _: &SecretValue, _: &mut dyn Write) -> CopyReport {
        CopyReport { ok: false, text: String::new() }
    }
}

/// A key pressed on the real update loop, until the frame is drawn through the real backend.
fn screen_figures(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let service: Arc<dyn Service> = Arc::new(LocalService::new(ServiceOptions {
        paths: VaultPaths::in_folder(folder.path()),
        kdf: CHEAP,
        idle_lock: None,
        clock: Arc::new(SystemClock),
        demo: false,
        audit_required: false,
    }));
    let call = InitPrepare { organization: "acme".into(), name: "bench".into(), passphrase: passphrase() };
    ask(&*service, call).unwrap();
    ask(&*service, InitCommit {}).unwrap();
    let call = sealbox::service::Import {
        scope: ScopeRef::Organization,
        entries: entries(count),
        on_existing: OnExisting::Fail,
        dry_run: false,
    };
    ask(&*service, call).unwrap();
    let (first, mut driver) = timed(|| {
        Driver::new(Arc::clone(&service), Arc::new(NoClipboard), (120, 40), 1_800_000_000_000).unwrap()
    });
    report(&format!("first frame of an unlocked vault, {count} names"), first, "30 ms at 10,000");
    assert!(driver.screen().contains("SERVICE_000_KEY"), "the list is on the screen");

    // Up and down inside the page, as most moves are; then over its edge, where every row changes.
    let page = ["j"; 30].into_iter().chain(["k"; 30]);
    moves(&mut driver, page.cycle().take(240), &format!("cursor move, {count} names"));
    moves(&mut driver, ["j"; 240].into_iter(), &format!("scroll, {count} names"));
    driver.key("/").unwrap();
    let mut typed = "key_0123".chars().cycle();
    let filter = worst(200, || {
        let key = typed.next().unwrap();
        let time = timed(|| driver.key(&key.to_string()).map(|_| ()).unwrap()).0;
        if key == '3' {
            for _ in 0..8 {
                driver.key("backspace").unwrap();
            }
        }
        time
    });
    report(&format!("filter key to frame, {count} names, 99th percentile"), filter, "8 ms at 100,000");
}

/// Presses keys; reports the time until the frame and the bytes that each frame sent.
fn moves<'a>(driver: &mut Driver, keys: impl Iterator<Item = &'a str>, figure: &str) {
    let mut bytes = Vec::new();
    let mut keys = keys;
    let time = worst(240, || {
        let key = keys.next().unwrap();
        let time = timed(|| driver.key(key).map(|_| ()).unwrap()).0;
        bytes.push(driver.bytes_sent());
        time
    });
    report(&format!("{figure}: key to frame, 99th percentile"), time, "8 ms at 100,000");
    bytes.sort_unstable();
    let (middle, most) = (bytes[bytes.len() / 2], bytes[bytes.len() - 1]);
    println!(
        "{:<58} {middle:>9} B    300 B (most: {most} B)",
        format!("{figure}: bytes sent at 120x40, median")
    );
}

/// The 99th percentile of so many runs.
fn worst(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..runs).map(|_| run()).collect();
    times.sort();
    times[runs * 99 / 100]
}
