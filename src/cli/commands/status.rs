//! `status`: where the vault stands. Needs no passphrase; declared names are checked where the vault can be opened
//! without asking anybody.

use crate::{
    cli::{
        commands::agent::countdown,
        context::Context,
        registered::{self, Declared},
        stop::Stop,
    },
    domain::printable,
    service::{ErrorKind, LockReason, ServiceError, Status, StatusReport, VaultState},
};
use clap::Args;
use serde::Serialize;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox status
  sealbox status --json | jq -r .state
  sealbox status --check                  in CI: exits 10 if a name declared in .sealbox.toml is missing

Names that .sealbox.toml declares are checked while the vault is open, or if a passphrase file is named.";

/// Arguments of `status`.
#[derive(Args)]
pub(crate) struct StatusArgs {
    /// Exit 10 if a name that .sealbox.toml declares is missing, 11 if that cannot be checked
    #[arg(long)]
    check: bool,
}

/// The report with what became of the declared names.
#[derive(Serialize)]
struct Full<'a> {
    #[serde(flatten)]
    status: &'a StatusReport,
    declared: Option<&'a Declared>,
}

pub(crate) fn run(context: &mut Context, args: StatusArgs) -> Result<(), Stop> {
    let status = context.ask(Status {})?;
    // A status that was only asked for tells what it can: a wrong passphrase leaves the names unchecked.
    let (declared, trouble) = match registered::declared(context) {
        Ok(declared) => (declared, None),
        Err(Stop::Failed(error)) if !args.check => (None, Some(error.message)),
        Err(stop) => return Err(stop),
    };
    if context.out().is_json() {
        context.out().json(&Full { status: &status, declared: declared.as_ref() })?;
    } else {
        print(context, &status, declared.as_ref())?;
    }
    if let Some(why) = trouble {
        context.out().warn(&format!("declared names were not checked: {}", printable::line(&why)));
    }
    if !args.check {
        return Ok(());
    }
    match (declared, context.project_file()?) {
        (Some(declared), _) => Ok(declared.verdict()?),
        (None, Some(_)) => {
            context.out().say("no names are declared in .sealbox.toml");
            Ok(())
        }
        (None, None) => Err(ServiceError::new(
            ErrorKind::NotFound,
            "there is no .sealbox.toml here or above: nothing to check",
        )
        .hint("write one: names = [\"API_KEY\"]")
        .into()),
    }
}

fn print(context: &Context, status: &StatusReport, declared: Option<&Declared>) -> Result<(), Stop> {
    let state = match status.state {
        VaultState::Absent => "no vault here".to_owned(),
        VaultState::Locked => match status.lock.reason {
            Some(reason @ (LockReason::Idle | LockReason::Limit | LockReason::Replaced)) => {
                reason.words().to_owned()
            }
            _ => "locked".to_owned(),
        },
        VaultState::Unlocked => format!("unlocked; {}", countdown(status)),
    };
    context.out().line(&format!("state   {state}"))?;
    if let Some(agent) = status.lock.agent.as_ref().filter(|_| status.state == VaultState::Unlocked) {
        context.out().line(&format!("keys    held by the agent (process {})", agent.pid))?;
    }
    context.out().line(&format!("vault   {}", printable::line(&status.vault)))?;
    context.out().line(&format!("store   {}", printable::line(&status.store)))?;
    if let Some(declared) = declared {
        context.out().line(&format!("names   {}", declared.sentence()))?;
    }
    for warning in &status.warnings {
        context.out().warn(&printable::line(warning));
    }
    if status.state == VaultState::Absent {
        context.out().say("next: sealbox init (a new vault), or sealbox id (to join one)");
    }
    Ok(())
}
