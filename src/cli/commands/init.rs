//! `init`: makes a vault. The recovery key is shown (or written to a file) before anything is stored, so that no
//! vault ever exists whose key nobody has seen.

use crate::{
    cli::{
        context::Context,
        prompt,
        stop::{Stop, cancelled, file_error, usage},
    },
    domain::SecretValue,
    platform::{files, tty},
    service::{ErrorKind, InitCommit, InitPrepare, ServiceError, Status, VaultState},
};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox init --org acme --name ada
  SEALBOX_PASSPHRASE_FILE=pw sealbox init --org acme --name ci --recovery-key-file recovery.txt

The recovery key is full authority over the vault. Print it, keep it offline, and delete the file.";

/// Arguments of `init`.
#[derive(Args)]
pub(crate) struct InitArgs {
    /// The organization's name; asked for on a terminal
    #[arg(id = "organization", long = "org", value_name = "NAME")]
    organization: Option<String>,
    /// What others will call you; asked for on a terminal
    #[arg(long, value_name = "LABEL")]
    name: Option<String>,
    /// Write the recovery key to this new file (mode 0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    recovery_key_file: Option<PathBuf>,
}

pub(crate) fn run(context: &mut Context, args: InitArgs) -> Result<(), Stop> {
    let status = context.ask(Status {})?;
    if status.state != VaultState::Absent {
        return Err(ServiceError::new(
            ErrorKind::Conflict,
            format!("there is a vault at {} already", status.vault),
        )
        .hint("use another one with --vault NAME, or destroy this one with sealbox reset")
        .into());
    }
    let organization = match args.organization {
        Some(text) => text,
        None => {
            prompt::line(context, "Name of the organization: ", "give the organization's name: --org NAME")?
        }
    };
    let name = match args.name {
        Some(text) => text,
        None => prompt::line(context, "Your name: ", "give your own name: --name LABEL")?,
    };
    let passphrase = prompt::first_passphrase(context)?;
    let prepared =
        context.ask(InitPrepare { organization: organization.clone(), name: name.clone(), passphrase })?;
    match &args.recovery_key_file {
        Some(path) => {
            write_key(path, &prepared.key)?;
            if let Err(error) = context.ask(InitCommit {}) {
                let _ = files::remove_wiped(path); // the key of a vault that does not exist
                return Err(error.into());
            }
            context
                .out()
                .say(&format!("the recovery key is in {}: print it, then delete the file", path.display()));
        }
        None => {
            hand_over(context, &prepared.key)?;
            context.ask(InitCommit {})?;
        }
    }
    let vault = context.paths()?.data;
    if context.out().is_json() {
        return context.out().json(&json!({
            "organization": organization, "name": name, "vault": vault.to_string_lossy(),
            "recovery_key_file": args.recovery_key_file.map(|path| path.to_string_lossy().into_owned()),
        }));
    }
    context.out().say(&format!("made the vault of {organization} in {}", vault.display()));
    context
        .out()
        .say("next: sealbox set NAME, or sealbox project create NAME, or sealbox alone for the terminal UI");
    Ok(())
}

fn write_key(path: &Path, key: &SecretValue) -> Result<(), ServiceError> {
    let mut text = Zeroizing::new(Vec::with_capacity(key.len() + 1));
    text.extend_from_slice(key.expose());
    text.push(b'\n');
    files::create_private_new(path, &text)
        .map_err(|error| file_error("write the recovery key to", path, &error))
}

/// A person at a terminal types the last group back; otherwise the key goes to stderr, in a frame.
fn hand_over(context: &Context, key: &SecretValue) -> Result<(), ServiceError> {
    let text = key.expose_text().ok_or_else(|| usage("the recovery key is not text"))?;
    let last = text.split_whitespace().next_back().unwrap_or(text);
    let screen = if context.may_ask() { Screen::show(&framed(text)) } else { None };
    let Some(screen) = screen else {
        context.out().say_always(&framed(text));
        return Ok(());
    };
    let typed = tty::prompt_line("When you have written it down, type its last group: ");
    drop(screen);
    match typed {
        Ok(typed) if typed.trim().eq_ignore_ascii_case(last) => Ok(()),
        Ok(_) => Err(ServiceError::new(
            ErrorKind::Cancelled,
            "that is not the last group of the recovery key; no vault was made",
        )
        .hint("run sealbox init again, and write the key down before you go on")),
        Err(_) => Err(cancelled()),
    }
}

fn framed(key: &str) -> Zeroizing<String> {
    let rule = "-".repeat(72);
    let why = "The recovery key opens this vault if the passphrase or this machine is lost.\n\
               It is full authority: keep it on paper, offline. It is shown once.";
    let mut text = Zeroizing::new(String::with_capacity(key.len() * 2 + 600));
    for part in [rule.as_str(), "\n", why, "\n\n"] {
        text.push_str(part);
    }
    let groups: Vec<&str> = key.split_whitespace().collect();
    for row in groups.chunks(8) {
        text.push_str("   ");
        for group in row {
            text.push(' ');
            text.push_str(group);
        }
        text.push('\n');
    }
    for part in ["\n", rule.as_str(), "\n"] {
        text.push_str(part);
    }
    text
}

/// The terminal's second screen, so that the key does not stay in the scrollback.
struct Screen {
    terminal: std::fs::File,
    second: bool,
}

impl Screen {
    /// Shows a text. `None` if there is no terminal to show it on.
    fn show(text: &str) -> Option<Self> {
        let terminal = tty::open().ok()?;
        let second = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        let mut screen = Self { terminal, second };
        if second {
            screen.send(b"\x1b[?1049h\x1b[H\x1b[2J").ok()?;
        }
        screen.send(text.as_bytes()).ok()?;
        Some(screen)
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        use std::io::Write;
        self.terminal.write_all(bytes)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.second {
            let _ = self.send(b"\x1b[H\x1b[2J\x1b[?1049l"); // a terminal that went away has nothing left to hide
        }
    }
}
