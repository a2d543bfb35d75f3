//! `status`: where the vault stands. Needs no passphrase.

use crate::{
    cli::{args::Nothing, context::Context, stop::Stop},
    domain::printable,
    service::{Status, VaultState},
};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox status
  sealbox status --json | jq -r .state";

pub(crate) fn run(context: &mut Context, _args: Nothing) -> Result<(), Stop> {
    let status = context.ask(Status {})?;
    if context.out().is_json() {
        return context.out().json(&status);
    }
    let state = match status.state {
        VaultState::Absent => "no vault here",
        VaultState::Locked => "locked",
        VaultState::Unlocked => "unlocked",
    };
    context.out().line(&format!("state   {state}"))?;
    context.out().line(&format!("vault   {}", printable::line(&status.vault)))?;
    context.out().line(&format!("store   {}", printable::line(&status.store)))?;
    for warning in &status.warnings {
        context.out().warn(&printable::line(warning));
    }
    if status.state == VaultState::Absent {
        context.out().say("next: sealbox init (a new vault), or sealbox id (to join one)");
    }
    Ok(())
}
