//! The service in this process.

use super::{Answer, ErrorKind, Request, Service, ServiceError};
use crate::platform::{clock::Clock, paths::VaultPaths};
use std::{sync::Arc, time::Duration};

/// How a service in this process is made.
pub struct ServiceOptions {
    /// Where the vault's files are.
    pub paths: VaultPaths,
    /// Lock after this long without activity; `None` never locks.
    pub idle_lock: Option<Duration>,
    /// Wall clock and boot clock.
    pub clock: Arc<dyn Clock>,
    /// True for a throw-away vault.
    pub demo: bool,
}

/// The service in this process.
pub struct LocalService {
    #[allow(dead_code, reason = "being written")]
    options: ServiceOptions,
}

impl LocalService {
    /// Cheap: touches no file until the first request.
    pub fn new(options: ServiceOptions) -> Self {
        Self { options }
    }
}

impl Service for LocalService {
    fn handle(&self, _request: Request) -> Result<Answer, ServiceError> {
        Err(ServiceError::new(ErrorKind::Failure, "being written"))
    }
}
