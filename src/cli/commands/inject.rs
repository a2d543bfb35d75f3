//! `inject`: text in, text out, each reference replaced by its value.
//!
//! Everything that can be wrong is found before a byte is written: the text, the names, the roles, the output file. A
//! file is written as a whole, for its owner only, and never through a symlink.

use crate::{
    cli::{
        args::ScopeArgs,
        context::Context,
        output::SCHEMA_VERSION,
        prompt,
        stop::{Stop, file_error, usage, wrap},
    },
    domain::{Reference, ScopeRef, SecretValue, Template, printable, template::RenderError},
    platform::files,
    service::{ErrorKind, Resolve, ResolvePurpose, Resolved, ServiceError, Wanted},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs::Metadata,
    io::IsTerminal,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The biggest text that is read.
const MAX_TEXT: usize = 64 << 20;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox inject -i config.yaml.tpl -o config.yaml -p billing
  sealbox inject -i app.env.tpl -o .env --force    replace what was written before
  sealbox inject -p web < nginx.conf.tpl | ssh host 'cat > nginx.conf'
  sealbox inject -i config.yaml.tpl --dry-run      names and where they come from, no values

In the text, {{$secret.NAME}} or {{ vault.NAME }} stands for a secret: the project's, else the organization's; \
{{ $secrets.ALIAS.KEY }} or {{ $secrets['ALIAS']['path/to/key#field'] }} for one that a provider keeps. Other braces \
stay as they are, and so does what a value contains. The file is written with mode 0600, whole or not at all.";

/// Arguments of `inject`.
#[derive(Args)]
pub(crate) struct InjectArgs {
    /// The text with references; `-` (or nothing) for stdin
    #[arg(short, long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    input: PathBuf,
    /// Write this file (mode 0600); `-` (or nothing) for stdout
    #[arg(short, long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    output: PathBuf,
    /// Replace the file if it exists; print to a terminal all the same
    #[arg(short, long)]
    force: bool,
    /// Write nothing, say what would be inserted; names only
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: InjectArgs) -> Result<(), Stop> {
    let scope = context.scope(&args.scope)?;
    let input = (args.input.as_os_str() != "-").then_some(args.input.as_path());
    let output = (args.output.as_os_str() != "-").then_some(args.output.as_path());
    check_streams(context, input, output, &args)?;
    if let Some(path) = output {
        check_output(path, args.force)?;
    }
    let source = prompt::file_or_stdin(&args.input, MAX_TEXT)?;
    let template = parsed(&source, input)?;
    let resolved = resolved(context, &scope, &template, args.dry_run)?;
    if args.dry_run {
        return dry_run(context, &scope, &template, &resolved);
    }
    let values: HashMap<&Reference, &SecretValue> =
        resolved.items.iter().filter_map(|item| Some((&item.reference, item.value.as_ref()?))).collect();
    let lookup = |reference: &Reference| values.get(reference).map(|value| value.expose());
    let failed = |error: RenderError| wrap(ErrorKind::Usage, &error);
    let size = template.rendered_size(lookup).map_err(failed)?;
    let mut text = Zeroizing::new(Vec::with_capacity(size)); // all of it at once: growing would leave copies behind
    template.render(lookup, &mut *text).map_err(failed)?;
    let Some(path) = output else {
        return print(context, &scope, &text, values.len());
    };
    let written = if args.force {
        files::write_private_atomic(path, &text)
    } else {
        files::create_private_new(path, &text)
    };
    written.map_err(|error| file_error("write", path, &error))?;
    told(context, &scope, path, text.len(), values.len())
}

/// Nobody at a terminal is made to wait, or shown values, without having asked for it.
fn check_streams(
    context: &Context,
    input: Option<&Path>,
    output: Option<&Path>,
    args: &InjectArgs,
) -> Result<(), ServiceError> {
    let Some(input) = input else {
        if context.globals().passphrase_fd == Some(0) {
            return Err(usage("stdin cannot be both the passphrase and the text"));
        }
        if std::io::stdin().is_terminal() {
            return Err(usage("there is no text on stdin").hint("give a file: sealbox inject -i FILE"));
        }
        return check_terminal(context, output, args);
    };
    let found = std::fs::metadata(input).map_err(|error| file_error("read", input, &error))?;
    if found.is_dir() {
        return Err(usage(format!("{} is a folder", shown(input))));
    }
    let to = match output {
        Some(path) => std::fs::metadata(path).ok().map(|found| identity(&found)),
        None => rustix::fs::fstat(rustix::stdio::stdout()).ok().map(|found| (found.st_dev, found.st_ino)),
    };
    if to == Some(identity(&found)) && found.is_file() {
        return Err(usage(format!("{} is both the text and the output", shown(input)))
            .hint("keep the text with its references, and write another file"));
    }
    check_terminal(context, output, args)
}

fn check_terminal(context: &Context, output: Option<&Path>, args: &InjectArgs) -> Result<(), ServiceError> {
    if output.is_none() && !args.dry_run && !args.force && context.out().stdout_is_terminal() {
        return Err(usage("this would print values on the terminal").hint("add -o FILE, or --force"));
    }
    Ok(())
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// A new name, or with `--force` a regular file. Anything else that has the name is left alone.
fn check_output(path: &Path, force: bool) -> Result<(), ServiceError> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if found.file_type().is_symlink() {
        return Err(usage(format!("{} is a symbolic link; name the file itself", shown(path))));
    }
    if !found.is_file() {
        return Err(usage(format!("{} is not a regular file", shown(path))));
    }
    if !force {
        return Err(ServiceError::new(ErrorKind::Conflict, format!("{} exists already", shown(path)))
            .hint("add --force to replace it"));
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    printable::line(&path.to_string_lossy())
}

/// The first fault is told, with the number of others; `-v` tells them all.
fn parsed<'a>(source: &'a [u8], input: Option<&Path>) -> Result<Template<'a>, ServiceError> {
    let (template, faults) = Template::survey(source);
    let place = input.map_or_else(|| "standard input".to_owned(), shown);
    let mut faults = faults.into_iter();
    let Some(first) = faults.next() else { return Ok(template) };
    let others: Vec<String> = faults.map(|fault| format!("{place}: {fault}")).collect();
    let more =
        if others.is_empty() { String::new() } else { format!(" (and {} more, see -v)", others.len()) };
    let mut error = usage(format!("{place}: {first}{more}"));
    error.causes = others;
    Err(error)
}

