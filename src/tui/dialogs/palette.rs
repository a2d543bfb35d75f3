//! The command palette: every action that is possible here, found by a few letters of its name.

use super::boxed::{Boxed, Mood, hints};
use crate::domain::filter::Filter;
use crate::tui::action::Action;
use crate::tui::keymap::{Group, Press, TABLE};
use crate::tui::model::Model;
use crate::tui::panel::{Panel, Step};
use crate::tui::update::possible::{help, label, possible};
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint, Scroll};
use crossterm::event::KeyCode;

/// The dialog.
pub(crate) struct Palette {
    query: Entry,
    /// Action, its key, and what is matched and shown.
    all: Vec<(Action, String, String)>,
    hits: Vec<usize>,
    scroll: Scroll,
}

impl Palette {
    pub(crate) fn new(model: &Model) -> Self {
        let all: Vec<_> = TABLE
            .iter()
            .filter(|entry| {
                entry.group != Group::Move && !matches!(entry.action, Action::Back | Action::Palette)
            })
            .filter(|entry| possible(entry.action, model).is_ok())
            .map(|entry| {
                let text = format!("{}: {}", label(entry.action, model), help(entry.action, model));
                (entry.action, model.keymap.key(entry.action), text)
            })
            .collect();
        let hits = (0..all.len()).collect();
        Self { query: Entry::new(Kind::Line), all, hits, scroll: Scroll::default() }
    }

    fn page(model: &Model) -> usize {
        usize::from(model.size.1.saturating_sub(2).min(20).saturating_sub(5)).max(1)
    }

    fn rank(&mut self) {
        let found =
            Filter::new(self.query.text().trim()).rank(self.all.iter().map(|(.., text)| text.as_str()));
        self.hits = found.into_iter().map(|hit| hit.index).collect();
        self.scroll = Scroll::default();
    }
}

impl Panel for Palette {
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        let movement = match press.code {
            KeyCode::Up => Some(Action::Up),
            KeyCode::Down => Some(Action::Down),
            KeyCode::PageUp => Some(Action::PageUp),
            KeyCode::PageDown => Some(Action::PageDown),
            _ => None,
        };
        if let Some(action) = movement {
            self.scroll.act(action, self.hits.len(), Self::page(model));
            return Vec::new();
        }
        match press.code {
            KeyCode::Esc => vec![Step::Close],
            KeyCode::Enter => {
                let chosen = self.hits.get(self.scroll.at).and_then(|index| self.all.get(*index));
                chosen.map(|(action, ..)| vec![Step::Close, Step::Do(*action)]).unwrap_or_default()
            }
            _ => {
                if self.query.key(press) == Edit::Changed {
                    self.rank();
                }
                Vec::new()
            }
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        self.query.paste(text);
        self.rank();
        Vec::new()
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let height = 20.min(model.size.1.saturating_sub(2));
        let keys = hints(&[("Enter", "do it"), ("Up/Down", "move"), ("Esc", "close")]);
        let mut dialog = Boxed::open(paint, (76, height), "Commands", Mood::Plain, &keys);
        dialog.field(paint, &self.query, 1, Look::Plain, true);
        dialog.gap(3);
        if self.hits.is_empty() {
            dialog.text(paint, "no command matches", theme.muted);
        }
        for (at, index) in self.hits.iter().enumerate().skip(self.scroll.top) {
            let row = dialog.take(1);
            let Some((_, key, text)) = self.all.get(*index).filter(|_| row.height > 0) else { break };
            let current = at == self.scroll.at;
            if current {
                paint.put(row.x, row.y, 1, theme.symbols.cursor, theme.accent);
            }
            let (name, help) = text.split_once(": ").unwrap_or((text, ""));
            let style = if current { theme.selected } else { theme.text };
            let x = row.x.saturating_add(2);
            paint.put(x, row.y, 15, &format!(" {name} "), style);
            let x = row.x.saturating_add(18);
            paint.put(x, row.y, row.right().saturating_sub(x).saturating_sub(11), help, theme.muted);
            paint.right(row.right(), row.y, 10, key, theme.key);
        }
    }
}
