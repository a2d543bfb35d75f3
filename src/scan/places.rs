//! Where a name is still referenced, in the folders that a `.sealbox.toml` registers: for whoever is about to delete it.
//!
//! Bounded in time, so that a question is never held up by a large tree: what was not reached is said to be unknown.

use super::{Limits, Progress, Report, Wanted, What, scan};
use crate::domain::{Reference, SecretName};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the search may take.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as seen from where the project file is. It may hold anything: make it safe before showing it.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: u64,
    /// In bytes, counted from 1.
    pub column: u64,
    /// Which of the names.
    pub name: SecretName,
}

/// Where names are referenced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Sorted by path and line.
    pub list: Vec<Place>,
    /// False if time was up, or something could not be read: there may be more.
    pub complete: bool,
}

/// The folders that a project file registers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    /// The folder of the project file: paths are shown from here.
    pub base: PathBuf,
    /// What to search; empty if nothing is registered.
    pub folders: Vec<PathBuf>,
}

impl Registered {
    /// Finds the references to `names`, for [`PATIENCE`] at the most, or until `progress` is told to stop.
    pub fn places(&self, names: &[SecretName], progress: &Progress) -> Places {
        let limits = Limits { until: Instant::now().checked_add(PATIENCE), ..Limits::default() };
        let wanted = Wanted { references: true, leaks: None };
        let report = scan(&self.folders, &wanted, &limits, progress);
        self.among(report, names)
    }

    fn among(&self, report: Report, names: &[SecretName]) -> Places {
        let mut places = Places { list: Vec::new(), complete: report.complete && report.unread.is_empty() };
        for file in report.files {
            places.complete &= file.more == 0;
            let path = file.path.strip_prefix(&self.base).unwrap_or(&file.path);
            for finding in file.findings {
                let (What::Reference(Reference::Secret(name)), Some((line, column))) =
                    (finding.what, finding.place)
                else {
                    continue;
                };
                if names.contains(&name) {
                    places.list.push(Place { path: path.to_owned(), line, column, name });
                }
            }
        }
        places
    }
}
