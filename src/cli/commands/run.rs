//! `run`: a program with secrets in its environment, and with none of them in what it prints.
//!
//! Owns the order of things: everything that can be refused is refused before a passphrase is asked for, the vault is
//! let go before the program starts, and what is put on a disk for the program is removed after it on every way out.

mod plan;
mod wish;

use crate::{
    cli::{
        args::ScopeArgs,
        context::Context,
        stop::{Stop, file_error, usage},
    },
    domain::{Reference, ScopeRef, printable},
    platform::process::{
        self, Filter, Launch, RunError, SecretFiles, Signals, StartError, Variable, environment,
    },
    resolve::{Redaction, Redactor, Wanted},
    service::{ErrorKind, Resolve, ResolvePurpose, ResolvedItem, ServiceError},
};
use clap::Args;
use plan::{Place, Plan};
use serde_json::json;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};
use wish::Wish;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox run -p billing -- ./server --port 80      every secret of the project and of the organization
  sealbox run --only DB_URL,API_KEY -- make test    only these
  sealbox run --map PGPASSWORD=DB_PASSWORD -- psql  under another name
  sealbox run --env-file .env.tpl -- npm start      lines such as DB_URL=postgres://app:{{$secret.DB_PASSWORD}}@db
  sealbox run --files auto -- ./server              files named after the secrets, in the folder $SEALBOX_FILES
  sealbox run -p billing --dry-run                  which variable comes from where; never a value

A project's secret wins over the organization's of the same name, and both over a variable that was there before. \
What the program prints is searched for the values (also as base64, in URLs and in JSON), and each becomes \
[sealed:NAME]; colours, prompts and full-screen programs work as without. A value shorter than 6 bytes cannot be hidden. \
Names that decide what code a program runs (PATH, LD_PRELOAD, NODE_OPTIONS, ...) are left out unless --allow-env names \
them. The program gets none of sealbox's own credentials, and no core dumps. What it leaves running behind it can print \
for 0.2 s more.

The exit code is the program's; 128+N if signal N ended it, 127 if there is no such program, 126 if it cannot be run. \
Sealbox's own errors: sealbox help exit-codes";

/// Arguments of `run`.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Only these secrets, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Give the secret NAME as the variable ENV (may be repeated)
    #[arg(long, value_name = "ENV=NAME")]
    map: Vec<String>,
    /// Variables from a dotenv file whose values refer to secrets
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Give the secrets as files in this folder, which must be new or empty, instead of as variables; `auto` makes one
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Give a secret of this name although it may hand the program over to whoever wrote it (may be repeated)
    #[arg(long, value_name = "NAME")]
    allow_env: Vec<String>,
    /// Leave what the program prints as it is; without --files, our process becomes the program
    #[arg(long)]
    no_redact: bool,
    /// Print which variable or file comes from where, and run nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    /// The program and its arguments
    #[arg(last = true, value_name = "CMD", required_unless_present = "dry_run")]
    command: Vec<OsString>,
}

pub(crate) fn run(context: &mut Context, args: RunArgs) -> Result<(), Stop> {
    let scope = context.scope(&args.scope)?;
    let wish = Wish::of(context, &args)?;
    context.unlock()?;
    let plan = Plan::of(&wish, resolved(context, &scope, &wish, &args)?)?;
    for (name, why) in &plan.refused {
        context.out().warn(&format!(
            "{name} was not given to the program, because {why}; if that is wanted: --allow-env {name}"
        ));
    }
    if args.dry_run {
        return dry_run(context, &scope, &plan);
    }
    let runtime = context.paths()?.runtime;
    // the keys have done their part; the program may run for months
    context.let_go();
    start(context, &args, plan, &runtime)
}

/// Everything that the wish asks for.
fn resolved(
    context: &Context,
    scope: &ScopeRef,
    wish: &Wish,
    args: &RunArgs,
) -> Result<Vec<ResolvedItem>, ServiceError> {
    let ask = |wanted: Wanted| {
        let call = Resolve {
            scope: scope.clone(),
            wanted,
            purpose: ResolvePurpose::Run,
            program: shown_program(args.command.first()),
            dry_run: args.dry_run,
        };
        let resolved = context.ask(call).map_err(|error| context.suggest(error, scope, None))?;
        if let Some(warning) = &resolved.warning {
            context.out().warn(&printable::line(warning));
        }
        Ok::<_, ServiceError>(resolved.items)
    };
    let mut items = ask(wish.wanted()?)?;
    // "all" does not hold what providers keep
    let mut rest = wish.named()?;
    rest.retain(|reference| !items.iter().any(|item| item.reference == *reference));
    if !rest.is_empty() {
        items.extend(ask(Wanted::These(rest))?);
    }
    Ok(items)
}

/// The program's own name, for the read log: no folder and no argument of it.
fn shown_program(program: Option<&OsString>) -> String {
    let name = program.and_then(|program| Path::new(program).file_name());
    let shown = printable::line(&name.unwrap_or_default().to_string_lossy());
    let shown: String = shown.chars().take(64).collect();
    if shown.is_empty() { "run".to_owned() } else { shown }
}

