//! `export`: many values out, in a form that `import` and a shell read back exactly.

use crate::{
    cli::{
        args::ScopeArgs,
        commands::import::FormatWord,
        context::Context,
        output::SCHEMA_VERSION,
        stop::{Stop, file_error, usage, wrap},
    },
    domain::{Role, ScopeRef, SecretName, SecretValue},
    platform::files,
    service::{ErrorKind, Export, Exported, ListSecrets, ServiceError},
    vault::transfer::{self, Format},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeSet, path::PathBuf};
use zeroize::Zeroizing;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox export -p billing -o .env                mode 0600, replaced as a whole
  sealbox export -p billing --with-org --format json | jq keys
  sealbox export --json                            with base64, for values that are not text
  sealbox export --only DB_URL,API_KEY > two.env
  sealbox export -p billing --dry-run              names only

Dotenv output can be sourced by a POSIX shell: set -a; . ./.env";

/// Arguments of `export`.
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// What to write; by default the ending of -o says so, else dotenv
    #[arg(long, value_enum)]
    format: Option<FormatWord>,
    /// Write this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these names, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// For a project: also the organization's secrets that it does not override
    #[arg(long)]
    with_org: bool,
    /// Print the names only
    #[arg(long, conflicts_with_all = ["output", "force"])]
    dry_run: bool,
    /// Print values to a terminal all the same
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: ExportArgs) -> Result<(), Stop> {
    let scope = context.scope(&args.scope)?;
    let only = args.only.iter().map(|name| context.name(name)).collect::<Result<Vec<_>, _>>()?;
    let names = (!only.is_empty()).then_some(only);
    if args.dry_run {
        return dry_run(context, &scope, names, args.with_org);
    }
    if args.output.is_none() && context.out().stdout_is_terminal() && !args.force {
        return Err(usage("this would print every value on the terminal")
            .hint("add -o FILE, or --force")
            .into());
    }
    let by_ending = args.output.as_deref().and_then(Format::from_path);
    let format = args.format.map(Format::from).or(by_ending);
    context.unlock()?;
    let call = Export {
        scope: scope.clone(),
        names,
        with_organization: args.with_org,
        program: "sealbox export".to_owned(),
    };
    let exported = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    if context.out().is_json() && args.output.is_none() && format.is_none() {
        return as_json(context, &scope, &exported);
    }
    let format = format.unwrap_or(Format::Dotenv);
    let text = transfer::render(format, &exported.entries).map_err(|error| wrap(ErrorKind::Usage, &error))?;
    let Some(path) = args.output else {
        return context.out().bytes(&text);
    };
    files::write_private_atomic(&path, &text).map_err(|error| file_error("write", &path, &error))?;
    let count = exported.entries.len();
    if context.out().is_json() {
        return context
            .out()
            .json(&json!({ "scope": scope, "file": path.to_string_lossy(), "secrets": count }));
    }
    context.out().say(&format!("wrote {count} secrets of {scope} to {} (mode 0600)", path.display()));
    Ok(())
}

/// The JSON form of an export, which also holds values that are not text.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    scope: &'a ScopeRef,
    secrets: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a SecretName,
    value_base64: &'a str,
    value: Option<&'a str>,
}

fn as_json(context: &Context, scope: &ScopeRef, exported: &Exported) -> Result<(), Stop> {
    let entry = |(name, value): &'_ (SecretName, SecretValue)| value.len() * 8 + name.as_str().len() + 64;
    let size = exported.entries.iter().map(entry).sum::<usize>() + 1024;
    let encoded: Vec<Zeroizing<String>> =
        exported.entries.iter().map(|(_, value)| Zeroizing::new(STANDARD.encode(value.expose()))).collect();
    let pairs = exported.entries.iter().zip(&encoded);
    let secrets = pairs
        .map(|((name, value), base64)| Entry { name, value_base64: base64, value: value.expose_text() })
        .collect();
    context.out().json_secret(&Document { schema_version: SCHEMA_VERSION, scope, secrets }, size)
}

/// The names that would be written; asks for no value.
fn dry_run(
    context: &Context,
    scope: &ScopeRef,
    only: Option<Vec<SecretName>>,
    with_org: bool,
) -> Result<(), Stop> {
    context.unlock()?;
    let mut found = BTreeSet::new();
    let organization = (with_org && *scope != ScopeRef::Organization).then_some(&ScopeRef::Organization);
    for place in std::iter::once(scope).chain(organization) {
        let list = context
            .ask(ListSecrets { scope: place.clone() })
            .map_err(|error| context.suggest(error, place, None))?;
        if list.role < Role::Run {
            return Err(ServiceError::new(
                ErrorKind::Denied,
                format!("exporting needs the role run in {place}; yours is {}", list.role),
            )
            .into());
        }
        found.extend(list.secrets.into_iter().map(|secret| secret.name));
    }
    if let Some(only) = only {
        if let Some(missing) = only.iter().find(|name| !found.contains(*name)) {
            let error =
                ServiceError::new(ErrorKind::NotFound, format!("there is no secret {missing} in {scope}"));
            return Err(context.suggest(error, scope, Some(missing)).into());
        }
        found.retain(|name| only.contains(name));
    }
    if context.out().is_json() {
        return context.out().json(&json!({ "scope": scope, "dry_run": true, "names": found }));
    }
    context.out().text(&found.iter().map(|name| format!("{name}\n")).collect::<String>())
}
