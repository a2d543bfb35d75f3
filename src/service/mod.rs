//! The one door that front ends see: typed requests in, answers out.
//!
//! A front end holds an `Arc<dyn Service>` and nothing else. Every request states what it needs (nothing, an unlocked
//! vault, or a role in a scope); that check, the idle clock and the error vocabulary live here once. Answers never
//! carry a key, and carry a value only when one was asked for.

pub mod answer;
mod doctor;
pub mod error;
mod local;
mod reading;
pub mod request;
mod resolving;
mod standing;
pub mod wire;

pub use answer::*;
pub use error::{ErrorKind, ServiceError};
pub use local::{LocalService, ServiceOptions};
pub use request::*;
pub use standing::Standing;

/// Something that answers requests: in this process, or (through a socket) in another.
pub trait Service: Send + Sync {
    /// Answers one request. Blocking: callers with a screen to draw run it on a blocking thread.
    fn handle(&self, request: Request) -> Result<Answer, ServiceError>;

    /// The front end that held this goes away: what was opened for it alone is locked. One that is shared stays as it is.
    fn leave(&self) {
        let _ = self.handle(Request::Lock(Lock {})); // a lock has nobody to complain to any more
    }
}

/// Asks a typed question and gets its own answer type back.
pub fn ask<C: Call>(service: &dyn Service, call: C) -> Result<C::Answer, ServiceError> {
    C::unwrap_answer(service.handle(call.into_request())?).ok_or_else(|| {
        ServiceError::new(ErrorKind::Failure, "the service answered a different question")
            .hint("report this: it is a bug in sealbox")
    })
}
