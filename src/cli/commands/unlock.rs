//! `unlock`: opens the vault once, in the agent, so that the commands that follow ask nothing.

use crate::{
    cli::{
        commands::agent::{countdown, none_here},
        context::Context,
        stop::{Stop, usage},
    },
    config::settings::parse_duration,
    domain::Passphrase,
    service::{ErrorKind, KeepOpen, ServiceError, Status, VaultState},
};
use clap::Args;
use serde_json::json;
use std::time::Duration;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox unlock                                   until it has been idle for 15 minutes (setting lock.idle)
  sealbox unlock --for 2h                          for two hours, idle or not; never longer than lock.max
  SEALBOX_PASSPHRASE_FILE=pw sealbox unlock

Typing the passphrase at any other command does the same. sealbox lock ends it.";

/// Arguments of `unlock`.
#[derive(Args)]
pub(crate) struct UnlockArgs {
    /// Stay open for so long, idle or not: 30m, 2h
    #[arg(long = "for", value_name = "TIME")]
    time: Option<String>,
}

pub(crate) fn run(context: &mut Context, args: UnlockArgs) -> Result<(), Stop> {
    let Some(terms) = context.terms()? else { return Err(none_here().into()) };
    let time = args.time.as_deref().map(|text| read_time(text, terms.max_unlocked)).transpose()?;
    let open = context.present()?.state == VaultState::Unlocked;
    if !open || time.is_some() {
        // a person's time begins with a passphrase, also if it was open before
        context.unlock_with(|passphrase, _| in_the_agent(context, &passphrase))?;
    }
    if let Some(time) = time {
        context.ask(KeepOpen { seconds: time.as_secs() })?;
    }
    let status = context.ask(Status {})?;
    if status.state != VaultState::Unlocked {
        let what = "it was opened, and somebody locked it again at once";
        return Err(ServiceError::new(ErrorKind::Locked, what).hint("sealbox unlock").into());
    }
    if context.out().is_json() {
        return context.out().json(&json!({
            "state": status.state, "was_open": open, "lock_in_s": status.lock_in_s, "lock": status.lock,
        }));
    }
    let word = if open && time.is_none() { "already open" } else { "unlocked" };
    context.out().say(&format!("{word}; {}", countdown(&status)));
    Ok(())
}

/// A vault that is open in this process alone would be closed again a moment later: that is no success.
fn in_the_agent(context: &Context, passphrase: &Passphrase) -> Result<(), ServiceError> {
    context.front()?.unlock_in_agent(passphrase).unwrap_or_else(|error| {
        Err(ServiceError::new(ErrorKind::Failure, error.to_string())
            .caused_by(&error)
            .hint("sealbox doctor; without an agent every command asks for the passphrase itself"))
    })
}

fn read_time(text: &str, limit: Option<Duration>) -> Result<Duration, ServiceError> {
    let time = parse_duration(text).flatten().ok_or_else(|| usage("--for is a time such as 30m or 2h"))?;
    match limit {
        Some(limit) if time > limit => {
            Err(usage(format!("--for is at most the hard limit, {} minutes", limit.as_secs() / 60))
                .hint("setting lock.max"))
        }
        _ => Ok(time),
    }
}
