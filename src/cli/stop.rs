//! How a command ends early: with an error to be told, or because nobody listens any more.
//!
//! The engine's [`ServiceError`] is the only error the edge tells; everything else is turned into one here, so that
//! each failure has a kind (hence an exit code), one sentence, and where possible the next command.

use crate::service::{ErrorKind, ServiceError};
use std::{io, path::Path};

/// Why a command did not finish.
pub(crate) enum Stop {
    /// Something failed; the edge prints it and exits with the code of its kind.
    Failed(Box<ServiceError>),
    /// The reader of our stdout went away: end quietly.
    ClosedPipe,
    /// Nothing failed here: a program was run, and its exit code is ours.
    Ended(u8),
}

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// The command line makes no sense.
pub(crate) fn usage(message: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorKind::Usage, message)
}

/// The person said no, or pressed Ctrl-C at a question.
pub(crate) fn cancelled() -> ServiceError {
    ServiceError::new(ErrorKind::Cancelled, "cancelled; nothing was changed")
}

/// A file could not be used.
pub(crate) fn file_error(doing: &str, path: &Path, error: &io::Error) -> ServiceError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::AlreadyExists => ErrorKind::Conflict,
        io::ErrorKind::Interrupted => ErrorKind::Cancelled,
        _ => ErrorKind::Failure,
    };
    ServiceError::new(
        kind,
        format!("cannot {doing} {}: {error}", crate::domain::printable::line(&path.to_string_lossy())),
    )
}

/// An error of a lower room that has no kind of its own.
pub(crate) fn wrap(kind: ErrorKind, error: &(dyn std::error::Error + 'static)) -> ServiceError {
    ServiceError::new(kind, error.to_string()).caused_by(error)
}
