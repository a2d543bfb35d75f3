//! `reset`: destroys the identity, the pins and the embedded store of this machine. There is no way back.

use crate::{
    cli::{context::Context, prompt, stop::Stop},
    domain::printable,
    service::{Reset, Status},
};
use clap::Args;
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox reset                                    for a forgotten passphrase, without the recovery key
  sealbox --vault old reset --yes-destroy-everything

Nothing else can open the secrets afterwards. A store that is shared with others is not touched.";

/// Arguments of `reset`.
#[derive(Args)]
pub(crate) struct ResetArgs {
    /// Do not ask
    #[arg(long)]
    yes_destroy_everything: bool,
}

pub(crate) fn run(context: &mut Context, args: ResetArgs) -> Result<(), Stop> {
    let status = context.ask(Status {})?;
    if !args.yes_destroy_everything {
        let question = format!(
            "This destroys the vault at {} and every secret in it, for good. Type the word reset: ",
            printable::line(&status.vault)
        );
        prompt::typed_word(context, &question, "reset", "--yes-destroy-everything")?;
    }
    context.ask(Reset {})?;
    if context.out().is_json() {
        return context.out().json(&json!({ "vault": status.vault, "destroyed": true }));
    }
    context.out().say(&format!("destroyed the vault at {}", printable::line(&status.vault)));
    Ok(())
}
