//! Opens a vault or a project with the link that an owner sent.

use super::boxed::{Boxed, Mood, hints};
use crate::domain::Passphrase;
use crate::service::{Answer, Join, Request};
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint};
use crossterm::event::KeyCode;

/// The dialog.
pub(crate) struct JoinPanel {
    link: Entry,
    passphrase: Entry,
    focus: usize,
    note: Option<(Tone, String)>,
    waiting: bool,
}

impl JoinPanel {
    pub(crate) fn new() -> Self {
        Self {
            link: Entry::new(Kind::Line),
            passphrase: Entry::new(Kind::Passphrase),
            focus: 0,
            note: None,
            waiting: false,
        }
    }

    fn field(&mut self) -> &mut Entry {
        if self.focus == 0 { &mut self.link } else { &mut self.passphrase }
    }
}

impl Panel for JoinPanel {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        if self.waiting {
            return Vec::new();
        }
        match press.code {
            KeyCode::Esc => return vec![Step::Close],
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => self.focus = 1 - self.focus,
            KeyCode::Enter if self.focus == 0 => self.focus = 1,
            KeyCode::Enter => {
                if self.link.is_empty() || self.passphrase.is_empty() {
                    self.focus = usize::from(!self.link.is_empty());
                    self.note = Some((Tone::Warning, "both are needed".to_owned()));
                    return Vec::new();
                }
                self.waiting = true;
                self.note = None;
                let passphrase = Passphrase::new(self.passphrase.text().to_owned());
                let link = self.link.text().trim().to_owned();
                return vec![Step::Ask(Request::Join(Join { link, store: None, passphrase }))];
            }
            _ => {
                if let Edit::Refused(reason) = self.field().key(press) {
                    self.note = Some((Tone::Warning, reason));
                }
            }
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        if let Edit::Refused(reason) = self.field().paste(text) {
            self.note = Some((Tone::Warning, reason));
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.waiting = false;
        match what {
            Incoming::Answer(Ok(Answer::Join(scopes))) => {
                let text =
                    format!("joined: {} now open to you", super::delete::plural(scopes.len(), "scope"));
                let mut steps = vec![Step::Close, Step::Refresh];
                steps.extend(scopes.first().map(|info| Step::Go(info.scope.clone())));
                steps.push(Step::Say(Tone::Good, text));
                steps
            }
            Incoming::Answer(Err(error)) => {
                self.passphrase.clear();
                self.note = Some((Tone::Bad, crate::tui::update::sentence(&error)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let keys = hints(&[
            ("Enter", if self.focus == 0 { "next" } else { "join" }),
            ("Tab", "next"),
            ("Esc", "close"),
        ]);
        let mut dialog = Boxed::open(paint, (70, 12), "Join with a link", Mood::Plain, &keys);
        if self.waiting {
            dialog.corner(paint, crate::tui::view::spinner(model, paint.theme), paint.theme.accent);
        }
        dialog.gap(7);
        dialog.caption(paint, "Link", "scj1_..., as an owner sent it", self.focus == 0);
        dialog.field(paint, &self.link, 1, Look::Plain, self.focus == 0);
        dialog.gap(5);
        dialog.caption(paint, "Your passphrase", "", self.focus == 1);
        dialog.field(paint, &self.passphrase, 1, Look::Masked, self.focus == 1);
        dialog.gap(2);
        dialog.note(paint, self.note.as_ref());
    }
}
