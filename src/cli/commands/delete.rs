//! `delete`: removes a secret and every version's ciphertext. Irreversible, so it says where the name is still referenced,
//! and the name is typed back.

use crate::{
    cli::{args::ScopeArgs, context::Context, findings::count, prompt, registered, stop::Stop},
    domain::{Role, printable},
    scan::{
        Progress,
        places::{Place, Places, Registered},
    },
    service::{DeleteSecret, ErrorKind, ServiceError},
};
use clap::Args;
use serde_json::{Value, json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox delete OLD_KEY -p billing
  sealbox rm OLD_KEY -p billing --yes              without the question, for scripts

There is no way back: every version of the value is destroyed. The log keeps that the secret existed. \
Where the name is still referenced is told first, for the folders in .sealbox.toml: scan = [\"src\"]";

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
    let registered = registered::folders(context);
    let places = registered.places(std::slice::from_ref(&name), &Progress::default());
    tell(context, &registered, &places, args.yes);
    if !args.yes {
        let kept = history.versions.iter().filter(|version| version.kept).count();
        let versions = if kept == 1 { "its only version".to_owned() } else { format!("all {kept} versions") };
        let question = format!("Delete {name} from {scope}, with {versions}, for good? Type the name: ");
        prompt::typed_word(context, &question, name.as_str(), "--yes")?;
    }
    let deleted = context.ask(DeleteSecret { scope: scope.clone(), name: name.clone() })?;
    if context.out().is_json() {
        return context.out().json(&json!({
            "scope": scope, "name": name, "versions": deleted.versions,
            "references": places.list.iter().map(as_json).collect::<Vec<_>>(),
            "references_complete": !registered.folders.is_empty() && places.complete,
        }));
    }
    context.out().say(&format!("deleted {name} ({} versions) from {scope}", deleted.versions));
    Ok(())
}

/// Places that are shown; the others are counted.
const SHOWN: usize = 10;

/// Says where the name is still used; one line if that cannot be known.
fn tell(context: &Context, registered: &Registered, places: &Places, yes: bool) {
    let out = context.out();
    if registered.folders.is_empty() {
        if !yes {
            out.say("references are not looked for: .sealbox.toml registers no folders (scan = [\"src\"])");
        }
        return;
    }
    let total = places.list.len();
    match (total, places.complete) {
        (0, true) => {}
        (0, false) => out.say("no reference found, but not everything could be read in time"),
        _ => out.say(&format!("still referenced in {}:", count(total, "place"))),
    }
    for place in places.list.iter().take(SHOWN) {
        let path = printable::line(&place.path.to_string_lossy());
        out.say(&format!("  {path}:{}:{}", place.line, place.column));
    }
    if total > SHOWN {
        out.say(&format!("  and {} more", total - SHOWN));
    }
    if total > 0 && !places.complete {
        out.say("  and maybe more: not everything could be read in time");
    }
}

fn as_json(place: &Place) -> Value {
    json!({ "path": place.path.to_string_lossy(), "line": place.line, "column": place.column })
}
