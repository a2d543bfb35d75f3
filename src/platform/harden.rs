//! What a process that will hold secrets asks of the system first (SPEC R39): no core dump, no reading by a debugger of
//! the same user, no files that others can read.
//!
//! Called as the first thing in `main`, before any secret is read. Nothing here may fail the program: what the system
//! refuses comes back as warnings, which `doctor` and `-v` show.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// Hardens the process; each returned line is one thing the system refused.
pub fn harden() -> Vec<String> {
    let mut refused = Vec::new();
    umask(Mode::from_raw_mode(0o077));
    if let Err(why) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        refused.push(format!("core dumps could not be turned off: {why}"));
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(why) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            refused.push(format!("other programs of this user can attach to this process: {why}"));
        }
    }
    refused
}
