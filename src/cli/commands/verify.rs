//! `verify`: every signature, link and ciphertext hash of every known scope. Needs no passphrase; exits 14 if
//! anything is wrong.

use crate::{
    cli::{args::Nothing, context::Context, stop::Stop},
    domain::printable,
    service::{ErrorKind, ScopeVerified, ServiceError, Verify, VerifyReport},
};
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox verify
  sealbox verify --json | jq '.scopes[] | {id, head, head_hash}'

Exits 14 if anything is wrong. What is odd about the read log, which is advisory, is a note and no fault.";

pub(crate) fn run(context: &mut Context, _args: Nothing) -> Result<(), Stop> {
    context.present()?;
    let report = context.ask(Verify {})?;
    print(context, &report)?;
    if report.sound() {
        return Ok(());
    }
    let faults: usize = report.scopes.iter().map(|scope| scope.faults.len()).sum();
    Err(ServiceError::new(ErrorKind::Damaged, format!("the vault is not sound: {faults} faults"))
        .hint("sealbox doctor")
        .into())
}

/// The report; shared with `restore`.
pub(crate) fn print(context: &Context, report: &VerifyReport) -> Result<(), Stop> {
    if context.out().is_json() {
        return context.out().json(&json!({ "sound": report.sound(), "scopes": report.scopes }));
    }
    let rows: Vec<_> = report.scopes.iter().map(row).collect();
    context.out().table(["SCOPE", "ENTRIES", "CIPHERTEXTS", "IGNORED", "HEAD", "STATE"], &rows)?;
    for scope in &report.scopes {
        for fault in &scope.faults {
            context.out().line(&format!("{}: {}", printable::line(&name(scope)), printable::line(fault)))?;
        }
        for note in &scope.notes {
            context.out().say(&format!("note: {}: {}", printable::line(&name(scope)), printable::line(note)));
        }
    }
    Ok(())
}

fn name(scope: &ScopeVerified) -> String {
    scope.label.clone().unwrap_or_else(|| scope.id.get(..12).unwrap_or(&scope.id).to_owned())
}

fn row(scope: &ScopeVerified) -> [String; 6] {
    let hash = scope.head_hash.get(..12).unwrap_or(&scope.head_hash);
    let state = if scope.faults.is_empty() { "sound" } else { "NOT SOUND" };
    [
        name(scope),
        scope.entries.to_string(),
        scope.blobs.to_string(),
        scope.ignored.to_string(),
        format!("{} {hash}", scope.head),
        state.to_owned(),
    ]
}
