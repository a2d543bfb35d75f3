//! Everything about one row, for screens without room for the pane at the right: a secret, or an event of the log.

use super::boxed::{Boxed, Mood};
use crate::domain::{ScopeRef, SecretName, VersionMeta};
use crate::service::{Answer, GetHistory, LogEvent, Request};
use crate::tui::action::Action;
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::screens::{browser, log};
use crate::tui::update::possible::by_role;
use crate::tui::widgets::Paint;
use zeroize::Zeroizing;

/// A secret's metadata.
pub(crate) struct Detail {
    scope: ScopeRef,
    name: SecretName,
    versions: Option<Vec<VersionMeta>>,
}

impl Detail {
    pub(crate) fn new(scope: ScopeRef, name: SecretName) -> Self {
        Self { scope, name, versions: None }
    }
}

const FROM_HERE: [Action; 5] = [Action::Reveal, Action::Copy, Action::Edit, Action::History, Action::Delete];

impl Panel for Detail {
    fn opened(&mut self, _model: &Model) -> Vec<Step> {
        let call = GetHistory { scope: self.scope.clone(), name: self.name.clone() };
        vec![Step::Ask(Request::GetHistory(call))]
    }

    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        match model.keymap.action(press) {
            Some(Action::Back | Action::Open | Action::Quit) => vec![Step::Close],
            Some(Action::Copy) => match by_role(Action::Copy, model) {
                Ok(()) => vec![Step::Copy(self.name.clone(), None)],
                Err(reason) => vec![Step::Say(Tone::Warning, reason)],
            },
            Some(action @ (Action::Up | Action::Down)) => {
                vec![Step::Close, Step::Do(action), Step::Do(Action::Open)]
            }
            Some(action) if FROM_HERE.contains(&action) => match by_role(action, model) {
                Ok(()) => vec![Step::Close, Step::Do(action)],
                Err(reason) => vec![Step::Say(Tone::Warning, reason)],
            },
            _ => Vec::new(),
        }
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        if let Incoming::Answer(Ok(Answer::GetHistory(history))) = what {
            self.versions = Some(history.versions);
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let mut keys: Vec<(String, String)> = FROM_HERE
            .iter()
            .filter(|action| by_role(**action, model).is_ok())
            .map(|action| (model.keymap.key(*action), crate::tui::update::possible::label(*action, model)))
            .collect();
        keys.push((model.keymap.key(Action::Back), "close".to_owned()));
        let dialog = Boxed::open(paint, (60, 20), "Secret", Mood::Plain, &keys);
        if let Some(meta) = model.browser.secrets().find(self.name.as_str()) {
            browser::facts(model, paint, dialog.rest, meta, self.versions.as_deref());
        }
    }
}

/// An event of the log.
pub(crate) struct Event {
    event: LogEvent,
}

impl Event {
    pub(crate) fn new(event: LogEvent) -> Self {
        Self { event }
    }
}

impl Panel for Event {
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        match model.keymap.action(press) {
            Some(Action::Back | Action::Open | Action::Quit) => vec![Step::Close],
            Some(Action::Copy) => vec![Step::CopyText(Zeroizing::new(self.event.hash.clone()))],
            Some(action @ (Action::Up | Action::Down)) => {
                vec![Step::Close, Step::Do(action), Step::Do(Action::Open)]
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let keys = [
            (model.keymap.key(Action::Copy), "copy the hash".to_owned()),
            (model.keymap.key(Action::Back), "close".to_owned()),
        ];
        let dialog = Boxed::open(paint, (70, 14), "Entry", Mood::Plain, &keys);
        log::facts(paint, dialog.rest, &self.event);
    }
}
