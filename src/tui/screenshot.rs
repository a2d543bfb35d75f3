//! A frame as an SVG picture, for the README: the project draws its own pictures from a real buffer.
//!
//! Rows stand at 1.17 times the font size, so that box-drawing lines meet. All text is escaped.

use super::theme::{Theme, ThemeName};
use super::widgets::paint::width;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

const FONT: f64 = 14.0;
const ROW: f64 = FONT * 1.17;
const COLUMN: f64 = FONT * 0.6;
const PAD: f64 = 14.0;
const BAR: f64 = 30.0;

/// The picture.
pub(crate) fn svg(buffer: &Buffer, theme: &Theme) -> String {
    let light = theme.name == ThemeName::Light;
    let (paper, ink) = if light { ("#fbfbf9", "#24292f") } else { ("#15181e", "#c9d1d9") };
    let area = buffer.area;
    let (w, h) = (f64::from(area.width) * COLUMN + 2.0 * PAD, f64::from(area.height) * ROW + PAD + BAR + 6.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"9\" fill=\"{paper}\"/>\n\
         <g>{}</g>\n\
         <g font-family=\"'DejaVu Sans Mono','JetBrains Mono',Menlo,Consolas,ui-monospace,monospace\" font-size=\"{FONT}\" fill=\"{ink}\">\n",
        ["#ff5f57", "#febc2e", "#28c840"]
            .iter()
            .zip([0.0, 18.0, 36.0])
            .map(|(fill, x)| format!("<circle cx=\"{:.0}\" cy=\"16\" r=\"5.5\" fill=\"{fill}\"/>", 20.0 + x))
            .collect::<String>()
    );
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let Some(first) = buffer.cell(Position::new(x, y)) else { break };
            let start = x;
            let mut text = String::new();
            let mut columns = 0u16;
            while let Some(cell) = buffer.cell(Position::new(x, y)).filter(|cell| same(cell, first)) {
                let wide = width(cell.symbol()).max(1);
                text.push_str(cell.symbol());
                columns = columns.saturating_add(wide);
                x = x.saturating_add(wide);
                if x >= area.right() {
                    break;
                }
            }
            run(&mut out, (start, y), columns, &text, first, (paper, ink));
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn same(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier)
}

fn run(
    out: &mut String,
    (x, y): (u16, u16),
    columns: u16,
    text: &str,
    cell: &Cell,
    (paper, ink): (&str, &str),
) {
    let mut fg = rgb(cell.fg).unwrap_or_else(|| ink.to_owned());
    let mut bg = rgb(cell.bg);
    if cell.modifier.contains(Modifier::REVERSED) {
        let before = std::mem::replace(&mut fg, bg.unwrap_or_else(|| paper.to_owned()));
        bg = Some(before);
    }
    let (left, top) = (PAD + f64::from(x) * COLUMN, BAR + f64::from(y) * ROW);
    let length = f64::from(columns) * COLUMN;
    if let Some(bg) = bg {
        // A hair of overlap: without it renderers leave lines between rows.
        let _ = writeln!(
            out,
            "<rect x=\"{left:.2}\" y=\"{top:.2}\" width=\"{length:.2}\" height=\"{:.2}\" fill=\"{bg}\"/>",
            ROW + 0.4
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let line =
        if cell.modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
    let dim = if cell.modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    // Every character, blanks too, has its own place, so that the grid holds in whatever font the reader has; renderers
    // that look at the first place only keep the blanks.
    let (mut places, mut shown, mut at) = (String::new(), String::new(), left);
    for c in text.chars() {
        let wide = f64::from(width(c.encode_utf8(&mut [0; 4])));
        let _ = write!(places, "{at:.1} ");
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            c => shown.push(c),
        }
        at += wide * COLUMN;
    }
    let _ = writeln!(
        out,
        "<text xml:space=\"preserve\" x=\"{}\" y=\"{:.2}\" fill=\"{fg}\"{weight}{line}{dim}>{shown}</text>",
        places.trim_end(),
        top + FONT * 0.92
    );
}

/// A terminal colour as a picture's; `None` for the terminal's own.
fn rgb(color: Color) -> Option<String> {
    const SIXTEEN: [&str; 16] = [
        "#1e2127", "#e06c75", "#98c379", "#d19a66", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#5c6370",
        "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff",
    ];
    let named = |index: usize| SIXTEEN.get(index).map(|text| (*text).to_owned());
    match color {
        Color::Indexed(n @ 0..=15) => named(usize::from(n)),
        Color::Indexed(n @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + u16::from(part) * 40 };
            let n = n - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6)))
        }
        Color::Indexed(n) => {
            let grey = 8 + u16::from(n - 232) * 10;
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(11),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::DarkGray => named(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn text_is_escaped_and_runs_keep_their_place() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "a<b&c", Style::new());
        buffer.set_string(6, 0, "日", Style::new().fg(Color::Indexed(203)));
        let picture = svg(&buffer, &Theme::named(ThemeName::Dark, true));
        assert!(picture.contains("a&lt;b&amp;c") && picture.contains("#ff5f5f"), "{picture}");
    }
}
