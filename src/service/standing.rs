//! How long an unlocked vault stays open: the idle lock, the hard limit, and the files it was opened from.
//!
//! Pure bookkeeping over the boot clock (SPEC R33: suspend counts, the wall clock has no say). It holds no key; the service
//! that does asks it before every request, and the agent's timer asks it when to look again.

use super::answer::LockReason;
use crate::platform::paths::VaultPaths;
use std::{os::unix::fs::MetadataExt, path::Path, time::Duration};

/// Where a service stands, for whoever watches over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Keys are in memory.
    pub open: bool,
    /// When it locks by itself, as time since boot; `None` while locked, or if both limits are off.
    pub locks_at: Option<Duration>,
    /// Why it was locked last.
    pub reason: Option<LockReason>,
    /// Goes up each time it is closed.
    pub closed: u64,
}

/// The two limits and the two moments that they count from.
#[derive(Default)]
pub(super) struct Hours {
    /// Lock after this long without activity.
    pub(super) idle: Option<Duration>,
    /// Lock after this long in any case.
    pub(super) limit: Option<Duration>,
    opened_at: Duration,
    active_at: Duration,
    /// From `KeepOpen`: takes the place of the idle lock.
    until: Option<Duration>,
}

impl Hours {
    pub(super) fn new(idle: Option<Duration>) -> Self {
        Self { idle, ..Self::default() }
    }

    /// A person proved that it is them.
    pub(super) fn opened(&mut self, now: Duration) {
        (self.opened_at, self.active_at, self.until) = (now, now, None);
    }

    /// A person did something.
    pub(super) fn active(&mut self, now: Duration) {
        self.active_at = now;
    }

    /// Open until then and no longer, whatever is done meanwhile.
    pub(super) fn keep_open(&mut self, now: Duration, time: Duration) {
        self.until = Some(now.saturating_add(time));
    }

    /// When the idle lock falls; off while `KeepOpen` holds.
    fn idle_at(&self) -> Option<Duration> {
        if self.until.is_some() { None } else { Some(self.active_at.saturating_add(self.idle?)) }
    }

    /// When it ends in any case.
    fn limit_at(&self) -> Option<Duration> {
        let limit = self.limit.map(|limit| self.opened_at.saturating_add(limit));
        limit.into_iter().chain(self.until).min()
    }

    /// The nearer of the two.
    pub(super) fn locks_at(&self) -> Option<Duration> {
        self.idle_at().into_iter().chain(self.limit_at()).min()
    }

    /// Seconds left of each, as a status says them.
    pub(super) fn left(&self, now: Duration) -> (Option<u64>, Option<u64>) {
        let left = |at: Option<Duration>| at.map(|at| at.saturating_sub(now).as_secs());
        (left(self.idle_at()), left(self.limit_at()))
    }

    /// Why it must be locked now, if it must.
    pub(super) fn over(&self, now: Duration) -> Option<LockReason> {
        if self.limit_at().is_some_and(|at| at <= now) {
            Some(LockReason::Limit)
        } else if self.idle_at().is_some_and(|at| at <= now) {
            Some(LockReason::Idle)
        } else {
            None
        }
    }
}

/// Which files a vault was opened from. An unlocked service whose identity, store or pins were replaced by another program
/// (reset, recovery, a store set aside, another passphrase) would go on serving what is no longer there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stamp {
    identity: Option<(u64, u64, i64, i64)>,
    files: [Option<(u64, u64)>; 2],
}

impl Stamp {
    pub(super) fn of(paths: &VaultPaths, store: &Path) -> Self {
        let place =
            |path: &Path| std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()));
        Self { identity: Self::identity(paths), files: [place(store), place(&paths.pins())] }
    }

    /// The identity file alone: it is replaced as a whole, so its number and time change with every writing.
    pub(super) fn identity(paths: &VaultPaths) -> Option<(u64, u64, i64, i64)> {
        let found = std::fs::symlink_metadata(paths.identity()).ok()?;
        Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_nearer_limit_falls_and_activity_moves_only_one() {
        let mut hours = Hours { limit: Some(s(100)), ..Hours::new(Some(s(30))) };
        hours.opened(s(1000));
        assert_eq!((hours.locks_at(), hours.left(s(1010))), (Some(s(1030)), (Some(20), Some(90))));
        hours.active(s(1090));
        assert_eq!((hours.locks_at(), hours.over(s(1099))), (Some(s(1100)), None));
        assert_eq!(hours.over(s(1100)), Some(LockReason::Limit));
        hours.opened(s(2000));
        assert_eq!(hours.over(s(2030)), Some(LockReason::Idle));
    }

    #[test]
    fn keeping_open_replaces_the_idle_lock_and_never_passes_the_limit() {
        let mut hours = Hours { limit: Some(s(100)), ..Hours::new(Some(s(30))) };
        hours.opened(s(0));
        hours.keep_open(s(0), s(50));
        assert_eq!((hours.over(s(49)), hours.over(s(50))), (None, Some(LockReason::Limit)));
        hours.keep_open(s(0), s(500));
        assert_eq!((hours.over(s(99)), hours.over(s(100))), (None, Some(LockReason::Limit)));
        hours.opened(s(200));
        assert_eq!(hours.locks_at(), Some(s(230)), "the next unlock is an ordinary one");
    }

    #[test]
    fn without_limits_nothing_is_timed() {
        let mut hours = Hours::new(None);
        hours.opened(s(5));
        assert_eq!((hours.locks_at(), hours.over(s(u64::MAX / 2))), (None, None));
    }
}
