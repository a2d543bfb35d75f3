//! The project selector (type to filter) and the dialog that creates a project.

use super::boxed::{Boxed, Mood, hints};
use crate::domain::{ProjectName, Role, ScopeRef, filter::Filter, printable};
use crate::service::{Answer, CreateProject, Request};
use crate::tui::action::Action;
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::update::possible::by_role;
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint, Scroll};
use crossterm::event::KeyCode;

/// One line of the selector.
enum Row {
    Scope { scope: ScopeRef, label: String, secrets: usize, role: Role },
    New,
}

/// The selector.
pub(crate) struct Projects {
    query: Entry,
    scopes: Vec<(ScopeRef, String, usize, Role)>,
    may_create: bool,
    scroll: Scroll,
}

impl Projects {
    /// On Members and Log the organization can be chosen too: they speak of any scope.
    pub(crate) fn new(model: &Model) -> Self {
        let with_organization = !model.browser.on_secrets();
        let scopes: Vec<_> = model
            .browser
            .scopes
            .iter()
            .filter(|info| with_organization || info.scope != ScopeRef::Organization)
            .map(|info| (info.scope.clone(), printable::line(&info.label), info.secrets, info.role))
            .collect();
        let at = scopes.iter().position(|(scope, ..)| *scope == model.browser.place).unwrap_or(0);
        Self {
            query: Entry::new(Kind::Line),
            scopes,
            may_create: by_role(Action::NewProject, model).is_ok(),
            scroll: Scroll { at, top: 0 },
        }
    }

    fn rows(&self) -> Vec<Row> {
        let found = Filter::new(self.query.text().trim())
            .rank(self.scopes.iter().map(|(_, label, ..)| label.as_str()));
        let mut rows: Vec<Row> = found
            .into_iter()
            .filter_map(|hit| self.scopes.get(hit.index))
            .map(|(scope, label, secrets, role)| Row::Scope {
                scope: scope.clone(),
                label: label.clone(),
                secrets: *secrets,
                role: *role,
            })
            .collect();
        if self.may_create {
            rows.push(Row::New);
        }
        rows
    }

    fn page(model: &Model) -> usize {
        usize::from(model.size.1.saturating_sub(2).min(18).saturating_sub(5)).max(1)
    }
}

impl Panel for Projects {
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        let rows = self.rows();
        let page = Self::page(model);
        let movement = match press.code {
            KeyCode::Up => Some(Action::Up),
            KeyCode::Down => Some(Action::Down),
            KeyCode::PageUp => Some(Action::PageUp),
            KeyCode::PageDown => Some(Action::PageDown),
            _ => None,
        };
        if let Some(action) = movement {
            self.scroll.act(action, rows.len(), page);
            return Vec::new();
        }
        match press.code {
            KeyCode::Esc => vec![Step::Close],
            KeyCode::Enter => match rows.into_iter().nth(self.scroll.at) {
                Some(Row::Scope { scope, .. }) => vec![Step::Close, Step::Go(scope)],
                Some(Row::New) => {
                    vec![Step::Close, Step::Open(Box::new(NewProject::new(self.query.text())))]
                }
                None => Vec::new(),
            },
            _ => {
                if self.query.key(press) == Edit::Changed {
                    self.scroll = Scroll::default();
                }
                Vec::new()
            }
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        self.query.paste(text);
        self.scroll = Scroll::default();
        Vec::new()
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let rows = self.rows();
        let want = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(6);
        let height = want.clamp(8, 18).min(model.size.1.saturating_sub(2));
        let keys = hints(&[("Enter", "choose"), ("Up/Down", "move"), ("Esc", "close")]);
        let mut dialog = Boxed::open(paint, (56, height), "Choose a project", Mood::Plain, &keys);
        dialog.field(paint, &self.query, 1, Look::Plain, true);
        dialog.gap(2);
        let query = self.query.text().trim().to_owned();
        if rows.is_empty() {
            dialog.text(paint, "no project matches", theme.muted);
        }
        for (index, row) in rows.iter().enumerate().skip(self.scroll.top) {
            let area = dialog.take(1);
            if area.height == 0 {
                break;
            }
            let current = index == self.scroll.at;
            if current {
                paint.put(area.x, area.y, 1, theme.symbols.cursor, theme.accent);
            }
            let style = if current { theme.selected } else { theme.text };
            let name_width = area.width.saturating_sub(26).max(8);
            match row {
                Row::Scope { scope, label, secrets, role } => {
                    let name = if *scope == ScopeRef::Organization {
                        format!("{label} (organization)")
                    } else {
                        label.clone()
                    };
                    paint.put(area.x.saturating_add(2), area.y, name_width, &format!(" {name} "), style);
                    let count = super::delete::plural(*secrets, "secret");
                    paint.right(area.right().saturating_sub(7), area.y, 14, &count, theme.muted);
                    paint.right(area.right(), area.y, 6, role.word(), theme.accent);
                }
                Row::New => {
                    let text = if query.is_empty() {
                        " + new project ".to_owned()
                    } else {
                        format!(" + new project {query} ")
                    };
                    paint.put(area.x.saturating_add(2), area.y, area.width.saturating_sub(2), &text, style);
                }
            }
        }
    }
}

/// Creates a project.
pub(crate) struct NewProject {
    name: Entry,
    note: Option<(Tone, String)>,
    saving: bool,
}

impl NewProject {
    /// `text` is what was typed so far; what is not allowed in a name is left out.
    pub(crate) fn new(text: &str) -> Self {
        let name: String = text.chars().filter_map(ProjectName::typed).collect();
        Self { name: Entry::with(Kind::Project, &name), note: None, saving: false }
    }
}

impl Panel for NewProject {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        match press.code {
            _ if self.saving => Vec::new(),
            KeyCode::Esc => vec![Step::Close],
            KeyCode::Enter => match ProjectName::parse(self.name.text()) {
                Ok(name) => {
                    self.saving = true;
                    vec![Step::Ask(Request::CreateProject(CreateProject { name }))]
                }
                Err(reason) => {
                    self.note = Some((Tone::Warning, reason));
                    Vec::new()
                }
            },
            _ => {
                self.note = match self.name.key(press) {
                    Edit::Refused(reason) => Some((Tone::Warning, reason)),
                    _ => None,
                };
                Vec::new()
            }
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        if let Edit::Refused(reason) = self.name.paste(text) {
            self.note = Some((Tone::Warning, reason));
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.saving = false;
        match (what, ProjectName::parse(self.name.text())) {
            (Incoming::Answer(Ok(Answer::CreateProject(()))), Ok(name)) => {
                let text = format!("created project {name}");
                vec![
                    Step::Close,
                    Step::Refresh,
                    Step::Go(ScopeRef::Project(name)),
                    Step::Say(Tone::Good, text),
                ]
            }
            (Incoming::Answer(Err(error)), _) => {
                self.note = Some((Tone::Bad, crate::tui::update::sentence(&error)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let keys = hints(&[("Enter", "create"), ("Esc", "close")]);
        let mut dialog = Boxed::open(paint, (56, 9), "New project", Mood::Plain, &keys);
        if self.saving {
            dialog.corner(paint, crate::tui::view::spinner(model, paint.theme), paint.theme.accent);
        }
        dialog.gap(5);
        dialog.caption(paint, "Name", "a-z 0-9 - _ .", true);
        dialog.field(paint, &self.name, 1, Look::Plain, true);
        dialog.gap(2);
        dialog.note(paint, self.note.as_ref());
    }
}
