//! The service in this process: a vault that is locked or unlocked, and an idle clock.
//!
//! Holds the checks that belong to every request: is the vault open, does the role suffice, has it been idle or open for
//! too long. The key derivation runs outside the lock, so that a status request is answered while it works.

use super::standing::{Hours, Stamp, Standing};
use super::{Answer, Need, Request, Service, ServiceError, answer::*, doctor, reading, resolving};
use crate::crypto::{KdfPolicy, secret_key};
use crate::platform::{clock::Clock, paths::VaultPaths};
use crate::vault::{Home, Prepared, Vault, VaultError, prints::Prints, verify::ScopeReport};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How a service in this process is made.
pub struct ServiceOptions {
    /// Where the vault's files are.
    pub paths: VaultPaths,
    /// What sealing an identity costs.
    pub kdf: KdfPolicy,
    /// Lock after this long without activity; `None` never locks.
    pub idle_lock: Option<Duration>,
    /// Wall clock and boot clock.
    pub clock: Arc<dyn Clock>,
    /// True for a throw-away vault.
    pub demo: bool,
    /// Refuse to answer a value if it cannot be written down that it was read.
    pub audit_required: bool,
}

/// The service in this process.
pub struct LocalService {
    home: Home,
    clock: Arc<dyn Clock>,
    demo: bool,
    inner: Mutex<Inner>,
}

/// How often an unlock is begun anew because the identity file was replaced while it worked.
const UNLOCK_TRIES: u32 = 3;

struct Inner {
    vault: Option<Vault>,
    prepared: Option<Prepared>,
    hours: Hours,
    audit_required: bool,
    /// Where the vault's rows are, and what its files were when it was opened.
    store: PathBuf,
    stamp: Stamp,
    /// Counts the times that somebody closed it: an unlock that was still deriving its key must not open it again.
    epoch: u64,
    /// Counts the times that it was closed while open.
    closed: u64,
    reason: Option<LockReason>,
}

impl Inner {
    fn close(&mut self, why: LockReason) {
        if self.vault.take().is_some() {
            self.reason = Some(why);
            self.closed += 1;
        }
        self.prepared = None;
        if why == LockReason::Asked {
            self.epoch += 1;
        }
    }
}

impl LocalService {
    /// Cheap: touches no file until the first request.
    pub fn new(options: ServiceOptions) -> Self {
        let home = Home::new(options.paths, options.kdf, Arc::clone(&options.clock));
        Self {
            home,
            clock: options.clock,
            demo: options.demo,
            inner: Mutex::new(Inner {
                vault: None,
                prepared: None,
                hours: Hours::new(options.idle_lock),
                audit_required: options.audit_required,
                store: PathBuf::new(),
                stamp: Stamp::default(),
                epoch: 0,
                closed: 0,
                reason: None,
            }),
        }
    }

    /// Lock after this long in any case, however busy it is; `None` (as made) never does.
    #[must_use]
    pub fn max_unlocked(self, limit: Option<Duration>) -> Self {
        self.as_it_is().hours.limit = limit;
        self
    }

    /// The limits from now on, counted from when the vault was opened and last used.
    pub fn set_limits(&self, idle: Option<Duration>, max: Option<Duration>) {
        let mut inner = self.as_it_is();
        (inner.hours.idle, inner.hours.limit) = (idle, max);
    }

    /// Whether a value may be answered only if it was written down that it was read; also for a vault that is open.
    pub fn require_records(&self, required: bool) {
        let mut inner = self.as_it_is();
        inner.audit_required = required;
        if let Some(vault) = &mut inner.vault {
            vault.require_records(required);
        }
    }

    /// Where this service stands, after locking it if its time is over.
    pub fn standing(&self) -> Standing {
        let inner = self.inner();
        let open = inner.vault.is_some();
        Standing {
            open,
            locks_at: inner.hours.locks_at().filter(|_| open),
            reason: inner.reason,
            closed: inner.closed,
        }
    }

    fn as_it_is(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, with the vault dropped (and its keys wiped) if its time is over or its files are not those any more.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.as_it_is();
        if inner.vault.is_some() {
            let replaced =
                (Stamp::of(self.home.paths(), &inner.store) != inner.stamp).then_some(LockReason::Replaced);
            if let Some(why) = inner.hours.over(self.clock.since_boot()).or(replaced) {
                inner.close(why);
            }
        }
        inner
    }

    /// Keeps an opened vault, unless something closed the vault since `epoch`. What our own work did to the files is no
    /// reason to close it. False if it was not kept.
    fn keep(&self, mut vault: Vault, epoch: u64) -> bool {
        let mut inner = self.as_it_is();
        if inner.epoch != epoch {
            return false;
        }
        vault.require_records(inner.audit_required);
        inner.store = PathBuf::from(vault.location());
        inner.stamp = Stamp::of(self.home.paths(), &inner.store);
        inner.vault = Some(vault);
        inner.reason = None;
        inner.hours.opened(self.clock.since_boot());
        true
    }

