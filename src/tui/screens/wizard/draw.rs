//! The wizard's pages as cells.

use super::{Page, Wizard};
use crate::tui::dialogs::boxed::{Boxed, Mood, hints};
use crate::tui::model::Model;
use crate::tui::theme::ThemeName;
use crate::tui::view::spinner;
use crate::tui::widgets::{Look, Paint};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Style};

const WIDTH: u16 = 72;

/// Draws the page.
pub(super) fn draw(wizard: &Wizard, model: &Model, paint: &mut Paint<'_>) {
    match wizard.page {
        Page::Choose => choose(wizard, model, paint),
        Page::Create => create(wizard, model, paint),
        Page::Recovery => recovery(wizard, model, paint),
        Page::Identity => identity(wizard, model, paint),
        Page::Link => link(wizard, model, paint),
    }
}

fn open(
    wizard: &Wizard,
    model: &Model,
    paint: &mut Paint<'_>,
    rows: u16,
    title: &str,
    keys: &[(&str, &str)],
) -> Boxed {
    let dialog = Boxed::open(paint, (WIDTH, rows), title, Mood::Plain, &hints(keys));
    if let Some(what) = wizard.waiting {
        let text = format!("{} {what}", spinner(model, paint.theme));
        dialog.corner(paint, &text, paint.theme.accent);
    }
    dialog
}

fn choose(wizard: &Wizard, model: &Model, paint: &mut Paint<'_>) {
    let theme = paint.theme;
    let keys = [("Enter", "choose"), ("Up/Down", "move"), ("q", "quit")];
    let mut dialog = open(wizard, model, paint, 13, "Welcome to sealbox", &keys);
    dialog.gap(9);
    let text = "Secrets are sealed on this machine, in one file that only you, and the people you admit, can open. There is no vault here yet.";
    dialog.text(paint, text, theme.text);
    dialog.gap(4);
    for (joining, name, what) in [
        (false, "Create a vault", "for yourself or for a team"),
        (true, "Join a vault", "an owner has invited you"),
    ] {
        let row = dialog.take(1);
        let current = wizard.joining == joining;
        if current {
            paint.put(row.x, row.y, 1, theme.symbols.cursor, theme.accent);
        }
        let style = if current { theme.selected } else { theme.text };
        paint.put(row.x.saturating_add(2), row.y, 18, &format!(" {name} "), style);
        paint.put(row.x.saturating_add(21), row.y, row.width.saturating_sub(21), what, theme.muted);
    }
    dialog.gap(1);
    dialog.text(paint, "Only a recovery key left? Run: sealbox restore --help", theme.faint);
}

fn meter(wizard: &Wizard, paint: &Paint<'_>) -> String {
    let Some(score) = wizard.score else { return String::new() };
    let word = match score {
        0 | 1 => "weak",
        2 => "fair",
        3 => "good",
        _ => "strong",
    };
    let (full, empty) = (usize::from(score.min(4)) + 1, 4 - usize::from(score.min(4)));
    let symbols = &paint.theme.symbols;
    format!("{}{} {word}", symbols.full.repeat(full), symbols.empty.repeat(empty))
}

fn passphrases(wizard: &Wizard, paint: &mut Paint<'_>, dialog: &mut Boxed, first: usize) {
    let focus = wizard.focus;
    let meter = meter(wizard, paint);
    dialog.caption(paint, "Passphrase", &meter, focus == first);
    dialog.field(paint, &wizard.passphrase, 1, Look::Masked, focus == first);
    dialog.gap(5);
    let same = !wizard.again.is_empty() && wizard.again.text() == wizard.passphrase.text();
    dialog.caption(paint, "Passphrase again", if same { "the same" } else { "" }, focus == first + 1);
    dialog.field(paint, &wizard.again, 1, Look::Masked, focus == first + 1);
}

fn create(wizard: &Wizard, model: &Model, paint: &mut Paint<'_>) {
    let last = if wizard.focus == 3 { "create" } else { "next" };
    let keys = [("Enter", last), ("Tab", "next"), ("Esc", "back"), ("Ctrl-c", "quit")];
    let mut dialog = open(wizard, model, paint, 18, "Create a vault", &keys);
    let focus = wizard.focus;
    dialog.gap(12);
    dialog.caption(paint, "Organization", "a team's name, or your own", focus == 0);
    dialog.field(paint, &wizard.organization, 1, Look::Plain, focus == 0);
    dialog.gap(10);
    dialog.caption(paint, "Your name", "others see it beside your changes", focus == 1);
    dialog.field(paint, &wizard.name, 1, Look::Plain, focus == 1);
    dialog.gap(8);
    passphrases(wizard, paint, &mut dialog, 2);
    dialog.gap(2);
    dialog.note(paint, wizard.note.as_ref());
}

