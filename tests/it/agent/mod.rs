//! The agent, through the real binary and through its socket (SPEC R31 to R34). Every agent that is started here is ended
//! by its [`Desk`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod flood;
mod life;
mod others;
mod screens;

use crate::env::{Ran, TestEnv};
use sealbox::platform::paths::VaultPaths;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A machine on which agents are wanted.
pub(crate) struct Desk {
    pub(crate) env: TestEnv,
}

impl Desk {
    /// With a vault whose only secret is API_KEY, and nobody to ask.
    pub(crate) fn new() -> Self {
        let mut env = TestEnv::with_vault();
        env.run_with(&["set", "API_KEY"], b"canary-value").ok();
        env.set("SEALBOX_NO_AGENT", "<unset>");
        Self { env }
    }

    /// Without any source of a passphrase.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.env.command(args);
        command.env_remove("SEALBOX_PASSPHRASE_FILE");
        Ran::of(command, b"")
    }

    /// With the passphrase in a file.
    pub(crate) fn unlock(&self) {
        self.env.run(&["unlock"]).ok();
    }

    pub(crate) fn runtime(&self) -> PathBuf {
        self.env.root().join("run/sealbox")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.runtime().join("agent.sock")
    }

    pub(super) fn paths(&self) -> VaultPaths {
        VaultPaths {
            data: self.env.vault(),
            state: self.env.root().join("state/sealbox"),
            config: self.env.root().join("config/sealbox"),
            runtime: self.runtime(),
        }
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.env.root().join("state/sealbox/agent.log")).unwrap_or_default()
    }

    /// The agent's process, if one runs.
    pub(super) fn pid(&self) -> Option<i32> {
        let status = self.run(&["agent", "status", "--json"]).ok().json();
        status["pid"].as_i64().map(|pid| i32::try_from(pid).unwrap())
    }

    /// Ends it the hard way, and waits for it to be gone.
    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.pid().expect("an agent runs");
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
        until("the agent is gone", || !alive(pid));
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.env.command(&["agent", "stop"]).output(); // whatever the test did, nothing stays behind
    }
}

/// True if the process runs: a dead one that nobody has waited for does not count.
pub(super) fn alive(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(") ").next().unwrap_or_default().starts_with('Z')
}

#[track_caller]
pub(crate) fn until(what: &str, good: impl Fn() -> bool) {
    let start = Instant::now();
    while !good() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
