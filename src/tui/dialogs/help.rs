//! All keys, made from the keymap in force, so that remapped keys are shown as they are.

use super::boxed::{Boxed, Mood};
use crate::tui::action::Action;
use crate::tui::keymap::{FIELD_KEYS, Group, Press, TABLE};
use crate::tui::model::Model;
use crate::tui::panel::{Panel, Step};
use crate::tui::widgets::{Paint, Scroll};

/// The dialog.
pub(crate) struct Help {
    scroll: Scroll,
}

impl Help {
    pub(crate) fn new() -> Self {
        Self { scroll: Scroll::default() }
    }

    /// Heading, or keys with what they do.
    fn lines(model: &Model) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        for group in Group::ALL {
            if !lines.is_empty() {
                lines.push((String::new(), String::new()));
            }
            lines.push((group.title().to_owned(), String::new()));
            for entry in TABLE.iter().filter(|entry| entry.group == group) {
                lines.push((model.keymap.all_keys(entry.action), entry.help.to_owned()));
            }
        }
        lines.push((String::new(), String::new()));
        lines.push(("While typing".to_owned(), String::new()));
        lines.extend(FIELD_KEYS.iter().map(|(keys, help)| ((*keys).to_owned(), (*help).to_owned())));
        lines
    }

    fn page(model: &Model) -> usize {
        usize::from(model.size.1.saturating_sub(5)).max(1)
    }
}

impl Panel for Help {
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        match model.keymap.action(press) {
            Some(Action::Back | Action::Help | Action::Quit | Action::Open) => vec![Step::Close],
            Some(action) => {
                self.scroll.pan(action, Self::lines(model).len(), Self::page(model));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let lines = Self::lines(model);
        let keys = [
            (model.keymap.key(Action::PageDown), "more".to_owned()),
            (model.keymap.key(Action::Back), "close".to_owned()),
        ];
        let height = model.size.1.saturating_sub(2);
        let mut dialog = Boxed::open(paint, (78, height), "Keys", Mood::Plain, &keys);
        let keys_width = if dialog.rest.width >= 60 { 20 } else { 12 };
        let page = usize::from(dialog.rest.height);
        if lines.len() > page {
            let last = (self.scroll.top + page).min(lines.len());
            dialog.corner(paint, &format!("{last}/{}", lines.len()), theme.faint);
        }
        for (keys, help) in lines.iter().skip(self.scroll.top).take(page) {
            let row = dialog.take(1);
            if help.is_empty() {
                paint.put(row.x, row.y, row.width, keys, theme.title);
            } else {
                paint.put(row.x.saturating_add(1), row.y, keys_width - 2, keys, theme.key);
                let x = row.x.saturating_add(keys_width);
                paint.put(x, row.y, row.right().saturating_sub(x), help, theme.text);
            }
        }
    }
}
