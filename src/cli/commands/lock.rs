//! `lock`: wipes the keys from the agent's memory. When it returns, they are gone.

use crate::{
    agent::{AgentError, Client, spawn},
    cli::{args::Nothing, commands::agent::failed, context::Context, stop::Stop},
    platform::paths::VaultPaths,
    service::{Lock, Request},
};
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox lock
  sealbox lock && systemctl suspend

The agent stays, without any key, and ends by itself after an hour.";

pub(crate) fn run(context: &mut Context, _args: Nothing) -> Result<(), Stop> {
    // Also where agents are switched off: somebody who says lock means it.
    let mut pid = lock_at(&context.paths()?).map_err(|error| failed(&error))?;
    for paths in context.paths_elsewhere()? {
        match lock_at(&paths) {
            Ok(found) => pid = pid.or(found),
            // not a place of ours, or not this vault's agent
            Err(AgentError::Folder { .. } | AgentError::OtherVault(_) | AgentError::NotAnAgent) => {}
            Err(error) => return Err(failed(&error).into()),
        }
    }
    if context.out().is_json() {
        return context.out().json(&json!({ "locked": true, "pid": pid }));
    }
    context.out().say(match pid {
        Some(_) => "locked",
        None => "no agent is running: nothing is open",
    });
    Ok(())
}

/// Locks the agent at one place, and says which it is; `None` if there is none.
fn lock_at(paths: &VaultPaths) -> Result<Option<u32>, AgentError> {
    match Client::reach(paths, None) {
        Ok(client) => match client.ask(Request::Lock(Lock {})) {
            Ok(Ok(_)) => Ok(Some(client.welcome().pid)),
            // It ended, and its keys with it; or it hangs.
            Ok(Err(_)) | Err(_) => spawn::stop(paths),
        },
        Err(AgentError::Absent) => Ok(None),
        // Of what this version would ask, only the end is sure to be understood. One that does not answer is ended too:
        // what matters is that the keys are gone.
        Err(AgentError::OtherVersion { .. } | AgentError::Silent | AgentError::Broken(_)) => {
            spawn::stop(paths)
        }
        Err(error) => Err(error),
    }
}
