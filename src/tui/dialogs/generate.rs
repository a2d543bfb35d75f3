//! A value made here: choose a recipe, look at an example of it, take it.
//!
//! The value is shown only when asked for; it goes to the form below and nowhere else.

use super::boxed::{Boxed, Mood, hints};
use crate::domain::printable;
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::msg::Recipe;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::screens::browser::MASK;
use crate::tui::widgets::Paint;
use crossterm::event::KeyCode;
use zeroize::Zeroizing;

/// The dialog.
pub(crate) struct Generate {
    at: usize,
    length: u16,
    words: u8,
    bytes: u16,
    value: Option<Zeroizing<String>>,
    look: bool,
    note: Option<(Tone, String)>,
    /// How many answers are still to come that an older recipe asked for.
    waiting: usize,
}

const KINDS: [&str; 6] =
    ["letters, digits, symbols", "letters and digits", "words", "hexadecimal", "base64url", "UUID"];

impl Generate {
    pub(crate) fn new() -> Self {
        Self { at: 0, length: 32, words: 6, bytes: 32, value: None, look: false, note: None, waiting: 0 }
    }

    fn recipe(&self) -> Recipe {
        match self.at {
            0 => Recipe::Characters { length: self.length, symbols: true },
            1 => Recipe::Characters { length: self.length, symbols: false },
            2 => Recipe::Words { count: self.words },
            3 => Recipe::Hex { bytes: self.bytes },
            4 => Recipe::Base64Url { bytes: self.bytes },
            _ => Recipe::Uuid,
        }
    }

    fn size(&self) -> String {
        match self.at {
            0 | 1 => format!("{} characters", self.length),
            2 => format!("{} words", self.words),
            3 | 4 => format!("{} bytes", self.bytes),
            _ => String::new(),
        }
    }

    fn resize(&mut self, up: bool) {
        let step = |n: u16, by: u16, least: u16, most: u16| {
            if up { n.saturating_add(by).min(most) } else { n.saturating_sub(by).max(least) }
        };
        match self.at {
            0 | 1 => {
                self.length =
                    step(self.length, if self.length < 64 + u16::from(!up) { 4 } else { 16 }, 8, 256)
            }
            2 => self.words = u8::try_from(step(u16::from(self.words), 1, 3, 16)).unwrap_or(6),
            3 | 4 => self.bytes = step(self.bytes, 8, 8, 128),
            _ => {}
        }
    }

    fn again(&mut self) -> Vec<Step> {
        self.waiting += 1;
        vec![Step::Generate(self.recipe())]
    }
}

impl Panel for Generate {
    fn opened(&mut self, _model: &Model) -> Vec<Step> {
        self.again()
    }

    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        match (press.code, press.ctrl) {
            (KeyCode::Esc, _) => return vec![Step::Close],
            (KeyCode::Up | KeyCode::Char('k'), false) => self.at = self.at.saturating_sub(1),
            (KeyCode::Down | KeyCode::Char('j'), false) => self.at = (self.at + 1).min(KINDS.len() - 1),
            (KeyCode::Left | KeyCode::Char('-'), _) => self.resize(false),
            (KeyCode::Right | KeyCode::Char('+'), _) => self.resize(true),
            (KeyCode::Char('r'), true) | (KeyCode::Char('x'), false) => {
                self.look = !self.look;
                return Vec::new();
            }
            (KeyCode::Char('r' | ' ') | KeyCode::Char('g'), _) => {}
            (KeyCode::Enter, _) => {
                return match self.value.take() {
                    Some(value) => vec![Step::Deliver(value), Step::Close],
                    None => Vec::new(),
                };
            }
            _ => return Vec::new(),
        }
        self.again()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.waiting = self.waiting.saturating_sub(1);
        match what {
            Incoming::Generated(Ok(value)) if self.waiting == 0 => {
                self.note = None;
                self.value = value.expose_text().map(|text| Zeroizing::new(text.to_owned()));
            }
            Incoming::Generated(Err(reason)) => self.note = Some((Tone::Bad, reason)),
            _ => {}
        }
        Vec::new()
    }

    fn veil(&mut self) -> Vec<Step> {
        self.look = false;
        Vec::new()
    }

    fn draw(&self, _model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let look = if self.look { "mask" } else { "look" };
        let keys = hints(&[
            ("Enter", "take"),
            ("Up/Down", "kind"),
            ("Left/Right", "size"),
            ("r", "another"),
            ("x", look),
            ("Esc", "close"),
        ]);
        let mut dialog = Boxed::open(paint, (64, 15), "Generate a value", Mood::Plain, &keys);
        dialog.gap(9);
        for (index, kind) in KINDS.iter().enumerate() {
            let row = dialog.take(1);
            if row.height == 0 {
                break;
            }
            let current = index == self.at;
            if current {
                paint.put(row.x, row.y, 1, theme.symbols.cursor, theme.accent);
            }
            let style = if current { theme.selected } else { theme.text };
            paint.put(row.x.saturating_add(2), row.y, 26, &format!(" {kind} "), style);
            if current {
                let x = row.x.saturating_add(30);
                paint.put(x, row.y, row.width.saturating_sub(30), &self.size(), theme.muted);
            }
        }
        dialog.gap(3);
        let row = dialog.take(2);
        let text = match &self.value {
            Some(value) if self.look => Zeroizing::new(printable::line(value)),
            Some(_) => Zeroizing::new(theme.symbols.bullet.repeat(MASK)),
            None => Zeroizing::new(String::new()),
        };
        paint.fill(row, theme.input);
        paint.paragraph(row, &text, theme.input);
        dialog.note(paint, self.note.as_ref());
    }
}
