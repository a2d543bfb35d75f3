//! `id`: the user's own ID string. Makes an identity first if there is none.

use crate::{
    cli::{args::Nothing, context::Context, prompt, stop::Stop},
    service::{CreateIdentity, MyId, Status, VaultState},
};
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox id                                       send this to an owner, who runs: sealbox member add ID ...

The ID is public. The first time, this makes an identity on this machine and asks for a passphrase for it.";

pub(crate) fn run(context: &mut Context, _args: Nothing) -> Result<(), Stop> {
    let absent = context.ask(Status {})?.state == VaultState::Absent;
    let id = if absent {
        let passphrase = prompt::first_passphrase(context)?;
        context.ask(CreateIdentity { passphrase })?
    } else {
        context.unlock()?;
        context.ask(MyId {})?
    };
    if context.out().is_json() {
        return context.out().json(&json!({ "id": id, "created": absent }));
    }
    if absent {
        context.out().say("made an identity; send this ID to an owner, then run: sealbox join LINK");
    }
    context.out().line(&id)
}
