//! The box that every dialog is drawn in: centred, cleared, framed, with its key hints in the last row.

use crate::tui::layout::{centre, cut};
use crate::tui::panel::Tone;
use crate::tui::widgets::paint::width;
use crate::tui::widgets::{Entry, Look, Paint};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What a dialog is about, seen from its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Plain,
    Danger,
}

/// A dialog being drawn: rows are taken from the top.
pub(crate) struct Boxed {
    /// What is left for content.
    pub rest: Rect,
    frame: Rect,
}

impl Boxed {
    /// Clears and frames a box of `want` columns and rows (frame included).
    pub(crate) fn open(
        paint: &mut Paint<'_>,
        want: (u16, u16),
        title: &str,
        mood: Mood,
        hints: &[(String, String)],
    ) -> Self {
        let screen = paint.area();
        let frame = centre((screen.width, screen.height), want);
        let theme = paint.theme;
        paint.fill(frame, theme.text);
        let style = if mood == Mood::Danger { theme.danger } else { theme.focus };
        let title_style = if mood == Mood::Danger { theme.danger } else { theme.title };
        let inside = paint.frame(frame, title, style, title_style);
        let mut rest =
            Rect { x: inside.x.saturating_add(1), width: inside.width.saturating_sub(2), ..inside };
        if !hints.is_empty() && rest.height > 0 {
            let y = rest.bottom().saturating_sub(1);
            paint.hints(rest.x, y, rest.width, hints);
            rest.height = rest.height.saturating_sub(1);
        }
        Self { rest, frame }
    }

    /// A text at the right end of the top border.
    pub(crate) fn corner(&self, paint: &mut Paint<'_>, text: &str, style: Style) {
        let max = self.frame.width / 2;
        let end = self.frame.right().saturating_sub(2);
        paint.right(end, self.frame.y, max, &format!(" {text} "), style);
    }

    /// The next rows.
    pub(crate) fn take(&mut self, rows: u16) -> Rect {
        cut(&mut self.rest, rows)
    }

    /// An empty row, if there is plenty of room for what is still to come.
    pub(crate) fn gap(&mut self, needed: u16) {
        if self.rest.height > needed {
            self.take(1);
        }
    }

    /// Wrapped text.
    pub(crate) fn text(&mut self, paint: &mut Paint<'_>, text: &str, style: Style) {
        let used = paint.paragraph(self.rest, text, style);
        self.take(used);
    }

    /// A caption with something at its right end.
    pub(crate) fn caption(&mut self, paint: &mut Paint<'_>, caption: &str, right: &str, focused: bool) {
        let row = self.take(1);
        if row.height == 0 {
            return;
        }
        let style = if focused { paint.theme.accent } else { paint.theme.muted };
        paint.put(row.x, row.y, row.width, caption, style);
        let room = row.width.saturating_sub(width(caption)).saturating_sub(1);
        paint.right(row.right(), row.y, room, right, paint.theme.faint);
    }

    /// A field of so many rows; the terminal's cursor goes there if it has the focus.
    pub(crate) fn field(
        &mut self,
        paint: &mut Paint<'_>,
        entry: &Entry,
        rows: u16,
        look: Look,
        focused: bool,
    ) {
        let area = self.take(rows);
        if area.height == 0 {
            return;
        }
        let at = entry.draw(paint, area, look);
        if focused {
            paint.cursor = Some(at);
        }
    }

    /// A remark below the fields.
    pub(crate) fn note(&mut self, paint: &mut Paint<'_>, note: Option<&(Tone, String)>) {
        if let Some((tone, text)) = note {
            let style = tone_style(paint, *tone);
            self.text(paint, &crate::domain::printable::line(text), style);
        }
    }
}

/// The style of a tone.
pub(crate) fn tone_style(paint: &Paint<'_>, tone: Tone) -> Style {
    match tone {
        Tone::Good => paint.theme.ok,
        Tone::Info => paint.theme.muted,
        Tone::Warning => paint.theme.warning,
        Tone::Bad => paint.theme.danger,
    }
}

/// Hints from pairs of words.
pub(crate) fn hints(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, word)| ((*key).to_owned(), (*word).to_owned())).collect()
}
