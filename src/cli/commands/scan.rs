//! `scan`: where secrets are referenced in files, and where their values leaked to. Exits 1 on a leak.

use crate::{
    cli::{
        args::ScopeArgs,
        context::Context,
        findings::{self, Checked},
        registered,
        stop::{Stop, file_error, usage, wrap},
    },
    crypto::fingerprint::Matcher,
    domain::{ScopeRef, SecretName, printable},
    scan::{self, Limits, Progress, Report, Wanted, staged},
    service::{ErrorKind, Fingerprinted, Fingerprints, ListSecrets, ServiceError},
};
use clap::Args;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox scan                            the folders of .sealbox.toml, else this one
  sealbox scan src deploy/app.yaml -p billing
  sealbox scan --leaks --no-ignore .      values only, also in what .gitignore leaves out
  git diff main | sealbox scan --stdin
  sealbox scan --staged --leaks           as .git/hooks/pre-commit: #!/bin/sh, then `exec sealbox scan --staged --leaks`

References ({{$secret.NAME}}) are printed with the scope that answers them; with --strict an unknown name exits 10. \
Values are looked for as they are, in base64 (any alignment), hexadecimal, and with URL or JSON escapes; older versions \
that are kept count, too. A leak is told by name, never by value, and exits 1. Values shorter than 8 bytes, and plain \
words, are not looked for; their names are told. While the vault is locked only references are listed (with --leaks: exit \
11). A base64 text that is broken into lines in the middle of a value is not seen.";

/// Arguments of `scan`.
#[derive(Args)]
pub(crate) struct ScanArgs {
    /// Files and folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only references
    #[arg(long, conflicts_with = "leaks")]
    references: bool,
    /// Only leaked values
    #[arg(long)]
    leaks: bool,
    /// What git is about to commit, instead of what is in the folder
    #[arg(long, conflicts_with = "stdin")]
    staged: bool,
    /// Standard input
    #[arg(long, conflicts_with = "paths")]
    stdin: bool,
    /// Fail on unknown names, on files that cannot be read, and if anything could not be checked
    #[arg(long)]
    strict: bool,
    /// Also files that .gitignore leaves out
    #[arg(long)]
    no_ignore: bool,
    /// Pass over files with more bytes than this
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: ScanArgs) -> Result<(), Stop> {
    context.paths()?; // a wrong --vault is told before anything is read
    let scope = context.scope(&args.scope)?;
    let roots = roots(context, &args)?;
    let open = open(context, &args)?;
    let mut checked = Checked { references: !args.leaks, ..Checked::default() };
    let mut matcher = None;
    if open && !args.references {
        // The flag narrows the search; the folder's project does not: any value is a leak here.
        let narrowed = context.scope_by_flag(&args.scope)?;
        let set = context
            .ask(Fingerprints { scopes: narrowed.map(|scope| vec![scope]) })
            .map_err(|error| context.suggest(error, &scope, None))?;
        if args.leaks && set.owners.is_empty() && set.not_searched.is_empty() && !set.left_out.is_empty() {
            return Err(denied(&set).into());
        }
        let Fingerprinted { set, owners, not_searched, left_out } = set;
        matcher = Some(Arc::new(Matcher::new(set)));
        (checked.owners, checked.not_searched, checked.left_out) = (owners, not_searched, left_out);
        checked.leaks = true;
    }
    if open && !args.leaks {
        checked.names = Some(names(context, &scope)?);
    }
    let wanted = Wanted { references: !args.leaks, leaks: matcher };
    let limits = Limits { max_size: args.max_size, ignored_too: args.no_ignore, until: None };
    let report = read(context, &args, &roots, &wanted, &limits)?;
    findings::print(context, &report, &checked)?;
    verdict(&report, &checked, &args)
}

/// What to read: what was said, else the folders of the project file, else this one.
fn roots(context: &Context, args: &ScanArgs) -> Result<Vec<PathBuf>, Stop> {
    if args.stdin || args.staged || !args.paths.is_empty() {
        for path in args.paths.iter().filter(|_| !args.staged) {
            std::fs::symlink_metadata(path).map_err(|error| file_error("scan", path, &error))?;
        }
        return Ok(args.paths.clone());
    }
    let registered = registered::from_here(context)?;
    Ok(if registered.is_empty() { vec![PathBuf::from(".")] } else { registered })
}

