//! `copy`: a value to the clipboard, without showing it. Says only what is known of where it went.

use crate::{
    cli::{
        args::ScopeArgs,
        context::{Context, env},
        stop::Stop,
    },
    config::settings::ClipboardMode,
    domain::{ScopeRef, SecretName},
    platform::{
        clipboard::{self, Cleared, CopyOutcome, Holding, Mode, Ways},
        tty,
    },
    service::{ErrorKind, GetSecret, Purpose, ServiceError},
};
use clap::Args;
use serde_json::json;
use std::{io::Write, time::Duration};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox copy API_KEY -p billing

At a desk this takes the system clipboard, waits, and clears it after 30 s (setting clipboard.clear_after) if nothing
else was copied meanwhile; Ctrl-C clears it at once. Over SSH it sends the value to your terminal (OSC 52), which does
not confirm and does not clear itself.";

/// How often to look whether the time is over.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Arguments of `copy`.
#[derive(Args)]
pub(crate) struct CopyArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: CopyArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    let settings = context.settings()?;
    context.unlock()?;
    let call = GetSecret {
        scope: scope.clone(),
        name: name.clone(),
        version: None,
        purpose: Purpose::Copy,
        program: "sealbox copy".to_owned(),
    };
    let revealed = context.ask(call).map_err(|error| context.suggest(error, &scope, Some(&name)))?;
    let mode = match settings.clipboard_mode {
        ClipboardMode::Auto => Mode::Auto,
        ClipboardMode::System => Mode::System,
        ClipboardMode::Osc52 => Mode::Osc52,
    };
    let mut terminal = tty::open().ok();
    let outcome = clipboard::copy(
        &revealed.value,
        Ways {
            mode,
            env: &env,
            terminal: terminal.as_mut().map(|file| file as &mut dyn Write),
            clear_after: settings.clipboard_clear_after,
        },
    );
    drop(revealed);
    match outcome {
        CopyOutcome::Copied { holding, clears_after } => hold(context, &scope, &name, holding, clears_after),
        CopyOutcome::SentToTerminal { hint } => {
            if context.out().is_json() {
                return context.out().json(&json!({
                    "scope": scope, "name": name, "way": "terminal", "confirmed": false, "hint": hint,
                }));
            }
            context.out().say(&format!(
                "sent {name} to your terminal, which does not confirm it and will not clear it"
            ));
            if let Some(hint) = hint {
                context.out().say(&format!("hint: {hint}"));
            }
            Ok(())
        }
        CopyOutcome::Refused { why, next } => {
            Err(ServiceError::new(ErrorKind::Failure, format!("{name} was not copied: {why}"))
                .hint(next)
                .into())
        }
    }
}

/// On most systems a selection lives only as long as its owner, so this stays until the time is over.
fn hold(
    context: &Context,
    scope: &ScopeRef,
    name: &SecretName,
    holding: Holding,
    clears_after: Option<Duration>,
) -> Result<(), Stop> {
    if context.out().is_json() {
        context.out().json(&json!({
            "scope": scope, "name": name, "way": "clipboard", "confirmed": true,
            "clears_after_s": clears_after.map(|time| time.as_secs()),
        }))?;
    }
    match clears_after {
        Some(time) => context
            .out()
            .say(&format!("copied {name}; clears in {} s, or at once with Ctrl-C", time.as_secs())),
        None => context
            .out()
            .say(&format!("copied {name}; it stays until Ctrl-C or until you copy something else")),
    }
    let said = match until_over_or_interrupted(holding) {
        Cleared::Cleared => "the clipboard is empty again",
        Cleared::Replaced => "something else was copied meanwhile; it was left alone",
        Cleared::Failed => "the clipboard could not be cleared: copy something else over it",
        Cleared::Left => "the value is still on the clipboard",
    };
    context.out().say(said);
    Ok(())
}

/// Ctrl-C and SIGTERM clear the clipboard before they end the waiting: not every system forgets a dead owner's text.
fn until_over_or_interrupted(holding: Holding) -> Cleared {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return holding.wait();
    };
    let interrupted = runtime.block_on(async {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds else { return false };
        loop {
            if holding.is_over() {
                return false;
            }
            tokio::select! {
                _ = interrupt.recv() => return true,
                _ = terminate.recv() => return true,
                _ = hangup.recv() => return true,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    });
    if interrupted { holding.clear() } else { holding.wait() }
}
