//! `view`: the model as cells. Takes a shared reference, decides nothing, changes nothing.
//!
//! Draws the status line, the tabs, the table of the current tab, the footer, and the panels on top. Only rows that are
//! visible are formatted.

use super::model::{Model, Tab};
use super::panel::Tone;
use super::screens::{browser, log, members};
use super::theme::Theme;
use super::update::possible::{footer, label};
use super::update::{scope_word, tab_word};
use super::widgets::Paint;
use super::widgets::paint::{width, wrap};
use super::{action::Action, layout, model};
use crate::domain::printable;
use crate::service::VaultState;
use ratatui::{Frame, layout::Rect};

/// Draws everything.
pub(crate) fn view(model: &Model, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let size = (area.width, area.height);
    let mut paint = Paint { buf: frame.buffer_mut(), theme, cursor: None };
    if layout::too_small(size) {
        let text = format!("too small: {}x{} needed", layout::MIN.0, layout::MIN.1);
        paint.put(0, 0, area.width, &text, theme.text);
        return;
    }
    if model.leaving {
        return; // blank: what was revealed is overwritten before the screen is given back
    }
    if let Some(error) = &model.fatal {
        let inside =
            paint.frame(layout::centre(size, (70, 9)), "sealbox cannot start", theme.danger, theme.danger);
        let text = printable::line(&error.message);
        let rows = paint.paragraph(inside, &text, theme.text);
        if let Some(hint) = &error.hint {
            let below = Rect { y: inside.y.saturating_add(rows).saturating_add(1), ..inside };
            paint.paragraph(below.intersection(inside), &printable::line(hint), theme.muted);
        }
        let last = Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside };
        paint.hints(last.x, last.y, last.width, &[(model.keymap.key(Action::Quit), "quit".to_owned())]);
        return;
    }
    if let Some(gate) = &model.gate {
        gate.panel.draw(model, &mut paint);
    } else if model.status.as_ref().is_some_and(|status| status.state == VaultState::Unlocked) {
        everything(model, &mut paint, size);
    }
    for layer in &model.layers {
        paint.cursor = None;
        layer.panel.draw(model, &mut paint);
    }
    if let Some(position) = paint.cursor {
        frame.set_cursor_position(position);
    }
}

fn everything(model: &Model, paint: &mut Paint<'_>, size: (u16, u16)) {
    let parts = layout::parts(size);
    status(model, paint, parts.status);
    tabs(model, paint, parts.tabs);
    match model.browser.tab {
        Tab::Organization | Tab::Project => browser::draw(model, paint, parts.table),
        Tab::Members => members::draw(model, paint, parts.table),
        Tab::Log => log::draw(model, paint, parts.table),
    }
    if let Some(area) = parts.detail {
        match model.browser.tab {
            Tab::Organization | Tab::Project => browser::detail(model, paint, area),
            Tab::Members => members::detail(model, paint, area),
            Tab::Log => log::detail(model, paint, area),
        }
    }
    bottom(model, paint, parts.footer);
}

/// Who, where, as what, and how long still.
fn status(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let Some(status) = &model.status else { return };
    let dot = format!(" {} ", theme.symbols.dot);
    let mut right: Vec<(String, ratatui::style::Style)> = Vec::new();
    if let Some(me) = &status.me {
        right.push((printable::line(me), theme.text));
    }
    if let Some(role) = model.role() {
        right.push((role.word().to_owned(), theme.accent));
    }
    if let Some(text) = model.lock_text() {
        let soon = model.lock_in_s().is_some_and(|left| left <= 90);
        let words = if area.width >= 60 { format!("locks in {text}") } else { text };
        right.push((words, if soon { theme.warning } else { theme.muted }));
    }
    if !status.warnings.is_empty() && area.width >= 60 {
        let count = status.warnings.len();
        let noun = if count == 1 { "warning" } else { "warnings" };
        right.insert(0, (format!("{} {count} {noun}", theme.symbols.warning), theme.warning));
    }
    let total: u16 = right.iter().map(|(text, _)| width(text)).sum::<u16>()
        + width(&dot) * u16::try_from(right.len().saturating_sub(1)).unwrap_or(0);
    let end = area.right().saturating_sub(1);
    let mut x = end.saturating_sub(total);
    let left_room = x.saturating_sub(2);
    for (index, (text, style)) in right.iter().enumerate() {
        if index > 0 {
            x = x.saturating_add(paint.put(x, area.y, end.saturating_sub(x), &dot, theme.faint));
        }
        x = x.saturating_add(paint.put(x, area.y, end.saturating_sub(x), text, *style));
    }
    let mut used = 1u16;
    if model.waiting().is_some() {
        used = used.saturating_add(paint.put(used, area.y, 2, spinner(model, theme), theme.accent));
        used = used.saturating_add(1);
    }
    used =
        used.saturating_add(paint.put(used, area.y, left_room.saturating_sub(used), "sealbox", theme.title));
    if let Some(name) = &status.organization {
        let text = format!("{dot}{}", printable::line(name));
        used =
            used.saturating_add(paint.put(used, area.y, left_room.saturating_sub(used), &text, theme.text));
    }
    if status.demo && used.saturating_add(8) < left_room {
        paint.put(used.saturating_add(2), area.y, 6, " demo ", theme.badge);
    }
}

