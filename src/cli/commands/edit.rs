//! `edit`: changes a value in the user's editor, in a file that never touches a disk.

use crate::{
    cli::{
        args::ScopeArgs,
        commands::set,
        context::{Context, env},
        stop::{Stop, usage, wrap},
    },
    platform::editor,
    service::{ErrorKind, GetSecret, Purpose, SetMode},
};
use clap::Args;
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox edit TLS_KEY -p billing
  EDITOR=nano sealbox edit MOTD

The editor is $VISUAL, else $EDITOR, else vi. The file lies in memory, is wiped afterwards, and nothing is written if \
the text did not change or the editor failed.";

/// Arguments of `edit`.
#[derive(Args)]
pub(crate) struct EditArgs {
    /// The secret's name; it cannot be changed
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: EditArgs) -> Result<(), Stop> {
    let name = context.name(&args.name)?;
    let scope = context.scope(&args.scope)?;
    if !context.may_ask() {
        return Err(usage("edit opens an editor, and questions are switched off")
            .hint("sealbox set NAME < FILE")
            .into());
    }
    context.unlock()?;
    let call = GetSecret {
        scope: scope.clone(),
        name: name.clone(),
        version: None,
        purpose: Purpose::Reveal,
        program: "sealbox edit".to_owned(),
    };
    let old = context.ask(call).map_err(|error| context.suggest(error, &scope, Some(&name)))?;
    let program = editor::chosen(&env);
    let edited = editor::edit(&old.value, &context.paths()?.runtime, &program)
        .map_err(|error| wrap(ErrorKind::Failure, &error).hint("the old value is unchanged"))?;
    match edited {
        Some(value) => set::store(context, scope, name, value, SetMode::Replace { seen: old.version }),
        None if context.out().is_json() => context.out().json(&json!({
            "scope": scope, "name": name, "version": old.version, "created": false, "changed": false,
        })),
        None => {
            context.out().say(&format!("{name} was not changed"));
            Ok(())
        }
    }
}
