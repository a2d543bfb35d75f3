//! Where things are on a screen of any size, including none at all. All arithmetic saturates.

use ratatui::layout::Rect;

/// Below this there is one line saying so.
pub(crate) const MIN: (u16, u16) = (20, 6);
/// From this width on there is a detail pane.
pub(crate) const DETAIL_FROM: u16 = 100;
/// Width of the detail pane, with its frame.
const DETAIL: u16 = 40;

/// The parts of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub status: Rect,
    pub tabs: Rect,
    pub table: Rect,
    pub detail: Option<Rect>,
    pub footer: Rect,
}

/// True if nothing useful fits.
pub(crate) fn too_small((width, height): (u16, u16)) -> bool {
    width < MIN.0 || height < MIN.1
}

/// Cuts the screen up.
pub(crate) fn parts((width, height): (u16, u16)) -> Parts {
    let row = |y: u16, rows: u16| Rect::new(0, y.min(height), width, rows.min(height.saturating_sub(y)));
    let body = row(2, height.saturating_sub(3));
    let (table, detail) = if width >= DETAIL_FROM {
        let left = width.saturating_sub(DETAIL);
        (Rect { width: left, ..body }, Some(Rect { x: left, width: DETAIL, ..body }))
    } else {
        (body, None)
    };
    Parts { status: row(0, 1), tabs: row(1, 1), table, detail, footer: row(height.saturating_sub(1), 1) }
}

/// Rows of a list: the table without frame and heading.
pub(crate) fn page(size: (u16, u16)) -> usize {
    usize::from(parts(size).table.height.saturating_sub(3))
}

/// A box in the middle, as large as asked for if it fits.
pub(crate) fn centre((width, height): (u16, u16), want: (u16, u16)) -> Rect {
    let (w, h) = (want.0.min(width), want.1.min(height));
    Rect::new(width.saturating_sub(w) / 2, height.saturating_sub(h) / 2, w, h)
}

/// Takes rows off the top of an area.
pub(crate) fn cut(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    let top = Rect { height: rows, ..*area };
    area.y = area.y.saturating_add(rows);
    area.height = area.height.saturating_sub(rows);
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_size_makes_the_parts_leave_the_screen() {
        for width in [0, 1, 19, 20, 40, 80, 100, 120, u16::MAX] {
            for height in [0, 1, 2, 3, 5, 6, 12, 24, u16::MAX] {
                let screen = Rect::new(0, 0, width, height);
                let parts = parts((width, height));
                for part in
                    [parts.status, parts.tabs, parts.table, parts.footer].into_iter().chain(parts.detail)
                {
                    assert_eq!(part.intersection(screen).area(), part.area(), "{width}x{height} {part:?}");
                }
                let _ = page((width, height));
                let _ = centre((width, height), (64, 20));
            }
        }
    }
}
