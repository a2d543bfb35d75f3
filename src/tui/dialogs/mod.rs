//! The dialogs, one file each, and which action opens which.

pub(crate) mod boxed;
mod confirm;
mod delete;
mod detail;
mod form;
mod generate;
mod help;
mod history;
mod join;
mod member;
mod message;
mod palette;
mod projects;
mod reveal;

use super::action::Action;
use super::model::{Model, Tab};
use super::panel::Panel;

/// The dialog that an action opens here, if it opens one. What may be done has been decided before.
pub(crate) fn for_action(action: Action, model: &Model) -> Option<Box<dyn Panel>> {
    let browser = &model.browser;
    let place = browser.place.clone();
    let secret = browser.secrets().current();
    Some(match (action, browser.tab) {
        (Action::New, Tab::Members) => Box::new(member::Add::new(place)),
        (Action::Edit, Tab::Members) => Box::new(member::Change::new(place, browser.members.current()?)),
        (Action::Delete, Tab::Members) => member::remove(place, browser.members.current()?),
        (Action::Open, Tab::Members) => Box::new(member::about(browser.members.current()?)),
        (Action::Open, Tab::Log) => Box::new(detail::Event::new(browser.log.current()?.clone())),
        (Action::New, _) => Box::new(form::Form::create(place)),
        (Action::Edit, _) => Box::new(form::Form::edit(place, secret?.clone())),
        (Action::Delete, _) => {
            let secrets = browser.secrets();
            let marked: Vec<_> = secrets.marked.iter().cloned().collect();
            let names = if marked.is_empty() { vec![secret?.name.clone()] } else { marked };
            Box::new(delete::Delete::new(place, names))
        }
        (Action::Reveal, _) => Box::new(reveal::Reveal::new(place, secret?.name.clone(), None)),
        (Action::History, _) => Box::new(history::History::new(place, secret?.name.clone())),
        (Action::Open, _) => Box::new(detail::Detail::new(place, secret?.name.clone())),
        (Action::Projects, _) => Box::new(projects::Projects::new(model)),
        (Action::NewProject, _) => Box::new(projects::NewProject::new("")),
        (Action::MyId, _) => Box::new(message::MyIdPanel::new()),
        (Action::Join, _) => Box::new(join::JoinPanel::new()),
        (Action::Info, _) => Box::new(message::info(model)),
        (Action::Palette, _) => Box::new(palette::Palette::new(model)),
        (Action::Help, _) => Box::new(help::Help::new()),
        _ => return None,
    })
}
