//! Puts text into cells: clipped to its width, aligned, framed.
//!
//! Owns clipping by display width. It paints what it is given: text from other people must have passed
//! `domain::printable` before it comes here.

use crate::tui::theme::Theme;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A buffer, a theme, and where the terminal's own cursor shall stand.
pub(crate) struct Paint<'a> {
    pub buf: &'a mut Buffer,
    pub theme: &'a Theme,
    pub cursor: Option<Position>,
}

/// Columns that a text takes on the screen.
pub(crate) fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The longest part of `text` that fits into `max` columns, with an ellipsis if something is missing.
pub(crate) fn clip(text: &str, max: u16, ellipsis: &str) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let room = max.saturating_sub(width(ellipsis));
    let mut used = 0u16;
    let mut out = String::new();
    for c in text.chars() {
        let next = used.saturating_add(u16::try_from(c.width().unwrap_or(0)).unwrap_or(0));
        if next > room {
            break;
        }
        used = next;
        out.push(c);
    }
    if max > 0 {
        out.push_str(ellipsis);
    }
    out
}

/// Breaks text into lines of at most `max` columns at spaces; words that are longer are cut.
pub(crate) fn wrap(text: &str, max: u16) -> Vec<String> {
    let max = max.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let gap = u16::from(!line.is_empty());
            if width(&line).saturating_add(gap).saturating_add(width(word)) <= max {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                let wide = u16::try_from(c.width().unwrap_or(0)).unwrap_or(0);
                if width(&line).saturating_add(wide) > max {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line);
    }
    lines
}

impl Paint<'_> {
    /// The whole screen.
    pub(crate) fn area(&self) -> Rect {
        self.buf.area
    }

    /// Puts one line of text, clipped to `max` columns; returns the columns used.
    pub(crate) fn put(&mut self, x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
        let area = self.buf.area;
        if y < area.top() || y >= area.bottom() || x >= area.right() || max == 0 {
            return 0;
        }
        let room = max.min(area.right().saturating_sub(x));
        // The whole style is set: nothing of what was painted below shines through.
        let style = Style::reset().patch(style);
        let (end, _) = if width(text) <= room {
            self.buf.set_stringn(x, y, text, usize::from(room), style)
        } else {
            let short = clip(text, room, self.theme.symbols.ellipsis);
            self.buf.set_stringn(x, y, short, usize::from(room), style)
        };
        end.saturating_sub(x)
    }

    /// Puts several pieces one after the other; returns the columns used.
    pub(crate) fn pieces(&mut self, x: u16, y: u16, max: u16, pieces: &[(&str, Style)]) -> u16 {
        let mut used = 0u16;
        for (text, style) in pieces {
            used = used.saturating_add(self.put(
                x.saturating_add(used),
                y,
                max.saturating_sub(used),
                text,
                *style,
            ));
        }
        used
    }

    /// Puts text so that it ends before column `end`.
    pub(crate) fn right(&mut self, end: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
        let text = clip(text, max, self.theme.symbols.ellipsis);
        let used = width(&text);
        self.put(end.saturating_sub(used), y, used, &text, style)
    }

    /// Puts wrapped text; returns the rows used.
    pub(crate) fn paragraph(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let mut rows = 0u16;
        for line in wrap(text, area.width).into_iter().take(usize::from(area.height)) {
            self.put(area.x, area.y.saturating_add(rows), area.width, &line, style);
            rows = rows.saturating_add(1);
        }
        rows
    }

    /// Fills an area with blanks of one style.
    pub(crate) fn fill(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut(Position::new(x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// A frame with a title in its top border; returns the inside.
    pub(crate) fn frame(&mut self, area: Rect, title: &str, border: Style, title_style: Style) -> Rect {
        let area = area.intersection(self.buf.area);
        if area.width < 2 || area.height < 2 {
            return Rect::new(area.x, area.y, 0, 0);
        }
        let set = self.theme.symbols.border;
        let (left, right) = (area.left(), area.right().saturating_sub(1));
        let (top, bottom) = (area.top(), area.bottom().saturating_sub(1));
        for x in left..=right {
            self.put(x, top, 1, set.horizontal_top, border);
            self.put(x, bottom, 1, set.horizontal_bottom, border);
        }
        for y in top..=bottom {
            self.put(left, y, 1, set.vertical_left, border);
            self.put(right, y, 1, set.vertical_right, border);
        }
        self.put(left, top, 1, set.top_left, border);
        self.put(right, top, 1, set.top_right, border);
        self.put(left, bottom, 1, set.bottom_left, border);
        self.put(right, bottom, 1, set.bottom_right, border);
        if !title.is_empty() && area.width > 6 {
            let room = area.width.saturating_sub(6);
            let used = self.put(left.saturating_add(2), top, room, &format!(" {title} "), title_style);
            debug_assert!(used <= room);
        }
        Rect::new(left.saturating_add(1), top.saturating_add(1), area.width - 2, area.height - 2)
    }

    /// Key hints (`key`, `word`) from left to right, as many as fit.
    pub(crate) fn hints(&mut self, x: u16, y: u16, max: u16, hints: &[(String, String)]) {
        let (key_style, word_style) = (self.theme.key, self.theme.muted);
        let mut used = 0u16;
        for (key, word) in hints.iter().filter(|(key, _)| !key.is_empty()) {
            let need = width(key).saturating_add(1).saturating_add(width(word));
            let gap = if used == 0 { 0 } else { 2 };
            if used.saturating_add(gap).saturating_add(need) > max {
                continue; // a shorter one may still fit
            }
            used = used.saturating_add(gap);
            used = used.saturating_add(self.pieces(
                x.saturating_add(used),
                y,
                need,
                &[(key, key_style), (" ", word_style), (word, word_style)],
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_counts_columns_not_characters() {
        assert_eq!(clip("日本語テスト", 7, "…"), "日本語…");
        assert_eq!(clip("short", 7, "…"), "short");
        assert_eq!(clip("longer", 0, "…"), "");
    }

    #[test]
    fn wrapping_cuts_only_words_that_do_not_fit_alone() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
    }
}
