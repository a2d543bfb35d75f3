//! What a front end holds: the agent's service where there is one and it may be used, this process's own where not.
//!
//! Owns which of the two a request goes to. What needs an open vault goes to whoever has it open. What makes or replaces a
//! vault is done here, with the agent locked first, so that no agent serves what is no more; if a person typed the
//! passphrase, the agent gets the result. Invariant: a request goes to one of them only.

use super::client::{Client, Contact};
use super::error::AgentError;
use super::server::carries;
use super::spawn::{self, Terms};
use crate::domain::Passphrase;
use crate::platform::paths::VaultPaths;
use crate::service::{
    AgentReport, Answer, ErrorKind, LocalService, Lock, LockReason, Request, Service, ServiceError, Status,
    StatusReport, Unlock, VaultState,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often an agent that is just ending is looked for again.
const ENDING: u32 = 10;

/// Whether an agent may be used.
pub enum Use {
    /// Neither used nor started.
    Never,
    /// Used if it is there, started when a person unlocks.
    Auto(Terms),
}

/// The service of a front end.
pub struct Front {
    local: LocalService,
    paths: VaultPaths,
    terms: Option<Terms>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    client: Option<Arc<Client>>,
    /// It cannot be used, and why was said.
    given_up: bool,
    /// The agent was seen with the vault open.
    was_open: bool,
    /// A person typed the passphrase that the next requests carry.
    typed: bool,
    prepared: Option<Passphrase>,
    warnings: Vec<String>,
}

impl Front {
    /// Touches nothing. `local` must be of the same vault.
    pub fn new(local: LocalService, paths: VaultPaths, agent: Use) -> Self {
        let terms = match agent {
            Use::Never => None,
            Use::Auto(terms) => Some(terms),
        };
        Self { local, paths, terms, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The passphrases of the requests that follow are typed by a person: what they open may stay open in an agent.
    pub fn by_a_person(&self) {
        self.state().typed = true;
    }

    /// Starts an agent, locked, in the background, if there is a vault. For a front end that will need one soon.
    pub fn warm_up(self: &Arc<Self>) {
        let front = Arc::clone(self);
        let work = move || {
            if let Some(terms) = &front.terms
                && front.paths.identity().exists()
                && front.client().is_none()
                && !front.state().given_up
            {
                let _ = spawn::ensure(terms).map(|client| front.use_client(client)); // unlocking tries again, and says why
            }
        };
        let _ = std::thread::Builder::new().name("agent".to_owned()).spawn(work); // as above
    }

    /// Opens the vault for this process alone.
    ///
    /// # Errors
    /// As of the request.
    pub fn unlock_here(&self, passphrase: Passphrase) -> Result<(), ServiceError> {
        self.local.handle(Request::Unlock(Unlock { passphrase })).map(drop)
    }

    /// Opens the vault in the agent, which is started if need be; in this process if there can be none.
    ///
    /// # Errors
    /// As of the request.
    pub fn unlock(&self, passphrase: Passphrase) -> Result<(), ServiceError> {
        if self.terms.is_none() || self.state().given_up {
            return self.unlock_here(passphrase);
        }
        match self.unlock_in_agent(&passphrase) {
            Ok(answer) => answer,
            Err(error) => {
                self.give_up(&error);
                self.unlock_here(passphrase)
            }
        }
    }

    /// Opens the vault in the agent and nowhere else.
    ///
    /// # Errors
    /// The outer one if there can be no agent, the inner one is the agent's own.
    pub fn unlock_in_agent(&self, passphrase: &Passphrase) -> Result<Result<(), ServiceError>, AgentError> {
        let Some(terms) = &self.terms else { return Err(AgentError::Absent) };
        for _ in 0..3 {
            let client = match self.client() {
                Some(client) => client,
                None => self.use_client(spawn::ensure(terms)?),
            };
            let passphrase = Passphrase::new(passphrase.expose().to_owned());
            match client.ask(Request::Unlock(Unlock { passphrase })) {
                Ok(answer) => {
                    if answer.is_ok() {
                        self.local.leave();
                        self.state().was_open = true;
                    }
                    return Ok(answer.map(drop));
                }
                Err(Contact::Lost(_) | Contact::Unsure) => self.state().client = None,
            }
        }
        Err(AgentError::NotStarted("it was ended before it had the vault open".to_owned()))
    }

    /// The agent, if it runs and is for us. Looks again each time that there is none.
    pub fn client(&self) -> Option<Arc<Client>> {
        self.client_asked(None).0
    }

    /// As [`Self::client`]; a `question` that goes with a first greeting is answered too.
    fn client_asked(
        &self,
        question: Option<&Request>,
    ) -> (Option<Arc<Client>>, Option<Result<Answer, ServiceError>>) {
        {
            let state = self.state();
            if self.terms.is_none() || state.given_up {
                return (None, None);
            }
            if let Some(client) = &state.client {
                return (Some(Arc::clone(client)), None);
            }
        }
        let limits = self.terms.as_ref().map(Terms::limits);
        let reach = || match question {
            Some(question) => Client::reach_and_ask(&self.paths, limits, question)
                .map(|(client, answer)| (client, Some(answer))),
            None => Client::reach(&self.paths, limits).map(|client| (client, None)),
        };
        let mut reached = reach();
        for _ in 0..ENDING {
            if !matches!(reached, Err(AgentError::Broken(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10)); // it is just ending
            reached = reach();
        }
        match reached {
            Ok((client, answer)) => (Some(self.use_client(client)), answer),
            Err(AgentError::Absent) => (None, None),
            Err(AgentError::OtherVersion { version, .. }) => {
                match spawn::stop(&self.paths) {
                    Ok(_) => {
                        let version = crate::domain::printable::line(&version);
                        let why = format!(
                            "an agent of version {version} was ended: the vault must be unlocked again"
                        );
                        self.state().warnings.push(why);
                    }
                    Err(error) => self.give_up(&error),
                }
                (None, None)
            }
            Err(error) => {
                self.give_up(&error);
                (None, None)
            }
        }
    }

    fn use_client(&self, client: Client) -> Arc<Client> {
        let client = Arc::new(client);
        self.state().client = Some(Arc::clone(&client));
        client
    }

    /// Goes on without an agent, and says so once.
    fn give_up(&self, error: &AgentError) {
        let mut state = self.state();
        state.client = None;
        state.given_up = true;
        state.warnings.push(format!("going on without an agent: {error}"));
    }

    fn status(&self) -> Result<StatusReport, ServiceError> {
        let held = if self.local.standing().open { None } else { self.agents_status()? };
        let mut report = match held {
            Some(report) => report,
            None => self.own_status()?,
        };
        report.warnings.extend(self.state().warnings.iter().cloned());
        Ok(report)
    }

    fn own_status(&self) -> Result<StatusReport, ServiceError> {
        let mut report = crate::service::ask(&self.local, Status {})?;
        if report.state == VaultState::Locked && self.state().was_open {
            report.lock.reason = Some(LockReason::AgentEnded);
        }
        Ok(report)
    }

    fn agents_status(&self) -> Result<Option<StatusReport>, ServiceError> {
        let question = Request::Status(Status {});
        let (client, answered) = self.client_asked(Some(&question));
        let Some(client) = client else { return Ok(None) };
        let answered = match answered {
            Some(answered) => answered,
            None => match client.ask(question) {
                Ok(answered) => answered,
                Err(_) => {
                    self.state().client = None;
                    return Ok(None);
                }
            },
        };
        let Answer::Status(mut report) = answered? else { return Ok(None) };
        let welcome = client.welcome();
        report.lock.agent = Some(AgentReport { pid: welcome.pid, version: welcome.version.clone() });
        self.state().was_open = report.state == VaultState::Unlocked;
        Ok(Some(report))
    }

    /// Sends a request to whoever has the vault open.
    fn to_the_open_one(&self, request: Request) -> Result<Answer, ServiceError> {
        // An open agent must learn of a new passphrase from us, or it takes the identity for somebody else's and locks.
        let concerns_agent = matches!(request, Request::ChangePassphrase(_)) && self.state().was_open;
        let here = self.local.standing().open && !concerns_agent;
        let client = if here { None } else { self.client() };
        let Some(client) = client else { return self.local.handle(request) };
        let kind = request.kind();
        match client.ask(request) {
            Ok(answer) => answer,
            Err(contact) => {
                self.state().client = None;
                Err(match contact {
                    Contact::Lost(_) => ended(),
                    Contact::Unsure => unsure(kind),
                })
            }
        }
    }

    /// Wipes an agent's keys before its vault is replaced, also if it may not be used otherwise.
    fn lock_agent(&self) {
        let client = self.state().client.take();
        let client = match client {
            Some(client) => Ok(client),
            None => Client::reach(&self.paths, None).map(Arc::new),
        };
        let locked = match client {
            Ok(client) => client.ask(Request::Lock(Lock {})).is_ok(),
            Err(AgentError::Absent | AgentError::OtherVault(_)) => true,
            Err(_) => false,
        };
        if !locked {
            let _ = spawn::stop(&self.paths); // one that cannot be ended sees by itself that its files were replaced
        }
        self.state().was_open = false;
    }

    /// What makes or replaces a vault, in this process.
    fn at_home(&self, request: Request) -> Result<Answer, ServiceError> {
        let kept = {
            let mut state = self.state();
            let typed = state.typed && self.terms.is_some();
            let copy =
                |passphrase: &Passphrase| typed.then(|| Passphrase::new(passphrase.expose().to_owned()));
            match &request {
                Request::InitPrepare(call) => {
                    state.prepared = copy(&call.passphrase);
                    None
                }
                Request::InitCommit(_) => state.prepared.take(),
                Request::Join(call) => copy(&call.passphrase),
                Request::Recover(call) => copy(&call.passphrase),
                _ => None,
            }
        };
        match &request {
            Request::Doctor(call) if !call.accept_rollback => {}
            Request::InitPrepare(_) | Request::Verify(_) | Request::Backup(_) => {}
            _ => self.lock_agent(),
        }
        let was_commit = matches!(request, Request::InitCommit(_));
        let answer = self.local.handle(request);
        match (&answer, kept) {
            (Ok(_), Some(passphrase)) => match self.unlock_in_agent(&passphrase) {
                Ok(_) => {}
                Err(error) => self.give_up(&error), // it stays open here
            },
            (Err(_), Some(passphrase)) if was_commit => self.state().prepared = Some(passphrase), // it may be tried again
            _ => {}
        }
        answer
    }
}

impl Service for Front {
    fn handle(&self, request: Request) -> Result<Answer, ServiceError> {
        match request {
            Request::Status(_) => self.status().map(Answer::Status),
            Request::Unlock(call) => {
                let done = if self.state().typed {
                    self.unlock(call.passphrase)
                } else {
                    self.unlock_here(call.passphrase)
                };
                done.map(Answer::Unlock)
            }
            Request::Lock(_) => {
                self.local.leave();
                let Some(client) = self.client() else { return Ok(Answer::Lock(())) };
                self.state().was_open = false;
                match client.ask(Request::Lock(Lock {})) {
                    Ok(answer) => answer,
                    Err(_) => {
                        self.state().client = None;
                        // Its keys died with it, or it hangs and must not be left with them.
                        let ended = spawn::stop(&self.paths).map(|_| Answer::Lock(()));
                        ended.map_err(|error| ServiceError::new(ErrorKind::Failure, error.to_string()))
                    }
                }
            }
            request if carries(&request) => self.to_the_open_one(request),
            request => self.at_home(request),
        }
    }

    /// An agent stays as it is: it is there for the next command.
    fn leave(&self) {
        self.local.leave();
    }
}

fn ended() -> ServiceError {
    ServiceError::new(ErrorKind::Locked, "the agent has ended, and with it the open vault")
        .hint("sealbox unlock")
}

fn unsure(kind: &str) -> ServiceError {
    let what = format!("the agent ended in the middle of this ({kind}): it was done, or nothing of it was");
    ServiceError::new(ErrorKind::Failure, what).hint("look before you try again: sealbox log")
}
