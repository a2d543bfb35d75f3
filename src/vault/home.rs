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
use super::upkeep::with_sidecars;
use crate::chain::Replay;
use crate::crypto::{
    CryptoError, Identity, KdfCost, KdfPolicy, RecoveryKey,
    identity_file::{IdentityFile, MAX_FILE},
};
use crate::domain::{Passphrase, ScopeId, SecretValue};
use crate::platform::{clock::Clock, failpoint, files, paths::VaultPaths};
use crate::store::{Batch, Committed, NewEntry, Pins, SqliteStore, Store};
use std::{
    fs::File,
    ops::ControlFlow,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// Where a vault's files are, and with what cost its identity is sealed.
pub struct Home {
    pub(super) paths: VaultPaths,
    pub(super) policy: KdfPolicy,
    pub(super) clock: Arc<dyn Clock>,
    warnings: Mutex<Vec<String>>,
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
        Self { paths, policy, clock, warnings: Mutex::default() }
    }

    /// The paths.
    pub fn paths(&self) -> &VaultPaths {
        &self.paths
    }

    /// True if there is an identity. Completes an `init` that was interrupted at its very last step.
    pub fn exists(&self) -> Result<bool, VaultError> {
        let identity = self.paths.identity();
        if !identity.exists() && self.next_identity().exists() && self.paths.store().exists() {
            drop(self.lock()?); // taking the lock completes it
        }
        Ok(identity.exists())
    }

    /// An identity that is complete, beside a store that is in place: `init` was killed before its very last step.
    fn complete_init(&self) -> Result<(), VaultError> {
        let (identity, next) = (self.paths.identity(), self.next_identity());
        if !identity.exists() && next.exists() && self.paths.store().exists() {
            std::fs::rename(&next, &identity).map_err(|error| VaultError::Io(identity, error))?;
        }
        Ok(())
    }

    pub(super) fn next_identity(&self) -> PathBuf {
        self.paths.data.join("identity.new")
    }

    /// Says where the store of a joined vault is, so that it can be verified and backed up while locked. Holds no
    /// password; what is trusted stands in the identity file.
    pub(super) fn elsewhere(&self) -> PathBuf {
        self.paths.data.join("store.elsewhere")
    }

    /// Where the sealed rows of this vault are, as far as that can be known without a key.
    pub fn store_location(&self) -> PathBuf {
        let noted = std::fs::read_to_string(self.elsewhere()).ok();
        noted
            .and_then(|url| url.strip_prefix("sqlite:").map(PathBuf::from))
            .unwrap_or_else(|| self.paths.store())
    }

    pub(super) fn next_store(&self) -> PathBuf {
        self.paths.data.join("store.db.new")
    }

    pub(super) fn lock(&self) -> Result<File, VaultError> {
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
        self.complete_init()?;
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

    pub(super) fn folders(&self) -> Result<(), VaultError> {
        let held_vault = self.claim(&self.paths.data)?;
        for folder in [&self.paths.data, &self.paths.state] {
            let repair = files::private_dir(folder).map_err(|error| VaultError::Io(folder.clone(), error))?;
            // An empty folder that is closed before anything is put there was never a danger.
            self.warn(repair.filter(|_| held_vault));
        }
        Ok(())
    }

    /// True if a vault is in the folder already. Refuses to close a folder that others use: one with the sticky bit, or one that is open and holds things but no
    /// vault. Ours are made closed, or were closed by us before.
    fn claim(&self, folder: &Path) -> Result<bool, VaultError> {
        let Ok(found) = std::fs::symlink_metadata(folder) else { return Ok(false) };
        let refuse = |why: &str| {
            Err(VaultError::Invalid(format!("{} {why}: give a new or an empty folder", folder.display())))
        };
        if found.mode() & 0o1000 != 0 {
            return refuse("is shared with other users");
        }
        let ours = ["identity", "identity.new", "store.db", "lock", "vaults"];
        let holds_vault = ours.iter().any(|name| folder.join(name).exists());
        let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        if found.mode() & 0o077 != 0 && !holds_vault && !is_empty {
            return refuse("is open to others and holds other files");
        }
        Ok(holds_vault)
    }

    /// Remembers a mode that was wider than it should be.
    fn warn(&self, repair: Option<files::Repair>) {
        if let Some(repair) = repair {
            self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(repair.to_string());
        }
    }

    /// What was found open to others, and narrowed, since the program started.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
    /// After a failure the same prepared vault, with the same recovery key, can be tried again.
    pub fn commit(&self, prepared: &Prepared) -> Result<Vault, VaultError> {
        let _lock = self.lock()?;
        let (identity, store) = (self.paths.identity(), self.paths.store());
        if identity.exists() || (self.next_identity().exists() && store.exists()) {
            return Err(VaultError::VaultExists(self.paths.data.clone()));
        }
        if store.exists() {
            return Err(VaultError::OrphanStore(store));
        }
        self.discard_leftovers()?;
        // Pins without an identity and a store belong to a vault that is gone: they would be held against the new one.
        for path in with_sidecars(&self.paths.pins()) {
            files::remove_wiped(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
        }
        self.write_identity_to(&self.next_identity(), &prepared.sealed)?;
        let next = self.next_store();
        {
            let new = SqliteStore::create(&next)?;
            let entry = NewEntry { scope: prepared.organization, seq: 0, body: prepared.genesis.clone() };
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
        self.open(prepared.file.duplicate()?)
    }

    pub(super) fn discard_leftovers(&self) -> Result<(), VaultError> {
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

    pub(super) fn write_identity_to(&self, path: &Path, sealed: &[u8]) -> Result<(), VaultError> {
        files::write_private_atomic(path, sealed).map_err(|error| VaultError::Io(path.to_owned(), error))
    }

    /// Opens the identity file. A wrong passphrase and a changed file give the same error, on purpose.
    pub(super) fn read(&self, passphrase: &Passphrase) -> Result<(IdentityFile, KdfCost), VaultError> {
        if !self.paths.identity().exists() {
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
        let (bytes, repair) =
            files::read_private(&path, limit).map_err(|error| VaultError::Io(path, error))?;
        self.warn(repair);
        Ok(bytes)
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
        self.exists()?;
        let (mut file, cost) = self.read(passphrase)?;
        if self.is_cheap(cost) {
            let _lock = self.lock()?;
            // Read again: another process may have changed the passphrase meanwhile, which must not be undone.
            let (now, cost) = self.read(passphrase)?;
            file = now;
            if self.is_cheap(cost) {
                let better = KdfCost {
                    memory_kib: cost.memory_kib.max(self.policy.cost.memory_kib),
                    passes: cost.passes.max(self.policy.cost.passes),
                    lanes: cost.lanes.max(self.policy.cost.lanes),
                };
                // A full or read-only disk is no reason to stay locked out: the next unlock tries again.
                let _ = self.write_identity_to(&self.paths.identity(), &file.seal(passphrase, better)?);
            }
        }
        self.open(file)
    }

    fn is_cheap(&self, cost: KdfCost) -> bool {
        cost.memory_kib < self.policy.cost.memory_kib || cost.passes < self.policy.cost.passes
    }

    pub(super) fn open(&self, file: IdentityFile) -> Result<Vault, VaultError> {
        self.folders()?;
        let store: Box<dyn Store> = if file.roots.is_empty() {
            // Nobody to read yet: no store is needed, and none must be made.
            Box::new(crate::store::NoStore)
        } else {
            Box::new(self.open_store(&self.store_path(&file.store_url)?)?)
        };
        let pins = self.open_pins()?;
        Vault::open(file.identity, file.roots, store, pins, Arc::clone(&self.clock))
    }

    fn open_store(&self, path: &Path) -> Result<SqliteStore, VaultError> {
        // Opening narrows by itself, once the file is known to be ours; this is to be able to say so.
        let before = std::fs::symlink_metadata(path).map(|found| found.mode() & 0o7777);
        let store = SqliteStore::open(path)?;
        let after = std::fs::symlink_metadata(path).map(|found| found.mode() & 0o7777);
        if let (Ok(mode_was), Ok(mode)) = (before, after)
            && mode_was != mode
        {
            self.warn(Some(files::Repair { path: path.to_owned(), mode_was, fixed: true }));
        }
        Ok(store)
    }

    pub(super) fn open_pins(&self) -> Result<Pins, VaultError> {
        let path = self.paths.pins();
        if path.exists() {
            let repair = files::narrow(&path).map_err(|error| VaultError::Io(path.clone(), error))?;
            self.warn(repair);
        }
        Ok(Pins::open(&path)?)
    }

    pub(super) fn store_path(&self, url: &str) -> Result<PathBuf, VaultError> {
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
        let pins = self.open_pins()?;
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
        let elsewhere = self.elsewhere();
        files::write_private_atomic(&elsewhere, url.as_bytes())
            .map_err(|error| VaultError::Io(elsewhere, error))?;
        file.store_url = Zeroizing::new(url);
        self.write_identity_to(&self.paths.identity(), &file.seal(passphrase, cost)?)?;
        Vault::open(file.identity, file.roots, Box::new(opened), pins, Arc::clone(&self.clock))
    }
}
