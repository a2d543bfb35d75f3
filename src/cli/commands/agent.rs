//! `agent`: start, stop and look at the process that keeps the vault open; and the hidden way into it.

use crate::{
    agent::{AgentError, Client, Serve, serve, spawn},
    cli::{
        args::Nothing,
        context::{Context, clock},
        stop::{Stop, usage},
    },
    config::settings::parse_duration,
    crypto::KdfPolicy,
    domain::printable,
    platform::paths::VaultPaths,
    service::{ErrorKind, Request, ServiceError, Status, StatusReport, VaultState},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

/// Arguments of `agent`.
#[derive(Args)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start it, locked; nothing happens if it runs
    #[command(after_help = "Examples:\n  sealbox agent start && sealbox unlock")]
    Start(Nothing),
    /// Wipe its keys and end it
    #[command(after_help = "Examples:\n  sealbox agent stop")]
    Stop(Nothing),
    /// Say whether it runs and when it locks
    #[command(after_help = "Examples:\n  sealbox agent status --json | jq .running")]
    Status(Nothing),
    /// Be the agent: other commands start it so
    #[command(hide = true, after_help = "Examples:\n  sealbox agent start")]
    Serve(ServeArgs),
}

/// Arguments of the hidden `agent serve`: everything is said, so that nothing depends on a variable.
#[derive(Args)]
struct ServeArgs {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    state: PathBuf,
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    runtime: PathBuf,
    #[arg(long, value_parser = time, default_value = "15m")]
    lock_idle: Limit,
    #[arg(long, value_parser = time, default_value = "12h")]
    lock_max: Limit,
    #[arg(long, value_parser = time, default_value = "1h")]
    quit_after: Limit,
    #[arg(long)]
    audit_required: bool,
}

/// A time, or none (`off`).
#[derive(Clone, Copy)]
struct Limit(Option<Duration>);

fn time(text: &str) -> Result<Limit, String> {
    parse_duration(text).map(Limit).ok_or_else(|| "a time such as 15m, or off".to_owned())
}

pub(crate) fn run(context: &mut Context, args: AgentArgs) -> Result<(), Stop> {
    match args.verb {
        Verb::Start(_) => start(context),
        Verb::Stop(_) => stop(context),
        Verb::Status(_) => status(context),
        Verb::Serve(args) => be_the_agent(args),
    }
}

fn start(context: &Context) -> Result<(), Stop> {
    let Some(terms) = context.terms()? else { return Err(none_here().into()) };
    context.present()?;
    let there = context.front()?.client();
    let running = there.is_some();
    let pid = match there {
        Some(client) => client.welcome().pid,
        None => spawn::ensure(&terms).map_err(|error| failed(&error))?.welcome().pid,
    };
    if context.out().is_json() {
        return context.out().json(&json!({ "pid": pid, "was_running": running }));
    }
    let word = if running { "the agent runs already" } else { "started the agent" };
    context.out().say(&format!("{word} (process {pid}); next: sealbox unlock"));
    Ok(())
}

fn stop(context: &Context) -> Result<(), Stop> {
    let mut pid = spawn::stop(&context.paths()?).map_err(|error| failed(&error))?;
    for paths in context.paths_elsewhere()? {
        // only this vault's: what else may be there is left alone
        if Client::reach(&paths, None).is_ok() {
            pid = pid.or(spawn::stop(&paths).map_err(|error| failed(&error))?);
        }
    }
    if context.out().is_json() {
        return context.out().json(&json!({ "stopped": pid.is_some(), "pid": pid }));
    }
    context.out().say(&match pid {
        Some(pid) => format!("stopped the agent (process {pid})"),
        None => "no agent is running".to_owned(),
    });
    Ok(())
}

fn status(context: &Context) -> Result<(), Stop> {
    let question = Request::Status(Status {});
    let (client, report) = match Client::reach_and_ask(&context.paths()?, None, &question) {
        Ok((client, answer)) => (client, answer?),
        Err(AgentError::Absent) => {
            return match context.out().is_json() {
                true => context.out().json(&json!({ "running": false })),
                false => context.out().line("no agent is running"),
            };
        }
        Err(error) => return Err(failed(&error).into()),
    };
    let crate::service::Answer::Status(report) = report else {
        return Err(failed(&AgentError::NotAnAgent).into());
    };
    let welcome = client.welcome();
    if context.out().is_json() {
        return context.out().json(&json!({
            "running": true, "pid": welcome.pid, "version": welcome.version, "protocol": welcome.protocol,
            "vault": welcome.vault, "state": report.state, "lock_in_s": report.lock_in_s, "lock": report.lock,
        }));
    }
    let (pid, version) = (welcome.pid, printable::line(&welcome.version));
    context.out().line(&format!("agent   process {pid}, version {version}"))?;
    context.out().line(&format!("vault   {}", printable::line(&welcome.vault)))?;
    context.out().line(&format!("state   {}", countdown(&report)))
}

/// How long it stays open, in words.
pub(crate) fn countdown(status: &StatusReport) -> String {
    if status.state != VaultState::Unlocked {
        return "locked".to_owned();
    }
    match (status.lock.idle_in_s, status.lock.limit_in_s) {
        (None, None) => "open until sealbox lock".to_owned(),
        (Some(idle), None) => format!("locks after {} without use", words(idle)),
        (None, Some(limit)) => format!("locks in {}", words(limit)),
        (Some(idle), Some(limit)) if idle >= limit => format!("locks in {}", words(limit)),
        (Some(idle), Some(limit)) => {
            format!("locks after {} without use, and in {} in any case", words(idle), words(limit))
        }
    }
}

/// A minute that has begun is a minute: what was just opened for 12 h says so.
fn words(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes % 60) {
        (0..=90, _) => format!("{seconds} s"),
        (91..=5_400, _) => format!("{minutes} min"),
        (_, 0) => format!("{} h", minutes / 60),
        (_, rest) => format!("{} h {rest} min", minutes / 60),
    }
}

/// There is to be no agent here.
pub(crate) fn none_here() -> ServiceError {
    usage("agents are switched off here, and without one nothing stays open")
        .hint("leave out --no-agent and SEALBOX_NO_AGENT, or set agent.start to \"auto\"")
}

/// An agent that is needed and cannot be had.
pub(crate) fn failed(error: &AgentError) -> ServiceError {
    let told = ServiceError::new(ErrorKind::Failure, error.to_string()).caused_by(error);
    match error {
        AgentError::OtherVersion { .. } | AgentError::Silent => told.hint("sealbox agent stop"),
        AgentError::OtherVault(_) => told.hint("give this vault a name of its own: --vault NAME"),
        _ => told,
    }
}

/// Never comes back, unless it could not begin.
fn be_the_agent(args: ServeArgs) -> Result<(), Stop> {
    spawn::detach();
    let options = Serve {
        paths: VaultPaths { data: args.data, state: args.state, config: args.config, runtime: args.runtime },
        kdf: KdfPolicy::STANDARD,
        idle_lock: args.lock_idle.0,
        max_unlocked: args.lock_max.0,
        audit_required: args.audit_required,
        quit_after: args.quit_after.0.unwrap_or(Duration::MAX),
        clock: clock(),
    };
    let error = serve(options, || spawn::report(&Ok(())));
    let told = failed(&error);
    spawn::report(&Err(error));
    Err(told.into())
}
