//! The locked screen: one field, a spinner while the key is derived, one generic error.

use crate::domain::Passphrase;
use crate::service::{Answer, ErrorKind, LockReason, Request, Status, Unlock as UnlockCall, VaultState};
use crate::tui::action::Action;
use crate::tui::keymap::Press;
use crate::tui::layout::centre;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step};
use crate::tui::view::spinner;
use crate::tui::widgets::paint::width;
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint};
use crossterm::event::KeyCode;
use ratatui::layout::Rect;

/// The gate.
pub(crate) struct Unlock {
    passphrase: Entry,
    waiting: bool,
    failed: Option<String>,
    reason: Option<LockReason>,
}

impl Unlock {
    /// `reason`: why it was locked while it was open here, if it was not told to from here.
    pub(crate) fn new(reason: Option<LockReason>) -> Self {
        Self { passphrase: Entry::new(Kind::Passphrase), waiting: false, failed: None, reason }
    }
}

impl Panel for Unlock {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        if self.waiting {
            return Vec::new();
        }
        match press.code {
            KeyCode::Enter if !self.passphrase.is_empty() => {
                self.waiting = true;
                self.failed = None;
                let passphrase = Passphrase::new(self.passphrase.text().to_owned());
                self.passphrase.clear();
                return vec![Step::Ask(Request::Unlock(UnlockCall { passphrase }))];
            }
            // Without a passphrase: is it open by now? Another shell may have unlocked the agent.
            KeyCode::Enter => {
                self.waiting = true;
                self.failed = None;
                return vec![Step::Ask(Request::Status(Status {}))];
            }
            KeyCode::Esc => self.passphrase.clear(),
            _ => {
                if let Edit::Refused(reason) = self.passphrase.key(press) {
                    self.failed = Some(reason);
                } else {
                    self.failed = None;
                }
            }
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        if let Edit::Refused(reason) = self.passphrase.paste(text) {
            self.failed = Some(reason);
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.waiting = false;
        match what {
            Incoming::Answer(Ok(Answer::Unlock(()))) => return vec![Step::Enter],
            Incoming::Answer(Ok(Answer::Status(report))) => match report.state {
                VaultState::Unlocked => return self.found_open(),
                _ => self.failed = Some("type the passphrase".to_owned()),
            },
            Incoming::Answer(Err(error)) if error.kind == ErrorKind::Locked => {
                self.failed = Some("that did not open the vault".to_owned());
            }
            Incoming::Answer(Err(error)) => self.failed = Some(crate::tui::update::sentence(&error)),
            _ => {}
        }
        Vec::new()
    }

    /// Not while a passphrase is being typed: the rest of it would become commands.
    fn found_open(&mut self) -> Vec<Step> {
        if self.waiting || !self.passphrase.is_empty() { Vec::new() } else { vec![Step::Enter] }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let area = centre(model.size, (52, 11));
        let inside = paint.frame(area, "sealbox", theme.focus, theme.title);
        let body = Rect { x: inside.x.saturating_add(2), width: inside.width.saturating_sub(4), ..inside };
        let mut y = body.y.saturating_add(u16::from(area.height >= 11));
        let line = |y: &mut u16, gap: u16| {
            let row = Rect { y: *y, height: 1, ..body };
            *y = y.saturating_add(1 + gap);
            row
        };
        let said = self.reason.unwrap_or(LockReason::Asked).words();
        let row = line(&mut y, u16::from(area.height >= 11));
        paint.put(row.x, row.y, row.width, said, theme.text);
        let row = line(&mut y, 0);
        paint.put(row.x, row.y, row.width, "Passphrase", theme.muted);
        let row = line(&mut y, 1);
        let at = self.passphrase.draw(paint, row, Look::Masked);
        if self.waiting {
            let row = line(&mut y, 0);
            let text = format!("{} opening", spinner(model, theme));
            paint.put(row.x, row.y, row.width, &text, theme.accent);
        } else {
            paint.cursor = Some(at);
            if let Some(text) = &self.failed {
                let row = Rect { y, height: 2, ..body };
                let text = format!("{} {}", theme.symbols.warning, crate::domain::printable::line(text));
                paint.paragraph(row, &text, theme.danger);
            }
        }
        // `q` is a letter of a passphrase: the hint names the key that leaves from here.
        let leave = model.keymap.all_keys(Action::Quit);
        let leave = leave.split(' ').find(|key| key.starts_with("Ctrl-")).unwrap_or("Ctrl-c").to_owned();
        let last = inside.bottom().saturating_sub(1);
        paint.hints(
            body.x,
            last,
            body.width,
            &[("Enter".to_owned(), "unlock".to_owned()), (leave, "quit".to_owned())],
        );
        if let Some(status) = &model.status {
            let text = crate::domain::printable::line(&status.vault);
            let room = model.size.0.saturating_sub(2);
            let x = model.size.0.saturating_sub(width(&text).min(room)) / 2;
            if area.bottom() < model.size.1.saturating_sub(1) {
                paint.put(x, model.size.1.saturating_sub(1), room, &text, theme.faint);
            }
        }
    }
}
