//! Delete: says what goes, that it cannot be undone, and where it is still referenced; the name typed again confirms it
//! (for several: `delete 3`). The search for references is never waited for, and ends with the dialog.

use super::boxed::{Boxed, Mood, hints};
use crate::domain::{ScopeRef, SecretName, printable};
use crate::scan::Progress;
use crate::scan::places::Places;
use crate::service::{Answer, DeleteSecret, GetHistory, Request};
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::msg::Search;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::widgets::paint::width as count;
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint};
use crossterm::event::KeyCode;
use std::sync::Arc;

/// Rows for the places where a name is referenced, the headline included.
const PLACES: u16 = 4;

/// The dialog.
pub(crate) struct Delete {
    scope: ScopeRef,
    names: Vec<SecretName>,
    /// How many versions of a single secret go with it, once known.
    versions: Option<usize>,
    typed: Entry,
    note: Option<(Tone, String)>,
    /// How many are deleted already, once it has been confirmed.
    done: Option<usize>,
    gone_versions: usize,
    /// What to say once the list shows it.
    finished: Option<String>,
    /// The search for references.
    search: Arc<Progress>,
    /// What it found.
    places: Option<Places>,
}

impl Drop for Delete {
    fn drop(&mut self) {
        self.search.stop();
    }
}

impl Delete {
    /// `names` is not empty.
    pub(crate) fn new(scope: ScopeRef, names: Vec<SecretName>) -> Self {
        let kind = if names.len() == 1 { Kind::Name } else { Kind::Line };
        Self {
            scope,
            names,
            versions: None,
            typed: Entry::new(kind),
            note: None,
            done: None,
            gone_versions: 0,
            finished: None,
            search: Arc::default(),
            places: None,
        }
    }

    fn single(&self) -> Option<&SecretName> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    fn phrase(&self) -> String {
        self.single().map_or_else(|| format!("delete {}", self.names.len()), |name| name.as_str().to_owned())
    }

    fn next(&self, done: usize) -> Option<Step> {
        let name = self.names.get(done)?.clone();
        Some(Step::Ask(Request::DeleteSecret(DeleteSecret { scope: self.scope.clone(), name })))
    }

    fn edited(&mut self, edit: Edit) {
        match edit {
            Edit::Refused(reason) => self.note = Some((Tone::Warning, reason)),
            Edit::Changed => self.note = None,
            Edit::Moved | Edit::Ignored => {}
        }
    }
}

