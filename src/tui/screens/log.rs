//! The table of events: the signed chain of one scope, newest first.

use super::table;
use crate::domain::{date, printable};
use crate::service::LogEvent;
use crate::tui::model::Model;
use crate::tui::view::place_title;
use crate::tui::widgets::Paint;
use ratatui::layout::Rect;

/// What happened, in words.
pub(crate) fn phrase(event: &LogEvent) -> String {
    let what = match event.action.as_str() {
        "scope_created" => "created the scope",
        "secret_created" => "created",
        "secret_updated" => "updated",
        "secret_rewrapped" => "sealed anew",
        "secret_deleted" => "deleted",
        "member_added" => "admitted",
        "member_role_changed" => "changed the role of",
        "member_removed" => "removed",
        "keys_rotated" => "changed the keys",
        "project_created" => "created project",
        other => return printable::line(&other.replace('_', " ")),
    };
    let mut text = what.to_owned();
    if let Some(subject) = &event.subject {
        text.push(' ');
        text.push_str(&printable::line(subject));
    }
    if let Some(role) = event.role {
        text.push_str(&format!(" as {role}"));
    }
    if let Some(version) = event.version.filter(|version| *version > 1) {
        text.push_str(&format!(" to v{version}"));
    }
    text
}

/// Draws the table.
pub(crate) fn draw(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let rows = &model.browser.log;
    let title = place_title(model, "Log");
    let (heading, body) = table::frame(paint, area, &title, &rows.listing, rows.list.len());
    if let Some(error) = &rows.error {
        return table::failed(paint, body, error);
    }
    if !rows.loaded {
        return;
    }
    if rows.listing.hits.is_empty() {
        return table::empty(
            paint,
            body,
            &["nothing matches".to_owned(), "Esc clears the filter".to_owned()],
        );
    }
    let wide = area.width >= 64;
    let (when, who) = if wide { (16, 12) } else { (10, 8) };
    let what = area.width.saturating_sub(when + who + 18);
    let columns = [("SEQ", 6), ("WHEN", when), ("WHO", who), ("WHAT", what)];
    let mut x = heading.x.saturating_add(4);
    for (text, width) in columns {
        paint.put(x, heading.y, width, text, theme.faint);
        x = x.saturating_add(width + 2);
    }
    for (y, index, current) in table::visible(&rows.listing, body) {
        let Some(event) = rows.list.get(index) else { continue };
        let mut x = body.x.saturating_add(4);
        if current {
            paint.put(body.x.saturating_add(1), y, 1, theme.symbols.cursor, theme.accent);
        }
        paint.put(x, y, 6, &event.seq.to_string(), theme.faint);
        x = x.saturating_add(8);
        let time =
            if wide { date::local_minute(event.time_ms) } else { table::ago(event.time_ms, model.now.wall) };
        paint.put(x, y, when, &time, theme.muted);
        x = x.saturating_add(when + 2);
        paint.put(x, y, who, &printable::line(&event.author), theme.text);
        x = x.saturating_add(who + 2);
        let style = match event.action.as_str() {
            _ if current => theme.selected,
            "secret_deleted" | "member_removed" => theme.danger,
            "keys_rotated" | "member_role_changed" => theme.warning,
            _ => theme.text,
        };
        paint.put(x, y, what, &phrase(event), style);
    }
}

/// The pane at the right.
pub(crate) fn detail(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let inside = paint.frame(area, "details", theme.border, theme.muted);
    if let Some(event) = model.browser.log.current() {
        facts(paint, inside, event);
    }
}

/// Everything known of one event, for the pane and for the dialog.
pub(crate) fn facts(paint: &mut Paint<'_>, inside: Rect, event: &LogEvent) {
    let theme = paint.theme;
    let area = Rect { x: inside.x.saturating_add(1), width: inside.width.saturating_sub(2), ..inside };
    let mut y = area.y;
    let mut say = |text: &str, style, gap: u16| {
        let room = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        y = y.saturating_add(paint.paragraph(room, text, style)).saturating_add(gap);
    };
    say(&format!("{} {}", printable::line(&event.author), phrase(event)), theme.title, 1);
    say(&format!("entry {}", event.seq), theme.text, 0);
    say(&date::iso(event.time_ms), theme.text, 1);
    say("SHA-256 of the entry", theme.muted, 0);
    say(&printable::line(&event.hash), theme.text, 1);
    say("signed by its author and chained to the entry before it", theme.muted, 0);
}
