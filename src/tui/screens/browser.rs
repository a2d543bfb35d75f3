//! The table of secrets and the detail pane beside it. Metadata only: there is no value here to draw.

use super::table;
use crate::domain::{Rotation, ScopeRef, SecretMeta, date, filter::Filter, printable, span};
use crate::tui::action::Action;
use crate::tui::model::{Model, Secrets, Tab};
use crate::tui::update::possible::by_role;
use crate::tui::view::{place_title, spinner};
use crate::tui::widgets::Paint;
use ratatui::layout::Rect;

/// A mask says nothing about what is behind it: one length for every value.
pub(crate) const MASK: usize = 12;

const AGO: u16 = 10;
const DATE: u16 = 16;
const BY: u16 = 10;
const VERSION: u16 = 5;
const FLAG: u16 = 9;
/// Where some secrets have a rotation interval.
const FLAG_ROTATION: u16 = 12;
const GUTTER: u16 = 4;

/// Which columns there is room for.
struct Columns {
    name: u16,
    date: bool,
    by: bool,
    version: bool,
    flag: bool,
    flag_width: u16,
}

impl Columns {
    fn fit(width: u16, rotation: bool) -> Self {
        let flag_width = if rotation { FLAG_ROTATION } else { FLAG };
        let mut columns = Self {
            name: 0,
            flag_width,
            flag: width >= 66,
            by: width >= 52,
            version: width >= 44,
            date: width >= 100,
        };
        let others = [
            (true, AGO),
            (columns.date, DATE),
            (columns.by, BY),
            (columns.version, VERSION),
            (columns.flag, flag_width),
        ];
        let taken: u16 = others.iter().filter(|(on, _)| *on).map(|(_, width)| width + 2).sum();
        columns.name = width.saturating_sub(taken).saturating_sub(GUTTER).clamp(8, 60);
        columns
    }
}

/// Draws the table.
pub(crate) fn draw(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let secrets = match model.browser.tab {
        Tab::Project => &model.browser.project,
        _ => &model.browser.organization,
    };
    let title = match (&secrets.scope, model.browser.tab) {
        (None, _) => "no project".to_owned(),
        (Some(ScopeRef::Project(name)), _) => name.to_string(),
        _ => place_title(model, ""),
    };
    let order =
        if secrets.newest_first { format!("{title} {} newest first", theme.symbols.dot) } else { title };
    let (heading, rows) = table::frame(paint, area, &order, &secrets.listing, secrets.list.len());
    if let Some(error) = &secrets.error {
        return table::failed(paint, rows, error);
    }
    if secrets.scope.is_none() || !secrets.loaded || secrets.listing.hits.is_empty() {
        return table::empty(paint, rows, &nothing(model, paint, secrets));
    }
    let columns = Columns::fit(area.width.saturating_sub(2), secrets.rotates);
    let mut x = heading.x.saturating_add(GUTTER);
    let mut head = |paint: &mut Paint<'_>, text: &str, width: u16| {
        paint.put(x, heading.y, width, text, theme.faint);
        x = x.saturating_add(width + 2);
    };
    head(paint, "NAME", columns.name);
    head(paint, "UPDATED", AGO);
    for (on, text, width) in [
        (columns.date, "DATE", DATE),
        (columns.by, "BY", BY),
        (columns.version, "VER", VERSION),
        (columns.flag, "FLAGS", columns.flag_width),
    ] {
        if on {
            head(paint, text, width);
        }
    }
    let query = secrets.listing.query.text().trim();
    let mut filter = (!query.is_empty()).then(|| Filter::new(query));
    for (y, index, current) in table::visible(&secrets.listing, rows) {
        if let Some(meta) = secrets.list.get(index) {
            let positions =
                filter.as_mut().map(|filter| filter.positions(meta.name.as_str())).unwrap_or_default();
            row(model, paint, Rect { y, height: 1, ..rows }, secrets, meta, current, &positions, &columns);
        }
    }
    if secrets.quarantined > 0 {
        let noun = if secrets.quarantined == 1 { "entry has" } else { "entries have" };
        let text = format!(" {} {} {noun} an invalid name ", theme.symbols.warning, secrets.quarantined);
        let room = area.width.saturating_sub(24);
        paint.put(area.x.saturating_add(2), area.bottom().saturating_sub(1), room, &text, theme.warning);
    } else if !secrets.marked.is_empty() {
        let text = format!(" {} {} marked ", theme.symbols.mark, secrets.marked.len());
        paint.put(
            area.x.saturating_add(2),
            area.bottom().saturating_sub(1),
            area.width / 2,
            &text,
            theme.mark,
        );
    }
}

