//! A question with one dangerous answer: `y` does it, everything else keeps things as they are.

use super::boxed::{Boxed, Mood, hints};
use crate::service::{Answer, Request};
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::widgets::Paint;
use crossterm::event::KeyCode;
use zeroize::Zeroizing;

/// What to do with the answer.
type Then = Box<dyn FnOnce(Answer, &Model) -> Vec<Step>>;

/// The dialog.
pub(crate) struct Confirm {
    title: String,
    mood: Mood,
    text: String,
    word: String,
    request: Option<Request>,
    then: Option<Then>,
    note: Option<(Tone, String)>,
}

impl Confirm {
    /// `text` is safe to show; `word` says what `y` does; `then` follows a good answer.
    pub(crate) fn new(title: &str, mood: Mood, text: &str, word: &str, request: Request, then: Then) -> Self {
        Self {
            title: title.to_owned(),
            mood,
            text: text.to_owned(),
            word: word.to_owned(),
            request: Some(request),
            then: Some(then),
            note: None,
        }
    }
}

impl Panel for Confirm {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        let waiting = self.request.is_none() && self.note.is_none();
        match press.code {
            _ if waiting => Vec::new(),
            KeyCode::Char('y' | 'Y') => self.request.take().map(Step::Ask).into_iter().collect(),
            KeyCode::Esc | KeyCode::Char('n' | 'N' | 'q') | KeyCode::Enter => vec![Step::Close],
            _ => Vec::new(),
        }
    }

    fn incoming(&mut self, what: Incoming, model: &Model) -> Vec<Step> {
        match what {
            Incoming::Answer(Ok(answer)) => {
                // The panel below learns that something changed.
                let mut steps = vec![Step::Deliver(Zeroizing::new(String::new())), Step::Close];
                steps.extend(self.then.take().map(|then| then(answer, model)).unwrap_or_default());
                steps
            }
            Incoming::Answer(Err(error)) => {
                self.note = Some((Tone::Bad, crate::tui::update::sentence(&error)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let keys = if self.note.is_some() {
            hints(&[("Esc", "close")])
        } else {
            hints(&[("y", &self.word), ("Esc", "keep things as they are")])
        };
        let mut dialog = Boxed::open(paint, (60, 11), &self.title, self.mood, &keys);
        if self.request.is_none() && self.note.is_none() {
            dialog.corner(paint, crate::tui::view::spinner(model, theme), theme.accent);
        }
        dialog.gap(6);
        dialog.text(paint, &self.text, theme.text);
        dialog.gap(3);
        dialog.note(paint, self.note.as_ref());
    }
}
