//! What the agent's memory holds (R38): no value and no passphrase at any time, keys only in locked pages while it is
//! unlocked, and nothing at all after it was locked.
//!
//! Reading another process's memory takes root, because the agent is not dumpable. Without root this says that it did not
//! run; `.ci/run` runs as root.

#![cfg(target_os = "linux")]

use crate::agent::Desk;
use crate::env::{PASSPHRASE, TestEnv};
use base64::{Engine, engine::general_purpose::STANDARD};
use sealbox::chain::{Body, Entry};
use sealbox::crypto::{KdfPolicy, boxes::BoxContext, identity_file::IdentityFile};
use sealbox::domain::{KeyClass, Passphrase, ScopeId};
use sealbox::store::{SqliteStore, Store};
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;

const CANARY: &str = "CANARY-9b41-in-the-agents-memory-77";
/// So many times a value is written and read, so that every worker and buffer has had one.
const MANY: usize = 20;

/// One mapped piece of memory.
struct Mapping {
    name: String,
    locked: bool,
    bytes: Vec<u8>,
}

/// Everything that a process has mapped for writing, with what `smaps` says of it.
fn memory(pid: u32) -> Vec<Mapping> {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found: Vec<Mapping> = Vec::new();
    let mut writable = false;
    for line in smaps.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some((from, to)) = first.split_once('-').filter(|_| !first.ends_with(':')) {
            let at = |text: &str| u64::from_str_radix(text, 16).unwrap();
            let (from, to) = (at(from), at(to));
            writable = line.split_whitespace().nth(1).is_some_and(|mode| mode.starts_with("rw"));
            if writable {
                let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
                // a page that was never touched, or a special one, cannot be read
                for page in (0..bytes.len()).step_by(4096) {
                    let _ = memory.read_exact_at(&mut bytes[page..page + 4096], from + page as u64);
                }
                let name = line.split_whitespace().nth(5).unwrap_or("anonymous").to_owned();
                // a guard page or a special mapping cannot be read by anybody
                found.push(Mapping { name, locked: false, bytes });
            }
        } else if let Some(flags) = line.strip_prefix("VmFlags:")
            && writable
        {
            let last = found.last_mut().unwrap();
            last.locked = flags.split_whitespace().any(|flag| flag == "lo");
        }
    }
    assert!(found.iter().map(|mapping| mapping.bytes.len()).sum::<usize>() > 1 << 20, "a real process");
    found
}

/// The forms in which a secret may lie about.
fn shapes(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut shapes = vec![
        ("as it is", secret.to_vec()),
        ("reversed", secret.iter().rev().copied().collect()),
        ("in UTF-16", secret.iter().flat_map(|byte| [*byte, 0]).collect()),
        ("in hexadecimal", sealbox::domain::scope::hex(secret).into_bytes()),
    ];
    for (name, skip) in [("in base64", 0), ("in base64, shifted by one", 1), ("in base64, shifted by two", 2)]
    {
        let shifted = [vec![b'.'; skip], secret.to_vec()].concat();
        let text = STANDARD.encode(shifted);
        // the first and last letters depend on what stands beside the secret
        let inner = text.trim_end_matches('=').as_bytes();
        shapes.push((name, inner[if skip == 0 { 0 } else { 4 }..inner.len() - 1].to_vec()));
    }
    shapes
}

/// Where `secret` lies in memory, in words.
fn hits(memory: &[Mapping], what: &str, secret: &[u8]) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    for (shape, pattern) in shapes(secret) {
        let finder = memchr::memmem::Finder::new(&pattern);
        for mapping in memory {
            for at in finder.find_iter(&mapping.bytes) {
                let name = &mapping.name;
                let text = format!("{what} {shape} in {name} at {at:#x} of {:#x}", mapping.bytes.len());
                found.push((mapping.locked, text));
            }
        }
    }
    found
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

