//! `copy`: a value to the clipboard, without showing it. Returns at once; says only what is known of where it went.

use crate::{
    cli::{
        args::ScopeArgs,
        context::{Context, env},
        stop::{Stop, usage},
    },
    config::{
        Settings,
        settings::{ClipboardMode, parse_duration},
    },
    platform::{
        clipboard::{self, Copied, CopyOutcome, Mode, Ways},
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
  sealbox copy API_KEY --once                      cleared after the first paste
  sealbox copy API_KEY --clear-after 10s           or off: never
  sealbox copy API_KEY --version 2
  SEALBOX_CLIPBOARD=osc52 sealbox copy API_KEY     auto, system, osc52 (the terminal) or command

At a desk this takes the system clipboard, marked so that clipboard histories leave it out, and never the primary \
selection; a small helper process clears it after 30 s (setting clipboard.clear_after) if nothing else was copied \
meanwhile. Over SSH the value is sent to your terminal (OSC 52), which does not confirm; in tmux it also becomes a paste \
buffer, which is deleted again. A terminal is asked to clear its clipboard, whatever is on it by then. --once works on \
X11 and Wayland; a clipboard manager that reads the value counts as the first paste.";

/// Arguments of `copy`.
#[derive(Args)]
pub(crate) struct CopyArgs {
    /// The secret's name
    name: String,
    /// Clear the clipboard after the first paste, where that can be known
    #[arg(long)]
    once: bool,
    /// Clear the clipboard after this long (10s, 5m), or `off`
    #[arg(long, value_name = "TIME")]
    clear_after: Option<String>,
    /// An old version instead of the current one
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: CopyArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    let settings = context.settings()?;
    let clear_after = clear_after(args.clear_after.as_deref(), &settings)?;
    context.unlock()?;
    let call = GetSecret {
        scope: scope.clone(),
        name: name.clone(),
        version: args.version,
        purpose: Purpose::Copy,
        program: "sealbox copy".to_owned(),
    };
    let revealed = context.ask(call).map_err(|error| context.suggest(error, &scope, Some(&name)))?;
    let mut terminal = tty::open().ok();
    let outcome = clipboard::copy(
        &revealed.value,
        Ways {
            mode: mode(&settings),
            command: &settings.clipboard_command,
            env: &env,
            terminal: terminal.as_mut().map(|file| file as &mut dyn Write),
            clear_after,
            once: args.once,
        },
    );
    let version = revealed.version;
    drop(revealed);
    match outcome {
        CopyOutcome::Copied(copied) if context.out().is_json() => context.out().json(&json!({
            "scope": scope, "name": name, "version": version,
            "way": copied.way(), "confirmed": copied.is_confirmed(), "once": copied.once,
            "clears_after_s": copied.clears_after.map(|time| time.as_secs()), "notes": copied.notes,
        })),
        CopyOutcome::Copied(copied) => {
            tell(context, name.as_str(), &copied);
            Ok(())
        }
        CopyOutcome::Refused { why, next } => {
            Err(ServiceError::new(ErrorKind::Failure, format!("{name} was not copied: {why}"))
                .hint(next)
                .into())
        }
    }
}

/// The flag, else the setting.
fn clear_after(flag: Option<&str>, settings: &Settings) -> Result<Option<Duration>, ServiceError> {
    match flag {
        None => Ok(settings.clipboard_clear_after),
        Some(text) => parse_duration(text).ok_or_else(|| {
            usage("--clear-after is a time of at least a second, such as 10s or 5m, or off")
                .hint("sealbox copy NAME --clear-after 10s")
        }),
    }
}

/// The setting in the words of the platform.
fn mode(settings: &Settings) -> Mode {
    match settings.clipboard_mode {
        ClipboardMode::Auto => Mode::Auto,
        ClipboardMode::System => Mode::System,
        ClipboardMode::Osc52 => Mode::Osc52,
        ClipboardMode::Command => Mode::Command,
    }
}

fn tell(context: &Context, name: &str, copied: &Copied) {
    context.out().say(&copied.sentence(name));
    for note in &copied.notes {
        context.out().say(&format!("note: {note}"));
    }
}
