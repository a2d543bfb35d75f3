//! `get`: prints one value. Exact bytes into a pipe or file; on a terminal, made safe to look at.

use crate::{
    cli::{args::ScopeArgs, context::Context, output::SCHEMA_VERSION, stop::Stop},
    domain::{ScopeRef, SecretName, printable},
    service::{GetSecret, Purpose, Revealed},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox get API_KEY -p billing
  sealbox get API_KEY --version 2
  sealbox get TLS_KEY > key.pem                    exact bytes, no line break added
  sealbox get API_KEY --json                       base64, and text if it is UTF-8

On a terminal a line break is added and control characters are shown escaped.";

/// Arguments of `get`.
#[derive(Args)]
pub(crate) struct GetArgs {
    /// The secret's name
    name: String,
    /// An old version instead of the current one
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    #[command(flatten)]
    scope: ScopeArgs,
}

/// The JSON form of a value.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    scope: &'a ScopeRef,
    name: &'a SecretName,
    version: u32,
    value_base64: &'a str,
    value: Option<&'a str>,
}

pub(crate) fn run(context: &mut Context, args: GetArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let purpose = if context.out().stdout_is_terminal() { Purpose::Reveal } else { Purpose::Resolve };
    let call = GetSecret {
        scope: scope.clone(),
        name: name.clone(),
        version: args.version,
        purpose,
        program: "sealbox get".to_owned(),
    };
    let revealed = context.ask(call).map_err(|error| context.suggest(error, &scope, Some(&name)))?;
    if context.out().is_json() {
        return as_json(context, &scope, &name, &revealed);
    }
    if !context.out().stdout_is_terminal() {
        return context.out().bytes(revealed.value.expose());
    }
    let mut shown = Zeroizing::new(printable::bytes_multiline(revealed.value.expose()));
    if shown.as_bytes() != revealed.value.expose() {
        context.out().warn("the value has control characters or is not text; they are shown escaped here");
    }
    if !shown.ends_with('\n') {
        shown.push('\n');
    }
    context.out().text(&shown)
}

fn as_json(context: &Context, scope: &ScopeRef, name: &SecretName, revealed: &Revealed) -> Result<(), Stop> {
    let base64 = Zeroizing::new(STANDARD.encode(revealed.value.expose()));
    let document = Document {
        schema_version: SCHEMA_VERSION,
        scope,
        name,
        version: revealed.version,
        value_base64: &base64,
        value: revealed.value.expose_text(),
    };
    // an escaped character takes six bytes at most
    context.out().json_secret(&document, base64.len() + revealed.value.len() * 6 + 1024)
}
