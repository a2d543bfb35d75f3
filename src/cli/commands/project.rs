//! `project create` and `project list`.

use crate::{
    cli::{args::Nothing, commands::list::word, context::Context, stop::Stop},
    domain::{ScopeRef, date},
    service::{CreateProject, ListScopes, ScopeInfo},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const CREATE_EXAMPLES: &str = "\
Examples:
  sealbox project create billing

Every owner of the organization becomes an owner of the project.";

const LIST_EXAMPLES: &str = "\
Examples:
  sealbox project list
  sealbox project list --json | jq -r '.projects[].name'";

/// Arguments of `project`.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct ProjectArgs {
    #[command(subcommand)]
    command: ProjectCommand,
}

#[derive(Subcommand)]
enum ProjectCommand {
    /// Create a project
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// List the projects that you are a member of
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List(Nothing),
}

#[derive(Args)]
struct CreateArgs {
    /// 1 to 64 of a-z, 0-9, - _ . and starting with a letter or digit
    name: String,
}

pub(crate) fn run(context: &mut Context, args: ProjectArgs) -> Result<(), Stop> {
    match args.command {
        ProjectCommand::Create(args) => create(context, &args.name),
        ProjectCommand::List(_) => list(context),
    }
}

fn create(context: &Context, name: &str) -> Result<(), Stop> {
    let name = context.project_name(name)?;
    context.unlock()?;
    context.ask(CreateProject { name: name.clone() })?;
    if context.out().is_json() {
        return context.out().json(&json!({ "project": name }));
    }
    context.out().say(&format!("created project {name}; next: sealbox set NAME -p {name}"));
    Ok(())
}

fn list(context: &Context) -> Result<(), Stop> {
    context.unlock()?;
    let mut projects = context.ask(ListScopes {})?;
    projects.retain(|info| info.scope != ScopeRef::Organization);
    if context.out().is_json() {
        let projects: Vec<Value> = projects.iter().map(as_json).collect();
        return context.out().json(&json!({ "projects": projects }));
    }
    if projects.is_empty() {
        context.out().say("no projects; next: sealbox project create NAME");
        return Ok(());
    }
    let rows: Vec<_> = projects
        .iter()
        .map(|info| {
            [
                word(&info.scope),
                info.role.to_string(),
                info.secrets.to_string(),
                info.members.to_string(),
                date::local_minute(info.updated_ms),
            ]
        })
        .collect();
    context.out().table(["PROJECT", "ROLE", "SECRETS", "MEMBERS", "UPDATED"], &rows)
}

/// One project in JSON.
fn as_json(info: &ScopeInfo) -> Value {
    json!({
        "name": info.label, "id": info.id, "role": info.role, "secrets": info.secrets, "members": info.members,
        "head": info.head, "updated": date::iso(info.updated_ms), "updated_ms": info.updated_ms,
    })
}
