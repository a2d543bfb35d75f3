//! `backup`: a copy of the sealed store in a new file. Needs no passphrase: it copies ciphertext.

use crate::{
    cli::{
        context::Context,
        stop::{Stop, usage},
    },
    service::Backup,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox backup sealbox-2026-11-21.db

The file is as sealed as the store itself. To open it again you need your identity and passphrase, or the recovery \
key: see sealbox help restore";

/// Arguments of `backup`.
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The new file; it must not exist
    file: PathBuf,
}

pub(crate) fn run(context: &mut Context, args: BackupArgs) -> Result<(), Stop> {
    context.present()?;
    let to = std::path::absolute(&args.file).map_err(|_| usage("give the file as an absolute path"))?;
    let report = context.ask(Backup { to: to.clone() })?;
    if context.out().is_json() {
        return context.out().json(&json!({
            "file": to.to_string_lossy(), "bytes": report.bytes, "scopes": report.scopes, "entries": report.entries,
        }));
    }
    context.out().say(&format!(
        "wrote {} ({} bytes, {} scopes, {} entries)",
        to.display(),
        report.bytes,
        report.scopes,
        report.entries
    ));
    Ok(())
}
