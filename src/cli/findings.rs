//! What `scan` prints: one line for each finding, or one JSON document; and the line that shows how far it is.
//!
//! Owns the judgement of a reference (known, unknown, of a provider). A path comes out of files and
//! is made safe for the terminal here; a value or the text around it is never at hand.

use super::{commands::list, context::Context, stop::Stop};
use crate::{
    domain::{
        Reference, Role, ScopeRef, SecretName, filter,
        leak::{NotSearched, ValueOwner},
        printable,
    },
    scan::{FileFindings, Finding, Progress, Report, What},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

/// A scan that takes longer than this shows how far it is.
const QUIET_FOR: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(200);
/// Files that could not be read which are named; the others are counted.
const NAMED: usize = 10;

/// What the findings are judged by.
#[derive(Default)]
pub(crate) struct Checked {
    /// References were looked for.
    pub(crate) references: bool,
    /// Leaks were looked for.
    pub(crate) leaks: bool,
    /// Names by scope, nearest first; `None` if the vault could not be asked.
    pub(crate) names: Option<Vec<(ScopeRef, BTreeSet<SecretName>)>>,
    /// Whose the fingerprints are.
    pub(crate) owners: Vec<ValueOwner>,
    /// What was not looked for.
    pub(crate) not_searched: Vec<NotSearched>,
    /// Where the role did not suffice.
    pub(crate) left_out: Vec<(ScopeRef, Role)>,
}

/// What a reference comes to.
enum Known<'a> {
    In(&'a ScopeRef),
    Nowhere(Option<&'a str>),
    NotAsked,
}

/// What was found, counted.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) leaks: usize,
    /// Different values.
    pub(crate) leaked: usize,
    pub(crate) leaking_files: usize,
    pub(crate) unknown: usize,
    /// Beyond what is kept of one file.
    pub(crate) more: u64,
}

impl Checked {
    fn known(&self, name: &SecretName) -> Known<'_> {
        let Some(scopes) = &self.names else { return Known::NotAsked };
        if let Some((scope, _)) = scopes.iter().find(|(_, names)| names.contains(name)) {
            return Known::In(scope);
        }
        let all = scopes.iter().flat_map(|(_, names)| names.iter().map(SecretName::as_str));
        Known::Nowhere(filter::nearest(name.as_str(), all))
    }

    fn owner(&self, number: u32) -> Option<&ValueOwner> {
        self.owners.get(number as usize)
    }
}

