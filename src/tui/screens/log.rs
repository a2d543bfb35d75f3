//! The table of events: what was changed in one scope and what was read, newest first. Readings are muted and carry an `r`.

use super::table;
use crate::domain::{ReadCode, date, printable, span};
use crate::service::{LogEvent, ReadFacts};
use crate::tui::model::Model;
use crate::tui::view::place_title;
use crate::tui::widgets::Paint;
use ratatui::layout::Rect;

/// What happened, in words.
pub(crate) fn phrase(event: &LogEvent) -> String {
    if let Some(read) = &event.read {
        return reading(event, read);
    }
    let what = match event.action.as_str() {
        "scope_created" => "created the scope",
        "secret_created" => "created",
        "secret_updated" => "updated",
        "secret_rewrapped" => "sealed anew",
        "secret_deleted" => "deleted",
        "secret_rotation_set" => "set the rotation of",
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
    match event.rotate_every_s {
        Some(0) => text.push_str(" to off"),
        Some(seconds) => text.push_str(&format!(" to every {}", span::words(seconds))),
        None => {}
    }
    text
}

/// `copied NPM_TOKEN v2`, `could not copy NPM_TOKEN: secret not found`.
fn reading(event: &LogEvent, read: &ReadFacts) -> String {
    let (done, wanted) = match event.action.as_str() {
        "reveal" => ("looked at", "look at"),
        "copy" => ("copied", "copy"),
        "get" => ("took", "take"),
        "run" => ("ran with", "run with"),
        "inject" => ("injected", "inject"),
        "export" => ("exported", "export"),
        _ => ("read", "read"),
    };
    let mut names = read.names.iter().take(2).map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    match read.names.len() {
        0 => names.push_str("everything"),
        n if n > 2 => names.push_str(&format!(" and {} more", n - 2)),
        _ => {}
    }
    if let Some(version) = event.version {
        names.push_str(&format!(" v{version}"));
    }
    match read.code {
        ReadCode::Ok => format!("{done} {names}"),
        code => format!("could not {wanted} {names}: {}", code.token().replace('_', " ")),
    }
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
        let number = if event.read.is_some() { format!("r{}", event.seq) } else { event.seq.to_string() };
        paint.put(x, y, 6, &number, theme.faint);
        x = x.saturating_add(8);
        let time =
            if wide { date::local_minute(event.time_ms) } else { table::ago(event.time_ms, model.now.wall) };
        paint.put(x, y, when, &time, theme.muted);
        x = x.saturating_add(when + 2);
        paint.put(x, y, who, &printable::line(&event.author), theme.text);
        x = x.saturating_add(who + 2);
        let style = match event.action.as_str() {
            _ if current => theme.selected,
            _ if event.read.as_ref().is_some_and(|read| read.code != ReadCode::Ok) => theme.warning,
            _ if event.read.is_some() => theme.muted,
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
    let what = if event.read.is_some() { "record" } else { "entry" };
    say(&format!("{what} {}", event.seq), theme.text, 0);
    say(&date::iso(event.time_ms), theme.text, 1);
    if let Some(read) = &event.read {
        let by = format!("by {} on {}", printable::line(&read.program), printable::line(&read.host));
        say(&by, theme.text, 1);
        if read.names.len() > 2 {
            let names: Vec<&str> = read.names.iter().map(|name| name.as_str()).collect();
            say(&names.join(" "), theme.muted, 1);
        }
    }
    say(&format!("SHA-256 of the {what}"), theme.muted, 0);
    say(&printable::line(&event.hash), theme.text, 1);
    let proof = if event.read.is_some() {
        "signed by its author; a dishonest program can leave a reading out"
    } else {
        "signed by its author and chained to the entry before it"
    };
    say(proof, theme.muted, 0);
}
