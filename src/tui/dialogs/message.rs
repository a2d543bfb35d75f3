//! Something to read: an ID or a link to copy, a list of names, the vault's place.

use super::boxed::{Boxed, Mood};
use crate::domain::printable;
use crate::service::{Answer, MyId, Request};
use crate::tui::action::Action;
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::widgets::paint::wrap;
use crate::tui::widgets::{Paint, Scroll};
use zeroize::Zeroizing;

/// The dialog.
pub(crate) struct Message {
    title: String,
    text: String,
    mood: Mood,
    list: Vec<String>,
    copy: Option<Zeroizing<String>>,
    scroll: Scroll,
}

impl Message {
    /// `title` and `text` are safe to show.
    pub(crate) fn new(title: &str, text: &str) -> Self {
        Self {
            title: title.to_owned(),
            text: text.to_owned(),
            mood: Mood::Plain,
            list: Vec::new(),
            copy: None,
            scroll: Scroll::default(),
        }
    }

    /// Text that is shown and that the copy key takes.
    #[must_use]
    pub(crate) fn with_copy(mut self, text: &str) -> Self {
        self.copy = Some(Zeroizing::new(printable::line(text)));
        self
    }

    /// Lines to scroll through.
    #[must_use]
    pub(crate) fn with_list(mut self, list: Vec<String>) -> Self {
        self.list = list;
        self
    }

    fn page(model: &Model) -> usize {
        usize::from(model.size.1.saturating_sub(10)).clamp(1, 12)
    }
}

const WIDTH: u16 = 72;

impl Panel for Message {
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        match model.keymap.action(press) {
            Some(Action::Back | Action::Open | Action::Quit) => vec![Step::Close],
            Some(Action::Copy) => self.copy.clone().map(Step::CopyText).into_iter().collect(),
            Some(action) => {
                self.scroll.pan(action, self.list.len(), Self::page(model));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let mut keys = Vec::new();
        if self.copy.is_some() {
            keys.push((model.keymap.key(Action::Copy), "copy".to_owned()));
        }
        let page = Self::page(model);
        if self.list.len() > page {
            keys.push((model.keymap.key(Action::PageDown), "more".to_owned()));
        }
        keys.push((model.keymap.key(Action::Back), "close".to_owned()));
        let width = WIDTH.min(model.size.0);
        let inner = width.saturating_sub(4);
        let rows = |text: &str| u16::try_from(wrap(text, inner).len()).unwrap_or(u16::MAX);
        let mut height = rows(&self.text).saturating_add(5);
        if let Some(copy) = &self.copy {
            height = height.saturating_add(rows(copy)).saturating_add(1);
        }
        let listed = self.list.len().min(page);
        if listed > 0 {
            height = height.saturating_add(u16::try_from(listed).unwrap_or(0)).saturating_add(1);
        }
        let mut dialog = Boxed::open(paint, (width, height), &self.title, self.mood, &keys);
        dialog.gap(2);
        dialog.text(paint, &self.text, theme.text);
        if let Some(copy) = &self.copy {
            dialog.gap(1);
            dialog.text(paint, copy, theme.accent);
        }
        if listed > 0 {
            dialog.gap(1);
            for line in self.list.iter().skip(self.scroll.top).take(listed) {
                let row = dialog.take(1);
                if row.height > 0 {
                    paint.put(row.x, row.y, row.width, line, theme.warning);
                }
            }
        }
    }
}

/// The user's own ID, asked for when it opens.
pub(crate) struct MyIdPanel {
    inner: Message,
}

impl MyIdPanel {
    pub(crate) fn new() -> Self {
        let text = "This is you. An owner who adds this ID gives you a role; it is no secret, but send it over a channel where they can be sure that it comes from you.";
        Self { inner: Message::new("Your ID", text) }
    }
}

impl Panel for MyIdPanel {
    fn opened(&mut self, _model: &Model) -> Vec<Step> {
        vec![Step::Ask(Request::MyId(MyId {}))]
    }

    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        self.inner.key(press, model)
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        match what {
            Incoming::Answer(Ok(Answer::MyId(id))) => {
                self.inner.copy = Some(Zeroizing::new(printable::line(&id)));
                Vec::new()
            }
            Incoming::Answer(Err(error)) => {
                vec![Step::Close, Step::Say(Tone::Bad, crate::tui::update::sentence(&error))]
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        self.inner.draw(model, paint);
    }
}

/// Where the vault is, and what it warns of.
pub(crate) fn info(model: &Model) -> Message {
    let Some(status) = &model.status else { return Message::new("Vault", "") };
    let mut text = format!(
        "folder  {}\nstore   {}\nscopes  {}",
        printable::line(&status.vault),
        printable::line(&status.store),
        model.browser.scopes.len()
    );
    if status.demo {
        text.push_str("\n\nThis is a demo: the vault is thrown away when you leave.");
    }
    if status.warnings.is_empty() {
        text.push_str("\n\nno warnings");
    }
    Message::new("Vault", &text).with_list(status.warnings.iter().map(|text| printable::line(text)).collect())
}
