//! The door: every request in every state and role, how messages travel, and the idle clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod idle;
mod reading;
pub(crate) mod walk;
mod wire;

use crate::people::Machine;
use sealbox::platform::clock::{Clock, SystemClock};
use sealbox::service::{LocalService, ServiceOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that a test moves: seconds since boot (suspend counted) and milliseconds of the wall.
#[derive(Default)]
pub(super) struct TestClock {
    pub(super) boot_s: AtomicU64,
    pub(super) wall_ms: AtomicU64,
}

impl TestClock {
    pub(super) fn pass(&self, seconds: u64) {
        self.boot_s.fetch_add(seconds, Ordering::SeqCst);
        self.wall_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall_ms(&self) -> u64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn since_boot(&self) -> Duration {
        Duration::from_secs(self.boot_s.load(Ordering::SeqCst))
    }
}

pub(super) fn service_on(machine: &Machine) -> LocalService {
    service_with(machine, Arc::new(SystemClock), None)
}

pub(super) fn service_with(
    machine: &Machine,
    clock: Arc<dyn Clock>,
    idle_lock: Option<Duration>,
) -> LocalService {
    LocalService::new(ServiceOptions { idle_lock, clock, ..machine.service_options() })
}
