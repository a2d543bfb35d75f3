//! The frame that all three tables share: title, filter line, count, heading, empty states, and which rows show.

use crate::domain::{date, printable};
use crate::service::ServiceError;
use crate::tui::listing::Listing;
use crate::tui::widgets::paint::width;
use crate::tui::widgets::{Look, Paint};
use ratatui::layout::Rect;

/// Draws the frame with its borders' texts; returns the row of the heading and the rows below it.
pub(crate) fn frame(
    paint: &mut Paint<'_>,
    area: Rect,
    title: &str,
    listing: &Listing,
    total: usize,
) -> (Rect, Rect) {
    let theme = paint.theme;
    let inside = paint.frame(area, title, theme.border, theme.title);
    let filtering = listing.typing || !listing.query.is_empty();
    if filtering && area.width > 24 {
        // The filter sits in the top border, so that opening it moves nothing.
        let room = (area.width / 2).min(36).saturating_sub(4);
        let x = area.right().saturating_sub(room).saturating_sub(5);
        paint.pieces(x, area.y, 3, &[(" ", theme.border), ("/", theme.key), (" ", theme.border)]);
        let field = Rect::new(x.saturating_add(2), area.y, room, 1);
        if listing.typing {
            let at = listing.query.draw(paint, field, Look::Plain);
            paint.cursor = Some(at);
        } else {
            paint.put(field.x, field.y, field.width, &" ".repeat(usize::from(room)), theme.text);
            paint.put(field.x, field.y, field.width, listing.query.text(), theme.matched);
        }
        paint.put(x.saturating_add(2).saturating_add(room), area.y, 1, " ", theme.border);
    }
    let shown = listing.hits.len();
    let count = if shown == 0 {
        String::new()
    } else if shown == total {
        format!(" {}/{total} ", listing.scroll.at + 1)
    } else {
        format!(" {}/{shown} of {total} ", listing.scroll.at + 1)
    };
    let bottom = area.bottom().saturating_sub(1);
    paint.right(area.right().saturating_sub(2), bottom, area.width.saturating_sub(4), &count, theme.muted);
    let heading = Rect { height: inside.height.min(1), ..inside };
    let rows = Rect { y: inside.y.saturating_add(1), height: inside.height.saturating_sub(1), ..inside };
    (heading, rows)
}

/// Which hits are visible, each with its row on the screen.
pub(crate) fn visible(listing: &Listing, rows: Rect) -> impl Iterator<Item = (u16, usize, bool)> + '_ {
    listing
        .hits
        .iter()
        .enumerate()
        .skip(listing.scroll.top)
        .take(usize::from(rows.height))
        .zip(rows.y..)
        .map(|((at, index), y)| (y, *index as usize, at == listing.scroll.at))
}

/// Lines in the middle of an empty table; the first is the message, the others say what to do.
pub(crate) fn empty(paint: &mut Paint<'_>, rows: Rect, lines: &[String]) {
    let (text, muted) = (paint.theme.text, paint.theme.muted);
    let height = u16::try_from(lines.len()).unwrap_or(0);
    let mut y = rows.y.saturating_add(rows.height.saturating_sub(height) / 3);
    for (index, line) in lines.iter().enumerate() {
        for part in crate::tui::widgets::paint::wrap(line, rows.width.saturating_sub(4)) {
            if y >= rows.bottom() {
                return;
            }
            let x = rows.x.saturating_add(rows.width.saturating_sub(width(&part)) / 2);
            paint.put(x, y, rows.width, &part, if index == 0 { text } else { muted });
            y = y.saturating_add(1);
        }
    }
}

/// An error where rows would be.
pub(crate) fn failed(paint: &mut Paint<'_>, rows: Rect, error: &ServiceError) {
    let mut lines = vec![printable::line(&error.message)];
    lines.extend(error.hint.as_deref().map(printable::line));
    empty(paint, rows, &lines);
}

/// How long ago, in at most ten columns: beyond a week it is the date.
pub(crate) fn ago(ms: u64, now_ms: u64) -> String {
    date::ago(ms, now_ms).chars().take(10).collect()
}
