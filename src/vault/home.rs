//! The files of a vault on this machine: the identity, the embedded store and the pins.
//!
//! Owns their order of writing, so that a kill at any step leaves the old or the new (SPEC R1, R8, R41). The identity file
//! is the point of no return of `init`: before it is in place there is no vault. Anything that rewrites it holds
//! the lock file.

use super::error::VaultError;
use super::founding::found;
use super::link::Link;
use super::members::parse_label;
use super::session::Vault;
use super::verify::{ScopeReport, verify};
use crate::chain::Replay;
use crate::crypto::{
    CryptoError, Identity, KdfCost, KdfPolicy, RecoveryKey,
    identity_file::{IdentityFile, MAX_FILE},
};
use crate::domain::{Passphrase, Role, ScopeId, ScopeRef, SecretValue};
use crate::platform::{clock::Clock, failpoint, files, paths::VaultPaths};
use crate::store::{Batch, Committed, NewEntry, Pins, SqliteStore, Store, StoreError};
use std::{
    fs::File,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// Where a vault's files are, and with what cost its identity is sealed.
#[derive(Clone)]
pub struct Home {
    paths: VaultPaths,
    policy: KdfPolicy,
    clock: Arc<dyn Clock>,
}

/// A new vault that exists in memory only.
pub struct Prepared {
    file: IdentityFile,
    sealed: Vec<u8>,
    organization: ScopeId,
    genesis: Vec<u8>,
    recovery_key: SecretValue,
}

impl Prepared {
    /// The recovery key to show before anything is written.
    pub fn recovery_key(&self) -> &SecretValue {
        &self.recovery_key
    }
}

impl Home {
    /// Touches nothing.
    pub fn new(paths: VaultPaths, policy: KdfPolicy, clock: Arc<dyn Clock>) -> Self {
        Self { paths, policy, clock }
    }

    /// The paths.
    pub fn paths(&self) -> &VaultPaths {
        &self.paths
    }

    /// True if there is an identity. Completes an `init` that was interrupted at its very last step.
    pub fn exists(&self) -> Result<bool, VaultError> {
        let (identity, next) = (self.paths.identity(), self.next_identity());
        if !identity.exists() && next.exists() && self.paths.store().exists() {
            let _lock = self.lock()?;
            if !identity.exists() && next.exists() && self.paths.store().exists() {
                std::fs::rename(&next, &identity).map_err(|error| VaultError::Io(identity.clone(), error))?;
            }
        }
        Ok(identity.exists())
    }

    fn next_identity(&self) -> PathBuf {
        self.paths.data.join("identity.new")
    }

    fn next_store(&self) -> PathBuf {
        self.paths.data.join("store.db.new")
    }

    fn lock(&self) -> Result<File, VaultError> {
        self.folders()?;
        let path = self.paths.data.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| VaultError::Io(path.clone(), error))?;
        files::narrow(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
        file.lock().map_err(|error| VaultError::Io(path, error))?;
        self.discard_temporaries()?;
        Ok(file)
    }

    /// Removes what a killed writer of the identity left behind: it holds the seed under a passphrase that may be an
    /// older one. Only who holds the lock writes such files, so none of them is in use.
    fn discard_temporaries(&self) -> Result<(), VaultError> {
        let folder = &self.paths.data;
        let io = |error| VaultError::Io(folder.clone(), error);
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let ours =
                name.to_str().is_some_and(|name| name.starts_with(".identity") && name.contains(".tmp-"));
            if ours {
                let path = folder.join(name);
                files::remove_wiped(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
            }
        }
        Ok(())
    }

    fn folders(&self) -> Result<(), VaultError> {
        for folder in [&self.paths.data, &self.paths.state] {
            files::private_dir(folder).map_err(|error| VaultError::Io(folder.clone(), error))?;
        }
        Ok(())
    }

    /// Makes identity, recovery identity and the organization's genesis in memory.
    pub fn prepare(
        &self,
        organization: &str,
        name: &str,
        passphrase: &Passphrase,
    ) -> Result<Prepared, VaultError> {
        if self.exists()? {
            return Err(VaultError::VaultExists(self.paths.data.clone()));
        }
        if passphrase.is_empty() {
            return Err(VaultError::Invalid("the passphrase is empty".to_owned()));
        }
        let (organization, name) = (parse_label(organization)?, parse_label(name)?);
        let (me, paper) = (Identity::generate()?, Identity::generate()?);
        let owners = [(*me.public(), name.as_str()), (*paper.public(), "recovery key")];
        let (id, genesis) = found(&me, &owners, ScopeId::NONE, organization.as_str(), self.clock.wall_ms())?;
        let recovery_key = RecoveryKey::to_text(&paper, &id)?;
        let file = IdentityFile { identity: me, roots: vec![id], store_url: Zeroizing::default() };
        let sealed = file.seal(passphrase, self.policy.cost)?;
        Ok(Prepared { file, sealed, organization: id, genesis, recovery_key })
    }

    /// Writes a prepared vault: all of it, or nothing. Two at once: one wins, the other gets [`VaultError::VaultExists`].
    pub fn commit(&self, prepared: Prepared) -> Result<Vault, VaultError> {
        let _lock = self.lock()?;
        let (identity, store) = (self.paths.identity(), self.paths.store());
        if identity.exists() || (self.next_identity().exists() && store.exists()) {
            return Err(VaultError::VaultExists(self.paths.data.clone()));
        }
        if store.exists() {
            return Err(VaultError::OrphanStore(store));
        }
        self.discard_leftovers()?;
        self.write_identity_to(&self.next_identity(), &prepared.sealed)?;
        let next = self.next_store();
        {
            let new = SqliteStore::create(&next)?;
            let entry = NewEntry { scope: prepared.organization, seq: 0, body: prepared.genesis };
            match new.commit(&Batch { entries: vec![entry], ..Batch::default() })? {
                Committed::Yes => {}
                Committed::Conflict => return Err(VaultError::Contended),
            }
            new.settle()?;
        }
        failpoint::step("init: before store rename");
        let renamed = std::fs::rename(&next, &store).and_then(|()| files::sync_folder_of(&store));
        renamed.map_err(|error| VaultError::Io(store, error))?;
        failpoint::step("init: before identity rename");
        let renamed =
            std::fs::rename(self.next_identity(), &identity).and_then(|()| files::sync_folder_of(&identity));
        renamed.map_err(|error| VaultError::Io(identity, error))?;
        failpoint::step("init: after identity rename");
        self.open(prepared.file)
    }

    fn discard_leftovers(&self) -> Result<(), VaultError> {
        let next = self.next_store();
        for path in with_sidecars(&next).into_iter().chain([self.next_identity()]) {
            files::remove_wiped(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
        }
        Ok(())
    }

    /// Makes an identity without a vault, for somebody about to join one; answers its ID string.
    pub fn create_identity(&self, passphrase: &Passphrase) -> Result<String, VaultError> {
        if passphrase.is_empty() {
            return Err(VaultError::Invalid("the passphrase is empty".to_owned()));
        }
        let file = IdentityFile {
            identity: Identity::generate()?,
            roots: Vec::new(),
            store_url: Zeroizing::default(),
        };
        let sealed = file.seal(passphrase, self.policy.cost)?;
        let _lock = self.lock()?;
        if self.paths.identity().exists() {
            return Err(VaultError::VaultExists(self.paths.data.clone()));
        }
        self.write_identity_to(&self.paths.identity(), &sealed)?;
        Ok(file.identity.public().to_text())
    }

    fn write_identity_to(&self, path: &Path, sealed: &[u8]) -> Result<(), VaultError> {
        files::write_private_atomic(path, sealed).map_err(|error| VaultError::Io(path.to_owned(), error))
    }

    /// Opens the identity file. A wrong passphrase and a changed file give the same error, on purpose.
    fn read(&self, passphrase: &Passphrase) -> Result<(IdentityFile, KdfCost), VaultError> {
        if !self.exists()? {
            return Err(if self.paths.store().exists() {
                VaultError::OrphanStore(self.paths.store())
            } else {
                VaultError::NoVault(self.paths.data.clone())
            });
        }
        let bytes = self.identity_bytes()?;
        IdentityFile::open(&bytes, passphrase, &self.policy).map_err(|error| self.identity_fault(error))
    }

    /// Looks, without a passphrase, whether the identity file can be one; says what a guess costs.
    pub fn inspect_identity(&self) -> Result<KdfCost, VaultError> {
        let bytes = self.identity_bytes()?;
        IdentityFile::inspect(&bytes, &self.policy).map_err(|error| self.identity_fault(error))
    }

    fn identity_bytes(&self) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let path = self.paths.identity();
        let limit = usize::try_from(MAX_FILE).unwrap_or(usize::MAX);
        files::read_private(&path, limit).map(|(bytes, _)| bytes).map_err(|error| VaultError::Io(path, error))
    }

    fn identity_fault(&self, error: CryptoError) -> VaultError {
        let path = self.paths.identity();
        match error {
            CryptoError::Unauthentic => VaultError::WrongPassphrase,
            CryptoError::Newer => VaultError::Newer(path.display().to_string()),
            other => VaultError::IdentityDamaged(path, other),
        }
    }

    /// Unlocks the vault. An identity that is sealed more cheaply than the policy asks is sealed anew.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Vault, VaultError> {
        let (mut file, cost) = self.read(passphrase)?;
        if self.is_cheap(cost) {
            let _lock = self.lock()?;
            // Read again: another process may have changed the passphrase meanwhile, which must not be undone.
            let (now, cost) = self.read(passphrase)?;
            file = now;
            if self.is_cheap(cost) {
                self.write_identity_to(&self.paths.identity(), &file.seal(passphrase, self.policy.cost)?)?;
            }
        }
        self.open(file)
    }

    fn is_cheap(&self, cost: KdfCost) -> bool {
        cost.memory_kib < self.policy.cost.memory_kib || cost.passes < self.policy.cost.passes
    }

    fn open(&self, file: IdentityFile) -> Result<Vault, VaultError> {
        self.folders()?;
        let store: Box<dyn Store> = if file.roots.is_empty() {
            // Nobody to read yet: no store is needed, and none must be made.
            Box::new(crate::store::NoStore)
        } else {
            Box::new(SqliteStore::open(&self.store_path(&file.store_url)?)?)
        };
        let pins = Pins::open(&self.paths.pins())?;
        Vault::open(file.identity, file.roots, store, pins, Arc::clone(&self.clock))
    }

    fn store_path(&self, url: &str) -> Result<PathBuf, VaultError> {
        match url.strip_prefix("sqlite:") {
            _ if url.is_empty() => Ok(self.paths.store()),
            Some(path) => Ok(PathBuf::from(path)),
            None => Err(VaultError::Newer("the kind of store in the identity file".to_owned())),
        }
    }

    /// Seals the identity under another passphrase, with more memory if asked for. No data is touched.
    pub fn change_passphrase(
        &self,
        old: &Passphrase,
        new: &Passphrase,
        memory_mib: Option<u32>,
    ) -> Result<(), VaultError> {
        if new.is_empty() {
            return Err(VaultError::Invalid("the new passphrase is empty".to_owned()));
        }
        let mut cost = self.policy.cost;
        if let Some(mib) = memory_mib {
            cost.memory_kib = mib.saturating_mul(1024);
            self.policy
                .accept(cost)
                .map_err(|_| VaultError::Invalid("the memory is 64 to 4096 MiB".to_owned()))?;
        }
        let _lock = self.lock()?;
        let (file, old_cost) = self.read(old)?;
        if memory_mib.is_none() && old_cost.memory_kib > cost.memory_kib {
            cost = old_cost; // what was raised once stays raised
        }
        self.write_identity_to(&self.paths.identity(), &file.seal(new, cost)?)
    }

    /// Opens the scopes of a link: checks that the store holds exactly what the owner saw and that we are a member, then
    /// remembers the roots in the identity file.
    pub fn join(
        &self,
        link: &str,
        store: Option<&Path>,
        passphrase: &Passphrase,
    ) -> Result<Vault, VaultError> {
        let link = Link::parse(link)?;
        let _lock = self.lock()?;
        let (mut file, cost) = self.read(passphrase)?;
        let url = match store {
            Some(path) => {
                let path =
                    std::path::absolute(path).map_err(|error| VaultError::Io(path.to_owned(), error))?;
                format!("sqlite:{}", path.display())
            }
            None => link.store_url.clone(),
        };
        if !file.roots.is_empty() && *file.store_url != url {
            return Err(VaultError::Invalid(
                "this identity belongs to a vault in another store; join with another one: --vault NAME"
                    .to_owned(),
            ));
        }
        let opened = SqliteStore::open(&self.store_path(&url)?)?;
        let pins = Pins::open(&self.paths.pins())?;
        for (id, pin) in &link.scopes {
            let mut replay = Replay::new(*id, Some(*pin), false);
            opened.entries(id, None, &mut |seq, bytes| {
                let _ = replay.feed(seq, bytes); // junk is counted, faults show in the state
                ControlFlow::Continue(())
            })?;
            let what = || format!("the scope of the link ({})", id.hex().get(..8).unwrap_or_default());
            let state = replay.state().map_err(|fault| VaultError::Chain { what: what(), fault })?;
            if state.role_of(&file.identity.public().sign).is_none() {
                return Err(VaultError::Invalid(
                    "the link was made for another ID: send yours to the owner".to_owned(),
                ));
            }
            pins.advance(id, pin.seq, &pin.hash)?;
            if !file.roots.contains(id) {
                file.roots.push(*id);
            }
        }
        file.store_url = Zeroizing::new(url);
        self.write_identity_to(&self.paths.identity(), &file.seal(passphrase, cost)?)?;
        Vault::open(file.identity, file.roots, Box::new(opened), pins, Arc::clone(&self.clock))
    }

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
        if let Some(from) = from {
            self.put_store(from)?;
        }
        let store = SqliteStore::open(&self.paths.store())?;
        let root = store
            .scopes()?
            .into_iter()
            .find(|id| id.0.starts_with(&key.scope_prefix))
            .ok_or(VaultError::ForeignRecoveryKey)?;
        let me = Identity::generate()?;
        let new_id = me.public().to_text();
        let file = IdentityFile { identity: me, roots: vec![root], store_url: Zeroizing::default() };
        let sealed = file.seal(passphrase, self.policy.cost)?;
        let pins = Pins::open(&self.paths.pins())?;
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

    /// The sealed rows of this vault, without a key. `url` is empty for the embedded store.
    fn own_store(&self) -> Result<SqliteStore, VaultError> {
        Ok(SqliteStore::open(&self.paths.store())?)
    }

    /// Verifies all known scopes without a key: those pinned on this machine, else those in the store.
    pub fn verify(&self, unlocked: Option<&Vault>) -> Result<Vec<ScopeReport>, VaultError> {
        self.folders()?;
        let pins = Pins::open(&self.paths.pins())?;
        let known = pins.scopes()?;
        if let Some(vault) = unlocked {
            return verify(&*vault.store, Some(&pins), &known);
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
        let source = SqliteStore::inspect(from)?;
        let pins = Pins::open(&self.paths.pins())?;
        let known = pins.scopes()?;
        let scopes = if known.is_empty() { source.scopes()? } else { known };
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
        if path.exists() {
            let present = SqliteStore::open(&path)?;
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
        let mut doomed = vec![paths.identity(), paths.data.join("identity.old"), self.next_identity()];
        for database in [paths.pins(), paths.store(), self.next_store()] {
            doomed.extend(with_sidecars(&database));
            doomed.extend(with_sidecars(&aside(&database)));
        }
        for path in doomed {
            files::remove_wiped(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
            failpoint::step("reset: file removed");
        }
        let lock = paths.data.join("lock");
        files::remove_wiped(&lock).map_err(|error| VaultError::Io(lock, error))
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
fn with_sidecars(path: &Path) -> [PathBuf; 3] {
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
