//! The service in this process: a vault that is locked or unlocked, and an idle clock.
//!
//! Holds the checks that belong to every request: is the vault open, does the role suffice, has it been idle for too
//! long. The key derivation runs outside the lock, so that a status request is answered while it works.

use super::{Answer, Need, Request, Service, ServiceError, answer::*, doctor, resolving};
use crate::crypto::{KdfPolicy, secret_key};
use crate::platform::{clock::Clock, paths::VaultPaths};
use crate::vault::{Home, Prepared, Vault, VaultError, verify::ScopeReport};
use std::{
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
}

/// The service in this process.
pub struct LocalService {
    home: Home,
    idle_lock: Option<Duration>,
    clock: Arc<dyn Clock>,
    demo: bool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    vault: Option<Vault>,
    prepared: Option<Prepared>,
    /// Time since boot of the last thing a person did.
    active_at: Duration,
    /// Counts what closed the vault: an unlock that was still deriving its key at that moment must not open it again.
    epoch: u64,
}

impl Inner {
    fn close(&mut self) {
        self.vault = None;
        self.prepared = None;
        self.epoch += 1;
    }
}

impl LocalService {
    /// Cheap: touches no file until the first request.
    pub fn new(options: ServiceOptions) -> Self {
        let home = Home::new(options.paths, options.kdf, Arc::clone(&options.clock));
        Self {
            home,
            idle_lock: options.idle_lock,
            clock: options.clock,
            demo: options.demo,
            inner: Mutex::new(Inner::default()),
        }
    }

    /// The state, with the vault dropped (and its keys wiped) if it was idle for too long.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.vault.is_some() && self.idle_left(&inner) == Some(Duration::ZERO) {
            inner.close();
        }
        inner
    }

    fn idle_left(&self, inner: &Inner) -> Option<Duration> {
        let idle = self.clock.since_boot().saturating_sub(inner.active_at);
        self.idle_lock.map(|limit| limit.saturating_sub(idle))
    }

    /// Keeps an opened vault, unless something closed the vault since `epoch`.
    fn keep(&self, vault: Vault, epoch: u64) {
        let mut inner = self.inner();
        if inner.epoch != epoch {
            return;
        }
        inner.vault = Some(vault);
        inner.active_at = self.clock.since_boot();
    }

    fn status(&self) -> Result<StatusReport, VaultError> {
        let mut inner = self.inner();
        let lock_in_s = self.idle_left(&inner).map(|left| left.as_secs());
        let mut report = StatusReport {
            state: VaultState::Absent,
            vault: self.home.paths().data.display().to_string(),
            store: self.home.store_location().display().to_string(),
            organization: None,
            me: None,
            lock_in_s: None,
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
        match &mut inner.vault {
            Some(vault) => {
                vault.refresh()?;
                report.state = VaultState::Unlocked;
                report.store = vault.location();
                report.organization = vault.organization();
                report.me = vault.my_label();
                report.lock_in_s = lock_in_s;
                report.changes_by_others = vault.changes_by_others();
                report.warnings.extend(vault.broken().map(|(_, error)| error.to_string()));
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
            inner.active_at = self.clock.since_boot();
        }
        let vault = inner.vault.as_mut().ok_or(VaultError::Locked)?;
        vault.refresh()?;
        if let Need::Role(scope, role) = need {
            vault.require(scope, *role)?;
        }
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
                    Ok(vault) => self.keep(vault, epoch),
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
                let vault = self.home.unlock(&call.passphrase)?;
                self.keep(vault, epoch);
                Answer::Unlock(())
            }
            Request::Lock(_) => {
                self.inner().close();
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
                self.home.change_passphrase(&call.old, &call.new, call.memory_mib)?;
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
                self.inner().close(); // it would go on with what it has read before
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
                self.inner().close();
                self.home.reset()?;
                Answer::Reset(())
            }
            Request::Doctor(call) => {
                if call.accept_rollback {
                    self.inner().close();
                    self.home.accept_rollback()?;
                }
                Answer::Doctor(doctor::examine(&self.home, self.inner().vault.as_ref()))
            }
            Request::SettleForks(call) => {
                self.inner().close();
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
        self.with_vault(&need, activity, |vault| answer(vault, request))
    }
}

impl Service for LocalService {
    fn handle(&self, request: Request) -> Result<Answer, ServiceError> {
        let (need, activity) = (request.need(), request.is_activity());
        if let Request::Resolve(call) = request {
            return Ok(Answer::Resolve(
                self.with_vault(&need, activity, |vault| resolving::resolve(vault, &call))?,
            ));
        }
        self.without_vault(request).map_err(ServiceError::from)
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
        Request::GetLog(call) => Answer::GetLog(vault.log(&call.scope, call.limit)?),
        Request::Import(call) => {
            Answer::Import(vault.import(&call.scope, &call.entries, call.on_existing, call.dry_run)?)
        }
        Request::Export(call) => {
            let entries = vault.export(&call.scope, call.names.as_deref(), call.with_organization)?;
            Answer::Export(Exported { entries })
        }
        // Answered by `without_vault`; listed so that a new request cannot be forgotten.
        Request::Status(_)
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
        ScopeVerified {
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
