//! The service as reached through the agent's socket.
//!
//! Keeps a connection for the next request while requests follow each other. A connection that breaks is told apart: before
//! a request was sent nothing happened, a question can be asked again, and of a write nobody knows whether it was done.

use super::error::AgentError;
use super::protocol::{
    Hello, Limits, MAX_FRAME, MAX_HELLO, PROTOCOL, VERSION, Welcome, frame, receive, send, vault_text,
};
use super::socket;
use crate::platform::paths::VaultPaths;
use crate::service::{Answer, ErrorKind, Request, ServiceError};
use std::{
    os::unix::net::UnixStream,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an agent may take to greet; it is busy or hung if it takes longer.
const GREETING: Duration = Duration::from_secs(2);
/// How long an answer may take: a slow key derivation, a long import, a store that others keep busy.
const ANSWER: Duration = Duration::from_secs(300);
/// A connection is used again only if it was used so recently that the agent cannot have closed it for idleness.
const FRESH: Duration = Duration::from_secs(2);

/// An agent that was reached.
pub struct Client {
    paths: VaultPaths,
    limits: Option<Limits>,
    welcome: Welcome,
    spare: Mutex<Option<(UnixStream, Instant)>>,
}

/// Why no answer came back.
#[derive(Debug)]
pub enum Contact {
    /// Nothing was done: there is no agent any more.
    Lost(AgentError),
    /// The agent ended while it worked on a write.
    Unsure,
}

type Answered = Result<Answer, ServiceError>;

impl Client {
    /// Connects and greets. The `limits` are those of the settings here, if they are of any concern.
    ///
    /// # Errors
    /// [`AgentError::Absent`] if nobody is there; see [`AgentError`] for everything else that is no agent for us.
    pub fn reach(paths: &VaultPaths, limits: Option<Limits>) -> Result<Self, AgentError> {
        let (stream, welcome) = greet(paths, limits, &[])?;
        let spare = Mutex::new(Some((stream, Instant::now())));
        Ok(Self { paths: paths.clone(), limits, welcome, spare })
    }

    /// Connects, greets and asks a question that any agent of this user may hear, in one go. An agent that is not for us
    /// does not answer it.
    ///
    /// # Errors
    /// As [`Client::reach`].
    pub fn reach_and_ask(
        paths: &VaultPaths,
        limits: Option<Limits>,
        question: &Request,
    ) -> Result<(Self, Answered), AgentError> {
        let (stream, welcome) = greet(paths, limits, &frame(question)?)?;
        let answer = answer_from(&stream)?;
        let client = Self { paths: paths.clone(), limits, welcome, spare: Mutex::new(None) };
        client.keep(stream);
        Ok((client, answer))
    }

    /// What the agent said of itself.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Asks one question. The outer error is about the way, the inner one is the agent's own.
    ///
    /// # Errors
    /// [`Contact`] if no answer came back.
    pub fn ask(&self, request: Request) -> Result<Answered, Contact> {
        let again = may_be_repeated(&request);
        let whole = match frame(&request) {
            Ok(whole) => whole,
            Err(error) => {
                let told = ServiceError::new(ErrorKind::Failure, error.to_string());
                return Ok(Err(told.hint("add --no-agent")));
            }
        };
        drop(request);
        let stream = self.stream().map_err(Contact::Lost)?;
        match exchange(&stream, &whole) {
            Ok(answer) => {
                self.keep(stream);
                Ok(answer)
            }
            Err(_) if again => {
                let (stream, _) = greet(&self.paths, self.limits, &[]).map_err(Contact::Lost)?;
                let answer = exchange(&stream, &whole).map_err(Contact::Lost)?;
                self.keep(stream);
                Ok(answer)
            }
            Err(_) => Err(Contact::Unsure),
        }
    }

    fn stream(&self) -> Result<UnixStream, AgentError> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare {
            Some((stream, used)) if used.elapsed() < FRESH => Ok(stream),
            _ => greet(&self.paths, self.limits, &[]).map(|(stream, _)| stream),
        }
    }

    fn keep(&self, stream: UnixStream) {
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some((stream, Instant::now()));
    }
}

/// Connects and shakes hands. `more` is sent along: it must be nothing that another agent may not hear.
fn greet(
    paths: &VaultPaths,
    limits: Option<Limits>,
    more: &[u8],
) -> Result<(UnixStream, Welcome), AgentError> {
    let stream = socket::connect(paths)?;
    let mut first = frame(&Hello { limits, ..Hello::new(&paths.data, false) })?;
    first.extend_from_slice(more);
    send(&stream, &first).map_err(AgentError::Broken)?;
    let welcome = receive(&stream, MAX_HELLO, GREETING, None)?.ok_or_else(AgentError::closed)?;
    let welcome = Welcome::parse(&welcome).ok_or(AgentError::NotAnAgent)?;
    if welcome.vault != vault_text(&paths.data) {
        return Err(AgentError::OtherVault(welcome.vault));
    }
    if (welcome.version.as_str(), welcome.protocol) != (VERSION, PROTOCOL) {
        return Err(AgentError::OtherVersion { version: welcome.version, pid: welcome.pid });
    }
    Ok((stream, welcome))
}

fn exchange(stream: &UnixStream, whole: &[u8]) -> Result<Answered, AgentError> {
    send(stream, whole).map_err(AgentError::Broken)?;
    answer_from(stream)
}

fn answer_from(stream: &UnixStream) -> Result<Answered, AgentError> {
    let bytes = receive(stream, MAX_FRAME, ANSWER, None)?.ok_or_else(AgentError::closed)?;
    serde_json::from_slice(&bytes).map_err(|_| AgentError::NotAnAgent)
}

/// True for what changes nothing, or comes to the same if it is done twice. What is not known here is taken for a write.
fn may_be_repeated(request: &Request) -> bool {
    let kind = request.kind();
    ["Get", "List", "Find"].iter().any(|start| kind.starts_with(start))
        || ["Status", "Unlock", "Lock", "Touch", "KeepOpen", "MyId", "Export", "Resolve", "Fingerprints"]
            .contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{DeleteSecret, ListScopes, Status};

    #[test]
    fn only_what_changes_nothing_is_asked_twice() {
        assert!(may_be_repeated(&Request::Status(Status {})));
        assert!(may_be_repeated(&Request::ListScopes(ListScopes {})));
        let delete = DeleteSecret {
            scope: crate::domain::ScopeRef::Organization,
            name: crate::domain::SecretName::parse("A").unwrap(),
        };
        assert!(!may_be_repeated(&Request::DeleteSecret(delete)));
    }
}