    /// Opens the vault from one identity file: if another program replaced it while the key was derived, what was opened is
    /// not what is there now, and it is opened again.
    fn open(&self, passphrase: &crate::domain::Passphrase) -> Result<Vault, VaultError> {
        let mut tries = 1;
        loop {
            let before = Stamp::identity(self.home.paths());
            let vault = self.home.unlock(passphrase)?;
            if tries == UNLOCK_TRIES || before == Stamp::identity(self.home.paths()) {
                return Ok(vault);
            }
            tries += 1;
        }
    }

    fn status(&self) -> Result<StatusReport, VaultError> {
        let mut inner = self.inner();
        let mut report = StatusReport {
            state: VaultState::Absent,
            vault: self.home.paths().data.display().to_string(),
            store: self.home.store_location().display().to_string(),
            organization: None,
            me: None,
            lock_in_s: None,
            lock: LockReport { reason: inner.reason, ..LockReport::default() },
            changes_by_others: 0,
            demo: self.demo,
            warnings: Vec::new(),
        };
        if !secret_key::memory_is_locked() {
            report
                .warnings
                .push("keys could not be locked into memory (ulimit -l is low): they may be swapped".into());
        }
        report.warnings.extend(self.home.warnings());
        let (idle_in_s, limit_in_s) = inner.hours.left(self.clock.since_boot());
        match &mut inner.vault {
            Some(vault) => {
                vault.refresh()?;
                report.state = VaultState::Unlocked;
                report.store = vault.location();
                report.organization = vault.organization();
                report.me = vault.my_label();
                report.lock_in_s = idle_in_s.into_iter().chain(limit_in_s).min();
                report.lock = LockReport { idle_in_s, limit_in_s, ..LockReport::default() };
                report.changes_by_others = vault.changes_by_others();
                report.warnings.extend(vault.broken().map(|(_, error)| error.to_string()));
                if let Some((count, why)) = vault.unrecorded() {
                    let noun = if count == 1 { "reading" } else { "readings" };
                    report.warnings.push(format!("{count} {noun} could not be put into the read log: {why}"));
                }
                if vault.ignored_rows() > 0 {
                    let rows = vault.ignored_rows();
                    report
                        .warnings
                        .push(format!("{rows} rows of the store are junk and were ignored: sealbox verify"));
                }
            }
            None if self.home.exists()? => report.state = VaultState::Locked,
            None => {}
        }
        Ok(report)
    }

    /// Runs `work` on the unlocked vault, brought up to date, if the need is met.
    fn with_vault<T, E: From<VaultError>>(
        &self,
        need: &Need,
        activity: bool,
        work: impl FnOnce(&mut Vault) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut inner = self.inner();
        if inner.vault.is_none() {
            let error = match self.home.exists()? {
                true => VaultError::Locked,
                false => VaultError::NoVault(self.home.paths().data.clone()),
            };
            return Err(error.into());
        }
        if activity {
            inner.hours.active(self.clock.since_boot());
        }
        let vault = inner.vault.as_mut().ok_or(VaultError::Locked)?;
        vault.refresh()?;
        allowed(vault, need)?;
        work(vault)
    }