/// The spinner's present picture.
pub(crate) fn spinner(model: &Model, theme: &Theme) -> &'static str {
    let frames = theme.symbols.spinner;
    let step = (model.now.mono / model::SPIN_MS) as usize % frames.len().max(1);
    frames.get(step).copied().unwrap_or(" ")
}

/// The tabs as texts, as wide as the screen allows.
pub(crate) fn tab_texts(model: &Model) -> Vec<(Tab, String)> {
    let narrow = model.size.0 < 62;
    Tab::ALL
        .iter()
        .enumerate()
        .map(|(index, tab)| {
            let word = tab_word(*tab);
            let text = match (tab, model.browser.project_name()) {
                (Tab::Project, Some(name)) if !narrow => format!("{word}: {name}"),
                _ if narrow && *tab == Tab::Organization => "Org".to_owned(),
                _ => word.to_owned(),
            };
            (*tab, format!(" {} {text}", index + 1))
        })
        .collect()
}

fn tabs(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let (on, key, off) = (paint.theme.tab, paint.theme.key, paint.theme.muted);
    let mut x = area.x;
    for (tab, text) in tab_texts(model) {
        let (number, word) = text.split_at(text.len().min(3));
        x = x.saturating_add(paint.put(x, area.y, area.right().saturating_sub(x), number, key));
        let style = if tab == model.browser.tab { on } else { off };
        x = x.saturating_add(paint.put(x, area.y, area.right().saturating_sub(x), word, style));
        x = x.saturating_add(2);
    }
    copied(model, paint, Rect { x, width: area.right().saturating_sub(x), ..area });
}

/// What is on the clipboard and for how long, at the right, as far as there is room for it.
fn copied(model: &Model, paint: &mut Paint<'_>, room: Rect) {
    let (Some(copied), Some(left)) = (&model.copied, model.copied_left_s()) else { return };
    let style = paint.theme.accent;
    let (label, place) = (&copied.label, copied.place);
    let texts = [
        format!("{label} {place}, {left} s"),
        format!("{label} {}, {left} s", place.replace("the ", "")),
        format!("{}, {left} s", place.trim_start_matches("on the ").trim_start_matches("in ")),
    ];
    let fits = |text: &&String| width(text).saturating_add(1) <= room.width;
    if let Some(text) = texts.iter().find(fits) {
        let x = room.right().saturating_sub(width(text).saturating_add(1));
        paint.put(x, room.y, width(text), text, style);
    }
}

/// The most rows that a notice may take.
const NOTICE_ROWS: u16 = 4;

/// A notice if there is one, else what can be done here.
fn bottom(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    if let Some(notice) = &model.notice {
        let (symbol, style) = match notice.tone {
            Tone::Good => (paint.theme.symbols.ok, paint.theme.ok),
            Tone::Info => (paint.theme.symbols.dot, paint.theme.accent),
            Tone::Warning => (paint.theme.symbols.warning, paint.theme.warning),
            Tone::Bad => (paint.theme.symbols.warning, paint.theme.danger),
        };
        let text = format!("{symbol} {}", notice.text);
        // A setting to change stands at the end of a sentence: it is not cut off, but goes on in rows taken from above.
        let lines = wrap(&text, area.width.saturating_sub(2));
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(NOTICE_ROWS).min(area.y / 2).max(1);
        let top = area.bottom().saturating_sub(rows);
        if rows > 1 {
            paint.fill(Rect { y: top, height: rows, ..area }, paint.theme.text);
        }
        for (row, y) in (top..area.bottom()).enumerate() {
            // The last row keeps the rest, so that what does not fit ends in an ellipsis.
            let last = y.saturating_add(1) == area.bottom();
            let end = if last { lines.len() } else { row + 1 };
            let line = lines.get(row..end).unwrap_or_default().join(" ");
            paint.put(1, y, area.width.saturating_sub(2), &line, style);
        }
        return;
    }
    if model.browser.listing().typing {
        let hints = [("Enter", "keep"), ("Esc", "clear"), ("Up/Down", "move")];
        let hints: Vec<(String, String)> =
            hints.iter().map(|(k, w)| ((*k).to_owned(), (*w).to_owned())).collect();
        paint.hints(1, area.y, area.width.saturating_sub(2), &hints);
        return;
    }
    let hints: Vec<(String, String)> =
        footer(model).into_iter().map(|action| (model.keymap.key(action), label(action, model))).collect();
    let help = model.keymap.key(Action::Help);
    let reserve = width(&help) + 8;
    paint.hints(1, area.y, area.width.saturating_sub(reserve), &hints);
    let x = area.right().saturating_sub(width(&help) + 6);
    paint.hints(x, area.y, reserve, &[(help, "help".to_owned())]);
}

/// The title of a table: whose rows these are.
pub(crate) fn place_title(model: &Model, what: &str) -> String {
    let place = scope_word(model, &model.browser.place);
    if what.is_empty() { place } else { format!("{what} {} {place}", "·") }
}
