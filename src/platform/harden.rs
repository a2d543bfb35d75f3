//! What a process that will hold secrets asks of the system first (SPEC R39): no core dump, no reading by a debugger of
//! the same user, no files that others can read.
//!
//! Called as the first thing in `main`, before any secret is read. Nothing here may fail the program: what the system
//! refuses comes back as warnings, which `doctor` and `-v` show.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};
use std::sync::OnceLock;

/// The umask that the caller of this program had chosen.
static CALLERS_UMASK: OnceLock<Mode> = OnceLock::new();

/// The umask that this process was started with: a program that we run for its caller must get it back.
pub fn callers_umask() -> Mode {
    CALLERS_UMASK.get().copied().unwrap_or(Mode::from_raw_mode(0o077))
}

/// Hardens the process; each returned line is one thing the system refused.
pub fn harden() -> Vec<String> {
    let mut refused = Vec::new();
    let before = umask(Mode::from_raw_mode(0o077));
    CALLERS_UMASK.get_or_init(|| before);
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

/// What a process that outlives its starter does first: a session of its own, no folder held, and nothing open but its
/// three streams. A pipe of the shell that somebody waits to be closed would otherwise stay open for as long as it lives.
pub fn detach() {
    let _ = rustix::process::setsid(); // it leads one already if it was started by hand
    let _ = std::env::set_current_dir("/");
    let listed = std::fs::read_dir("/dev/fd").map(|entries| {
        let number =
            |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        entries.filter_map(number).collect::<Vec<i32>>()
    });
    for inherited in listed.unwrap_or_default().into_iter().filter(|number| *number > 2) {
        let _ = nix::unistd::close(inherited); // the listing's own is closed already
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getrlimit;

    /// Not a test by itself: it changes its process for good.
    #[test]
    #[ignore = "started by a_hardened_process_gives_nothing_away"]
    fn the_process_that_is_hardened() {
        if std::env::var_os("SEALBOX_TEST_HARDEN").is_none() {
            return;
        }
        assert_eq!(harden(), Vec::<String>::new());
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        assert_eq!(umask(Mode::from_raw_mode(0o077)), Mode::from_raw_mode(0o077));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }

    #[test]
    fn a_hardened_process_gives_nothing_away() {
        let out = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "platform::harden::tests::the_process_that_is_hardened", "--ignored"])
            .env("SEALBOX_TEST_HARDEN", "1")
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
        assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"));
    }
}
