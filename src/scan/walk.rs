//! Walking folders, on all cores, and reading what is found there.
//!
//! Which files belong to a folder is decided as ripgrep and git decide it. A file is opened so that a link or a FIFO that
//! took its place meanwhile is not followed and does not block.

use super::pass::Pass;
use super::{FileFindings, Limits, Progress, Report, Wanted};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// More threads than this only wait for each other.
const MOST_THREADS: usize = 12;

/// Scans files and folders. Never fails as a whole: what cannot be read is in the report.
pub fn scan(roots: &[PathBuf], wanted: &Wanted, limits: &Limits, progress: &Progress) -> Report {
    let mut roots = roots.to_vec();
    roots.sort();
    roots.dedup();
    let Some((first, others)) = roots.split_first() else {
        return Report { complete: true, ..Report::default() };
    };
    let mut walker = WalkBuilder::new(first);
    for root in others {
        walker.add(root);
    }
    let honour = !limits.ignored_too;
    walker
        .standard_filters(honour)
        .parents(honour)
        .hidden(false)
        .require_git(false)
        .follow_links(false)
        .threads(std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS))
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    let shared = Mutex::new(Report::default());
    walker.build_parallel().run(|| {
        let mut worker = Worker { pass: Pass::new(wanted), limits, progress, shared: &shared };
        Box::new(move |entry| worker.take(entry))
    });
    let mut report = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.complete = !progress.stopped(&Limits::default());
    (report.scanned, report.bytes) = progress.seen();
    report.sorted()
}

struct Worker<'a> {
    pass: Pass,
    limits: &'a Limits,
    progress: &'a Progress,
    shared: &'a Mutex<Report>,
}

impl Worker<'_> {
    fn take(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.progress.stopped(self.limits) {
            return WalkState::Quit;
        }
        match entry {
            Ok(entry) => self.visit(&entry),
            Err(error) => self.unreadable(error),
        }
        WalkState::Continue
    }

    fn visit(&mut self, entry: &DirEntry) {
        let asked_for = entry.depth() == 0;
        let Some(kind) = entry.file_type() else { return };
        // What was named on the command line is meant, whatever it is; any other link is not followed.
        let meant = kind.is_file() || (asked_for && !kind.is_dir());
        if !meant {
            return;
        }
        let path = entry.path();
        match self.read(path, asked_for) {
            Ok(()) => {}
            Err(error) => self.report(|report| report.unread.push((shown(path), error.to_string()))),
        }
    }

    fn read(&mut self, path: &Path, follow: bool) -> std::io::Result<()> {
        let Some(mut file) = open(path, follow, self.limits, |path| {
            self.report(|report| report.too_large.push(path));
        })?
        else {
            return Ok(());
        };
        let (progress, limits) = (self.progress, self.limits);
        let read = self.pass.read(&mut file, &mut |bytes| {
            progress.read_some(bytes);
            progress.stopped(limits)
        })?;
        self.progress.read_file();
        if !read.findings.is_empty() {
            let found = FileFindings { path: shown(path), findings: read.findings, more: read.more };
            self.report(|report| report.files.push(found));
        }
        Ok(())
    }

    fn unreadable(&self, error: ignore::Error) {
        let (path, why) = match &error {
            ignore::Error::WithPath { path, err } => (shown(path), err.to_string()),
            ignore::Error::WithDepth { err, .. } => match err.as_ref() {
                ignore::Error::WithPath { path, err } => (shown(path), err.to_string()),
                other => (PathBuf::new(), other.to_string()),
            },
            other => (PathBuf::new(), other.to_string()),
        };
        self.report(|report| report.unread.push((path, why)));
    }

    fn report(&self, add: impl FnOnce(&mut Report)) {
        add(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Opens a regular file without following a link (unless told to) and without waiting; `None` if it is something else
/// by now (an error if it was asked for), or too large.
fn open(
    path: &Path,
    follow: bool,
    limits: &Limits,
    too_large: impl FnOnce(PathBuf),
) -> std::io::Result<Option<File>> {
    let mut flags = OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    let flags = i32::try_from(flags.bits()).map_err(|_| Error::from(ErrorKind::Unsupported))?;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        // It has gone, or became a link, since the folder was listed.
        Err(error) if error.kind() == ErrorKind::NotFound && !follow => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) && !follow => return Ok(None),
        Err(error) => return Err(error),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        // Silence about a path that was asked for would be taken for "nothing leaked there".
        let refused = follow && !meta.is_dir();
        return if refused {
            Err(Error::other("not a regular file; scan --stdin reads a pipe"))
        } else {
            Ok(None)
        };
    }
    if limits.max_size.is_some_and(|most| meta.len() > most) {
        too_large(shown(path));
        return Ok(None);
    }
    Ok(Some(file))
}

/// Without the `./` that a scan of the current folder puts in front.
fn shown(path: &Path) -> PathBuf {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}
