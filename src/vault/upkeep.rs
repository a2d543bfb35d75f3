//! Looking after a vault: verify, backup, restore, recovery by the paper key, settling what was rolled back or forked,
//! and reset.
//!
//! What can be done without a key is done without a key. A restore replaces rows in one transaction of the store itself, so
//! that other processes which have it open see all of it or nothing.

use super::error::VaultError;
use super::home::Home;
use super::members::parse_label;
use super::session::Vault;
use super::verify::{ScopeReport, verify};
use crate::crypto::{Identity, RecoveryKey, identity_file::IdentityFile};
use crate::domain::{Passphrase, Role, ScopeId, ScopeRef, SecretValue};
use crate::platform::{failpoint, files};
use crate::store::{Pins, SqliteStore, Store, StoreError};
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

impl Home {
    /// Makes a new identity from the recovery key: it is admitted as an owner wherever the recovery key is one. An
    /// identity file that is here already (whose passphrase was forgotten) is kept beside it as `identity.old`.
    pub fn recover(
        &self,
        key: &SecretValue,
        from: Option<&Path>,
        name: &str,
        passphrase: &Passphrase,
    ) -> Result<Vault, VaultError> {
        let key = RecoveryKey::parse(key).map_err(|_| {
            VaultError::Invalid("this is not a recovery key (sbkey1…): check it for typing errors".to_owned())
        })?;
        let label = parse_label(name)?;
        if passphrase.is_empty() {
            return Err(VaultError::Invalid("the passphrase is empty".to_owned()));
        }
        let _lock = self.lock()?;
        let fits = |store: &dyn Store| -> Result<ScopeId, VaultError> {
            let root = store.scopes()?.into_iter().find(|id| id.0.starts_with(&key.scope_prefix));
            root.ok_or(VaultError::ForeignRecoveryKey)
        };
        if let Some(from) = from {
            fits(&SqliteStore::inspect(from)?)?; // before anything is put in place
            self.put_store(from)?;
        }
        let store = SqliteStore::open(&self.paths.store())?;
        let root = fits(&store)?;
        let me = Identity::generate()?;
        let new_id = me.public().to_text();
        let file = IdentityFile { identity: me, roots: vec![root], store_url: Zeroizing::default() };
        let sealed = file.seal(passphrase, self.policy.cost)?;
        let pins = self.open_pins()?;
        let mut paper =
            Vault::open(key.identity, vec![root], Box::new(store), pins, Arc::clone(&self.clock))?;
        let scopes: Vec<ScopeRef> = paper
            .scopes()?
            .into_iter()
            .filter(|view| view.role == Role::Owner)
            .map(|view| view.scope)
            .collect();
        for scope in scopes {
            let label = free_label(&paper, &scope, label.as_str())?;
            paper.add_member(&scope, &new_id, &label, Role::Owner)?;
        }
        drop(paper);
        let identity = self.paths.identity();
        if identity.exists() {
            let old = self.paths.data.join("identity.old");
            std::fs::rename(&identity, &old).map_err(|error| VaultError::Io(old, error))?;
        }
        self.write_identity_to(&identity, &sealed)?;
        self.open(file)
    }

    /// The sealed rows of this vault, without a key.
    fn own_store(&self) -> Result<SqliteStore, VaultError> {
        Ok(SqliteStore::open(&self.store_location())?)
    }

    /// Verifies all known scopes without a key: those pinned on this machine, else those in the store.
    pub fn verify(&self, unlocked: Option<&Vault>) -> Result<Vec<ScopeReport>, VaultError> {
        self.folders()?;
        let pins = self.open_pins()?;
        let known = pins.scopes()?;
        if let Some(vault) = unlocked {
            return verify(&*vault.store, Some(&pins), &vault.roots);
        }
        let store = self.own_store()?;
        let scopes = if known.is_empty() { store.scopes()? } else { known };
        verify(&store, Some(&pins), &scopes)
    }

    /// Copies the sealed rows to a new file. Says its size in bytes, the number of scopes and of entries.
    pub fn backup(&self, unlocked: Option<&Vault>, to: &Path) -> Result<(u64, usize, u64), VaultError> {
        match unlocked {
            Some(vault) => vault.store.backup(to)?,
            None => self.own_store()?.backup(to)?,
        }
        let io = |error| VaultError::Io(to.to_owned(), error);
        let bytes = std::fs::metadata(to).map_err(io)?.len();
        let copy = SqliteStore::inspect(to)?;
        let (mut entries, scopes) = (0, copy.scopes()?);
        for scope in &scopes {
            copy.entries(scope, None, &mut |_, _| {
                entries += 1;
                ControlFlow::Continue(())
            })?;
        }
        Ok((bytes, scopes.len(), entries))
    }

    /// Replaces the store by a backup, after verifying all of it. A backup older than what this machine has seen is
    /// refused unless `accept_rollback`, which then takes it as the newest.
    pub fn restore(&self, from: &Path, accept_rollback: bool) -> Result<Vec<ScopeReport>, VaultError> {
        let _lock = self.lock()?;
        if self.elsewhere().exists() {
            let place = self.store_location();
            return Err(VaultError::Invalid(format!(
                "the store of this vault is {}: restore it where it belongs",
                place.display()
            )));
        }
        let source = SqliteStore::inspect(from)?;
        if !self.paths.identity().exists() {
            self.discard_leftovers()?;
        }
        let pins = self.open_pins()?;
        let (known, held) = (pins.scopes()?, source.scopes()?);
        let scopes = match (known.is_empty(), accept_rollback) {
            (true, _) => held,
            (false, false) => known,
            // A project that is younger than the backup is not in it: that is part of what is accepted.
            (false, true) => known.into_iter().filter(|id| held.contains(id)).collect(),
        };
        if scopes.is_empty() {
            return Err(VaultError::BackupRefused("it holds no scope that this machine knows".to_owned()));
        }
        let reports = verify(&source, (!accept_rollback).then_some(&pins), &scopes)?;
        if let Some(bad) = reports.iter().find(|report| !report.faults.is_empty()) {
            let why = bad.faults.join("; ");
            return Err(VaultError::BackupRefused(why));
        }
        self.put_rows(&source)?;
        if accept_rollback {
            Vault::accept_rollback(&self.own_store()?, &pins)?;
        }
        Ok(reports)
    }