impl Panel for Delete {
    fn opened(&mut self, model: &Model) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(name) = self.single() {
            let call = GetHistory { scope: self.scope.clone(), name: name.clone() };
            steps.push(Step::Ask(Request::GetHistory(call)));
        }
        if !model.registered.folders.is_empty() {
            steps.push(Step::Search(Search {
                registered: Arc::clone(&model.registered),
                names: self.names.clone(),
                progress: Arc::clone(&self.search),
            }));
        }
        steps
    }

    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        if self.done.is_some() {
            return Vec::new();
        }
        match press.code {
            KeyCode::Esc => vec![Step::Close],
            KeyCode::Enter if self.typed.text() == self.phrase() => {
                self.done = Some(0);
                self.next(0).into_iter().collect()
            }
            KeyCode::Enter => {
                self.note =
                    Some((Tone::Warning, format!("type {} to confirm; Esc keeps everything", self.phrase())));
                Vec::new()
            }
            _ => {
                let edit = self.typed.key(press);
                self.edited(edit);
                Vec::new()
            }
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        let edit = self.typed.paste(text);
        self.edited(edit);
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        match what {
            Incoming::Answer(Ok(Answer::GetHistory(history))) => {
                self.versions = Some(history.versions.iter().filter(|version| version.kept).count());
                Vec::new()
            }
            Incoming::Answer(Ok(Answer::DeleteSecret(gone))) => {
                let done = self.done.unwrap_or(0) + 1;
                self.done = Some(done);
                self.gone_versions += gone.versions;
                if let Some(step) = self.next(done) {
                    return vec![step];
                }
                let versions = plural(self.gone_versions, "version");
                let text = match self.single() {
                    Some(name) => format!("deleted {name} ({versions})"),
                    None => format!("deleted {} secrets ({versions})", self.names.len()),
                };
                // It closes when the rows are gone: a key pressed in between must not meet a deleted one.
                self.finished = Some(text);
                vec![Step::Unmark, Step::Refresh]
            }
            Incoming::Answer(Err(error)) => {
                let Some(done) = self.done.take() else { return Vec::new() };
                let text = crate::tui::update::sentence(&error);
                self.note = Some((Tone::Bad, format!("not deleted: {text}")));
                if done > 0 {
                    // What is gone is gone: go on from the rest.
                    self.names.drain(..done.min(self.names.len()));
                    self.typed.clear();
                    return vec![Step::Refresh];
                }
                Vec::new()
            }
            Incoming::Places(places) => {
                self.places = Some(places);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn refreshed(&mut self, _model: &Model) -> Vec<Step> {
        match self.finished.take() {
            Some(text) => vec![Step::Close, Step::Say(Tone::Good, text)],
            None => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let keys = hints(&[("Enter", "delete for good"), ("Esc", "keep")]);
        let listed = self.names.len().min(6);
        let listing = if model.registered.folders.is_empty() { 1 } else { PLACES };
        let height = 13 + u16::try_from(listed).unwrap_or(0) + listing;
        let title = match self.single() {
            Some(_) => "Delete".to_owned(),
            None => format!("Delete {} secrets", self.names.len()),
        };
        let mut dialog = Boxed::open(paint, (66, height), &title, Mood::Danger, &keys);
        if let Some(done) = self.done {
            let text = format!("{} {done}/{}", crate::tui::view::spinner(model, theme), self.names.len());
            dialog.corner(paint, &text, theme.accent);
        }
        dialog.gap(7 + listing);
        for name in self.names.iter().take(listed) {
            dialog.text(paint, name.as_str(), theme.danger);
        }
        if self.names.len() > listed {
            dialog.text(paint, &format!("and {} more", self.names.len() - listed), theme.muted);
        }
        dialog.gap(6 + listing);
        let what = match (self.single(), self.versions) {
            (None, _) => "All versions of them are removed. This cannot be undone.".to_owned(),
            (Some(_), Some(versions)) if versions > 1 => {
                format!("All {versions} versions of it are removed. This cannot be undone.")
            }
            (Some(_), _) => "Its value is removed. This cannot be undone.".to_owned(),
        };
        dialog.text(paint, &what, theme.text);
        dialog.gap(4 + listing);
        self.references(model, paint, &mut dialog);
        dialog.gap(4);
        let row = dialog.take(1);
        let phrase = self.phrase();
        paint.pieces(
            row.x,
            row.y,
            row.width,
            &[("Type ", theme.muted), (&phrase, theme.title), (" to confirm", theme.muted)],
        );
        dialog.field(paint, &self.typed, 1, Look::Plain, self.done.is_none());
        dialog.gap(2);
        dialog.note(paint, self.note.as_ref());
    }
}

impl Delete {
    /// Where it is still referenced: a headline, as many places as there is room for, and the count of the others. Leaves
    /// room for the field and a remark.
    fn references(&self, model: &Model, paint: &mut Paint<'_>, dialog: &mut Boxed) {
        let theme = paint.theme;
        let room = usize::from(dialog.rest.height.saturating_sub(3)).min(usize::from(PLACES));
        if room == 0 {
            return;
        }
        let width = dialog.rest.width;
        let mut line = |text: &str, style| {
            let row = dialog.take(1);
            paint.put(row.x, row.y, row.width, text, style);
        };
        if model.registered.folders.is_empty() {
            return line("References unknown (no scan folders)", theme.faint);
        }
        let Some(places) = &self.places else {
            let spinner = crate::tui::view::spinner(model, theme);
            return line(&format!("{spinner} looking for references"), theme.muted);
        };
        let total = places.list.len();
        let more = if places.complete { "" } else { "; maybe more, not all was read" };
        if total == 0 {
            return line(&format!("No references found{more}"), theme.muted);
        }
        line(&format!("Still referenced in {}{more}", plural(total, "place")), theme.warning);
        let shown = if total < room { total } else { room.saturating_sub(if room > 2 { 2 } else { 1 }) };
        for place in places.list.iter().take(shown) {
            let name = if self.names.len() > 1 { format!("  {}", place.name) } else { String::new() };
            let end = format!(":{}{name}", place.line);
            let path = printable::line(&place.path.to_string_lossy());
            let space = width.saturating_sub(2).saturating_sub(count(&end));
            line(&format!("  {}{end}", tail(&path, space, theme.symbols.ellipsis)), theme.text);
        }
        if shown < total && room > 2 {
            line(&format!("  and {} more", total - shown), theme.muted);
        }
    }
}

/// The end of a path that is too long, because there the file's name is.
fn tail(path: &str, space: u16, ellipsis: &str) -> String {
    if count(path) <= space {
        return path.to_owned();
    }
    let mut rest = path.chars();
    while count(rest.as_str()) > space.saturating_sub(count(ellipsis)) && rest.next().is_some() {}
    format!("{ellipsis}{}", rest.as_str())
}

/// `1 version`, `2 versions`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
