//! The versions of one secret: look at one, copy one, bring one back (as a new version; nothing is rewritten).

use super::boxed::{Boxed, Mood};
use super::confirm::Confirm;
use super::reveal::Reveal;
use crate::domain::{ScopeRef, SecretName, VersionMeta, date, printable};
use crate::service::{Answer, GetHistory, Request, Rollback};
use crate::tui::action::Action;
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::update::possible::by_role;
use crate::tui::widgets::{Paint, Scroll};

/// The dialog.
pub(crate) struct History {
    scope: ScopeRef,
    name: SecretName,
    versions: Vec<VersionMeta>,
    scroll: Scroll,
}

impl History {
    pub(crate) fn new(scope: ScopeRef, name: SecretName) -> Self {
        Self { scope, name, versions: Vec::new(), scroll: Scroll::default() }
    }

    fn page(model: &Model) -> usize {
        usize::from(model.size.1.saturating_sub(2).min(20).saturating_sub(4)).max(1)
    }

    fn reload(&self) -> Step {
        Step::Ask(Request::GetHistory(GetHistory { scope: self.scope.clone(), name: self.name.clone() }))
    }
}

impl Panel for History {
    fn opened(&mut self, _model: &Model) -> Vec<Step> {
        vec![self.reload()]
    }

    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        let Some(action) = model.keymap.action(press) else { return Vec::new() };
        if matches!(action, Action::Back | Action::Quit | Action::History) {
            return vec![Step::Close];
        }
        if self.scroll.act(action, self.versions.len(), Self::page(model)) {
            return Vec::new();
        }
        let Some(version) = self.versions.get(self.scroll.at) else { return Vec::new() };
        let number = version.version;
        let action = if action == Action::Open { Action::Reveal } else { action };
        if !matches!(action, Action::Reveal | Action::Copy | Action::Rollback) {
            return Vec::new();
        }
        if let Err(reason) = by_role(action, model) {
            return vec![Step::Say(Tone::Warning, reason)];
        }
        if !version.kept {
            return vec![Step::Say(Tone::Warning, format!("the value of v{number} is no longer kept"))];
        }
        match action {
            Action::Reveal => {
                vec![Step::Open(Box::new(Reveal::new(self.scope.clone(), self.name.clone(), Some(number))))]
            }
            Action::Copy => vec![Step::Copy(self.name.clone(), Some(number))],
            _ if version.current => {
                vec![Step::Say(Tone::Info, format!("v{number} is the current version already"))]
            }
            _ => {
                let call = Rollback { scope: self.scope.clone(), name: self.name.clone(), version: number };
                let name = self.name.clone();
                let confirm = Confirm::new(
                    "Bring back",
                    Mood::Plain,
                    &format!(
                        "The value of {name} becomes that of v{number} again, as a new version. The present one stays in the history."
                    ),
                    &format!("bring back v{number}"),
                    Request::Rollback(call),
                    Box::new(move |answer, _| {
                        let text = match answer {
                            Answer::Rollback(written) => {
                                format!("{name} has the value of v{number} again, as v{}", written.version)
                            }
                            _ => format!("{name} has the value of v{number} again"),
                        };
                        vec![Step::Say(Tone::Good, text), Step::Refresh]
                    }),
                );
                vec![Step::Open(Box::new(confirm))]
            }
        }
    }

    fn incoming(&mut self, what: Incoming, model: &Model) -> Vec<Step> {
        match what {
            Incoming::Answer(Ok(Answer::GetHistory(history))) => {
                self.versions = history.versions;
                self.scroll.fit(self.versions.len(), Self::page(model));
                Vec::new()
            }
            Incoming::Answer(Err(error)) => {
                vec![Step::Close, Step::Say(Tone::Bad, crate::tui::update::sentence(&error))]
            }
            Incoming::Delivered(_) => vec![self.reload()],
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let rows = u16::try_from(self.versions.len()).unwrap_or(u16::MAX).saturating_add(4);
        let height = rows.clamp(7, 20).min(model.size.1.saturating_sub(2));
        let mut keys: Vec<(String, String)> = [Action::Reveal, Action::Copy, Action::Rollback]
            .into_iter()
            .filter(|action| by_role(*action, model).is_ok())
            .map(|action| (model.keymap.key(action), crate::tui::update::possible::label(action, model)))
            .collect();
        keys.push((model.keymap.key(Action::Back), "close".to_owned()));
        let mut dialog =
            Boxed::open(paint, (66, height), &format!("History of {}", self.name), Mood::Plain, &keys);
        let head = dialog.take(1);
        for (x, text) in [(4, "VER"), (11, "WRITTEN"), (29, "BY")] {
            paint.put(head.x.saturating_add(x), head.y, 12, text, theme.faint);
        }
        for (index, version) in self.versions.iter().enumerate().skip(self.scroll.top) {
            let row = dialog.take(1);
            if row.height == 0 {
                break;
            }
            let current = index == self.scroll.at;
            if current {
                paint.put(row.x.saturating_add(1), row.y, 1, theme.symbols.cursor, theme.accent);
            }
            let style = match (current, version.kept) {
                (true, _) => theme.selected,
                (_, false) => theme.faint,
                _ => theme.text,
            };
            paint.put(row.x.saturating_add(3), row.y, 6, &format!(" v{:<4}", version.version), style);
            let x = row.x.saturating_add(11);
            paint.put(x, row.y, 16, &date::local_minute(version.updated_ms), theme.muted);
            let x = row.x.saturating_add(29);
            paint.put(x, row.y, 16, &printable::line(&version.updated_by), theme.text);
            let state = match (version.current, version.kept) {
                (true, _) => ("current", theme.ok),
                (_, false) => ("not kept", theme.faint),
                _ => ("", theme.muted),
            };
            paint.right(row.right(), row.y, 10, state.0, state.1);
        }
    }
}
