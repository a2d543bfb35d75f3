//! The throw-away vault of `demo`: real keys, real members, believable data, gone afterwards.
//!
//! The folder lies in memory where the system has such a place, is locked by the living process, and is removed when
//! its guard is dropped (also by a panic), on SIGTERM, SIGHUP and SIGINT, and (after a kill -9) by the next demo.

mod folder;
mod script;

use super::{
    recipe,
    stop::{file_error, wrap},
};
use crate::{
    crypto::{KdfCost, KdfPolicy},
    domain::{Passphrase, Role, ScopeRef, SecretName},
    platform::{
        clock::{Clock, SystemClock},
        paths::VaultPaths,
    },
    service::{
        AddMember, CreateIdentity, CreateProject, ErrorKind, InitCommit, InitPrepare, Join, LocalService,
        RemoveMember, Service, ServiceError, ServiceOptions, SetMode, SetSecret, ask,
    },
};
use folder::Folder;
use script::{Deed, Person};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A demo vault that lives as long as this.
pub(crate) struct Demo {
    service: Arc<dyn Service>,
    clock: Arc<StoryClock>,
    folder: Folder,
}

impl Demo {
    /// Builds the vault. Takes about a second, most of it the key derivation of its members.
    pub(crate) fn build() -> Result<Self, ServiceError> {
        let folder =
            Folder::create().map_err(|error| file_error("make a folder for", "the demo".as_ref(), &error))?;
        let clock = Arc::new(StoryClock(AtomicU64::new(0)));
        let service = tell(folder.path(), &clock)?;
        clock.to_present();
        Ok(Self { service, clock, folder })
    }

    /// The owner's service, unlocked.
    pub(crate) fn service(&self) -> Arc<dyn Service> {
        self.service.clone()
    }

    /// The demo's clock, which by now shows the present.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Where the files are.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// From here on the TUI looks after signals itself; its end drops this guard.
    pub(crate) fn leave_signals_to_the_tui(&self) {
        self.folder.disarm();
    }
}

/// The passphrases are 256 random bits that nobody knows: making them slow to guess would only slow the demo down.
const CHEAP: KdfPolicy = KdfPolicy { cost: KdfCost { memory_kib: 256, passes: 1, lanes: 1 }, floor_kib: 256 };

/// Shows the time of the story while it is told, and the real time afterwards.
struct StoryClock(AtomicU64);

impl StoryClock {
    fn set(&self, minutes_ago: u64) {
        let now = SystemClock.wall_ms();
        self.0.store(now.saturating_sub(minutes_ago.saturating_mul(60_000)).max(1), Ordering::Relaxed);
    }

    fn to_present(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Clock for StoryClock {
    fn wall_ms(&self) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            0 => SystemClock.wall_ms(),
            told => told,
        }
    }

    fn since_boot(&self) -> Duration {
        SystemClock.since_boot()
    }
}

/// Lets the people of the script do their deeds, in order. Answers the owner's service.
fn tell(folder: &Path, clock: &Arc<StoryClock>) -> Result<Arc<dyn Service>, ServiceError> {
    let paths = |person: Person| match person {
        Person::Ada => VaultPaths::in_folder(folder),
        other => VaultPaths::in_folder(folder.join("people").join(other.label())),
    };
    let service = |person: Person| -> Arc<dyn Service> {
        Arc::new(LocalService::new(ServiceOptions {
            paths: paths(person),
            kdf: CHEAP,
            idle_lock: None,
            clock: clock.clone(),
            demo: true,
            audit_required: false,
        }))
    };
    clock.set(script::BEGINNING);
    let (mut services, ids) = identities(&service)?;
    let ada = services.get(&Person::Ada).cloned().ok_or_else(lost)?;
    let store = paths(Person::Ada).store();
    for event in script::events() {
        clock.set(event.minutes_ago);
        let by = services.get(&event.by).cloned().ok_or_else(lost)?;
        match event.deed {
            Deed::Project(name) => {
                let name = crate::domain::ProjectName::parse(name)
                    .map_err(|rule| ServiceError::new(ErrorKind::Failure, rule))?;
                ask(by.as_ref(), CreateProject { name })?;
            }
            Deed::Admit(person, place, role) => {
                let (id, passphrase) = ids.get(&person).ok_or_else(lost)?;
                admit(by.as_ref(), (id, person.label()), place.scope()?, role, |link| {
                    let own = services.entry(person).or_insert_with(|| service(person));
                    let passphrase = Passphrase::new(passphrase.expose().to_owned());
                    ask(own.as_ref(), Join { link, store: Some(store.clone()), passphrase }).map(drop)
                })?;
            }
            Deed::Remove(person, place) => {
                ask(by.as_ref(), RemoveMember { scope: place.scope()?, member: person.label().to_owned() })?;
            }
            Deed::Set(place, name, kind) => {
                let name = SecretName::parse(name).map_err(|error| wrap(ErrorKind::Failure, &error))?;
                let value = kind.make()?;
                ask(by.as_ref(), SetSecret { scope: place.scope()?, name, value, mode: SetMode::Upsert })?;
            }
        }
    }
    Ok(ada)
}

