//! `lock`: wipes the keys from the agent's memory. When it returns, they are gone.

use crate::{
    agent::{AgentError, Client, spawn},
    cli::{args::Nothing, commands::agent::failed, context::Context, stop::Stop},
    service::{Lock, Request},
};
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox lock
  sealbox lock && systemctl suspend

The agent stays, without any key, and ends by itself after an hour.";

pub(crate) fn run(context: &mut Context, _args: Nothing) -> Result<(), Stop> {
    let paths = context.paths()?;
    // Also where agents are switched off: somebody who says lock means it.
    let pid = match Client::reach(&paths, None) {
        Ok(client) => match client.ask(Request::Lock(Lock {})) {
            Ok(answer) => answer.map(|_| Some(client.welcome().pid))?,
            // It ended, and its keys with it; or it hangs.
            Err(_) => spawn::stop(&paths).map_err(|error| failed(&error))?,
        },
        Err(AgentError::Absent) => None,
        // Of what this version would ask, only the end is sure to be understood. One that does not answer is ended too:
        // what matters is that the keys are gone.
        Err(AgentError::OtherVersion { .. } | AgentError::Silent | AgentError::Broken(_)) => {
            spawn::stop(&paths).map_err(|error| failed(&error))?
        }
        Err(error) => return Err(failed(&error).into()),
    };
    if context.out().is_json() {
        return context.out().json(&json!({ "locked": true, "pid": pid }));
    }
    context.out().say(match pid {
        Some(_) => "locked",
        None => "no agent is running: nothing is open",
    });
    Ok(())
}
