//! Create and edit: a name and a value, or a disabled name and a new value typed twice.
//!
//! Values are masked while typed, with a toggle. Nothing that was typed is lost when saving fails; a change by somebody
//! else in the meantime is told, and a second Enter saves over it knowingly.

use super::boxed::{Boxed, Mood, hints};
use super::generate::Generate;
use crate::domain::{ScopeRef, SecretMeta, SecretName, SecretValue, printable};
use crate::service::{Answer, ErrorKind, Request, SetMode, SetSecret};
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::update::scope_word;
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint};
use crossterm::event::KeyCode;

/// The dialog.
pub(crate) struct Form {
    scope: ScopeRef,
    /// What is edited; `None` creates.
    editing: Option<SecretMeta>,
    name: Entry,
    value: Entry,
    again: Entry,
    /// Which of the fields has the focus: name and value, or value and its repetition.
    focus: usize,
    look: bool,
    note: Option<(Tone, String)>,
    saving: bool,
    /// What to say once the list shows what was saved.
    saved: Option<String>,
    /// A save of the empty value was asked for once already.
    empty_meant: bool,
    conflict: bool,
}

impl Form {
    /// A new secret in `scope`.
    pub(crate) fn create(scope: ScopeRef) -> Self {
        Self::new(scope, None)
    }

    /// A new value of an existing secret.
    pub(crate) fn edit(scope: ScopeRef, meta: SecretMeta) -> Self {
        Self::new(scope, Some(meta))
    }

    fn new(scope: ScopeRef, editing: Option<SecretMeta>) -> Self {
        let name = editing.as_ref().map_or("", |meta| meta.name.as_str());
        Self {
            name: Entry::with(Kind::Name, name),
            scope,
            editing,
            value: Entry::new(Kind::Value),
            again: Entry::new(Kind::Value),
            focus: 0,
            look: false,
            note: None,
            saving: false,
            saved: None,
            empty_meant: false,
            conflict: false,
        }
    }

    fn on_name(&self) -> bool {
        self.editing.is_none() && self.focus == 0
    }

    fn field(&mut self) -> &mut Entry {
        match (self.editing.is_some(), self.focus) {
            (false, 0) => &mut self.name,
            (true, 1) => &mut self.again,
            _ => &mut self.value,
        }
    }

    fn edited(&mut self, edit: Edit, model: &Model) {
        match edit {
            Edit::Refused(reason) => self.note = Some((Tone::Warning, reason)),
            Edit::Changed => {
                self.note = None;
                self.empty_meant = false;
                self.check(model);
            }
            Edit::Moved | Edit::Ignored => {}
        }
    }

    /// What can be said while typing.
    fn check(&mut self, model: &Model) {
        if self.editing.is_none() {
            if let Some(meta) = model.browser.secrets().find(self.name.text()) {
                let text = format!("{} exists already (v{}): edit it instead", meta.name, meta.version);
                self.note = Some((Tone::Warning, text));
            }
        } else if self.focus == 1 && !self.value.text().starts_with(self.again.text()) {
            self.note = Some((Tone::Warning, "the two values differ".to_owned()));
        }
    }

    fn save(&mut self, model: &Model) -> Vec<Step> {
        if self.saving {
            return Vec::new();
        }
        let name = match SecretName::parse(self.name.text()) {
            Ok(name) => name,
            Err(reason) => {
                self.focus = 0;
                self.note = Some((Tone::Warning, reason.to_string()));
                return Vec::new();
            }
        };
        if self.editing.is_none() && model.browser.secrets().find(name.as_str()).is_some() {
            self.focus = 0;
            self.check(model);
            return Vec::new();
        }
        if self.editing.is_some() && self.value.text() != self.again.text() {
            let empty = self.again.is_empty();
            self.focus = 1;
            let text = if empty { "type the new value a second time" } else { "the two values differ" };
            self.note = Some((Tone::Warning, text.to_owned()));
            return Vec::new();
        }
        if self.value.is_empty() && !self.empty_meant {
            self.empty_meant = true;
            self.note = Some((Tone::Warning, "the value is empty: Enter once more saves it so".to_owned()));
            return Vec::new();
        }
        let value = match SecretValue::new(self.value.text().as_bytes().to_vec()) {
            Ok(value) => value,
            Err(reason) => {
                self.note = Some((Tone::Bad, reason.to_string()));
                return Vec::new();
            }
        };
        let mode = match &self.editing {
            None => SetMode::Create,
            Some(meta) => SetMode::Replace { seen: meta.version },
        };
        self.saving = true;
        self.note = None;
        vec![Step::Ask(Request::SetSecret(SetSecret { scope: self.scope.clone(), name, value, mode }))]
    }

    fn counts(&self, entry: &Entry) -> String {
        let bytes = entry.text().len();
        let lines = entry.text().matches('\n').count() + usize::from(bytes > 0);
        let line_word = if lines == 1 { "line" } else { "lines" };
        let byte_word = if bytes == 1 { "byte" } else { "bytes" };
        if bytes == 0 { String::new() } else { format!("{lines} {line_word}, {bytes} {byte_word}") }
    }
}

