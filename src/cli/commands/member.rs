//! `member add|list|role|remove`: who may do what in a scope.

use crate::{
    cli::{
        args::ScopeArgs,
        context::{Context, clock},
        stop::{Stop, usage},
    },
    domain::{Role, ScopeRef, date, printable},
    service::{AddMember, ListMembers, MemberChanged, MemberInfo, RemoveMember, SetMemberRole},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const ADD_EXAMPLES: &str = "\
Examples:
  sealbox member add ID --label bob --role write -p billing

ID is what `sealbox id` prints on the other person's machine. Send the link that this prints back to them over a \
channel that is not the store; they run: sealbox join LINK

Roles: read (names and dates) < run (also resolves values) < write (also creates, edits, deletes, reveals) < owner.";

const LIST_EXAMPLES: &str = "\
Examples:
  sealbox member list -p billing                   IDs are shortened; --json has all of them
  sealbox member list --json | jq -r '.members[] | select(.role) | .label'";

const ROLE_EXAMPLES: &str = "\
Examples:
  sealbox member role bob read -p billing

Lowering a role below run changes the scope's keys. What the member has read before, they may have kept.";

const REMOVE_EXAMPLES: &str = "\
Examples:
  sealbox member remove bob -p billing

The scope's keys change with it. The names printed are those whose values the member could read: change them at \
their source.";

/// Arguments of `member`.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct MemberArgs {
    #[command(subcommand)]
    command: MemberCommand,
}

#[derive(Subcommand)]
enum MemberCommand {
    /// Admit somebody, by the ID string they sent you
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// List the members of a scope
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Change what a member may do
    #[command(after_help = ROLE_EXAMPLES)]
    Role(RoleArgs),
    /// Remove a member and change the scope's keys
    #[command(visible_alias = "rm", after_help = REMOVE_EXAMPLES)]
    Remove(RemoveArgs),
}

#[derive(Args)]
struct AddArgs {
    /// Their ID string
    id: String,
    /// What to call them
    #[arg(long)]
    label: String,
    /// read, run, write or owner
    #[arg(long)]
    role: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Args)]
struct ListArgs {
    /// Former members too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Args)]
struct RoleArgs {
    /// Their label or ID string
    member: String,
    /// read, run, write or owner
    role: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Args)]
struct RemoveArgs {
    /// Their label or ID string
    member: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: MemberArgs) -> Result<(), Stop> {
    match args.command {
        MemberCommand::Add(args) => add(context, args),
        MemberCommand::List(args) => list(context, &args),
        MemberCommand::Role(args) => change_role(context, args),
        MemberCommand::Remove(args) => remove(context, args),
    }
}

fn role(text: &str) -> Result<Role, Stop> {
    Ok(text.parse::<Role>().map_err(usage)?)
}

fn add(context: &Context, args: AddArgs) -> Result<(), Stop> {
    let role = role(&args.role)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let call = AddMember { scope: scope.clone(), id: args.id, label: args.label.clone(), role };
    let admitted = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    if context.out().is_json() {
        return context
            .out()
            .json(&json!({ "scope": scope, "label": args.label, "role": role, "link": admitted.link }));
    }
    let label = printable::line(&args.label);
    context
        .out()
        .say(&format!("{label} may {role} in {scope}. Send them this link; they run: sealbox join LINK"));
    context.out().line(&printable::line(&admitted.link))
}

fn list(context: &Context, args: &ListArgs) -> Result<(), Stop> {
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let mut members = context
        .ask(ListMembers { scope: scope.clone() })
        .map_err(|error| context.suggest(error, &scope, None))?;
    if !args.all {
        members.retain(|member| member.role.is_some());
    }
    if context.out().is_json() {
        let members: Vec<Value> = members.iter().map(as_json).collect();
        return context.out().json(&json!({ "scope": scope, "members": members }));
    }
    let now = clock().wall_ms();
    let rows: Vec<_> = members.iter().map(|member| row(member, now)).collect();
    context.out().table(["MEMBER", "ROLE", "SINCE", "GIVEN BY", "ID"], &rows)
}

fn row(member: &MemberInfo, now_ms: u64) -> [String; 5] {
    let mut label = member.label.clone();
    if member.me {
        label.push_str(" (you)");
    }
    if member.machine {
        label.push_str(" (machine)");
    }
    let role = member.role.map_or("removed", Role::word).to_owned();
    [label, role, date::ago(member.since_ms, now_ms), member.granted_by.clone(), short(&member.id)]
}

/// Enough of an ID to tell two apart; JSON has all of it.
fn short(id: &str) -> String {
    let (head, tail) = (id.get(..14), id.len().checked_sub(6).and_then(|from| id.get(from..)));
    match (head, tail) {
        (Some(head), Some(tail)) if id.len() > 24 => format!("{head}…{tail}"),
        _ => id.to_owned(),
    }
}

fn as_json(member: &MemberInfo) -> Value {
    json!({
        "label": member.label, "id": member.id, "role": member.role, "machine": member.machine, "me": member.me,
        "since": date::iso(member.since_ms), "since_ms": member.since_ms, "granted_by": member.granted_by,
    })
}

fn change_role(context: &Context, args: RoleArgs) -> Result<(), Stop> {
    let role = role(&args.role)?;
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let call = SetMemberRole { scope: scope.clone(), member: args.member.clone(), role };
    let changed = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    let said = format!("{} may now {role} in {scope}", printable::line(&args.member));
    report(context, &scope, &args.member, Some(role), &changed, &said)
}

fn remove(context: &Context, args: RemoveArgs) -> Result<(), Stop> {
    let scope = context.scope(&args.scope)?;
    context.unlock()?;
    let call = RemoveMember { scope: scope.clone(), member: args.member.clone() };
    let changed = context.ask(call).map_err(|error| context.suggest(error, &scope, None))?;
    let said = format!("{} is no longer a member of {scope}", printable::line(&args.member));
    report(context, &scope, &args.member, None, &changed, &said)
}

/// Names to rotate are data: they go to stdout, one a line.
fn report(
    context: &Context,
    scope: &ScopeRef,
    member: &str,
    role: Option<Role>,
    changed: &MemberChanged,
    said: &str,
) -> Result<(), Stop> {
    if context.out().is_json() {
        return context.out().json(&json!({
            "scope": scope, "member": member, "role": role, "rotated": changed.rotated, "exposed": changed.exposed,
        }));
    }
    let keys = if changed.rotated { "; the scope has new keys" } else { "" };
    context.out().say(&format!("{said}{keys}"));
    if changed.exposed.is_empty() {
        return Ok(());
    }
    context.out().say(&format!(
        "{} secrets were readable by them: change these at their source",
        changed.exposed.len()
    ));
    context.out().text(&changed.exposed.iter().map(|name| format!("{name}\n")).collect::<String>())
}
