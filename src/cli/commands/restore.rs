//! `restore`: puts a backup back, or, with the recovery key, gets in again on a machine that has lost its identity.

use crate::{
    cli::{
        commands::{join, verify},
        context::Context,
        prompt,
        stop::{Stop, file_error, usage},
    },
    domain::SecretValue,
    service::{ErrorKind, Recover, Restore, ServiceError},
};
use clap::Args;
use std::path::{Path, PathBuf};

/// More than any recovery key.
const MAX_KEY_FILE: usize = 4096;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox restore sealbox-2026-11-21.db
  sealbox restore old.db --accept-rollback         the backup is older than what this machine has seen
  sealbox restore --recovery-key-file key.txt --name ada
                                                   a new identity for the store that is here
  sealbox restore --recovery-key-file key.txt --name ada sealbox-2026-11-21.db

The whole backup is verified before anything is replaced.";

/// Arguments of `restore`.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// A file made by `sealbox backup`
    #[arg(required_unless_present = "recovery_key_file")]
    file: Option<PathBuf>,
    /// Accept that the backup is older than what this machine has seen
    #[arg(long, conflicts_with = "recovery_key_file")]
    accept_rollback: bool,
    /// Make a new identity with the recovery key in this file (`-` for stdin)
    #[arg(long, value_name = "FILE")]
    recovery_key_file: Option<PathBuf>,
    /// With the recovery key: what others will call the new identity
    #[arg(long, value_name = "LABEL", requires = "recovery_key_file")]
    name: Option<String>,
}

pub(crate) fn run(context: &mut Context, args: RestoreArgs) -> Result<(), Stop> {
    let absolute =
        |path: PathBuf| std::path::absolute(path).map_err(|_| usage("give the file as an absolute path"));
    let file = args.file.map(absolute).transpose()?;
    if let Some(path) = &file {
        std::fs::metadata(path).map_err(|error| file_error("read", path, &error))?;
    }
    if let Some(key) = args.recovery_key_file {
        return recover(context, &key, file, args.name);
    }
    let Some(from) = file else { return Err(usage("give the backup's file").into()) };
    let restore = Restore { from, accept_rollback: args.accept_rollback };
    let report = context.ask(restore)?;
    verify::print(context, &report)?;
    if !report.sound() {
        return Err(ServiceError::new(ErrorKind::Damaged, "the backup is not sound")
            .hint("sealbox doctor")
            .into());
    }
    context.out().say("the backup is in place");
    Ok(())
}

fn recover(context: &Context, key: &Path, from: Option<PathBuf>, name: Option<String>) -> Result<(), Stop> {
    if key.as_os_str() == "-" && context.globals().passphrase_fd == Some(0) {
        return Err(usage("stdin cannot be both the passphrase and the recovery key").into());
    }
    let mut bytes = prompt::file_or_stdin(key, MAX_KEY_FILE)?;
    let recovery_key =
        SecretValue::new(std::mem::take(&mut *bytes)).map_err(|error| usage(error.to_string()))?;
    let name = match name {
        Some(name) => name,
        None => prompt::line(context, "Your name: ", "give your own name: --name LABEL")?,
    };
    let passphrase = prompt::first_passphrase(context)?;
    let scopes = context.ask(Recover { recovery_key, from, name, passphrase })?;
    join::report(context, &scopes, "opened")
}
