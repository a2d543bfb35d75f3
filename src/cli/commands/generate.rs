//! `generate`: a random value, printed once or stored without being seen.

use crate::{
    cli::{args::ScopeArgs, commands::set, context::Context, output::SCHEMA_VERSION, recipe, stop::Stop},
    crypto::generate::entropy_bits,
    service::SetMode,
};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox generate                                 a password of 24 characters
  sealbox generate words:6
  sealbox generate hex:32 --set SESSION_KEY -p web store it; it is not shown

Recipes:
  password[:LENGTH]   letters, digits and symbols (24)
  alnum[:LENGTH]      letters and digits only (32)
  easy[:LENGTH]       letters and digits without look-alikes such as 0 and O (24)
  words[:COUNT]       words joined by - (6)
  hex[:BYTES]         random bytes in hexadecimal (32)
  base64[:BYTES]      random bytes in URL-safe base64 (32)
  uuid                a random UUID";

/// Arguments of `generate`.
#[derive(Args)]
pub(crate) struct GenerateArgs {
    /// What to make
    #[arg(default_value = "password")]
    recipe: String,
    /// Store it under this name instead of printing it
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// With --set: fail if the name exists already
    #[arg(long, requires = "set")]
    create_only: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

/// The JSON form of a generated value.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    recipe: &'a str,
    entropy_bits: u32,
    value: &'a str,
}

pub(crate) fn run(context: &mut Context, args: GenerateArgs) -> Result<(), Stop> {
    let recipe = recipe::parse(&args.recipe)?;
    let value = recipe::make(&recipe)?;
    if let Some(name) = &args.set {
        let name = context.name(name)?;
        let scope = context.scope(&args.scope)?;
        context.unlock()?;
        let mode = if args.create_only { SetMode::Create } else { SetMode::Upsert };
        return set::store(context, scope, name, value, mode);
    }
    let text = value.expose_text().unwrap_or_default();
    if context.out().is_json() {
        let bits = entropy_bits(&recipe).floor().clamp(0.0, 1e6) as u32;
        let document = Document {
            schema_version: SCHEMA_VERSION,
            recipe: &args.recipe,
            entropy_bits: bits,
            value: text,
        };
        return context.out().json_secret(&document, text.len() * 6 + 256);
    }
    let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
    line.push_str(text);
    line.push('\n');
    context.out().text(&line)
}
