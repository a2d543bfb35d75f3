//! `log`: what was changed in a scope, and what was read; oldest first.

use crate::{
    cli::{
        args::ScopeArgs,
        context::{Context, clock},
        stop::{Stop, usage},
    },
    domain::{ScopeRef, date, span},
    service::{GetLog, LogEvent, LogKind, LogPick},
};
use clap::Args;
use serde_json::{Value, json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox log -p billing --limit 20
  sealbox log --reads --name STRIPE_KEY --since 7d
  sealbox log --changes --member bob
  sealbox log --jsonl >> audit.jsonl               one JSON object a line, for a collector
  sealbox log --json | jq -r '.events[] | [.time, .author, .action, .subject] | @tsv'

Changes are the signed chain: nobody can drop or reorder them unnoticed. Readings (an r before the number) are written by \
those who read, so a dishonest program can leave them out, and whoever keeps the store can cut the newest off. Dates \
are what the authors claim.

A line of --jsonl has ts, kind (change, read), scope, actor, action, code, names, version, host, program, entry, hash. These \
names, and the codes ok, secret_not_found, version_not_found, permission_denied, value_withheld and unreadable, stay. \
See also: sealbox verify";

/// Arguments of `log`.
#[derive(Args)]
pub(crate) struct LogArgs {
    /// Only the newest so many lines
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only what was read
    #[arg(long, conflicts_with = "changes")]
    reads: bool,
    /// Only what was changed
    #[arg(long)]
    changes: bool,
    /// Only by, or about, this member (label or ID)
    #[arg(long, value_name = "WHO")]
    member: Option<String>,
    /// Only about this secret
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only the last 30m, 12h, 7d or 4w, by the dates that the authors claim
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// One JSON object a line, whose fields stay
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: LogArgs) -> Result<(), Stop> {
    let pick = pick(context, &args)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let call = GetLog { scope: scope.clone(), limit: args.limit, pick };
    let events = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    if args.jsonl {
        return events.iter().try_for_each(|event| context.out().json_line(&as_line(&scope, event)));
    }
    if context.out().is_json() {
        let events: Vec<Value> = events.iter().map(as_json).collect();
        return context.out().json(&json!({ "scope": scope, "events": events }));
    }
    let rows: Vec<_> = events.iter().map(row).collect();
    context.out().table(["#", "TIME", "AUTHOR", "WHAT", "SUBJECT", "HASH"], &rows)
}

fn pick(context: &Context, args: &LogArgs) -> Result<LogPick, Stop> {
    let since_ms = match args.since.as_deref().map(|text| (text, span::parse(text))) {
        None => None,
        Some((_, Some(seconds))) => Some(clock().wall_ms().saturating_sub(seconds.saturating_mul(1000))),
        Some((_, None)) => {
            return Err(usage("--since takes a time such as 30m, 12h, 7d or 4w").into());
        }
    };
    Ok(LogPick {
        kind: match (args.reads, args.changes) {
            (true, _) => LogKind::Reads,
            (_, true) => LogKind::Changes,
            _ => LogKind::All,
        },
        member: args.member.clone(),
        name: args.name.as_deref().map(|name| context.name(name)).transpose()?,
        since_ms,
    })
}

fn row(event: &LogEvent) -> [String; 6] {
    let hash = event.hash.get(..12).unwrap_or(&event.hash).to_owned();
    let (number, what, subject) = match &event.read {
        Some(read) => {
            let mark = if read.code == crate::domain::ReadCode::Ok { "" } else { " failed" };
            (format!("r{}", event.seq), format!("read: {}{mark}", event.action), read_subject(event))
        }
        None => (event.seq.to_string(), event.action.replace('_', " "), change_subject(event)),
    };
    [number, date::local_minute(event.time_ms), event.author.clone(), what, subject, hash]
}

fn change_subject(event: &LogEvent) -> String {
    let mut subject = event.subject.clone().unwrap_or_default();
    if let Some(version) = event.version {
        subject.push_str(&format!(" v{version}"));
    }
    if let Some(role) = event.role {
        subject.push_str(&format!(" ({role})"));
    }
    match event.rotate_every_s {
        Some(0) => subject.push_str(" (off)"),
        Some(seconds) => subject.push_str(&format!(" (every {})", span::words(seconds))),
        None => {}
    }
    subject
}

/// `STRIPE_KEY v3 by sealbox get on laptop`; of many names the first three.
fn read_subject(event: &LogEvent) -> String {
    const SHOWN: usize = 3;
    let Some(read) = &event.read else { return String::new() };
    let mut subject = read.names.iter().take(SHOWN).map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    match read.names.len() {
        0 => subject.push_str("everything"),
        n if n > SHOWN => subject.push_str(&format!(" and {} more", n - SHOWN)),
        _ => {}
    }
    if let Some(version) = event.version {
        subject.push_str(&format!(" v{version}"));
    }
    if read.code != crate::domain::ReadCode::Ok {
        subject.push_str(&format!(": {}", read.code.token()));
    }
    subject.push_str(&format!(" by {} on {}", read.program, read.host));
    subject
}

fn as_json(event: &LogEvent) -> Value {
    json!({
        "kind": kind(event),
        "seq": event.seq, "time": date::iso(event.time_ms), "time_ms": event.time_ms, "author": event.author,
        "action": event.action, "subject": event.subject, "version": event.version, "role": event.role,
        "rotate_every_s": event.rotate_every_s, "hash": event.hash, "read": event.read,
    })
}

fn kind(event: &LogEvent) -> &'static str {
    if event.read.is_some() { "read" } else { "change" }
}

/// One line of `--jsonl`: the same fields on every line.
fn as_line(scope: &ScopeRef, event: &LogEvent) -> Value {
    let read = event.read.as_ref();
    let names: Vec<&str> = match read {
        Some(read) => read.names.iter().map(|name| name.as_str()).collect(),
        None if event.action.starts_with("secret_") => event.subject.as_deref().into_iter().collect(),
        None => Vec::new(),
    };
    json!({
        "ts": date::iso(event.time_ms), "kind": kind(event), "scope": scope, "actor": event.author,
        "action": event.action, "code": read.map_or("ok", |read| read.code.token()), "names": names,
        "subject": event.subject, "version": event.version, "role": event.role,
        "host": read.map(|read| &read.host), "program": read.map(|read| &read.program),
        "entry": event.seq, "hash": event.hash,
    })
}