type Services = BTreeMap<Person, Arc<dyn Service>>;
type Ids = BTreeMap<Person, (String, Passphrase)>;

/// Makes everybody's identity at the same time: each costs a key derivation.
fn identities(
    service: &(dyn Fn(Person) -> Arc<dyn Service> + Sync),
) -> Result<(Services, Ids), ServiceError> {
    let mut services = Services::new();
    let mut ids = Ids::new();
    std::thread::scope(|threads| {
        let others: Vec<_> = Person::OTHERS
            .iter()
            .map(|person| {
                threads.spawn(move || {
                    let passphrase = random_passphrase()?;
                    let again = Passphrase::new(passphrase.expose().to_owned());
                    let own = service(*person);
                    let id = ask(own.as_ref(), CreateIdentity { passphrase })?;
                    Ok::<_, ServiceError>((*person, own, id, again))
                })
            })
            .collect();
        let ada = service(Person::Ada);
        ask(
            ada.as_ref(),
            InitPrepare {
                organization: "acme".to_owned(),
                name: Person::Ada.label().to_owned(),
                passphrase: random_passphrase()?,
            },
        )?;
        ask(ada.as_ref(), InitCommit {})?;
        services.insert(Person::Ada, ada);
        for thread in others {
            let (person, own, id, passphrase) = thread.join().map_err(|_| lost())??;
            services.insert(person, own);
            ids.insert(person, (id, passphrase));
        }
        Ok((services, ids))
    })
}

fn admit(
    owner: &dyn Service,
    (id, label): (&str, &str),
    scope: ScopeRef,
    role: Role,
    join: impl FnOnce(String) -> Result<(), ServiceError>,
) -> Result<(), ServiceError> {
    let admitted = ask(owner, AddMember { scope, id: id.to_owned(), label: label.to_owned(), role })?;
    join(admitted.link)
}

/// Nobody ever types it.
fn random_passphrase() -> Result<Passphrase, ServiceError> {
    let value = recipe::make(&recipe::parse("hex:32")?)?;
    Ok(Passphrase::new(value.expose_text().unwrap_or_default().to_owned()))
}

fn lost() -> ServiceError {
    ServiceError::new(ErrorKind::Failure, "the demo could not be built")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{ListScopes, ListSecrets, Status, VaultState, Verify};

    #[test]
    fn the_demo_is_a_sound_vault_with_history_and_disappears() {
        let demo = Demo::build().unwrap();
        let service = demo.service();
        let status = ask(service.as_ref(), Status {}).unwrap();
        assert_eq!(
            (status.state, status.demo, status.me.as_deref()),
            (VaultState::Unlocked, true, Some("ada"))
        );
        let scopes = ask(service.as_ref(), ListScopes {}).unwrap();
        assert_eq!(scopes.len(), 4);
        let mut authors = std::collections::BTreeSet::new();
        let (mut secrets, mut exposed) = (0, 0);
        for info in scopes {
            for secret in ask(service.as_ref(), ListSecrets { scope: info.scope }).unwrap().secrets {
                secrets += 1;
                exposed += usize::from(secret.exposed);
                authors.insert(secret.updated_by);
            }
        }
        assert!(secrets >= 25 && exposed >= 2 && authors.len() == 4, "{secrets} {exposed} {authors:?}");
        assert!(ask(service.as_ref(), Verify {}).unwrap().sound());
        let path = demo.path().to_path_buf();
        drop((service, demo));
        assert!(!path.exists());
    }
}