fn start(context: &Context, args: &RunArgs, plan: Plan, runtime: &Path) -> Result<(), Stop> {
    let Plan { variables, files, hidden, .. } = plan;
    let mut words = args.command.iter().cloned();
    let program = words.next().unwrap_or_default();
    let mut launch = Launch { program, args: words.collect(), set: variables, unset: Launch::ours() };
    if args.no_redact && args.files.is_none() {
        check(&launch)?;
        let error = process::become_program(&launch);
        return not_started(context, &error);
    }
    // from here on a signal no longer ends us, so that nothing is left behind
    let signals = Signals::watch().map_err(system)?;
    let made = match &args.files {
        Some(place) => Some(write_files(context, place, runtime, &files, &mut launch)?),
        None => None,
    };
    drop(files);
    check(&launch)?;
    let ended = if args.no_redact {
        process::attend(&launch, signals)
    } else {
        let redaction = Arc::new(Redaction::new(hidden));
        warn_of_short(context, &redaction);
        process::run(&launch, signals, &|| Box::new(Redacted(Redactor::new(Arc::clone(&redaction)))))
    };
    drop(made);
    match ended {
        Ok(ending) => Err(Stop::Ended(ending.exit_code())),
        Err(RunError::Start(error)) => not_started(context, &error),
        Err(error) => Err(system(error).into()),
    }
}

/// Refuses what the system would refuse, while the error can still name a secret.
fn check(launch: &Launch) -> Result<(), ServiceError> {
    environment::check(launch, std::env::vars_os()).map_err(|why| {
        usage(why.to_string()).hint("leave it out with --only, or give it as a file: --files auto")
    })
}

fn not_started(context: &Context, error: &StartError) -> Result<(), Stop> {
    let kind = if error.exit_code() == 127 { ErrorKind::NotFound } else { ErrorKind::Failure };
    context.out().error(&ServiceError::new(kind, error.to_string()));
    Err(Stop::Ended(error.exit_code()))
}

fn system(error: RunError) -> ServiceError {
    let hint = "with --no-redact the program gets these streams as they are";
    ServiceError::new(ErrorKind::Failure, error.to_string()).hint(hint)
}

fn warn_of_short(context: &Context, redaction: &Redaction) {
    let names: Vec<&str> = redaction.too_short().iter().map(|name| name.as_str()).collect();
    if !names.is_empty() {
        context.out().warn(&format!(
            "shorter than 6 bytes, and therefore not hidden in what the program prints: {}",
            names.join(", ")
        ));
    }
}

fn write_files(
    context: &Context,
    place: &Path,
    runtime: &Path,
    files: &[plan::Taken],
    launch: &mut Launch,
) -> Result<SecretFiles, ServiceError> {
    let made =
        if place == Path::new("auto") { SecretFiles::anywhere(runtime) } else { SecretFiles::at(place) };
    let mut made = made.map_err(|error| {
        file_error("make the folder", place, &error)
            .hint("give a folder that is empty or does not exist, or: --files auto")
    })?;
    if !made.is_in_memory() {
        let folder = made.folder().to_string_lossy().into_owned();
        context.out().warn(&format!(
            "{} is not in memory: the values are written to a disk, where removing them may leave traces",
            printable::line(&folder)
        ));
    }
    for file in files {
        made.write(&file.name, &file.value)
            .map_err(|error| file_error("write", &made.folder().join(file.name.as_str()), &error))?;
    }
    let folder = made.folder().to_string_lossy().into_owned();
    let value =
        crate::domain::SecretValue::new(folder.into_bytes()).map_err(|error| usage(error.to_string()))?;
    launch.set.push(Variable { name: "SEALBOX_FILES".to_owned(), value });
    Ok(made)
}

fn dry_run(context: &Context, scope: &ScopeRef, plan: &Plan) -> Result<(), Stop> {
    if context.out().is_json() {
        let rows = plan.rows.iter().map(|row| {
            let (variable, file) = match &row.place {
                Place::Variable(name) => (Some(name), None),
                Place::File(name) => (None, Some(name)),
            };
            json!({
                "variable": variable, "file": file, "reference": row.reference.as_ref().map(ToString::to_string),
                "source": row.source, "version": row.version,
            })
        });
        let refused = plan.refused.iter().map(|(name, why)| json!({ "name": name, "why": why }));
        return context.out().json(&json!({
            "scope": scope, "dry_run": true,
            "gets": rows.collect::<Vec<_>>(), "refused": refused.collect::<Vec<_>>(),
        }));
    }
    let rows: Vec<[String; 4]> = plan
        .rows
        .iter()
        .map(|row| {
            let place = match &row.place {
                Place::Variable(name) => name.clone(),
                Place::File(name) => format!("file {name}"),
            };
            let what = row.reference.as_ref().map_or_else(
                || "(no secret)".to_owned(),
                |reference| match reference {
                    Reference::Secret(name) => name.to_string(),
                    other => other.to_string(),
                },
            );
            let source = row.source.as_ref().map(ToString::to_string).unwrap_or_default();
            let version = row.version.map(|version| format!("v{version}")).unwrap_or_default();
            [place, what, source, version]
        })
        .collect();
    context.out().table(["GETS", "SECRET", "FROM", "VERSION"], &rows)
}

/// The redaction of `resolve` as the filter of a stream.
struct Redacted(Redactor);

impl Filter for Redacted {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.0.push(piece, out);
    }

    fn settle(&mut self, out: &mut Vec<u8>) {
        self.0.settle(out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.0.finish(out);
    }
}
