//! One field of text on storage that wipes itself: names, passphrases, values.
//!
//! Owns editing and pasting. Every field uses the wiping storage, secret or not, so that there is one editor and no
//! doubt. There is no undo, no yank and no `Debug`. Growth copies into a larger buffer and wipes the old one. Pasted
//! text is data only: an embedded end-of-paste marker is dropped, and nothing in it becomes a key.

use super::paint::{Paint, width};
use crate::domain::{ProjectName, SecretName, printable, value::MAX_VALUE};
use crate::tui::keymap::Press;
use crossterm::event::KeyCode;
use ratatui::layout::{Position, Rect};
use zeroize::Zeroizing;

/// What may be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A secret's name: upper-cased, `A-Z 0-9 _`.
    Name,
    /// A project's name: lower-cased, its own alphabet.
    Project,
    /// Any printable line (labels, IDs, filters).
    Line,
    /// One line that is masked: passphrases.
    Passphrase,
    /// Any text, several lines.
    Value,
}

/// How the text is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Masked,
    /// Shown and not editable.
    Disabled,
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    Changed,
    Moved,
    /// Not taken; the reason, for the line below the field.
    Refused(String),
    Ignored,
}

/// The field.
pub(crate) struct Entry {
    kind: Kind,
    text: Zeroizing<String>,
    /// Byte offset, always on a character boundary.
    cursor: usize,
}