/// What the text refers to. A text without references needs no vault.
fn resolved(
    context: &Context,
    scope: &ScopeRef,
    template: &Template<'_>,
    dry_run: bool,
) -> Result<Resolved, Stop> {
    if template.references().is_empty() {
        context.out().say("the text has no references");
        return Ok(Resolved { items: Vec::new(), warning: None });
    }
    context.unlock()?;
    let call = Resolve {
        scope: scope.clone(),
        wanted: Wanted::These(template.references().to_vec()),
        purpose: ResolvePurpose::Inject,
        program: "sealbox inject".to_owned(),
        dry_run,
    };
    Ok(context.ask(call).map_err(|error| context.suggest(error, scope, None))?)
}

/// Names, sources and lines; never a value.
fn dry_run(
    context: &Context,
    scope: &ScopeRef,
    template: &Template<'_>,
    resolved: &Resolved,
) -> Result<(), Stop> {
    let mut lines: HashMap<&Reference, Vec<usize>> = HashMap::new();
    for mention in template.mentions() {
        lines.entry(mention.reference).or_default().push(mention.line);
    }
    let lines_of = |reference: &Reference| lines.get(reference).map(Vec::as_slice).unwrap_or_default();
    if context.out().is_json() {
        let reference = |item: &crate::service::ResolvedItem| -> Value {
            json!({
                "reference": item.reference.to_string(), "name": item.name(), "source": item.source,
                "version": item.version, "lines": lines_of(&item.reference),
            })
        };
        let references: Vec<Value> = resolved.items.iter().map(reference).collect();
        return context.out().json(&json!({ "scope": scope, "dry_run": true, "references": references }));
    }
    let rows: Vec<[String; 4]> = resolved
        .items
        .iter()
        .map(|item| {
            [
                item.name().map_or_else(|| item.reference.to_string(), ToString::to_string),
                item.source.to_string(),
                item.version.map(|version| format!("v{version}")).unwrap_or_default(),
                some_lines(lines_of(&item.reference)),
            ]
        })
        .collect();
    if rows.is_empty() {
        Ok(())
    } else {
        context.out().table(["REFERENCE", "FROM", "VERSION", "LINES"], &rows)
    }
}

/// The first few line numbers.
fn some_lines(lines: &[usize]) -> String {
    let mut text: Vec<String> = lines.iter().take(5).map(ToString::to_string).collect();
    if lines.len() > 5 {
        text.push(format!("and {} more", lines.len() - 5));
    }
    text.join(", ")
}

/// The JSON form of a text with its values.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    scope: &'a ScopeRef,
    references: usize,
    output_base64: &'a str,
    output: Option<&'a str>,
}

fn print(context: &Context, scope: &ScopeRef, text: &[u8], references: usize) -> Result<(), Stop> {
    if !context.out().is_json() {
        return context.out().bytes(text);
    }
    let base64 = Zeroizing::new(STANDARD.encode(text));
    let document = Document {
        schema_version: SCHEMA_VERSION,
        scope,
        references,
        output_base64: &base64,
        output: std::str::from_utf8(text).ok(),
    };
    // an escaped character takes six bytes at most
    context.out().json_secret(&document, base64.len() + text.len() * 6 + 1024)
}

fn told(
    context: &Context,
    scope: &ScopeRef,
    path: &Path,
    bytes: usize,
    references: usize,
) -> Result<(), Stop> {
    if context.out().is_json() {
        return context.out().json(&json!({
            "scope": scope, "file": path.to_string_lossy(), "bytes": bytes, "references": references,
        }));
    }
    let values = if references == 1 { "1 value".to_owned() } else { format!("{references} values") };
    context.out().say(&format!("wrote {} with {values} of {scope} (mode 0600)", shown(path)));
    Ok(())
}
