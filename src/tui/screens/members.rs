//! The table of members: who may do what here, since when, and by whose grant.

use super::table;
use crate::domain::{Role, date, printable};
use crate::service::MemberInfo;
use crate::tui::model::Model;
use crate::tui::view::place_title;
use crate::tui::widgets::Paint;
use ratatui::layout::Rect;

/// Draws the table.
pub(crate) fn draw(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let rows = &model.browser.members;
    let title = place_title(model, "Members");
    let (heading, body) = table::frame(paint, area, &title, &rows.listing, rows.list.len());
    if let Some(error) = &rows.error {
        return table::failed(paint, body, error);
    }
    if !rows.loaded {
        return;
    }
    if rows.listing.hits.is_empty() {
        return table::empty(paint, body, &["nobody matches".to_owned(), "Esc clears the filter".to_owned()]);
    }
    let wide = area.width >= 64;
    let name = area.width.saturating_sub(if wide { 44 } else { 26 }).clamp(8, 40);
    let columns = [("NAME", name), ("ROLE", 8), ("SINCE", 10), ("GRANTED BY", if wide { 12 } else { 0 })];
    let mut x = heading.x.saturating_add(4);
    for (text, width) in columns {
        paint.put(x, heading.y, width, text, theme.faint);
        x = x.saturating_add(width + 2);
    }
    for (y, index, current) in table::visible(&rows.listing, body) {
        let Some(member) = rows.list.get(index) else { continue };
        let mut x = body.x.saturating_add(4);
        if current {
            paint.put(body.x.saturating_add(1), y, 1, theme.symbols.cursor, theme.accent);
            let blank = " ".repeat(usize::from(name) + 2);
            paint.put(x.saturating_sub(1), y, name + 2, &blank, theme.selected);
        }
        let style = match member.role {
            _ if current => theme.selected,
            None => theme.faint,
            Some(_) => theme.text,
        };
        paint.put(x, y, name, &called(member), style);
        x = x.saturating_add(name + 2);
        let role = member.role.map_or("former", Role::word);
        paint.put(x, y, 8, role, if member.role == Some(Role::Owner) { theme.accent } else { theme.muted });
        x = x.saturating_add(10);
        paint.put(x, y, 10, &table::ago(member.since_ms, model.now.wall), theme.muted);
        x = x.saturating_add(12);
        if wide {
            paint.put(x, y, 12, &printable::line(&member.granted_by), theme.muted);
        }
    }
}

fn called(member: &MemberInfo) -> String {
    let label = printable::line(&member.label);
    match (member.me, member.machine) {
        (true, _) => format!("{label} (you)"),
        (_, true) => format!("{label} (machine)"),
        _ => label,
    }
}

/// The pane at the right.
pub(crate) fn detail(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let inside = paint.frame(area, "details", theme.border, theme.muted);
    let Some(member) = model.browser.members.current() else { return };
    let area = Rect { x: inside.x.saturating_add(1), width: inside.width.saturating_sub(2), ..inside };
    let mut y = area.y;
    let mut say = |text: &str, style, gap: u16| {
        let room = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        y = y.saturating_add(paint.paragraph(room, text, style)).saturating_add(gap);
    };
    say(&called(member), theme.title, 1);
    match member.role {
        Some(role) => {
            say(role.word(), theme.accent, 0);
            say(role.meaning(), theme.muted, 1);
        }
        None => say("was removed", theme.warning, 1),
    }
    let since = format!("{} by {}", date::local_minute(member.since_ms), printable::line(&member.granted_by));
    say(&since, theme.text, 1);
    say("ID", theme.muted, 0);
    say(&printable::line(&member.id), theme.text, 0);
}
