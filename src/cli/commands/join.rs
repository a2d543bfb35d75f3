//! `join`: opens the scopes of a link that an owner sent.

use crate::{
    cli::{
        context::Context,
        prompt,
        stop::{Stop, usage},
    },
    domain::date,
    service::{ErrorKind, Join, ScopeInfo, ServiceError, Status, VaultState},
};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox id                                       first: make an identity, send the ID to an owner
  sealbox join 'scj1_...'
  sealbox join 'scj1_...' --store /mnt/team/store.db

The link holds no secret, but it says which store to trust: take it from an owner, never from the store.";

/// Arguments of `join`.
#[derive(Args)]
pub(crate) struct JoinArgs {
    /// The link, as printed by `sealbox member add`
    link: String,
    /// Where the store is, if not where the link says
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
}

pub(crate) fn run(context: &mut Context, args: JoinArgs) -> Result<(), Stop> {
    let status = context.ask(Status {})?;
    if status.state == VaultState::Absent {
        return Err(ServiceError::new(ErrorKind::NotFound, "there is no identity here yet")
            .hint("sealbox id (and send the ID to an owner, who makes the link)")
            .into());
    }
    let store = args
        .store
        .map(|path| std::path::absolute(&path).map_err(|_| usage("give --store as an absolute path")))
        .transpose()?;
    let passphrase = prompt::passphrase(context)?.passphrase;
    let scopes = context.ask(Join { link: args.link, store, passphrase })?;
    report(context, &scopes, "joined")
}

/// What the user is a member of now; shared with `restore`.
pub(crate) fn report(context: &Context, scopes: &[ScopeInfo], verb: &str) -> Result<(), Stop> {
    if context.out().is_json() {
        let scopes: Vec<Value> = scopes
            .iter()
            .map(|info| {
                json!({
                    "scope": info.scope, "label": info.label, "id": info.id, "role": info.role,
                    "secrets": info.secrets, "members": info.members, "head": info.head,
                    "updated": date::iso(info.updated_ms), "updated_ms": info.updated_ms,
                })
            })
            .collect();
        return context.out().json(&json!({ "scopes": scopes }));
    }
    for info in scopes {
        context.out().say(&format!("{verb} {} as {} ({} secrets)", info.scope, info.role, info.secrets));
    }
    Ok(())
}