    /// What needs no unlocked vault, or makes one.
    fn without_vault(&self, request: Request) -> Result<Answer, VaultError> {
        Ok(match request {
            Request::Status(_) => Answer::Status(self.status()?),
            Request::InitPrepare(call) => {
                let prepared = self.home.prepare(&call.organization, &call.name, &call.passphrase)?;
                let key = prepared.recovery_key().duplicate();
                self.inner().prepared = Some(prepared);
                Answer::InitPrepare(RecoveryKey { key })
            }
            Request::InitCommit(_) => {
                let (prepared, epoch) = {
                    let mut inner = self.inner();
                    (inner.prepared.take(), inner.epoch)
                };
                let prepared =
                    prepared.ok_or_else(|| VaultError::Invalid("nothing was prepared".to_owned()))?;
                match self.home.commit(&prepared) {
                    Ok(vault) => {
                        self.keep(vault, epoch);
                    }
                    Err(error) => {
                        // After a full disk the same recovery key, which is on paper by now, can be tried again.
                        self.inner().prepared = Some(prepared);
                        return Err(error);
                    }
                }
                Answer::InitCommit(())
            }
            Request::Unlock(call) => {
                let epoch = self.inner().epoch;
                let vault = self.open(&call.passphrase)?;
                if !self.keep(vault, epoch) {
                    return Err(VaultError::Locked); // somebody said lock meanwhile: it is not open
                }
                Answer::Unlock(())
            }
            Request::Lock(_) => {
                self.inner().close(LockReason::Asked);
                Answer::Lock(())
            }
            Request::CreateIdentity(call) => {
                Answer::CreateIdentity(self.home.create_identity(&call.passphrase)?)
            }
            Request::Join(call) => {
                let epoch = self.inner().epoch;
                let vault = self.home.join(&call.link, call.store.as_deref(), &call.passphrase)?;
                let scopes = vault.scopes()?;
                self.keep(vault, epoch);
                Answer::Join(scopes)
            }
            Request::ChangePassphrase(call) => {
                drop(self.inner()); // closed first, if another program has changed the identity before us
                self.home.change_passphrase(&call.old, &call.new, call.memory_mib)?;
                let mut inner = self.as_it_is();
                inner.stamp = Stamp::of(self.home.paths(), &inner.store);
                Answer::ChangePassphrase(())
            }
            Request::Verify(_) => {
                let inner = self.inner();
                let reports = self.home.verify(inner.vault.as_ref())?;
                Answer::Verify(verified(reports, inner.vault.as_ref()))
            }
            Request::Backup(call) => {
                let (bytes, scopes, entries) = self.home.backup(self.inner().vault.as_ref(), &call.to)?;
                Answer::Backup(BackupReport { bytes, scopes, entries })
            }
            Request::Restore(call) => {
                self.inner().close(LockReason::Asked); // it would go on with what it has read before
                Answer::Restore(verified(self.home.restore(&call.from, call.accept_rollback)?, None))
            }
            Request::Recover(call) => {
                let epoch = self.inner().epoch;
                let vault = self.home.recover(
                    &call.recovery_key,
                    call.from.as_deref(),
                    &call.name,
                    &call.passphrase,
                )?;
                let scopes = vault.scopes()?;
                self.keep(vault, epoch);
                Answer::Recover(scopes)
            }
            Request::Reset(_) => {
                self.inner().close(LockReason::Asked);
                self.home.reset()?;
                Answer::Reset(())
            }
            Request::Doctor(call) => {
                if call.accept_rollback {
                    self.inner().close(LockReason::Asked);
                    self.home.accept_rollback()?;
                }
                Answer::Doctor(doctor::examine(&self.home, self.inner().vault.as_ref()))
            }
            Request::SettleForks(call) => {
                self.inner().close(LockReason::Asked);
                let settled = self.home.settle_forks(&call.passphrase)?;
                let settled = settled.into_iter().map(|(label, signer)| SettledFork { label, signer });
                Answer::SettleForks(settled.collect())
            }
            other => return self.with_open_vault(other),
        })
    }

    /// What needs an unlocked vault.
    fn with_open_vault(&self, request: Request) -> Result<Answer, VaultError> {
        let (need, activity) = (request.need(), request.is_activity());
        if let Request::KeepOpen(call) = &request {
            let seconds = call.seconds;
            self.with_vault(&need, activity, |_| Ok::<(), VaultError>(()))?;
            let time = Duration::from_secs(seconds);
            self.as_it_is().hours.keep_open(self.clock.since_boot(), time);
            return Ok(Answer::KeepOpen(()));
        }
        match reading::Watch::of(&request) {
            None => self.with_vault(&need, activity, |vault| answer(vault, request)),
            // What was read is written down before it is answered; so is what was refused.
            Some(watch) => self.with_vault(&Need::Unlocked, activity, |vault| {
                let answered = allowed(vault, &need).and_then(|()| answer(vault, request));
                watch.record(vault, answered)
            }),
        }
    }
}

impl Service for LocalService {
    fn handle(&self, request: Request) -> Result<Answer, ServiceError> {
        let (need, activity) = (request.need(), request.is_activity());
        if let Request::Resolve(call) = request {
            let resolved = self.with_vault(&Need::Unlocked, activity, |vault| {
                let allowed = allowed(vault, &need);
                resolving::resolve(vault, &call, allowed)
            });
            return Ok(Answer::Resolve(resolved?));
        }
        self.without_vault(request).map_err(ServiceError::from)
    }
}

/// Ok if the need is met by an open vault.
fn allowed(vault: &Vault, need: &Need) -> Result<(), VaultError> {
    match need {
        Need::Role(scope, role) => vault.require(scope, *role),
        Need::Nothing | Need::Unlocked => Ok(()),
    }
}

