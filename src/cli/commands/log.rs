//! `log`: the signed history of a scope, oldest first.

use crate::{
    cli::{args::ScopeArgs, context::Context, stop::Stop},
    domain::date,
    service::{GetLog, LogEvent, LogPick},
};
use clap::Args;
use serde_json::{Value, json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox log -p billing --limit 20
  sealbox log --json | jq -r '.events[] | [.time, .author, .action, .subject] | @tsv'

Dates are what the authors claim; order and authorship are proven by signatures. See also: sealbox verify";

/// Arguments of `log`.
#[derive(Args)]
pub(crate) struct LogArgs {
    /// Only the newest so many entries
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: LogArgs) -> Result<(), Stop> {
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let events = context
        .ask(GetLog { scope: scope.clone(), limit: args.limit, pick: LogPick::default() })
        .map_err(|error| context.suggest(error, &scope, None))?;
    if context.out().is_json() {
        let events: Vec<Value> = events.iter().map(as_json).collect();
        return context.out().json(&json!({ "scope": scope, "events": events }));
    }
    let rows: Vec<_> = events.iter().map(row).collect();
    context.out().table(["#", "TIME", "AUTHOR", "WHAT", "SUBJECT", "HASH"], &rows)
}

fn row(event: &LogEvent) -> [String; 6] {
    let mut subject = event.subject.clone().unwrap_or_default();
    if let Some(version) = event.version {
        subject.push_str(&format!(" v{version}"));
    }
    if let Some(role) = event.role {
        subject.push_str(&format!(" ({role})"));
    }
    let hash = event.hash.get(..12).unwrap_or(&event.hash).to_owned();
    let what = event.action.replace('_', " ");
    [event.seq.to_string(), date::local_minute(event.time_ms), event.author.clone(), what, subject, hash]
}

fn as_json(event: &LogEvent) -> Value {
    json!({
        "seq": event.seq, "time": date::iso(event.time_ms), "time_ms": event.time_ms, "author": event.author,
        "action": event.action, "subject": event.subject, "version": event.version, "role": event.role,
        "hash": event.hash,
    })
}
