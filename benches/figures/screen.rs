//! What the terminal UI takes: start, cursor, filter. The real update loop and the real backend, into memory.

use super::{
    CHEAP, report, timed,
    vault::{entries, passphrase},
    worst,
};
use sealbox::{
    domain::{OnExisting, ScopeRef, SecretValue},
    platform::{clock::SystemClock, paths::VaultPaths},
    service::{InitCommit, InitPrepare, LocalService, Service, ServiceOptions, ask},
    tui::{Copier, CopyReport, Driver},
};
use std::{io::Write, sync::Arc};

struct NoClipboard;

impl Copier for NoClipboard {
    fn copy(&self, _: &str, _: &SecretValue, _: &mut dyn Write) -> CopyReport {
        CopyReport { ok: false, text: String::new(), countdown: None }
    }
}

/// A key pressed on the real update loop, until the frame is drawn through the real backend.
pub(crate) fn figures(count: usize) {
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