struct Unlocked {
    desk: Desk,
    pid: u32,
    /// The seed and the organization's `K`.
    keys: [(&'static str, Vec<u8>); 2],
}

/// The seed of this machine's identity, and the key of the organization's values, opened here as the agent does it.
fn keys(env: &TestEnv) -> [(&'static str, Vec<u8>); 2] {
    let bytes = fs::read(env.vault().join("identity")).unwrap();
    let passphrase = Passphrase::new(PASSPHRASE.to_owned());
    let (file, _) = IdentityFile::open(&bytes, &passphrase, &KdfPolicy::STANDARD).unwrap();
    let store = SqliteStore::open(&env.store()).unwrap();
    let mut key = None;
    let take = &mut |_, bytes: &[u8]| {
        if let Ok(Entry { body: Body::Genesis(genesis), .. }) = Entry::parse(bytes) {
            let mine = file.identity.public().sign;
            let sealed = genesis.boxes.iter().find(|sealed| sealed.recipient == mine).unwrap();
            let context = BoxContext {
                scope: &ScopeId::NONE.0,
                generation: 1,
                recipient: &mine,
                class: KeyClass::Full,
            };
            key = Some(file.identity.open_box(context, &sealed.sealed).unwrap().expose().to_vec());
        }
        ControlFlow::Continue(())
    };
    store.entries(&file.roots[0], None, take).unwrap();
    [("the seed", file.identity.seed().expose().to_vec()), ("K", key.unwrap())]
}

/// An agent that has been used in every way that touches a value.
fn used() -> Unlocked {
    let desk = Desk::new();
    desk.unlock();
    let pid = desk.run(&["agent", "status", "--json"]).ok().json()["pid"].as_u64().unwrap();
    let used = Unlocked { keys: keys(&desk.env), pid: u32::try_from(pid).unwrap(), desk };
    let env = &used.desk.env;
    for n in 0..MANY {
        let name = format!("KEY_{n}");
        env.run_with(&["set", &name], CANARY.as_bytes()).ok();
        assert_eq!(env.run(&["get", &name]).ok().text(), CANARY);
    }
    env.run(&["export", "--format", "json"]).ok();
    env.run(&["rollback", "KEY_1", "--to", "1"]).ok();
    assert_eq!(env.run_with(&["inject"], b"{{$secret.KEY_2}}").ok().text(), CANARY);
    env.run(&["run", "--", "true"]).ok();
    env.run(&["lint"]);
    env.run(&["scan", "."]);
    used
}

#[test]
fn the_agents_memory_holds_keys_in_locked_pages_only_and_no_value() {
    if !root() {
        eprintln!("NOT RUN: reading the agent's memory takes root");
        return;
    }
    let used = used();
    let memory = memory(used.pid);
    let mut stray = hits(&memory, "the value", CANARY.as_bytes());
    stray.extend(hits(&memory, "the passphrase", PASSPHRASE.as_bytes()));
    for (name, key) in &used.keys {
        let (locked, outside): (Vec<_>, Vec<_>) =
            hits(&memory, name, key).into_iter().partition(|(locked, _)| *locked);
        assert!(!locked.is_empty(), "{name} must be somewhere while the vault is unlocked");
        stray.extend(outside);
    }
    assert!(stray.is_empty(), "{stray:#?}");
    let arena: usize =
        memory.iter().filter(|mapping| mapping.locked).map(|mapping| mapping.bytes.len()).sum();
    assert!(arena < 64 << 10, "{arena} bytes are locked");
}

#[test]
fn after_the_lock_the_agents_memory_holds_nothing() {
    if !root() {
        eprintln!("NOT RUN: reading the agent's memory takes root");
        return;
    }
    let used = used();
    used.desk.run(&["lock"]).ok();
    let memory = memory(used.pid);
    let mut stray = hits(&memory, "the value", CANARY.as_bytes());
    stray.extend(hits(&memory, "the passphrase", PASSPHRASE.as_bytes()));
    for (name, key) in &used.keys {
        stray.extend(hits(&memory, name, key));
    }
    assert!(stray.is_empty(), "{stray:#?}");
    used.desk.run(&["get", "KEY_1"]).code(11);
}
