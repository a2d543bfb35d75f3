//! A backend that sends few bytes, for people on slow links.
//!
//! Does what ratatui's crossterm backend does, but remembers the pen, the cursor and its visibility between frames, so
//! that nothing is said twice, and moves right by the shorter sequence. Invariant: what it remembers is what the
//! terminal has; after anything else wrote to the terminal, `clear` must come first, which starts from nothing.

use super::widgets::paint::width;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use std::io::{self, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// The backend over any writer.
pub(crate) struct Lean<W: Write> {
    inner: CrosstermBackend<W>,
    text: String,
    pen: Option<Pen>,
    at: Option<Position>,
    cursor_shown: Option<bool>,
    colours: bool,
}

impl<W: Write> Lean<W> {
    /// Without `colours` only attributes (bold, reverse, underline) are sent.
    pub(crate) fn new(writer: W, colours: bool) -> Self {
        Self {
            inner: CrosstermBackend::new(writer),
            text: String::new(),
            pen: None,
            at: None,
            cursor_shown: None,
            colours,
        }
    }

    /// Writes bytes that change neither pen nor cursor (a clipboard sequence), at once.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)?;
        Write::flush(&mut self.inner)
    }

    fn go(&mut self, to: Position) {
        let text = &mut self.text;
        let _ = match self.at {
            Some(at) if at == to => Ok(()),
            Some(at) if at.y == to.y && to.x == at.x.saturating_add(1) => write!(text, "\u{1b}[C"),
            Some(at) if at.y == to.y && to.x > at.x => write!(text, "\u{1b}[{}C", to.x - at.x),
            _ => write!(text, "\u{1b}[{};{}H", u32::from(to.y) + 1, u32::from(to.x) + 1),
        }; // writing to a String cannot fail
    }

    fn dip(&mut self, pen: Pen) {
        if self.pen == Some(pen) {
            return;
        }
        let before = self.pen;
        self.pen = Some(pen);
        if pen == PLAIN {
            self.text.push_str("\u{1b}[m");
            return;
        }
        self.text.push_str("\u{1b}[");
        // Attributes that go are taken away all at once: it is shorter than naming each.
        let before = match before {
            Some(before) if pen.modifier.contains(before.modifier) => before,
            _ => {
                self.text.push_str("0;");
                PLAIN
            }
        };
        for (flag, code) in [
            (Modifier::BOLD, '1'),
            (Modifier::DIM, '2'),
            (Modifier::ITALIC, '3'),
            (Modifier::UNDERLINED, '4'),
            (Modifier::REVERSED, '7'),
            (Modifier::CROSSED_OUT, '9'),
        ] {
            if (pen.modifier - before.modifier).contains(flag) {
                self.text.push(code);
                self.text.push(';');
            }
        }
        if self.colours && pen.fg != before.fg {
            colour(&mut self.text, pen.fg, 30);
        }
        if self.colours && pen.bg != before.bg {
            colour(&mut self.text, pen.bg, 40);
        }
        match self.text.pop() {
            Some(';') => self.text.push('m'),
            // Nothing was said between the brackets: take the sequence back.
            Some(last) => {
                self.text.push(last);
                self.text.truncate(self.text.len().saturating_sub(2));
            }
            None => {}
        }
    }
}

fn colour(text: &mut String, colour: Color, base: u8) {
    let named = |n: u8| if n < 8 { base + n } else { base + 52 + n };
    let code = match colour {
        Color::Reset => base + 9,
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(n) => {
            let _ = write!(text, "{};5;{n};", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(text, "{};2;{r};{g};{b};", base + 8);
            return;
        }
    };
    let _ = write!(text, "{code};");
}

impl<W: Write> Backend for Lean<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            self.go(Position::new(x, y));
            self.dip(Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier });
            let symbol = cell.symbol();
            self.text.push_str(symbol);
            // Where terminals disagree about widths, the next place is said in full.
            let certain = symbol.chars().count() == 1 && width(symbol) == 1;
            self.at = certain.then(|| Position::new(x.saturating_add(1), y));
        }
        self.inner.write_all(self.text.as_bytes())?;
        // What was on the screen may be a value: it does not stay in this buffer.
        zeroize::Zeroize::zeroize(&mut self.text);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown != Some(false) {
            self.cursor_shown = Some(false);
            self.inner.hide_cursor()?;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown != Some(true) {
            self.cursor_shown = Some(true);
            self.inner.show_cursor()?;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Never asks the terminal: its answer would arrive among the keys, which somebody else is reading.
        Ok(self.at.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.at != Some(position) {
            self.at = Some(position);
            self.inner.set_cursor_position(position)?;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.pen = Some(PLAIN);
        self.at = None;
        self.cursor_shown = None;
        self.inner.write_all(b"\x1b[m")?;
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn drawn(colours: bool, cells: &[(u16, u16, Cell)]) -> String {
        let mut bytes = Vec::new();
        let mut backend = Lean::new(&mut bytes, colours);
        for (x, y, cell) in cells {
            backend.draw([(*x, *y, cell)].into_iter()).unwrap();
        }
        drop(backend);
        String::from_utf8(bytes).unwrap()
    }

    fn cell(symbol: &str, style: Style) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_style(style);
        cell
    }

    #[test]
    fn neither_pen_nor_place_is_said_twice() {
        let bold = Style::new().add_modifier(Modifier::BOLD).fg(Color::Indexed(110));
        let plain = Style::new();
        let sent = drawn(
            true,
            &[
                (0, 0, cell("a", bold)),
                (1, 0, cell("b", bold)),
                (4, 0, cell("c", bold)),
                (0, 1, cell("d", plain)),
                (1, 1, cell("e", Style::new().fg(Color::DarkGray))),
            ],
        );
        assert_eq!(sent, "\u{1b}[1;1H\u{1b}[0;1;38;5;110mab\u{1b}[2Cc\u{1b}[2;1H\u{1b}[md\u{1b}[90me");
    }

    #[test]
    fn without_colours_only_attributes_are_sent() {
        let red = Style::new().fg(Color::Red);
        let sent = drawn(
            false,
            &[
                (0, 0, cell("a", Style::new())),
                (1, 0, cell("b", red)),
                (2, 0, cell("c", red.add_modifier(Modifier::REVERSED))),
            ],
        );
        assert_eq!(sent, "\u{1b}[1;1H\u{1b}[mab\u{1b}[7mc");
    }

    #[test]
    fn after_a_wide_character_the_place_is_said_in_full() {
        let sent = drawn(true, &[(0, 0, cell("日", Style::new())), (2, 0, cell("a", Style::new()))]);
        assert_eq!(sent, "\u{1b}[1;1H\u{1b}[m日\u{1b}[1;3Ha");
    }
}
