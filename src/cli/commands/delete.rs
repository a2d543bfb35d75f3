//! `delete`: removes a secret and every version's ciphertext. Irreversible, so the name is typed back.

use crate::{
    cli::{args::ScopeArgs, context::Context, prompt, stop::Stop},
    domain::Role,
    service::{DeleteSecret, ErrorKind, ServiceError},
};
use clap::Args;
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox delete OLD_KEY -p billing
  sealbox rm OLD_KEY -p billing --yes              without the question, for scripts

There is no way back: every version of the value is destroyed. The log keeps that the secret existed.";

/// Arguments of `delete`.
#[derive(Args)]
pub(crate) struct DeleteArgs {
    /// The secret's name
    name: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: DeleteArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let history = context.history(&scope, &name)?;
    if history.role < Role::Write {
        return Err(ServiceError::new(
            ErrorKind::Denied,
            format!("deleting needs the role write in {scope}; yours is {}", history.role),
        )
        .hint("ask an owner: sealbox member list shows them")
        .into());
    }
    if !args.yes {
        let kept = history.versions.iter().filter(|version| version.kept).count();
        let versions = if kept == 1 { "its only version".to_owned() } else { format!("all {kept} versions") };
        let question = format!("Delete {name} from {scope}, with {versions}, for good? Type the name: ");
        prompt::typed_word(context, &question, name.as_str(), "--yes")?;
    }
    let deleted = context.ask(DeleteSecret { scope: scope.clone(), name: name.clone() })?;
    if context.out().is_json() {
        return context.out().json(&json!({ "scope": scope, "name": name, "versions": deleted.versions }));
    }
    context.out().say(&format!("deleted {name} ({} versions) from {scope}", deleted.versions));
    Ok(())
}
