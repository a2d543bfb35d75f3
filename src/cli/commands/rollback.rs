//! `rollback`: writes an old version's value again, as a new version. Nothing is lost.

use crate::{
    cli::{args::ScopeArgs, commands::set, context::Context, stop::Stop},
    service::Rollback,
};
use clap::Args;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox history API_KEY -p billing
  sealbox rollback API_KEY -p billing --to 2";

/// Arguments of `rollback`.
#[derive(Args)]
pub(crate) struct RollbackArgs {
    /// The secret's name
    name: String,
    /// The version to bring back
    #[arg(long, value_name = "N")]
    to: u32,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: RollbackArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let call = Rollback { scope: scope.clone(), name: name.clone(), version: args.to };
    let written = context.ask(call).map_err(|error| context.suggest(error, &scope, Some(&name)))?;
    set::report(context, &scope, &name, written)
}
