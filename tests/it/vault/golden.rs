//! R8: a vault that an earlier version made is opened by this one, to the last byte. Files in `tests/testkit/v1`, for ever.

use crate::env::{TestEnv, holds};
use std::path::{Path, PathBuf};

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testkit/v1")
}

/// A copy of the golden vault and an environment that knows its passphrase.
fn golden(files: &[&str]) -> (TestEnv, String) {
    let env = TestEnv::new();
    env.private_file("passphrase", b"golden passphrase of v1\n");
    let vault = env.root().join("golden");
    std::fs::create_dir(&vault).unwrap();
    for file in files {
        std::fs::copy(kit().join(file), vault.join(file)).unwrap();
    }
    (env, format!("{}/", vault.display()))
}

#[test]
fn the_golden_vault_of_version_1_opens_whole() {
    let (env, vault) = golden(&["identity", "store.db"]);
    let get = |args: &[&str]| env.run(&[["--vault", &vault].as_slice(), args].concat()).ok().stdout;
    assert_eq!(get(&["get", "API_KEY"]), b"second");
    assert_eq!(get(&["get", "API_KEY", "--version", "1"]), b"first");
    assert_eq!(get(&["get", "BYTES"]), b"\x00\xff\nbinary\n");
    assert_eq!(get(&["get", "LATER"]), b"after rotation");
    assert_eq!(get(&["get", "EMPTY", "-p", "billing"]), b"");
    let list = env.run(&["--vault", &vault, "list", "--json"]).ok().json();
    let shown: Vec<_> = list["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (s["name"].as_str().unwrap(), s["version"].as_u64().unwrap(), s["updated_by"].as_str().unwrap())
        })
        .collect();
    assert_eq!(shown, [("API_KEY", 2, "ada"), ("BYTES", 1, "ada"), ("LATER", 1, "ada")]);
    env.run(&["--vault", &vault, "verify"]).ok();
    env.run_with(&["--vault", &vault, "set", "MORE"], b"from a later version").ok();
    assert_eq!(get(&["get", "MORE"]), b"from a later version");
    let members = String::from_utf8(get(&["member", "list", "--json"])).unwrap();
    assert!(members.contains("\"rea\"") && members.contains("\"recovery key\""));
}

#[test]
fn the_golden_recovery_key_opens_the_golden_store() {
    let (env, vault) = golden(&["store.db"]);
    let key = env.private_file("recovery.txt", &std::fs::read(kit().join("recovery.txt")).unwrap());
    env.run(&[
        "--vault",
        &vault,
        "restore",
        "--recovery-key-file",
        &key.to_string_lossy(),
        "--name",
        "ada anew",
    ])
    .ok();
    assert_eq!(env.run(&["--vault", &vault, "get", "API_KEY"]).ok().stdout, b"second");
}

#[test]
fn the_golden_store_tells_no_names_or_values() {
    let bytes = std::fs::read(kit().join("store.db")).unwrap();
    for secret in ["API_KEY", "second", "after rotation", "LATER", "billing", "acme", "ada", "rea"] {
        assert!(secret.len() < 4 || !holds(&bytes, secret.as_bytes()), "{secret}");
    }
}