fn answer(vault: &mut Vault, request: Request) -> Result<Answer, VaultError> {
    Ok(match request {
        Request::Touch(_) => Answer::Touch(()),
        Request::ListScopes(_) => Answer::ListScopes(vault.scopes()?),
        Request::ListSecrets(call) => {
            let (role, secrets, quarantined) = vault.list(&call.scope)?;
            Answer::ListSecrets(SecretList { role, secrets, quarantined })
        }
        Request::GetSecret(call) => {
            let reading = vault.read(&call.scope, &call.name, call.version)?;
            Answer::GetSecret(Revealed { value: reading.value, version: reading.version })
        }
        Request::SetSecret(call) => {
            let (version, created) = vault.set(&call.scope, &call.name, &call.value, call.mode)?;
            Answer::SetSecret(Written { version, created })
        }
        Request::SetRotation(call) => {
            let with = call.with.as_ref().map(|with| (&with.value, with.mode));
            let (version, created) = vault.set_rotation(&call.scope, &call.name, call.every_s, with)?;
            Answer::SetRotation(Written { version, created })
        }
        Request::DeleteSecret(call) => {
            Answer::DeleteSecret(Deleted { versions: vault.delete(&call.scope, &call.name)? })
        }
        Request::GetHistory(call) => {
            let (role, versions) = vault.history(&call.scope, &call.name)?;
            Answer::GetHistory(History { role, versions })
        }
        Request::Rollback(call) => {
            let version = vault.rollback(&call.scope, &call.name, call.version)?;
            Answer::Rollback(Written { version, created: false })
        }
        Request::FindSecrets(call) => {
            let found = vault.find(&call.query)?;
            Answer::FindSecrets(found.into_iter().map(|(scope, secret)| Found { scope, secret }).collect())
        }
        Request::CreateProject(call) => Answer::CreateProject(vault.create_project(&call.name)?),
        Request::ListMembers(call) => Answer::ListMembers(vault.members(&call.scope)?),
        Request::AddMember(call) => {
            let link = vault.add_member(&call.scope, &call.id, &call.label, call.role)?;
            Answer::AddMember(Admitted { link })
        }
        Request::SetMemberRole(call) => {
            Answer::SetMemberRole(vault.set_role(&call.scope, &call.member, call.role)?)
        }
        Request::RemoveMember(call) => Answer::RemoveMember(vault.remove_member(&call.scope, &call.member)?),
        Request::MyId(_) => Answer::MyId(vault.my_id()),
        Request::GetLog(call) => Answer::GetLog(vault.log_of(&call.scope, &call.pick, call.limit)?),
        Request::Import(call) => {
            Answer::Import(vault.import(&call.scope, &call.entries, call.on_existing, call.dry_run)?)
        }
        Request::Export(call) => {
            let entries = vault.export(&call.scope, call.names.as_deref(), call.with_organization)?;
            Answer::Export(Exported { entries })
        }
        Request::Lint(call) => Answer::Lint(vault.lint(call.scope.as_ref())?),
        Request::Fingerprints(call) => {
            let Prints { set, owners, not_searched, left_out } = vault.prints(call.scopes.as_deref())?;
            Answer::Fingerprints(Fingerprinted { set, owners, not_searched, left_out })
        }
        // Answered before it comes here; listed so that a new request cannot be forgotten.
        Request::Status(_)
        | Request::KeepOpen(_)
        | Request::InitPrepare(_)
        | Request::InitCommit(_)
        | Request::Unlock(_)
        | Request::Lock(_)
        | Request::CreateIdentity(_)
        | Request::Join(_)
        | Request::ChangePassphrase(_)
        | Request::Verify(_)
        | Request::Backup(_)
        | Request::Restore(_)
        | Request::Recover(_)
        | Request::Reset(_)
        | Request::SettleForks(_)
        | Request::Doctor(_)
        | Request::Resolve(_) => {
            return Err(VaultError::Invalid("the request came to the wrong place".to_owned()));
        }
    })
}

/// Adds the names that an unlocked vault knows to what was verified without a key.
fn verified(reports: Vec<ScopeReport>, vault: Option<&Vault>) -> VerifyReport {
    let known = vault.and_then(|vault| vault.scopes().ok()).unwrap_or_default();
    let scopes = reports.into_iter().map(|report| {
        let id = report.id.hex();
        let person = |sign: &[u8; 32]| vault.and_then(|vault| vault.person_in(&report.id, sign));
        ScopeVerified {
            reads: report.read_logs.iter().map(|log| log.records).sum(),
            notes: reading::notes(&report, &person),
            label: known.iter().find(|view| view.id == id).map(|view| view.label.clone()),
            entries: report.entries,
            ignored: report.ignored,
            blobs: report.blobs,
            head: report.head.map_or(0, |head| head.seq),
            head_hash: report.head.map(|head| crate::domain::scope::hex(&head.hash)).unwrap_or_default(),
            faults: report.faults,
            id,
        }
    });
    VerifyReport { scopes: scopes.collect() }
}