/// Opens the vault if that can be; false if references alone must do.
fn open(context: &Context, args: &ScanArgs) -> Result<bool, Stop> {
    let error = match context.unlock() {
        Ok(()) => return Ok(true),
        Err(Stop::Failed(error)) => error,
        Err(stop) => return Err(stop),
    };
    let references_will_do = !args.leaks && !args.strict;
    if references_will_do && matches!(error.kind, ErrorKind::Locked | ErrorKind::NotFound) {
        let lost = if args.references { "" } else { ", and leaked values were not looked for" };
        context.out().warn(&format!("{}: names are not checked{lost}", error.message));
        return Ok(false);
    }
    Err(Stop::Failed(error))
}

/// The names that a reference can mean: those of the project, then those of the organization.
fn names(context: &Context, scope: &ScopeRef) -> Result<Vec<(ScopeRef, BTreeSet<SecretName>)>, Stop> {
    let list = |scope: &ScopeRef| {
        let list = context.ask(ListSecrets { scope: scope.clone() })?;
        Ok::<_, ServiceError>((scope.clone(), list.secrets.into_iter().map(|secret| secret.name).collect()))
    };
    let mut names = vec![list(scope).map_err(|error| context.suggest(error, scope, None))?];
    if *scope != ScopeRef::Organization {
        match list(&ScopeRef::Organization) {
            Ok(organization) => names.push(organization),
            Err(error) if error.kind == ErrorKind::Denied => {} // a member of the project alone
            Err(error) => return Err(error.into()),
        }
    }
    Ok(names)
}

fn read(
    context: &Context,
    args: &ScanArgs,
    roots: &[PathBuf],
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Report, Stop> {
    let progress = Progress::default();
    findings::with_progress(context, &progress, || {
        if args.stdin {
            let read = scan::stream(&mut std::io::stdin(), PathBuf::from("-"), wanted, &progress);
            return read.map_err(|error| wrap(ErrorKind::Failure, &error).into());
        }
        if args.staged {
            return staged::scan(roots, wanted, limits, &progress).map_err(|error| {
                let kind = if matches!(error, staged::StagedError::Git(_)) {
                    ErrorKind::Usage
                } else {
                    ErrorKind::Failure
                };
                wrap(kind, &error).hint("--staged works inside a git repository").into()
            });
        }
        Ok(scan::scan(roots, wanted, limits, &progress))
    })
}

/// What the exit code says: a leak first, then what `--strict` insists on.
fn verdict(report: &Report, checked: &Checked, args: &ScanArgs) -> Result<(), Stop> {
    let strict = args.strict;
    let tally = findings::tally(report, checked);
    if tally.leaks > 0 {
        let (values, files) =
            (findings::count(tally.leaked, "value"), findings::count(tally.leaking_files, "file"));
        let error =
            ServiceError::new(ErrorKind::Failure, format!("{values} of the vault leaked into {files}"));
        return Err(error
            .hint("take them out; what was committed or shared must be changed at its source, then: sealbox set NAME")
            .into());
    }
    // What was asked for by name and not read is a failure, with --strict or without.
    let plain = |path: &Path| path.strip_prefix("./").unwrap_or(path).to_owned();
    let named = |path: &PathBuf| args.paths.iter().any(|asked| plain(asked) == *path);
    if let Some((path, why)) = report.unread.iter().find(|(path, _)| named(path)) {
        let path = printable::line(&path.to_string_lossy());
        let why = format!("{path} was not scanned: {}", printable::line(why));
        return Err(ServiceError::new(ErrorKind::Failure, why).into());
    }
    if strict && tally.unknown > 0 {
        let names = findings::count(tally.unknown, "reference");
        let error =
            ServiceError::new(ErrorKind::NotFound, format!("{names} to names that are not in the vault"));
        return Err(error.hint("sealbox set NAME, or mend the reference").into());
    }
    let missed = report.unread.len() + report.too_large.len();
    if strict && (missed > 0 || !report.complete || tally.more > 0) {
        let why = format!("not everything was looked at: {} left out", findings::count(missed, "file"));
        return Err(ServiceError::new(ErrorKind::Failure, why).into());
    }
    if strict && !checked.left_out.is_empty() {
        let scopes: Vec<String> = checked.left_out.iter().map(|(scope, _)| scope.to_string()).collect();
        let why =
            format!("the values of {} could not be looked for: your role there is read", scopes.join(", "));
        return Err(ServiceError::new(ErrorKind::Denied, why).hint("ask an owner for the role run").into());
    }
    Ok(())
}

fn denied(set: &Fingerprinted) -> ServiceError {
    match set.left_out.first() {
        Some((scope, role)) => {
            let why = format!("looking for leaked values needs the role run; yours in {scope} is {role}");
            ServiceError::new(ErrorKind::Denied, why).hint("ask an owner for the role run")
        }
        None => usage("there is no scope to look for"),
    }
}