impl Entry {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, text: Zeroizing::new(String::with_capacity(256)), cursor: 0 }
    }

    pub(crate) fn with(kind: Kind, text: &str) -> Self {
        let mut entry = Self::new(kind);
        entry.insert(text);
        entry
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Wipes the text.
    pub(crate) fn clear(&mut self) {
        self.text = Zeroizing::new(String::with_capacity(256));
        self.cursor = 0;
    }

    /// Puts new text in place of the old, which is wiped.
    pub(crate) fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    fn limit(&self) -> usize {
        match self.kind {
            Kind::Name => crate::domain::name::MAX_NAME,
            Kind::Project => 64,
            Kind::Line => 4096,
            Kind::Passphrase => 4096,
            Kind::Value => MAX_VALUE,
        }
    }

    /// Inserts at the cursor; the storage grows by copying and the old one is wiped.
    fn insert(&mut self, piece: &str) {
        let need = self.text.len().saturating_add(piece.len());
        if need > self.text.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(need.saturating_mul(2)));
            larger.push_str(&self.text);
            self.text = larger;
        }
        self.text.insert_str(self.cursor, piece);
        self.cursor = self.cursor.saturating_add(piece.len());
    }

    fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    fn cut(&mut self, from: usize) -> Edit {
        if from == self.cursor {
            return Edit::Moved;
        }
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
        Edit::Changed
    }

    fn line_start(&self) -> usize {
        self.before().rfind('\n').map_or(0, |at| at + 1)
    }

    /// Takes a key. `Tab`, `Enter`, `Esc` and keys with other meanings are left to the caller.
    pub(crate) fn key(&mut self, press: Press) -> Edit {
        match (press.code, press.ctrl, press.alt) {
            (KeyCode::Char('j'), true, false) | (KeyCode::Enter, false, true) if self.kind == Kind::Value => {
                self.typed('\n')
            }
            (KeyCode::Char('u'), true, false) => self.cut(self.line_start()),
            (KeyCode::Char('w'), true, false) => {
                let kept = self.before().trim_end_matches(|c: char| !c.is_alphanumeric());
                let kept = kept.trim_end_matches(|c: char| c.is_alphanumeric()).len();
                self.cut(kept)
            }
            (KeyCode::Char('a'), true, false) | (KeyCode::Home, ..) => {
                self.cursor = self.line_start();
                Edit::Moved
            }
            (KeyCode::Char('e'), true, false) | (KeyCode::End, ..) => {
                self.cursor += self.after().find('\n').unwrap_or(self.after().len());
                Edit::Moved
            }
            (KeyCode::Char(c), false, false) => self.typed(c),
            (KeyCode::Backspace, ..) | (KeyCode::Char('h'), true, false) => {
                let from = self.before().char_indices().next_back().map_or(self.cursor, |(at, _)| at);
                self.cut(from)
            }
            (KeyCode::Delete, ..) => {
                let Some(next) = self.after().chars().next() else { return Edit::Moved };
                let end = self.cursor + next.len_utf8();
                self.text.replace_range(self.cursor..end, "");
                Edit::Changed
            }
            (KeyCode::Left, ..) => {
                self.cursor = self.before().char_indices().next_back().map_or(0, |(at, _)| at);
                Edit::Moved
            }
            (KeyCode::Right, ..) => {
                self.cursor += self.after().chars().next().map_or(0, char::len_utf8);
                Edit::Moved
            }
            _ => Edit::Ignored,
        }
    }

    fn typed(&mut self, c: char) -> Edit {
        let taken = match self.kind {
            Kind::Name => SecretName::typed(c),
            Kind::Project => ProjectName::typed(c),
            Kind::Value => (c == '\n' || !c.is_control()).then_some(c),
            Kind::Line => (!printable::is_dangerous(c)).then_some(c),
            Kind::Passphrase => (!c.is_control()).then_some(c),
        };
        let Some(taken) = taken else {
            return Edit::Refused(
                match self.kind {
                    Kind::Name => "only A-Z, 0-9 and _ are allowed in a name",
                    Kind::Project => "only a-z, 0-9, - _ and . are allowed in a project's name",
                    _ => "this character cannot be typed here",
                }
                .to_owned(),
            );
        };
        if self.text.len() + taken.len_utf8() > self.limit() {
            return Edit::Refused(format!("at most {} fit here", self.limit()));
        }
        self.insert(taken.encode_utf8(&mut [0; 4]));
        Edit::Changed
    }

    /// Takes pasted text, whole or not at all.
    pub(crate) fn paste(&mut self, raw: &str) -> Edit {
        let clean = clean_paste(raw);
        let one_line = clean.strip_suffix('\n').unwrap_or(&clean);
        let refuse = |reason: &str| Edit::Refused(format!("not pasted: {reason}"));
        let piece: Zeroizing<String> = match self.kind {
            Kind::Value => clean.clone(),
            Kind::Name => match SecretName::from_user(one_line) {
                Ok(name) => Zeroizing::new(name.as_str().to_owned()),
                Err(reason) => return refuse(&reason.to_string()),
            },
            Kind::Project => {
                let text = one_line.trim().to_ascii_lowercase();
                if text.is_empty() || text.chars().any(|c| ProjectName::typed(c).is_none()) {
                    return refuse("a project's name has only a-z, 0-9, - _ and .");
                }
                Zeroizing::new(text)
            }
            Kind::Line | Kind::Passphrase => {
                if one_line.contains('\n') {
                    return refuse("this field takes one line, the text has several");
                }
                let bad = |c: char| c.is_control() || (self.kind == Kind::Line && printable::is_dangerous(c));
                if one_line.chars().any(bad) {
                    return refuse("the text has control characters");
                }
                Zeroizing::new(one_line.to_owned())
            }
        };
        if self.text.len().saturating_add(piece.len()) > self.limit() {
            return refuse(&format!("at most {} bytes fit here", self.limit()));
        }
        self.insert(&piece);
        Edit::Changed
    }

    /// Draws the field into `area` (one row, or several for a value) and returns where the cursor stands.
    pub(crate) fn draw(&self, paint: &mut Paint<'_>, area: Rect, look: Look) -> Position {
        let style = if look == Look::Disabled { paint.theme.disabled } else { paint.theme.input };
        paint.fill(area, style);
        let style = if look == Look::Masked { style.patch(paint.theme.masked) } else { style };
        let inside = area.width.saturating_sub(1); // the last column is for the cursor behind the text
        let rows = usize::from(area.height.max(1));
        let row = self.before().matches('\n').count();
        let top = row.saturating_sub(rows.saturating_sub(1));
        let mut at = Position::new(area.x, area.y);
        for (index, line) in self.text.split('\n').enumerate().skip(top).take(rows) {
            let y = area.y.saturating_add(u16::try_from(index - top).unwrap_or(0));
            let caret = if index == row { self.cursor - self.line_start() } else { 0 };
            let bullet = paint.theme.symbols.bullet;
            let shown = |text: &str| -> Zeroizing<String> {
                Zeroizing::new(if look == Look::Masked {
                    bullet.repeat(text.chars().count().min(usize::from(inside) + 1))
                } else {
                    printable::line(text)
                })
            };
            // Walk back from the caret until the window is full: a long line stays cheap and the caret visible.
            let head = line.get(..caret).unwrap_or_default();
            let mut start = caret;
            let mut used = 0u16;
            for (position, c) in head.char_indices().rev() {
                let wide = if look == Look::Masked {
                    1
                } else {
                    width(&printable::line(c.encode_utf8(&mut [0; 4])))
                };
                if used.saturating_add(wide) > inside {
                    break;
                }
                used = used.saturating_add(wide);
                start = position;
            }
            let rest = line.get(start..).unwrap_or_default();
            let end = rest.char_indices().nth(usize::from(area.width)).map_or(rest.len(), |(end, _)| end);
            let text = shown(rest.get(..end).unwrap_or_default());
            paint.put(area.x, y, area.width, &text, style);
            if index == row {
                at = Position::new(area.x.saturating_add(used), y);
            }
        }
        at
    }
}

