//! `find`: fuzzy search over the names of every scope the user can see.

use crate::{
    cli::{
        commands::list,
        context::{Context, clock},
        stop::Stop,
    },
    service::{ErrorKind, FindSecrets, ServiceError},
};
use clap::Args;
use serde_json::{Value, json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox find stripe
  sealbox find dbpw --json | jq -r '.found[0].name'";

/// Arguments of `find`.
#[derive(Args)]
pub(crate) struct FindArgs {
    /// Letters of the name, in order
    query: String,
}

pub(crate) fn run(context: &mut Context, args: FindArgs) -> Result<(), Stop> {
    context.unlock()?;
    let found = context.ask(FindSecrets { query: args.query })?;
    if context.out().is_json() {
        let hits: Vec<Value> = found
            .iter()
            .map(|hit| {
                let mut secret = list::secret_json(&hit.secret);
                if let Some(map) = secret.as_object_mut() {
                    map.insert("scope".to_owned(), json!(hit.scope));
                }
                secret
            })
            .collect();
        return context.out().json(&json!({ "found": hits }));
    }
    if found.is_empty() {
        return Err(ServiceError::new(ErrorKind::NotFound, "no name matches")
            .hint("sealbox list --all-scopes")
            .into());
    }
    let now = clock().wall_ms();
    let rows: Vec<_> = found
        .iter()
        .map(|hit| {
            let [name, version, updated, by, _] = list::row(&hit.secret, now);
            [name, list::word(&hit.scope), version, updated, by]
        })
        .collect();
    context.out().table(["NAME", "SCOPE", "VERSION", "UPDATED", "BY"], &rows)
}