impl Panel for Form {
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        if self.saving {
            return Vec::new(); // a write that is under way cannot be taken back
        }
        match (press.code, press.ctrl, press.alt) {
            (KeyCode::Esc, ..) => return vec![Step::Close],
            (KeyCode::Tab | KeyCode::BackTab, ..) => {
                self.focus = 1 - self.focus;
                self.note = None;
                self.check(model);
            }
            (KeyCode::Down | KeyCode::Up, ..) => {
                self.focus = usize::from(press.code == KeyCode::Down);
            }
            (KeyCode::Enter, false, false) if self.focus == 0 => {
                self.focus = 1;
                self.note = None;
                self.check(model);
            }
            (KeyCode::Enter, false, false) | (KeyCode::Char('s'), true, false) => return self.save(model),
            (KeyCode::Char('r'), true, false) => self.look = !self.look,
            (KeyCode::Char('g'), true, false) => return vec![Step::Open(Box::new(Generate::new()))],
            _ => {
                let edit = self.field().key(press);
                self.edited(edit, model);
            }
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str, model: &Model) -> Vec<Step> {
        if !self.saving {
            let edit = self.field().paste(text);
            self.edited(edit, model);
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        match what {
            Incoming::Delivered(text) => {
                self.value.set(&text);
                if self.editing.is_some() {
                    self.again.set(&text);
                }
                self.focus = usize::from(!self.name.is_empty());
                self.note = Some((Tone::Good, "generated: save it, or look at it first (Ctrl-r)".to_owned()));
                Vec::new()
            }
            Incoming::Answer(Ok(Answer::SetSecret(written))) => {
                let name = self.name.text().to_owned();
                let text = if written.created {
                    format!("created {name}")
                } else {
                    let before = written.version.saturating_sub(1);
                    format!("{name} is now v{}; v{before} stays in its history", written.version)
                };
                // It closes when the list has the row: a key pressed in between must not meet another row.
                self.saved = Some(text);
                let mut steps: Vec<Step> =
                    SecretName::parse(&name).ok().map(Step::Select).into_iter().collect();
                steps.push(Step::Refresh);
                steps
            }
            Incoming::Answer(Err(error)) => {
                self.saving = false;
                let text = crate::tui::update::sentence(&error);
                self.note = Some((Tone::Bad, format!("not saved: {text}; what you typed is kept")));
                if error.kind == ErrorKind::Conflict {
                    self.conflict = true;
                    return vec![Step::Refresh];
                }
                Vec::new()
            }
            _ => {
                self.saving = false;
                Vec::new()
            }
        }
    }

    fn refreshed(&mut self, model: &Model) -> Vec<Step> {
        if let Some(text) = self.saved.take() {
            return vec![Step::Close, Step::Say(Tone::Good, text)];
        }
        if !std::mem::take(&mut self.conflict) {
            return Vec::new();
        }
        let now = model.browser.secrets().find(self.name.text()).cloned();
        match (&mut self.editing, now) {
            (Some(meta), Some(now)) => {
                let by = printable::line(&now.updated_by);
                let text = format!(
                    "not saved: {by} changed it meanwhile (now v{}). What you typed is kept; Enter saves it over theirs",
                    now.version
                );
                self.note = Some((Tone::Bad, text));
                *meta = now;
            }
            (Some(_), None) => {
                let text = "not saved: it was deleted meanwhile. What you typed is kept: copy it, then create it anew";
                self.note = Some((Tone::Bad, text.to_owned()));
            }
            (None, Some(now)) => {
                let by = printable::line(&now.updated_by);
                let text = format!(
                    "not saved: {by} created this name meanwhile. What you typed is kept; choose another"
                );
                self.note = Some((Tone::Bad, text));
                self.focus = 0;
            }
            (None, None) => {}
        }
        Vec::new()
    }

    fn veil(&mut self) -> Vec<Step> {
        self.look = false;
        Vec::new()
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let place = scope_word(model, &self.scope);
        let title = match &self.editing {
            None => format!("New secret in {place}"),
            Some(meta) => format!("Edit in {place}, v{} now", meta.version),
        };
        let look_word = if self.look { "mask" } else { "look" };
        let saves = if self.focus == 0 { "next" } else { "save" };
        let keys = hints(&[
            ("Enter", saves),
            ("Esc", "close"),
            ("Ctrl-r", look_word),
            ("Ctrl-g", "generate"),
            ("Alt-Enter", "line break"),
        ]);
        let tall = model.size.1 >= 20;
        let editing = self.editing.is_some();
        let height = match (editing, tall) {
            (false, true) => 15,
            (true, true) => 19,
            _ => 12,
        };
        let mut dialog = Boxed::open(paint, (70, height), &title, Mood::Plain, &keys);
        if self.saving {
            let text = format!("{} saving", crate::tui::view::spinner(model, paint.theme));
            dialog.corner(paint, &text, paint.theme.accent);
        }
        let look = if self.look { Look::Plain } else { Look::Masked };
        let rows = if tall { 3 } else { 1 };
        dialog.gap(if editing { 13 } else { 9 });
        let count =
            if editing { "cannot be changed".to_owned() } else { format!("{}/128", self.name.text().len()) };
        dialog.caption(paint, "Name", &count, self.on_name());
        let name_look = if editing { Look::Disabled } else { Look::Plain };
        dialog.field(paint, &self.name, 1, name_look, self.on_name());
        dialog.gap(if editing { 10 } else { 7 });
        let on_value = if editing { self.focus == 0 } else { self.focus == 1 };
        dialog.caption(
            paint,
            if editing { "New value" } else { "Value" },
            &self.counts(&self.value),
            on_value,
        );
        dialog.field(paint, &self.value, rows, look, on_value);
        if editing {
            dialog.gap(6);
            dialog.caption(paint, "Again, to confirm", &self.counts(&self.again), self.focus == 1);
            dialog.field(paint, &self.again, rows, look, self.focus == 1);
        }
        dialog.gap(2);
        dialog.note(paint, self.note.as_ref());
    }
}
