//! `history`: the versions of one secret.

use crate::{
    cli::{
        args::ScopeArgs,
        context::{Context, clock},
        stop::Stop,
    },
    domain::{VersionMeta, date},
};
use clap::Args;
use serde_json::{Value, json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox history API_KEY -p billing
  sealbox get API_KEY -p billing --version 2
  sealbox rollback API_KEY -p billing --to 2";

/// Arguments of `history`.
#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: HistoryArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let history = context.history(&scope, &name)?;
    if context.out().is_json() {
        let versions: Vec<Value> = history.versions.iter().map(as_json).collect();
        return context
            .out()
            .json(&json!({ "scope": scope, "name": name, "role": history.role, "versions": versions }));
    }
    let now = clock().wall_ms();
    let rows: Vec<_> = history.versions.iter().map(|version| row(version, now)).collect();
    context.out().table(["VERSION", "UPDATED", "BY", "STATE"], &rows)
}

fn row(version: &VersionMeta, now_ms: u64) -> [String; 4] {
    let state = match (version.current, version.kept) {
        (true, _) => "current",
        (false, true) => "kept",
        (false, false) => "gone",
    };
    let updated =
        format!("{} ({})", date::local_minute(version.updated_ms), date::ago(version.updated_ms, now_ms));
    [format!("v{}", version.version), updated, version.updated_by.clone(), state.to_owned()]
}

fn as_json(version: &VersionMeta) -> Value {
    json!({
        "version": version.version, "updated": date::iso(version.updated_ms), "updated_ms": version.updated_ms,
        "updated_by": version.updated_by, "current": version.current, "kept": version.kept,
    })
}