#[allow(clippy::too_many_arguments, reason = "one row needs the model, the brush, the place and the data")]
fn row(
    model: &Model,
    paint: &mut Paint<'_>,
    area: Rect,
    secrets: &Secrets,
    meta: &SecretMeta,
    current: bool,
    positions: &[u32],
    columns: &Columns,
) {
    let theme = paint.theme;
    let y = area.y;
    let marked = secrets.marked.contains(&meta.name);
    let fresh = secrets.fresh.contains_key(&meta.name);
    if current {
        paint.put(area.x.saturating_add(1), y, 1, theme.symbols.cursor, theme.accent);
    }
    if marked {
        paint.put(area.x.saturating_add(2), y, 1, theme.symbols.mark, theme.mark);
    } else if !columns.flag && (meta.exposed || meta.rotation(model.now.wall).is_some_and(Rotation::is_due)) {
        paint.put(area.x.saturating_add(2), y, 1, theme.symbols.warning, theme.warning);
    }
    let mut x = area.x.saturating_add(GUTTER);
    // Only the name is highlighted: moving the cursor repaints two names, not two whole rows (slow links).
    let style = if current {
        theme.selected
    } else if marked {
        theme.mark
    } else if fresh {
        theme.changed
    } else {
        theme.text
    };
    if current {
        let wide = crate::tui::widgets::paint::width(meta.name.as_str()).min(columns.name) + 2;
        paint.put(x.saturating_sub(1), y, wide, &" ".repeat(usize::from(wide)), style);
    }
    paint.put(x, y, columns.name, meta.name.as_str(), style);
    for position in positions {
        let at = u16::try_from(*position).unwrap_or(u16::MAX);
        // The last column may hold the ellipsis.
        let seen =
            at.saturating_add(1) < columns.name || meta.name.as_str().len() <= usize::from(columns.name);
        if let Some(cell) = paint.buf.cell_mut((x.saturating_add(at), y)).filter(|_| seen) {
            let over = if current {
                style.patch(theme.matched.bg(style.bg.unwrap_or_default()))
            } else {
                theme.matched
            };
            cell.set_style(over);
        }
    }
    x = x.saturating_add(columns.name + 2);
    let when = table::ago(meta.updated_ms, model.now.wall);
    let muted = if fresh { theme.changed } else { theme.muted };
    paint.put(x, y, AGO, &when, muted);
    x = x.saturating_add(AGO + 2);
    if columns.date {
        paint.put(x, y, DATE, &date::local_minute(meta.updated_ms), theme.muted);
        x = x.saturating_add(DATE + 2);
    }
    if columns.by {
        paint.put(x, y, BY, &printable::line(&meta.updated_by), muted);
        x = x.saturating_add(BY + 2);
    }
    if columns.version {
        paint.put(x, y, VERSION, &format!("v{}", meta.version), theme.muted);
        x = x.saturating_add(VERSION + 2);
    }
    if columns.flag && meta.exposed {
        paint.put(x, y, columns.flag_width, &format!("{} exposed", theme.symbols.warning), theme.warning);
    } else if columns.flag
        && let Some(rotation) = meta.rotation(model.now.wall)
        && let Some(text) = rotation.flag()
    {
        let style = if rotation.is_due() { theme.warning } else { theme.muted };
        paint.put(x, y, columns.flag_width, &text, style);
    }
}

/// What an empty table says: why, and the next key.
fn nothing(model: &Model, paint: &Paint<'_>, secrets: &Secrets) -> Vec<String> {
    let key = |action| model.keymap.key(action);
    let listing = &secrets.listing;
    if secrets.scope.is_none() && model.browser.scopes_loaded {
        return if by_role(Action::NewProject, model).is_ok() {
            vec!["no project yet".to_owned(), format!("{} creates one", key(Action::NewProject))]
        } else if model.browser.scopes.is_empty() {
            joinless(model)
        } else {
            vec![
                "you are not a member of a project".to_owned(),
                format!(
                    "send an owner your ID ({}), then {} opens their link",
                    key(Action::MyId),
                    key(Action::Join)
                ),
            ]
        };
    }
    if !secrets.loaded {
        return if model.waiting().is_some() {
            vec![format!("{} reading", spinner(model, paint.theme))]
        } else {
            Vec::new()
        };
    }
    if model.browser.scopes_loaded && model.browser.scopes.is_empty() {
        return joinless(model);
    }
    if secrets.role.is_none() {
        return vec![
            "you are not a member of the organization itself".to_owned(),
            format!("{} shows your projects", key(Action::Project)),
        ];
    }
    if !listing.query.is_empty() {
        return vec!["nothing matches".to_owned(), "Esc clears the filter".to_owned()];
    }
    if by_role(Action::New, model).is_ok() {
        vec!["no secrets here yet".to_owned(), format!("{} creates the first one", key(Action::New))]
    } else {
        vec!["no secrets here yet".to_owned()]
    }
}

