//! `import`: many secrets from one file, all of them or none. Only names are ever printed.

use crate::{
    cli::{
        args::ScopeArgs,
        context::Context,
        prompt,
        stop::{Stop, usage, wrap},
    },
    domain::SecretName,
    service::{ErrorKind, Import, ImportReport, OnExisting},
    vault::transfer::{self, Format},
};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// The biggest file that is read.
const MAX_FILE: usize = 256 << 20;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox import .env -p billing --dry-run         say what would happen; names only
  sealbox import .env -p billing
  sealbox import secrets.json --on-existing fail
  sops -d prod.yaml | sealbox import - --format yaml -p web

A value that is the same already is left alone. One bad name or value refuses the whole file.";

/// Arguments of `import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The file; `-` for stdin
    file: PathBuf,
    /// What the file is; by default its ending says so
    #[arg(long, value_enum)]
    format: Option<FormatWord>,
    /// What to do with names that exist and have another value
    #[arg(long, value_enum, default_value_t = Existing::Update)]
    on_existing: Existing,
    /// Write nothing, say what would happen
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

/// A file format, as a word on the command line.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum FormatWord {
    /// NAME=value lines, as the shell reads them.
    Dotenv,
    /// One flat object of texts.
    Json,
    /// One flat mapping of texts.
    Yaml,
}

impl From<FormatWord> for Format {
    fn from(word: FormatWord) -> Self {
        match word {
            FormatWord::Dotenv => Self::Dotenv,
            FormatWord::Json => Self::Json,
            FormatWord::Yaml => Self::Yaml,
        }
    }
}

#[derive(ValueEnum, Clone, Copy)]
enum Existing {
    /// Write a new version.
    Update,
    /// Leave them alone.
    Skip,
    /// Refuse the whole import.
    Fail,
}

pub(crate) fn run(context: &mut Context, args: ImportArgs) -> Result<(), Stop> {
    let stdin = args.file.as_os_str() == "-";
    if stdin && context.globals().passphrase_fd == Some(0) {
        return Err(usage("stdin cannot be both the passphrase and the file").into());
    }
    let format = match args.format {
        Some(word) => word.into(),
        None => Format::from_path(&args.file).filter(|_| !stdin).ok_or_else(|| {
            usage("the file's ending does not say what it is").hint("add --format dotenv, json or yaml")
        })?,
    };
    let scope = context.scope(&args.scope)?;
    let bytes = prompt::file_or_stdin(&args.file, MAX_FILE)?;
    let entries = transfer::parse(format, &bytes).map_err(|error| wrap(ErrorKind::Usage, &error))?;
    drop(bytes);
    context.unlock()?;
    let on_existing = match args.on_existing {
        Existing::Update => OnExisting::Update,
        Existing::Skip => OnExisting::Skip,
        Existing::Fail => OnExisting::Fail,
    };
    let call = Import { scope: scope.clone(), entries, on_existing, dry_run: args.dry_run };
    let report = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    if context.out().is_json() {
        return context.out().json(&json!({ "scope": scope, "dry_run": args.dry_run, "report": report }));
    }
    let would = if args.dry_run { "would be " } else { "" };
    if args.dry_run {
        context.out().text(&plan(&report))?;
    }
    context.out().say(&format!(
        "{would}created {}, updated {}, unchanged {}, skipped {} in {scope}",
        report.created.len(),
        report.updated.len(),
        report.unchanged.len(),
        report.skipped.len()
    ));
    Ok(())
}

/// One line a name: + new, ~ changed, = the same, - skipped.
fn plan(report: &ImportReport) -> String {
    let groups: [(char, &[SecretName]); 4] =
        [('+', &report.created), ('~', &report.updated), ('=', &report.unchanged), ('-', &report.skipped)];
    let mut lines: Vec<(&SecretName, char)> =
        groups.iter().flat_map(|(sign, names)| names.iter().map(|name| (name, *sign))).collect();
    lines.sort();
    lines.iter().map(|(name, sign)| format!("{sign} {name}\n")).collect()
}
