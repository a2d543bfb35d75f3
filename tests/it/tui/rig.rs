//! A vault in a temporary folder with a clock that stands where it is put, and a screen on it.

use sealbox::crypto::{KdfCost, KdfPolicy};
use sealbox::domain::{Passphrase, ProjectName, Role, ScopeRef, SecretName, SecretValue};
use sealbox::platform::{clock::Clock, paths::VaultPaths};
use sealbox::service::*;
use sealbox::tui::{Copier, CopyReport, Driver};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2026-11-21 09:15 UTC.
pub const NOW: u64 = 1_795_252_500_000;
pub const MINUTE: u64 = 60_000;
pub const DAY: u64 = 24 * 60 * MINUTE;
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Both clocks, set by hand.
pub struct HandClock {
    wall: AtomicU64,
    boot: AtomicU64,
}

impl HandClock {
    pub fn set(&self, wall: u64) {
        self.wall.store(wall, Ordering::Relaxed);
    }
    pub fn pass(&self, ms: u64) {
        self.boot.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn wall_ms(&self) -> u64 {
        self.wall.load(Ordering::Relaxed)
    }
    fn since_boot(&self) -> Duration {
        Duration::from_millis(self.boot.load(Ordering::Relaxed))
    }
}

/// Remembers what was copied.
#[derive(Default)]
pub struct Clip(pub Mutex<Vec<Vec<u8>>>);

impl Copier for Clip {
    fn copy(&self, _name: &str, value: &SecretValue, _terminal: &mut dyn Write) -> CopyReport {
        self.0.lock().unwrap().push(value.expose().to_vec());
        CopyReport { ok: true, text: "copied; clears itself in 30 s".to_owned(), countdown: None }
    }
}

/// One person's machine, on a store of their own or on somebody else's.
pub struct Person {
    pub service: Arc<LocalService>,
    pub clip: Arc<Clip>,
    pub clock: Arc<HandClock>,
    pub paths: VaultPaths,
}

pub fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

pub fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec()).unwrap()
}

pub fn project(text: &str) -> ScopeRef {
    ScopeRef::Project(ProjectName::parse(text).unwrap())
}

pub fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned())
}

impl Person {
    /// Nothing here yet.
    pub fn nobody(folder: &Path, idle_lock: Option<Duration>) -> Self {
        let clock = Arc::new(HandClock { wall: AtomicU64::new(NOW), boot: AtomicU64::new(1_000_000) });
        let paths = VaultPaths::in_folder(folder);
        // A key derivation that costs nothing: what is tested here is the screen.
        let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
        let service = Arc::new(LocalService::new(ServiceOptions {
            paths: paths.clone(),
            kdf: KdfPolicy { cost, floor_kib: 8 },
            idle_lock,
            clock: clock.clone(),
            demo: false,
            audit_required: false,
        }));
        Self { service, clip: Arc::default(), clock, paths }
    }

    /// The owner of a new vault.
    pub fn owner(folder: &Path) -> Self {
        let person = Self::nobody(folder, None);
        person.init();
        person
    }

    pub fn init(&self) {
        self.clock.set(NOW - 90 * DAY);
        self.ask(InitPrepare { organization: "acme".into(), name: "ada".into(), passphrase: passphrase() });
        self.ask(InitCommit {});
        self.clock.set(NOW);
    }

    pub fn ask<C: Call>(&self, call: C) -> C::Answer {
        ask(self.service.as_ref(), call).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Writes a value as it was `ago` milliseconds before now.
    pub fn set(&self, scope: &ScopeRef, secret: &str, text: &str, ago: u64) {
        self.clock.set(NOW - ago);
        self.ask(SetSecret {
            scope: scope.clone(),
            name: name(secret),
            value: value(text),
            mode: SetMode::Upsert,
        });
        self.clock.set(NOW);
    }

    pub fn get(&self, scope: &ScopeRef, secret: &str) -> Vec<u8> {
        let call = GetSecret {
            scope: scope.clone(),
            name: name(secret),
            version: None,
            purpose: Purpose::Reveal,
            program: "test".into(),
        };
        self.ask(call).value.expose().to_vec()
    }

    pub fn names(&self, scope: &ScopeRef) -> Vec<String> {
        let list = self.ask(ListSecrets { scope: scope.clone() });
        list.secrets.into_iter().map(|meta| meta.name.as_str().to_owned()).collect()
    }

    /// Somebody with their own identity, admitted by `self` to `scope` and on the same store.
    pub fn admit(&self, folder: &Path, label: &str, scope: &ScopeRef, role: Role) -> Person {
        let other = Self::nobody(folder, None);
        let id = other.ask(CreateIdentity { passphrase: passphrase() });
        let link = self.ask(AddMember { scope: scope.clone(), id, label: label.into(), role }).link;
        let store = Some(self.paths.store());
        other.ask(Join { link, store, passphrase: passphrase() });
        other
    }

    /// A screen, with the look without colour.
    pub fn screen(&self, columns: u16, rows: u16) -> Driver {
        Driver::new(self.service.clone(), self.clip.clone(), (columns, rows), NOW).unwrap()
    }

    pub fn copied(&self) -> Vec<Vec<u8>> {
        self.clip.0.lock().unwrap().clone()
    }
}

/// A vault with a few secrets at known times: the one of all snapshots.
pub fn seeded(folder: &Path) -> Person {
    let ada = Person::owner(folder);
    let org = ScopeRef::Organization;
    ada.set(&org, "SMTP_PASSWORD", "smtp-1", 80 * DAY);
    ada.set(&org, "SENTRY_DSN", "https://k@sentry.example/4", 12 * DAY);
    ada.set(&org, "NPM_TOKEN", "npm-1", 3 * DAY);
    ada.set(&org, "NPM_TOKEN", "npm-2", 5 * 60 * MINUTE);
    ada.set(&org, "TLS_KEY", "-----BEGIN KEY-----\nMIIB\nAAEC\n-----END KEY-----\n", 42 * MINUTE);
    ada.clock.set(NOW - 70 * DAY);
    ada.ask(CreateProject { name: ProjectName::parse("billing").unwrap() });
    ada.set(&project("billing"), "STRIPE_SECRET_KEY", "sk_live_CANARY", 60 * DAY);
    ada.set(&project("billing"), "DATABASE_URL", "postgres://b:pw@db/billing", 2 * DAY);
    ada
}

/// The screen, or what is missing from it.
#[track_caller]
pub fn shows(driver: &Driver, text: &str) {
    let screen = driver.screen();
    assert!(screen.contains(text), "no {text:?} on\n{screen}");
}

#[track_caller]
pub fn hides(driver: &Driver, text: &str) {
    let screen = driver.screen();
    assert!(!screen.contains(text), "{text:?} is on\n{screen}");
}
