//! What can be done here and now, and if not, why: decided before anything is asked of a person.
//!
//! The footer, the palette and the refusal all ask here, so that what is offered is what works. The real check is made
//! by keys and signatures below the service.

use super::super::action::Action;
use super::super::model::{Model, Tab};
use crate::domain::{Role, ScopeRef};

/// The role that an action takes on this tab, and how it reads in a sentence.
fn needs(action: Action, tab: Tab) -> Option<(Role, &'static str)> {
    match (action, tab) {
        (Action::New, Tab::Members) => Some((Role::Owner, "admitting people")),
        (Action::Edit, Tab::Members) => Some((Role::Owner, "changing roles")),
        (Action::Delete, Tab::Members) => Some((Role::Owner, "removing people")),
        (Action::NewProject, _) => Some((Role::Owner, "creating projects")),
        (Action::New, _) => Some((Role::Write, "creating")),
        (Action::Edit, _) => Some((Role::Write, "editing")),
        (Action::Delete, _) => Some((Role::Write, "deleting")),
        (Action::Mark, _) => Some((Role::Write, "marking for deletion")),
        (Action::Reveal, _) => Some((Role::Write, "revealing")),
        (Action::Copy, _) => Some((Role::Write, "copying")),
        (Action::Rollback, _) => Some((Role::Write, "bringing back a version")),
        _ => None,
    }
}

/// Whether the role allows it.
///
/// # Errors
/// The sentence for the person.
pub(crate) fn by_role(action: Action, model: &Model) -> Result<(), String> {
    let Some((need, doing)) = needs(action, model.browser.tab) else { return Ok(()) };
    let (role, place) = if action == Action::NewProject {
        (model.browser.scope_info(&ScopeRef::Organization).map(|info| info.role), "in the organization")
    } else {
        (model.role(), "here")
    };
    match role {
        Some(role) if role >= need => Ok(()),
        Some(role) => Err(format!("your role {place} is {role}; {doing} needs {need}")),
        None if action == Action::NewProject => {
            Err(format!("{doing} needs the role owner in the organization"))
        }
        None => Err("you are not a member here yet".to_owned()),
    }
}

/// Whether it can be done at all: the role, and something to do it to.
///
/// # Errors
/// The sentence for the person.
pub(crate) fn possible(action: Action, model: &Model) -> Result<(), String> {
    let browser = &model.browser;
    let tab = browser.tab;
    match (action, tab) {
        (
            Action::Reveal | Action::Copy | Action::History | Action::Mark | Action::Sort,
            Tab::Members | Tab::Log,
        ) => {
            return Err(format!("there is nothing to {} on this tab", word(action)));
        }
        (Action::New | Action::Edit | Action::Delete, Tab::Log) => {
            return Err("the log can only be read: it is signed".to_owned());
        }
        (Action::Rollback, _) => return Err("open the history first".to_owned()),
        (Action::New, Tab::Project) if browser.project.scope.is_none() => {
            return Err(format!("choose a project first: {}", model.keymap.key(Action::Projects)));
        }
        _ => {}
    }
    by_role(action, model)?;
    let row = match tab {
        Tab::Organization | Tab::Project => browser.secrets().current().is_some(),
        Tab::Members => browser.members.current().is_some(),
        Tab::Log => browser.log.current().is_some(),
    };
    let marked = browser.on_secrets() && !browser.secrets().marked.is_empty();
    match action {
        Action::Delete if marked => Ok(()),
        Action::Open
        | Action::Edit
        | Action::Delete
        | Action::Reveal
        | Action::Copy
        | Action::History
        | Action::Mark
            if !row =>
        {
            Err("no row is selected".to_owned())
        }
        _ => Ok(()),
    }
}

fn word(action: Action) -> &'static str {
    super::super::keymap::entry(action).map_or("do", |entry| entry.label)
}

/// The word of an action on this tab.
pub(crate) fn label(action: Action, model: &Model) -> String {
    let marked = if model.browser.on_secrets() { model.browser.secrets().marked.len() } else { 0 };
    match (action, model.browser.tab) {
        (Action::New, Tab::Members) => "add".to_owned(),
        (Action::Edit, Tab::Members) => "role".to_owned(),
        (Action::Delete, Tab::Members) => "remove".to_owned(),
        (Action::Delete, _) if marked > 0 => format!("delete {marked}"),
        _ => word(action).to_owned(),
    }
}

/// The phrase of an action on this tab.
pub(crate) fn help(action: Action, model: &Model) -> &'static str {
    match (action, model.browser.tab) {
        (Action::New, Tab::Members) => "admit somebody",
        (Action::Edit, Tab::Members) => "change the role",
        (Action::Delete, Tab::Members) => "remove somebody",
        (Action::Open, _) => "everything about the row",
        _ => {
            let help = super::super::keymap::entry(action).map_or("", |entry| entry.help);
            help.split(';').next().unwrap_or(help)
        }
    }
}

/// The actions of the footer, most useful first.
pub(crate) fn footer(model: &Model) -> Vec<Action> {
    let all: &[Action] = match model.browser.tab {
        Tab::Organization => &[
            Action::New,
            Action::Edit,
            Action::Delete,
            Action::Reveal,
            Action::Copy,
            Action::History,
            Action::Filter,
            Action::Palette,
        ],
        Tab::Project => &[
            Action::New,
            Action::Edit,
            Action::Delete,
            Action::Reveal,
            Action::Copy,
            Action::History,
            Action::Filter,
            Action::Projects,
            Action::Palette,
        ],
        Tab::Members => {
            &[Action::New, Action::Edit, Action::Delete, Action::Projects, Action::Filter, Action::Palette]
        }
        Tab::Log => &[Action::Open, Action::Projects, Action::Filter, Action::Refresh, Action::Palette],
    };
    let mut offered: Vec<Action> =
        all.iter().copied().filter(|action| possible(*action, model).is_ok()).collect();
    // A role that can do little is shown its way about instead.
    if offered.len() < 6 && model.browser.on_secrets() {
        offered.extend([Action::Open, Action::Sort, Action::Refresh]);
    }
    offered
}
