//! `clipboard-holder`: hidden. The helper process that `copy` and the TUI start to own the system clipboard or to clear
//! another one; see `platform::clipboard::holder`. It opens no vault.

use crate::{
    cli::{
        context::Context,
        stop::{Stop, usage},
    },
    platform::clipboard::holder,
};
use clap::Args;
use std::ffi::OsString;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox copy API_KEY                             starts this by itself; it is of no use by hand";

/// Arguments of `clipboard-holder`; only `holder` knows their meaning.
#[derive(Args)]
pub(crate) struct HolderArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    job: Vec<OsString>,
}

pub(crate) fn run(context: &mut Context, args: HolderArgs) -> Result<(), Stop> {
    let out = context.out();
    holder::run(&args.job, &mut |line| out.line(line).is_ok()).map_err(|why| usage(why).into())
}