    /// Makes the embedded store hold exactly the rows of `source`. A file that does not open is set aside first.
    fn put_rows(&self, source: &SqliteStore) -> Result<(), VaultError> {
        let path = self.paths.store();
        let put = || SqliteStore::create(&path).and_then(|mut store| store.replace_with(source));
        match put() {
            Err(StoreError::Damaged { .. }) => {
                set_aside(&path)?;
                Ok(put()?)
            }
            other => Ok(other?),
        }
    }

    /// Puts a backup where there is no store yet. A store that holds every row of it already is left as it is: it is
    /// what an interrupted recovery made, and may have gone further.
    fn put_store(&self, from: &Path) -> Result<(), VaultError> {
        let source = SqliteStore::inspect(from)?;
        let path = self.paths.store();
        if !self.paths.identity().exists() {
            self.discard_leftovers()?;
        }
        if path.exists() {
            let present = SqliteStore::create(&path)?; // it may be the empty file of a run that was killed
            let empty = present.scopes()?.is_empty();
            if !empty && (self.paths.identity().exists() || !holds_rows_of(&present, &source)?) {
                return Err(VaultError::VaultExists(path));
            }
            if !empty {
                return Ok(());
            }
        }
        self.put_rows(&source)
    }

    /// Takes the store's present content as the newest of every pinned scope. Pins that do not open are set aside, and
    /// made anew when the vault is next opened.
    pub fn accept_rollback(&self) -> Result<(), VaultError> {
        let _lock = self.lock()?;
        let path = self.paths.pins();
        match Pins::open(&path).and_then(|pins| pins.scopes().map(|_| pins)) {
            Ok(pins) => Vault::accept_rollback(&self.own_store()?, &pins),
            Err(StoreError::Damaged { .. }) => set_aside(&path),
            Err(error) => Err(error.into()),
        }
    }

    /// Destroys identity, pins and embedded store; the identity first, because without it nothing else opens. A rerun
    /// completes what was interrupted. A shared store is not touched.
    pub fn reset(&self) -> Result<(), VaultError> {
        let _lock = self.lock()?;
        let paths = &self.paths;
        let mut doomed =
            vec![paths.identity(), paths.data.join("identity.old"), self.next_identity(), self.elsewhere()];
        for database in [paths.pins(), paths.store(), self.next_store()] {
            doomed.extend(with_sidecars(&database));
            doomed.extend(with_sidecars(&aside(&database)));
        }
        for path in doomed {
            files::remove_wiped(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
            failpoint::step("reset: file removed");
        }
        // The empty lock file stays: removed while somebody waits for it, two could hold "the" lock at once.
        Ok(())
    }

    /// Settles forks as an owner; see [`Vault::settle_forks`].
    pub fn settle_forks(&self, passphrase: &Passphrase) -> Result<Vec<(String, String)>, VaultError> {
        let (file, _) = self.read(passphrase)?;
        let store = Box::new(SqliteStore::open(&self.store_path(&file.store_url)?)?);
        let pins = self.open_pins()?;
        Vault::open_past_forks(file.identity, file.roots, store, pins, Arc::clone(&self.clock))?
            .settle_forks()
    }
}

/// Where a file goes that does not open: beside itself, so that nothing is lost that somebody might still save.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    PathBuf::from(name)
}

/// Moves a database away. The file itself goes last, so that it never stands beside the log of another one.
fn set_aside(path: &Path) -> Result<(), VaultError> {
    let pairs = with_sidecars(path).into_iter().zip(with_sidecars(&aside(path)));
    for (from, to) in pairs.rev() {
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(VaultError::Io(from, error));
            }
            _ => {}
        }
    }
    files::sync_folder_of(path).map_err(|error| VaultError::Io(path.to_owned(), error))
}

/// True if every entry of `part` stands in `whole`.
fn holds_rows_of(whole: &dyn Store, part: &dyn Store) -> Result<bool, VaultError> {
    for scope in part.scopes()? {
        let mut rows = std::collections::HashSet::new();
        whole.entries(&scope, None, &mut |seq, body| {
            rows.insert((seq, crate::crypto::sha256(body)));
            ControlFlow::Continue(())
        })?;
        let mut all = true;
        part.entries(&scope, None, &mut |seq, body| {
            all &= rows.contains(&(seq, crate::crypto::sha256(body)));
            ControlFlow::Continue(())
        })?;
        if !all {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A database file and the files that SQLite keeps beside it.
pub(super) fn with_sidecars(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// `label`, or `label 2`, `label 3`, … if another member is called that already.
fn free_label(vault: &Vault, scope: &ScopeRef, label: &str) -> Result<String, VaultError> {
    let taken: Vec<String> = vault
        .members(scope)?
        .into_iter()
        .filter(|member| member.role.is_some())
        .map(|member| member.label)
        .collect();
    let mut candidates = std::iter::once(label.to_owned()).chain((2u32..).map(|n| format!("{label} {n}")));
    Ok(candidates.find(|candidate| !taken.contains(candidate)).unwrap_or_else(|| label.to_owned()))
}
