//! Reading files for what they give away: where a secret is referenced, and where its value leaked to.
//!
//! One pass over each file looks for both, in pieces of 1 MiB, so that memory is bounded whatever the file. `.gitignore`
//! is honoured, `.git` is never entered, links are not followed, and what is no regular file is not opened. Nothing here
//! writes, and no finding holds a byte of the file.

mod pass;
pub mod places;
pub mod staged;
mod walk;

pub use pass::{Finding, What};
pub use walk::scan;

use crate::crypto::fingerprint::Matcher;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// What to look for.
#[derive(Clone)]
pub struct Wanted {
    /// References to secrets.
    pub references: bool,
    /// Values that leaked.
    pub leaks: Option<Arc<Matcher>>,
}

/// Where not to look.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Pass over larger files, in bytes.
    pub max_size: Option<u64>,
    /// Read what `.gitignore` and its kin leave out, too.
    pub ignored_too: bool,
    /// Stop at this instant and say that it is not the whole.
    pub until: Option<Instant>,
}

/// How far a scan is; shared with whoever shows it or stops it.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    bytes: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// Files and bytes read so far.
    pub fn seen(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Ends the scan soon.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn stopped(&self, limits: &Limits) -> bool {
        if limits.until.is_some_and(|until| Instant::now() >= until) {
            self.stop();
        }
        self.stop.load(Ordering::Relaxed)
    }

    fn read_some(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn read_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

/// What one file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFindings {
    /// As it was reached from the path that was asked for. It may hold anything: make it safe before showing it.
    pub path: PathBuf,
    /// In the order of the file.
    pub findings: Vec<Finding>,
    /// How many more there are beyond what is kept of one file.
    pub more: u64,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Sorted by path; files without findings are not in it.
    pub files: Vec<FileFindings>,
    /// What could not be read, and why. Paths and messages are to be made safe before they are shown.
    pub unread: Vec<(PathBuf, String)>,
    /// Files that were passed over because of their size.
    pub too_large: Vec<PathBuf>,
    /// How many files were read.
    pub scanned: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// False if it was stopped before the end.
    pub complete: bool,
}

impl Report {
    fn sorted(mut self) -> Self {
        self.files.sort_by(|one, two| one.path.cmp(&two.path));
        self.unread.sort();
        self.too_large.sort();
        self
    }
}

/// Reads one stream, such as standard input; findings are those of a file called `path`.
///
/// # Errors
/// If the stream cannot be read.
pub fn stream(
    from: &mut impl Read,
    path: PathBuf,
    wanted: &Wanted,
    progress: &Progress,
) -> std::io::Result<Report> {
    let limits = Limits::default();
    let mut pass = pass::Pass::new(wanted);
    let read = pass.read(from, &mut |bytes| {
        progress.read_some(bytes);
        progress.stopped(&limits)
    })?;
    progress.read_file();
    let (scanned, bytes) = progress.seen();
    let mut report = Report { scanned, bytes, complete: !read.stopped, ..Report::default() };
    if !read.findings.is_empty() {
        report.files.push(FileFindings { path, findings: read.findings, more: read.more });
    }
    Ok(report)
}
