//! `passwd`: another passphrase, and if wanted another memory cost, for the identity file. No data is touched.

use crate::{
    cli::{
        context::Context,
        prompt,
        stop::{Stop, usage},
    },
    service::ChangePassphrase,
};
use clap::Args;
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox passwd
  sealbox passwd --memory 256                      slower to guess, and to unlock
  SEALBOX_PASSPHRASE_FILE=old SEALBOX_NEW_PASSPHRASE_FILE=new sealbox passwd

This does not lock out somebody who has a copy of the old identity file and knows the old passphrase.";

/// Arguments of `passwd`.
#[derive(Args)]
pub(crate) struct PasswdArgs {
    /// Memory that a guess costs, 64 to 4096 MiB
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// Read the new passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    new_passphrase_fd: Option<u32>,
}

pub(crate) fn run(context: &mut Context, args: PasswdArgs) -> Result<(), Stop> {
    if args.memory.is_some_and(|mib| !(64..=4096).contains(&mib)) {
        return Err(usage("--memory is 64 to 4096 MiB").into());
    }
    if args.new_passphrase_fd.is_some() && args.new_passphrase_fd == context.globals().passphrase_fd {
        return Err(usage("the old and the new passphrase need descriptors of their own").into());
    }
    let old = context.prove()?; // proven before a new one is asked for
    let new = prompt::new_passphrase(context, args.new_passphrase_fd)?;
    context.ask(ChangePassphrase { old, new, memory_mib: args.memory })?;
    if context.out().is_json() {
        return context.out().json(&json!({ "changed": true, "memory_mib": args.memory }));
    }
    context.out().say("the passphrase is changed");
    Ok(())
}
