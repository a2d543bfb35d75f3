//! Places where a test may kill the process (SPEC R1, R2): `SEALBOX_KILL_AT_STEP=7` sends SIGKILL at the seventh step.
//!
//! Exists only in builds with debug assertions; a release build holds an empty function and reads no variable.

/// Marks the moment before or after an effect on the disk. The name is for the reader of the code.
#[cfg(debug_assertions)]
pub fn step(_name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static KILL_AT: OnceLock<Option<u64>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Some(kill_at) = *KILL_AT.get_or_init(|| std::env::var("SEALBOX_KILL_AT_STEP").ok()?.parse().ok())
    else {
        return;
    };
    if PASSED.fetch_add(1, Ordering::Relaxed) + 1 == kill_at {
        // SIGKILL, not abort: nothing of ours may run afterwards, as when the power goes
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn step(_name: &'static str) {}
