//! What the vault itself takes: import, open, read, list, write. In process, without a key derivation.

use super::{CHEAP, median, report, timed};
use sealbox::{
    domain::{OnExisting, Passphrase, ScopeRef, SecretName, SecretValue, SetMode},
    platform::{clock::SystemClock, paths::VaultPaths},
    vault::{Home, Vault},
};
use std::{path::Path, sync::Arc, time::Duration};

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("bench".to_owned())
}

fn home(folder: &Path) -> Home {
    Home::new(VaultPaths::in_folder(folder), CHEAP, Arc::new(SystemClock))
}

pub(crate) fn entries(count: usize) -> Vec<(SecretName, SecretValue)> {
    (0..count)
        .map(|n| {
            let name = SecretName::parse(&format!("SERVICE_{:03}_KEY_{n:06}", n % 500)).unwrap();
            (name, SecretValue::new(format!("value-of-{n}-0123456789abcdef").into_bytes()).unwrap())
        })
        .collect()
}

pub(crate) fn figures(count: usize) {
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
