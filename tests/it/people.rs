//! People with machines of their own: each has a folder with identity and pins, and all may share one store.
//!
//! Library level, with a cheap KDF: a `Machine` is a folder, `Machine::open` an unlocked vault on it. For tests of the vault
//! and of what stands on it; the real binary is driven through `env`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use sealbox::crypto::{KdfCost, KdfPolicy, identity_file::IdentityFile};
use sealbox::domain::{Passphrase, ProjectName, Role, ScopeRef, SecretName, SecretValue, SetMode};
use sealbox::platform::clock::{Clock, SystemClock};
use sealbox::platform::paths::VaultPaths;
use sealbox::service::ServiceOptions;
use sealbox::store::{Pins, SqliteStore, Store};
use sealbox::vault::{Home, Vault, VaultError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A KDF that costs nothing.
pub(crate) const CHEAP: KdfPolicy =
    KdfPolicy { cost: KdfCost { memory_kib: 8, passes: 1, lanes: 1 }, floor_kib: 8 };
pub(crate) const ORG: ScopeRef = ScopeRef::Organization;

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("open sesame".to_owned())
}

pub(crate) fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

pub(crate) fn project(text: &str) -> ScopeRef {
    ScopeRef::Project(ProjectName::parse(text).unwrap())
}

pub(crate) fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec()).unwrap()
}

/// The fault itself, where a scope that does not open repeats it each time somebody asks.
pub(crate) fn bare<T>(outcome: Result<T, VaultError>) -> Result<T, VaultError> {
    outcome.map_err(|error| match &error {
        VaultError::Shared(inner) => match &**inner {
            VaultError::Chain { what, fault } => {
                VaultError::Chain { what: what.clone(), fault: fault.clone() }
            }
            VaultError::KeyMismatch { scope, owner } => {
                VaultError::KeyMismatch { scope: scope.clone(), owner: owner.clone() }
            }
            _ => error,
        },
        _ => error,
    })
}

/// One person's folder.
pub(crate) struct Machine {
    pub(crate) folder: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("sealbox-people-").tempdir().unwrap() }
    }

    pub(crate) fn paths(&self) -> VaultPaths {
        VaultPaths::in_folder(self.folder.path().join("v"))
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.paths().store()
    }

    pub(crate) fn home(&self) -> Home {
        self.home_with(Arc::new(SystemClock))
    }

    pub(crate) fn home_with(&self, clock: Arc<dyn Clock>) -> Home {
        Home::new(self.paths(), CHEAP, clock)
    }

    /// What a service on this machine is made with: no idle lock, readings written down if that can be.
    pub(crate) fn service_options(&self) -> ServiceOptions {
        ServiceOptions {
            paths: self.paths(),
            kdf: CHEAP,
            idle_lock: None,
            clock: Arc::new(SystemClock),
            demo: false,
            audit_required: false,
        }
    }

    /// A new vault of "acme", owned by "ada".
    pub(crate) fn founded() -> (Self, Vault) {
        let machine = Self::new();
        let prepared = machine.home().prepare("acme", "ada", &passphrase()).unwrap();
        let vault = machine.home().commit(&prepared).unwrap();
        (machine, vault)
    }

    /// Unlocks the vault on this machine.
    pub(crate) fn open(&self) -> Vault {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Vault, VaultError> {
        bare(self.home().unlock(&passphrase()))
    }

    /// The identity file, opened.
    pub(crate) fn identity(&self) -> IdentityFile {
        let bytes = std::fs::read(self.paths().identity()).unwrap();
        IdentityFile::open(&bytes, &passphrase(), &CHEAP).unwrap().0
    }

    pub(crate) fn pins(&self) -> Pins {
        Pins::open(&self.paths().pins()).unwrap()
    }

    /// The same identity and pins over another store.
    pub(crate) fn open_over(&self, store: Box<dyn Store>) -> Result<Vault, VaultError> {
        let file = self.identity();
        bare(Vault::open(file.identity, file.roots, store, self.pins(), Arc::new(SystemClock)))
    }

    /// The raw rows.
    pub(crate) fn raw_store(&self) -> SqliteStore {
        SqliteStore::open(&self.store()).unwrap()
    }
}

/// Admits a newcomer with a machine of their own to these scopes, over the owner's store.
pub(crate) fn admit(owner: &mut Vault, label: &str, grants: &[(&ScopeRef, Role)]) -> (Machine, Vault) {
    let machine = Machine::new();
    let id = machine.home().create_identity(&passphrase()).unwrap();
    let mut link = String::new();
    for (scope, role) in grants {
        link = owner.add_member(scope, &id, label, *role).unwrap();
    }
    let vault = machine.home().join(&link, None, &passphrase()).unwrap();
    (machine, vault)
}

/// The current value as text.
pub(crate) fn read(vault: &Vault, scope: &ScopeRef, secret: &str) -> Result<String, VaultError> {
    let reading = bare(vault.read(scope, &name(secret), None))?;
    Ok(String::from_utf8(reading.value.expose().to_vec()).unwrap())
}

pub(crate) fn set(vault: &mut Vault, scope: &ScopeRef, secret: &str, text: &str) -> Result<u32, VaultError> {
    bare(vault.set(scope, &name(secret), &value(text), SetMode::Upsert)).map(|(version, _)| version)
}

pub(crate) fn names(vault: &Vault, scope: &ScopeRef) -> Vec<String> {
    vault.list(scope).unwrap().1.into_iter().map(|meta| meta.name.to_string()).collect()
}

/// Copies a folder with everything below it.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