/// Line breaks become `\n`, and markers of bracketed paste inside the text are dropped (SPEC R24).
fn clean_paste(raw: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(raw.len()));
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let marker = ["\u{1b}[201~", "\u{1b}[200~"].iter().find_map(|marker| rest.strip_prefix(marker));
        if let Some(tail) = marker {
            rest = tail;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\r' {
            rest = rest.strip_prefix('\n').unwrap_or(rest);
            out.push('\n');
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_into(kind: Kind, text: &str) -> Entry {
        let mut entry = Entry::new(kind);
        for c in text.chars() {
            entry.key(Press::plain(KeyCode::Char(c)));
        }
        entry
    }

    #[test]
    fn a_name_is_upper_cased_as_typed_and_refuses_the_rest() {
        let mut entry = type_into(Kind::Name, "stripe-key é1");
        assert_eq!(entry.text(), "STRIPEKEY1");
        assert!(matches!(entry.key(Press::plain(KeyCode::Char('-'))), Edit::Refused(_)));
    }

    #[test]
    fn a_pasted_name_is_normalised_or_refused_whole() {
        let mut entry = Entry::new(Kind::Name);
        assert_eq!(entry.paste("  api_key\r\n"), Edit::Changed);
        assert_eq!(entry.text(), "API_KEY");
        let refused = entry.paste("api-key");
        assert!(matches!(&refused, Edit::Refused(why) if why.contains("character 4")), "{refused:?}");
        assert_eq!(entry.text(), "API_KEY");
    }

    #[test]
    fn a_paste_is_data_and_loses_an_embedded_end_marker() {
        let mut value = Entry::new(Kind::Value);
        value.paste("SECRET\n:q!\u{1b}[201~rm");
        assert_eq!(value.text(), "SECRET\n:q!rm");
        let mut line = Entry::new(Kind::Passphrase);
        assert!(matches!(line.paste("SECRET\n:q!\u{1b}[201~rm"), Edit::Refused(_)));
        assert_eq!(line.paste("one line\n"), Edit::Changed);
        assert_eq!(line.text(), "one line");
    }

    #[test]
    fn nothing_longer_than_its_limit_is_taken() {
        let mut entry = type_into(Kind::Name, &"A".repeat(130));
        assert_eq!(entry.text().len(), 128);
        entry.clear();
        assert!(matches!(entry.paste(&"A".repeat(129)), Edit::Refused(_)));
        let mut value = Entry::new(Kind::Value);
        assert_eq!(value.paste(&"x".repeat(MAX_VALUE)), Edit::Changed);
        assert!(matches!(value.key(Press::plain(KeyCode::Char('y'))), Edit::Refused(_)));
    }

    #[test]
    fn the_cursor_moves_by_characters_and_cuts_what_was_asked() {
        let mut entry = type_into(Kind::Line, "one dös 三");
        entry.key(Press::plain(KeyCode::Left));
        entry.key(Press::plain(KeyCode::Backspace));
        entry.key(Press::plain(KeyCode::Backspace));
        assert_eq!(entry.text(), "one dö三");
        entry.key(Press { code: KeyCode::Char('w'), ctrl: true, alt: false });
        assert_eq!(entry.text(), "one 三");
        entry.key(Press { code: KeyCode::Char('u'), ctrl: true, alt: false });
        assert_eq!(entry.text(), "三");
        entry.key(Press::plain(KeyCode::Delete));
        assert!(entry.is_empty());
    }
}