fn joinless(model: &Model) -> Vec<String> {
    let key = |action| model.keymap.key(action);
    vec![
        "your identity is ready, and no vault has admitted it yet".to_owned(),
        format!("{} shows your ID: send it to an owner", key(Action::MyId)),
        format!("{} opens the link that comes back", key(Action::Join)),
    ]
}

/// The pane at the right.
pub(crate) fn detail(model: &Model, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let inside = paint.frame(area, "details", theme.border, theme.muted);
    let secrets = model.browser.secrets();
    let shown = model.browser.tab != Tab::Project || secrets.scope == model.browser.project.scope;
    let Some(meta) = secrets.current().filter(|_| shown) else { return };
    let history = model
        .browser
        .history
        .as_ref()
        .filter(|(scope, name, _)| *scope == model.browser.place && *name == meta.name)
        .map(|(.., history)| history.versions.as_slice());
    facts(model, paint, inside, meta, history);
}

/// Everything known of one secret, for the pane and for the dialog.
pub(crate) fn facts(
    model: &Model,
    paint: &mut Paint<'_>,
    area: Rect,
    meta: &SecretMeta,
    history: Option<&[crate::domain::VersionMeta]>,
) {
    let theme = paint.theme;
    let (x, width) = (area.x.saturating_add(1), area.width.saturating_sub(2));
    let mut y = area.y;
    let last = area.bottom();
    for line in crate::tui::widgets::paint::wrap(meta.name.as_str(), width).iter().take(3) {
        paint.put(x, y, width, line, theme.title);
        y = y.saturating_add(1);
    }
    y = y.saturating_add(1);
    let value = if by_role(Action::Reveal, model).is_ok()
        || model.role().is_some_and(|r| r > crate::domain::Role::Read)
    {
        theme.symbols.bullet.repeat(MASK)
    } else {
        "not readable with your role".to_owned()
    };
    let rows = [
        ("Value", value, theme.masked),
        ("Version", format!("v{}", meta.version), theme.text),
        ("Updated", date::local_minute(meta.updated_ms), theme.text),
        ("", printable::line(&meta.updated_by), theme.muted),
        ("Created", date::local_minute(meta.created_ms), theme.text),
        ("", printable::line(&meta.created_by), theme.muted),
    ];
    for (label, text, style) in rows {
        if y >= last {
            return;
        }
        paint.put(x, y, 9, label, theme.muted);
        paint.put(x.saturating_add(10), y, width.saturating_sub(10), &text, style);
        y = y.saturating_add(1);
    }
    if let (Some(rotation), Some(every)) = (meta.rotation(model.now.wall), meta.rotate_every_s)
        && y < last
    {
        let style = if rotation.is_due() { theme.warning } else { theme.text };
        paint.put(x, y, 9, "Rotation", theme.muted);
        let text = format!("every {}: {}", span::words(every), rotation.words());
        paint.put(x.saturating_add(10), y, width.saturating_sub(10), &text, style);
        y = y.saturating_add(1);
    }
    if meta.exposed && y.saturating_add(3) < last {
        y = y.saturating_add(1);
        let text = format!(
            "{} exposed: somebody who could read it has left; change it at its source, then here",
            theme.symbols.warning
        );
        let room = Rect::new(x, y, width, last.saturating_sub(y));
        y = y.saturating_add(paint.paragraph(room, &text, theme.warning));
    }
    let Some(versions) = history.filter(|versions| versions.len() > 1) else { return };
    y = y.saturating_add(1);
    if y < last {
        paint.put(x, y, width, "Versions", theme.muted);
    }
    for version in versions {
        y = y.saturating_add(1);
        if y >= last {
            return;
        }
        let style = if version.kept { theme.text } else { theme.faint };
        paint.put(x, y, 6, &format!("v{}", version.version), style);
        paint.put(x.saturating_add(6), y, 12, &table::ago(version.updated_ms, model.now.wall), theme.muted);
        let by = width.saturating_sub(18);
        paint.put(x.saturating_add(18), y, by, &printable::line(&version.updated_by), theme.muted);
    }
}