fn identity(wizard: &Wizard, model: &Model, paint: &mut Paint<'_>) {
    let theme = paint.theme;
    let last = if wizard.focus == 1 { "go on" } else { "next" };
    let keys = [("Enter", last), ("Tab", "next"), ("Esc", "back"), ("Ctrl-c", "quit")];
    let mut dialog = open(wizard, model, paint, 14, "Join a vault", &keys);
    dialog.gap(9);
    dialog.text(paint, "First your own identity: a key on this machine, sealed by a passphrase.", theme.text);
    dialog.gap(6);
    passphrases(wizard, paint, &mut dialog, 0);
    dialog.gap(2);
    dialog.note(paint, wizard.note.as_ref());
}

fn link(wizard: &Wizard, model: &Model, paint: &mut Paint<'_>) {
    let theme = paint.theme;
    let keys = [("Enter", "join"), ("Ctrl-y", "copy the ID"), ("Ctrl-c", "leave, and join later")];
    let mut dialog = open(wizard, model, paint, 17, "Join a vault", &keys);
    dialog.gap(10);
    dialog.text(paint, "1. Send this ID to an owner, so that they can be sure it is from you:", theme.text);
    dialog.gap(8);
    if let Some(id) = &wizard.id {
        dialog.text(paint, id, theme.accent);
    }
    dialog.gap(6);
    dialog.text(paint, "2. They send a link back. Paste it here, or later with `sealbox join`:", theme.text);
    dialog.gap(4);
    dialog.field(paint, &wizard.link, 1, Look::Plain, wizard.waiting.is_none());
    dialog.gap(2);
    dialog.note(paint, wizard.note.as_ref());
}

fn recovery(wizard: &Wizard, model: &Model, paint: &mut Paint<'_>) {
    let theme = paint.theme;
    let keys = [("Enter", "confirm"), ("Esc", "back"), ("Ctrl-c", "quit, nothing is written")];
    let side = wizard.qr.len().isqrt();
    let (columns, rows) = (u16::try_from(side).unwrap_or(0) + 4, u16::try_from(side / 2).unwrap_or(0) + 3);
    let with_qr =
        side > 0 && theme.name != ThemeName::None && theme.symbols.rule == "─" && model.size.1 >= rows + 21;
    let height = if with_qr { 18 + rows } else { 18 };
    let mut dialog = open(wizard, model, paint, height, "Your recovery key", &keys);
    dialog.gap(12);
    let text = "Write this on paper and keep it offline. It opens everything if you lose this machine or forget the passphrase, and it is shown only now.";
    dialog.text(paint, text, theme.text);
    dialog.gap(8);
    if let Some(key) = wizard.recovery.as_ref().and_then(|key| key.expose_text()) {
        let groups: Vec<&str> = key.split_whitespace().collect();
        let per_row = usize::from(dialog.rest.width / 8).clamp(2, 8);
        for chunk in groups.chunks(per_row.min(6)) {
            let row = dialog.take(1);
            let mut x = row.x.saturating_add(2);
            for group in chunk {
                let used = paint.put(x, row.y, row.right().saturating_sub(x), group, theme.title);
                x = x.saturating_add(used).saturating_add(2);
            }
        }
    }
    if with_qr {
        dialog.gap(rows + 5);
        let area = dialog.take(rows);
        let left = area.x.saturating_add(area.width.saturating_sub(columns) / 2);
        square(paint, Rect::new(left, area.y, columns, rows), &wizard.qr, side);
    }
    dialog.gap(5);
    dialog.caption(paint, "Type its last group to confirm", "", true);
    dialog.field(paint, &wizard.proof, 1, Look::Plain, wizard.waiting.is_none());
    dialog.gap(2);
    dialog.note(paint, wizard.note.as_ref());
}

/// Two modules a cell, black on white with a quiet zone, whatever the theme: scanners want it so.
fn square(paint: &mut Paint<'_>, area: Rect, dark: &[bool], side: usize) {
    let style = Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231));
    paint.fill(area, style);
    let module =
        |x: usize, y: usize| x < side && y < side && dark.get(y * side + x).copied().unwrap_or(false);
    for row in 0..side.div_ceil(2) {
        for column in 0..side {
            let symbol = match (module(column, row * 2), module(column, row * 2 + 1)) {
                (true, true) => "█",
                (true, false) => "▀",
                (false, true) => "▄",
                (false, false) => continue,
            };
            let x = area.x.saturating_add(2).saturating_add(u16::try_from(column).unwrap_or(0));
            let y = area.y.saturating_add(1).saturating_add(u16::try_from(row).unwrap_or(0));
            if let Some(cell) = paint.buf.cell_mut(Position::new(x, y)) {
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }
}
