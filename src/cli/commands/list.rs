//! `list`: names, dates, authors, versions. Never a value, never a length.

use crate::{
    cli::{
        args::ScopeArgs,
        context::{Context, clock},
        stop::Stop,
    },
    domain::{Role, Rotation, ScopeRef, SecretMeta, date},
    service::{ListScopes, ListSecrets, SecretList},
};
use clap::Args;
use serde_json::{Value, json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox list
  sealbox ls -p billing
  sealbox list --all-scopes
  sealbox list --json | jq -r '.secrets[].name'";

/// Arguments of `list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Every scope that you are a member of
    #[arg(long, conflicts_with_all = ["project", "org"])]
    all_scopes: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: ListArgs) -> Result<(), Stop> {
    let chosen = if args.all_scopes { None } else { Some(context.scope(&args.scope)?) };
    context.unlock()?;
    match chosen {
        Some(scope) => one(context, scope),
        None => all(context),
    }
}

fn one(context: &Context, scope: ScopeRef) -> Result<(), Stop> {
    let list = context
        .ask(ListSecrets { scope: scope.clone() })
        .map_err(|error| context.suggest(error, &scope, None))?;
    if context.out().is_json() {
        return context.out().json(&as_json(&scope, &list));
    }
    if list.secrets.is_empty() {
        context.out().say(&format!(
            "no secrets in {scope}{}",
            if list.role >= Role::Write { "; next: sealbox set NAME" } else { "" }
        ));
    } else {
        let now = clock().wall_ms();
        let rows: Vec<_> = list.secrets.iter().map(|secret| row(secret, now)).collect();
        context.out().table(["NAME", "VERSION", "UPDATED", "BY", "FLAGS"], &rows)?;
    }
    quarantined(context, &list);
    Ok(())
}

fn all(context: &Context) -> Result<(), Stop> {
    let mut lists = Vec::new();
    for info in context.ask(ListScopes {})? {
        let list = context.ask(ListSecrets { scope: info.scope.clone() })?;
        lists.push((info.scope, list));
    }
    if context.out().is_json() {
        let scopes: Vec<Value> = lists.iter().map(|(scope, list)| as_json(scope, list)).collect();
        return context.out().json(&json!({ "scopes": scopes }));
    }
    let now = clock().wall_ms();
    let mut rows = Vec::new();
    for (scope, list) in &lists {
        for secret in &list.secrets {
            let [name, version, updated, by, flags] = row(secret, now);
            rows.push([word(scope), name, version, updated, by, flags]);
        }
        quarantined(context, list);
    }
    context.out().table(["SCOPE", "NAME", "VERSION", "UPDATED", "BY", "FLAGS"], &rows)
}

/// A scope in a table cell.
pub(crate) fn word(scope: &ScopeRef) -> String {
    match scope {
        ScopeRef::Organization => "organization".to_owned(),
        ScopeRef::Project(name) => name.to_string(),
    }
}

/// One secret in a table.
pub(crate) fn row(secret: &SecretMeta, now_ms: u64) -> [String; 5] {
    [
        secret.name.to_string(),
        format!("v{}", secret.version),
        date::ago(secret.updated_ms, now_ms),
        secret.updated_by.clone(),
        flags(secret, now_ms),
    ]
}

/// What is to be done about a secret, in a few words.
fn flags(secret: &SecretMeta, now_ms: u64) -> String {
    let exposed = secret.exposed.then(|| "exposed".to_owned());
    let rotation = secret.rotation(now_ms).and_then(Rotation::flag);
    exposed.into_iter().chain(rotation).collect::<Vec<_>>().join(", ")
}

/// One secret in JSON.
pub(crate) fn secret_json(secret: &SecretMeta) -> Value {
    let rotation = secret.rotation(clock().wall_ms());
    json!({
        "name": secret.name, "version": secret.version,
        "updated": date::iso(secret.updated_ms), "updated_ms": secret.updated_ms, "updated_by": secret.updated_by,
        "created": date::iso(secret.created_ms), "created_ms": secret.created_ms, "created_by": secret.created_by,
        "exposed": secret.exposed, "rotate_every_s": secret.rotate_every_s,
        "rotation_due": rotation.is_some_and(Rotation::is_due),
        "rotation_due_at": secret.rotation_due_ms().map(date::iso),
    })
}

fn as_json(scope: &ScopeRef, list: &SecretList) -> Value {
    json!({
        "scope": scope, "role": list.role, "quarantined": list.quarantined,
        "secrets": list.secrets.iter().map(secret_json).collect::<Vec<_>>(),
    })
}

fn quarantined(context: &Context, list: &SecretList) {
    if !list.quarantined.is_empty() {
        let count = list.quarantined.len();
        context.out().warn(&format!(
            "{count} entries have an invalid or taken name and are not shown: see sealbox doctor"
        ));
    }
}
