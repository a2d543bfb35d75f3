//! `set`: creates a secret or writes a new version. The value comes from a hidden question, stdin, a file or the
//! generator; never from an argument, which every process list and shell history shows.

use crate::{
    cli::{
        args::ScopeArgs,
        context::Context,
        prompt, recipe,
        stop::{Stop, usage},
    },
    domain::{ScopeRef, SecretName, SecretValue, span},
    service::{NewValue, SetMode, SetRotation, SetSecret, Written},
};
use clap::Args;
use serde_json::json;
use std::{ffi::OsString, io::IsTerminal, path::PathBuf};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox set API_KEY -p billing                   ask for the value, unseen
  printf %s \"$KEY\" | sealbox set API_KEY           the exact bytes of stdin
  sealbox set TLS_KEY --from-file key.pem          the exact bytes of a file
  sealbox set SESSION_SECRET --generate            a random value, never shown
  sealbox set DB_PASSWORD --generate=words:5
  sealbox set API_KEY --rotate-every 90d           write a value, and say how long it may live
  sealbox set API_KEY --rotate-every 90d --keep-value
  sealbox set API_KEY --rotate-every off --keep-value

A name has 1 to 128 of A-Z, 0-9 and _; small letters are made big. stdin is taken as it is: `echo x |` stores the \
line break too. A rotation interval counts from when the current value was written; `list`, `lint` and the TUI flag \
what is due. See `sealbox help generate` for recipes.";

/// Why a value on the command line is refused; also a hint elsewhere.
pub(crate) const NEVER_AN_ARGUMENT: &str =
    "pipe the value in, or use --from-file FILE; treat the one on this command line as leaked and change it";

/// Arguments of `set`.
#[derive(Args)]
pub(crate) struct SetArgs {
    /// The secret's name
    name: String,
    /// Not for values: this only catches them, to say why
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = false)]
    value: Vec<OsString>,
    /// Take the value from this file (`-` for stdin)
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    from_file: Option<PathBuf>,
    /// Take a random value, by a recipe such as `words:6`
    #[arg(long, value_name = "RECIPE", num_args = 0..=1, require_equals = true, default_missing_value = "password")]
    generate: Option<String>,
    /// The value must be changed this often: 12h, 90d, 26w; `off` takes the interval away
    #[arg(long, value_name = "TIME")]
    rotate_every: Option<String>,
    /// Change the rotation interval only; the value stays as it is
    #[arg(long, requires = "rotate_every", conflicts_with_all = ["from_file", "generate", "create_only"])]
    keep_value: bool,
    /// Fail if the name exists already
    #[arg(long)]
    create_only: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: SetArgs) -> Result<(), Stop> {
    if !args.value.is_empty() {
        return Err(usage(
            "a value is never an argument: other users and the shell's history can read it there",
        )
        .hint(NEVER_AN_ARGUMENT)
        .into());
    }
    let name = context.name(&args.name)?;
    let every = args.rotate_every.as_deref().map(span::parse_rotation).transpose();
    let every = every.map_err(|rule| usage(rule).hint("sealbox set NAME --rotate-every 90d"))?;
    if let (Some(every_s), true) = (every, args.keep_value) {
        let scope = context.scope(&args.scope)?;
        context.unlock()?;
        return rotate(context, SetRotation { scope, name, every_s, with: None });
    }
    let recipe = args.generate.as_deref().map(recipe::parse).transpose()?;
    let stdin = args.from_file.as_ref().is_some_and(|path| path.as_os_str() == "-");
    let from_file = args.from_file.filter(|_| !stdin);
    let typed = !stdin && recipe.is_none() && from_file.is_none() && std::io::stdin().is_terminal();
    let piped = recipe.is_none() && from_file.is_none() && !typed;
    if piped && context.globals().passphrase_fd == Some(0) {
        return Err(usage("stdin cannot be both the passphrase and the value")
            .hint("give the value by --from-file FILE, or the passphrase by another descriptor")
            .into());
    }
    let scope = context.scope(&args.scope)?;
    let given = if typed { None } else { Some(value(&recipe, from_file.as_deref())?) };
    // Where nobody feeds stdin (cron, CI), whoever asks for an interval does not mean to throw the value away.
    if let (true, true, Some(text)) =
        (piped, given.as_ref().is_some_and(SecretValue::is_empty), &args.rotate_every)
    {
        return Err(usage("standard input was empty: is it the interval alone that is to change?")
            .hint(format!("sealbox set {name} --rotate-every {text} --keep-value"))
            .into());
    }
    context.unlock()?;
    let value = match given {
        Some(value) => value,
        None => prompt::value_typed(context, name.as_str())?,
    };
    if piped && value.is_empty() {
        context.out().warn("standard input was empty: the value is empty");
    }
    let mode = if args.create_only { SetMode::Create } else { SetMode::Upsert };
    match every {
        None => store(context, scope, name, value, mode),
        Some(every_s) => {
            rotate(context, SetRotation { scope, name, every_s, with: Some(NewValue { value, mode }) })
        }
    }
}

/// Writes a rotation interval, with a value or without, and reports.
fn rotate(context: &Context, call: SetRotation) -> Result<(), Stop> {
    let (scope, name, every) = (call.scope.clone(), call.name.clone(), call.every_s);
    let with_value = call.with.is_some();
    let written = context.ask(call).map_err(|error| context.suggest(error, &scope, Some(&name)))?;
    if context.out().is_json() {
        return context.out().json(&json!({
            "scope": scope, "name": name, "version": written.version, "created": written.created,
            "rotate_every_s": every,
        }));
    }
    if with_value {
        report(context, &scope, &name, written)?;
    }
    context.out().say(&match every {
        Some(seconds) => format!("{name} must be changed every {}", span::words(seconds)),
        None => format!("{name} has no rotation interval"),
    });
    Ok(())
}

/// Made or read before the passphrase is asked for, so that a bad file costs nothing.
fn value(
    recipe: &Option<crate::crypto::generate::Recipe>,
    file: Option<&std::path::Path>,
) -> Result<SecretValue, Stop> {
    match recipe {
        Some(recipe) => Ok(recipe::make(recipe)?),
        None => Ok(prompt::value_from(file)?),
    }
}

/// Writes and reports; shared with `edit` and `generate`.
pub(crate) fn store(
    context: &Context,
    scope: ScopeRef,
    name: SecretName,
    value: SecretValue,
    mode: SetMode,
) -> Result<(), Stop> {
    let call = SetSecret { scope: scope.clone(), name: name.clone(), value, mode };
    let written = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    report(context, &scope, &name, written)
}

/// What was written, without its value.
pub(crate) fn report(
    context: &Context,
    scope: &ScopeRef,
    name: &SecretName,
    written: Written,
) -> Result<(), Stop> {
    if context.out().is_json() {
        return context.out().json(&json!({
            "scope": scope, "name": name, "version": written.version, "created": written.created,
        }));
    }
    let verb = if written.created { "created" } else { "updated" };
    context.out().say(&format!("{verb} {name} v{} in {scope}", written.version));
    Ok(())
}