/// Counts what matters for the exit code.
pub(crate) fn tally(report: &Report, checked: &Checked) -> Tally {
    let mut tally = Tally::default();
    let mut leaked = BTreeSet::new();
    for file in &report.files {
        let before = tally.leaks;
        for finding in &file.findings {
            match &finding.what {
                What::Leak { owner, .. } => {
                    tally.leaks += 1;
                    leaked.insert(owner);
                }
                What::Reference(Reference::Secret(name)) => {
                    tally.unknown += usize::from(matches!(checked.known(name), Known::Nowhere(_)));
                }
                What::Reference(Reference::Provider { .. }) => {}
            }
        }
        tally.leaking_files += usize::from(tally.leaks > before);
        tally.more += file.more;
    }
    tally.leaked = leaked.len();
    tally
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Prints everything; what was left out goes to stderr.
pub(crate) fn print(context: &Context, report: &Report, checked: &Checked) -> Result<(), Stop> {
    if context.out().is_json() {
        return context.out().json(&as_json(report, checked));
    }
    for file in &report.files {
        let path = printable::line(&file.path.to_string_lossy());
        let mut text = String::new();
        for finding in &file.findings {
            text.push_str(&format!("{path}:{}  {}\n", place(finding), what(finding, checked)));
        }
        context.out().text(&text)?;
        if file.more > 0 {
            context.out().warn(&format!("{path}: and {} more", file.more));
        }
    }
    remarks(context, report, checked);
    Ok(())
}

fn place(finding: &Finding) -> String {
    match finding.place {
        Some((line, column)) => format!("{line}:{column}"),
        None => format!("byte {}", finding.offset),
    }
}

fn what(finding: &Finding, checked: &Checked) -> String {
    match &finding.what {
        What::Reference(Reference::Secret(name)) => match checked.known(name) {
            Known::In(scope) => format!("{name}  {}", list::word(scope)),
            Known::Nowhere(Some(near)) => format!("{name}  not in the vault; did you mean {near}?"),
            Known::Nowhere(None) => format!("{name}  not in the vault"),
            Known::NotAsked => name.to_string(),
        },
        What::Reference(Reference::Provider { alias, key }) => format!("{alias} {key}  provider"),
        What::Leak { owner, shape } => match checked.owner(*owner) {
            Some(owner) => {
                let old = if owner.current { String::new() } else { format!(" v{} (old)", owner.version) };
                format!("LEAK {}{old} ({})  {}", owner.name, shape.word(), list::word(&owner.scope))
            }
            None => format!("LEAK ({})", shape.word()),
        },
    }
}

/// What was not looked at, on stderr.
fn remarks(context: &Context, report: &Report, checked: &Checked) {
    let out = context.out();
    for (path, why) in report.unread.iter().take(NAMED) {
        let path = printable::line(&path.to_string_lossy());
        out.warn(&format!("not read: {path}: {}", printable::line(why)));
    }
    if report.unread.len() > NAMED {
        out.warn(&format!("not read: {} more", count(report.unread.len() - NAMED, "file")));
    }
    if !report.too_large.is_empty() {
        out.say(&format!("passed over: {} above --max-size", count(report.too_large.len(), "file")));
    }
    for (scope, role) in &checked.left_out {
        out.warn(&format!("values of {scope} were not looked for: your role there is {role}; it takes run"));
    }
    let vague: Vec<&str> =
        checked.not_searched.iter().filter(|one| one.why.is_some()).map(|one| one.name.as_str()).collect();
    if !vague.is_empty() {
        let values = count(vague.len(), "value");
        out.say(&format!("too short or too plain to scan for: {values} ({})", some_of(&vague)));
    }
    let closed: Vec<&str> =
        checked.not_searched.iter().filter(|one| one.why.is_none()).map(|one| one.name.as_str()).collect();
    if !closed.is_empty() {
        out.warn(&format!(
            "could not be opened, so not looked for: {}; see sealbox verify",
            some_of(&closed)
        ));
    }
    let files = count(usize::try_from(report.scanned).unwrap_or(usize::MAX), "file");
    out.say(&format!("scanned {files}, {}", size(report.bytes)));
}

fn some_of(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{shown} and {} more", names.len() - NAMED) } else { shown }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn as_json(report: &Report, checked: &Checked) -> Value {
    let mut references = Vec::new();
    let mut leaks = Vec::new();
    for file in &report.files {
        for finding in &file.findings {
            match &finding.what {
                What::Reference(mention) => references.push(reference_json(file, finding, mention, checked)),
                What::Leak { owner, shape } => {
                    let owner = checked.owner(*owner);
                    let leak = json!({
                        "name": owner.map(|owner| &owner.name), "scope": owner.map(|owner| &owner.scope),
                        "version": owner.map(|owner| owner.version), "current": owner.map(|owner| owner.current),
                        "shape": shape.word(),
                    });
                    leaks.push(at_place(file, finding, leak));
                }
            }
        }
    }
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let unread: Vec<Value> =
        report.unread.iter().map(|(at, why)| json!({ "path": path(at), "why": why })).collect();
    let left_out: Vec<Value> =
        checked.left_out.iter().map(|(scope, role)| json!({ "scope": scope, "role": role })).collect();
    let more: u64 = report.files.iter().map(|file| file.more).sum();
    json!({
        "files": report.scanned, "bytes": report.bytes, "complete": report.complete && more == 0, "more": more,
        "references_searched": checked.references, "names_checked": checked.names.is_some(),
        "leaks_searched": checked.leaks, "references": references, "leaks": leaks, "unread": unread,
        "too_large": report.too_large.iter().map(|at| path(at)).collect::<Vec<_>>(),
        "not_searched": checked.not_searched, "left_out": left_out,
    })
}

/// What was found, with where it was found in front.
fn at_place(file: &FileFindings, finding: &Finding, what: Value) -> Value {
    let mut place = json!({
        "path": file.path.to_string_lossy(), "line": finding.place.map(|(line, _)| line),
        "column": finding.place.map(|(_, column)| column), "offset": finding.offset,
    });
    if let (Value::Object(place), Value::Object(what)) = (&mut place, what) {
        place.extend(what);
    }
    place
}

fn reference_json(file: &FileFindings, finding: &Finding, mention: &Reference, checked: &Checked) -> Value {
    let what = match mention {
        Reference::Secret(name) => match checked.known(name) {
            Known::In(scope) => json!({ "name": name, "known": true, "scope": scope }),
            Known::Nowhere(Some(near)) => {
                json!({ "name": name, "known": false, "scope": null, "nearest": near })
            }
            Known::Nowhere(None) => json!({ "name": name, "known": false, "scope": null }),
            Known::NotAsked => json!({ "name": name, "known": null, "scope": null }),
        },
        Reference::Provider { alias, key } => json!({ "provider": alias, "key": key }),
    };
    at_place(file, finding, what)
}

/// Does the work; if it takes long and a person looks on, a line says how far it is.
pub(crate) fn with_progress<T>(context: &Context, progress: &Progress, work: impl FnOnce() -> T) -> T {
    let out = context.out();
    if !out.shows_progress() {
        return work();
    }
    std::thread::scope(|threads| {
        let (done, wait) = channel::<()>();
        threads.spawn(move || {
            let mut patience = QUIET_FOR;
            while wait.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                let (files, bytes) = progress.seen();
                let files = count(usize::try_from(files).unwrap_or(usize::MAX), "file");
                out.transient(&format!("scanning: {files}, {}", size(bytes)));
                patience = STEP;
            }
            if patience == STEP {
                out.transient("");
            }
        });
        let result = work();
        drop(done);
        result
    })
}
