//! People: admit somebody by their ID, change a role, remove somebody, look at somebody.

use super::boxed::{Boxed, Mood, hints};
use super::confirm::Confirm;
use super::message::Message;
use crate::domain::{Role, ScopeRef, SecretName, date, printable};
use crate::service::{AddMember, Answer, MemberInfo, RemoveMember, Request, SetMemberRole};
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::update::scope_word;
use crate::tui::widgets::{Edit, Entry, Kind, Look, Paint};
use crossterm::event::KeyCode;

/// Admits somebody.
pub(crate) struct Add {
    scope: ScopeRef,
    id: Entry,
    label: Entry,
    role: Role,
    focus: usize,
    note: Option<(Tone, String)>,
    saving: bool,
}

impl Add {
    pub(crate) fn new(scope: ScopeRef) -> Self {
        Self {
            scope,
            id: Entry::new(Kind::Line),
            label: Entry::new(Kind::Line),
            role: Role::Read,
            focus: 0,
            note: None,
            saving: false,
        }
    }

    fn field(&mut self) -> Option<&mut Entry> {
        match self.focus {
            0 => Some(&mut self.id),
            1 => Some(&mut self.label),
            _ => None,
        }
    }

    fn step_role(&mut self, up: bool) {
        self.role = step_role(self.role, up);
    }
}

fn step_role(role: Role, up: bool) -> Role {
    let at = Role::ALL.iter().position(|other| *other == role).unwrap_or(0);
    let next = if up { at + 1 } else { at.saturating_sub(1) };
    Role::ALL.get(next).copied().unwrap_or(role)
}

impl Panel for Add {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        if self.saving {
            return Vec::new();
        }
        match press.code {
            KeyCode::Esc => return vec![Step::Close],
            KeyCode::Tab | KeyCode::Down => self.focus = (self.focus + 1) % 3,
            KeyCode::BackTab | KeyCode::Up => self.focus = (self.focus + 2) % 3,
            KeyCode::Enter if self.focus < 2 => self.focus += 1,
            KeyCode::Enter => {
                let (id, label) = (self.id.text().trim().to_owned(), self.label.text().trim().to_owned());
                if id.is_empty() || label.is_empty() {
                    self.focus = usize::from(!id.is_empty());
                    let text =
                        if id.is_empty() { "paste the ID that they sent you" } else { "give them a name" };
                    self.note = Some((Tone::Warning, text.to_owned()));
                    return Vec::new();
                }
                self.saving = true;
                self.note = None;
                let call = AddMember { scope: self.scope.clone(), id, label, role: self.role };
                return vec![Step::Ask(Request::AddMember(call))];
            }
            KeyCode::Left if self.focus == 2 => self.step_role(false),
            KeyCode::Right | KeyCode::Char(' ') if self.focus == 2 => self.step_role(true),
            _ => {
                if let Some(Edit::Refused(reason)) = self.field().map(|field| field.key(press)) {
                    self.note = Some((Tone::Warning, reason));
                }
            }
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        if let Some(Edit::Refused(reason)) = self.field().map(|field| field.paste(text)) {
            self.note = Some((Tone::Warning, reason));
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.saving = false;
        match what {
            Incoming::Answer(Ok(Answer::AddMember(admitted))) => {
                let label = printable::line(self.label.text());
                let text = format!(
                    "{label} has the role {}. Send this link to them over a channel that is not the store (chat, mail, paper); they open it with `sealbox join`.",
                    self.role
                );
                let link = Message::new("Admitted", &text).with_copy(&admitted.link);
                vec![Step::Close, Step::Refresh, Step::Open(Box::new(link))]
            }
            Incoming::Answer(Err(error)) => {
                self.note = Some((Tone::Bad, crate::tui::update::sentence(&error)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let keys = hints(&[
            ("Enter", if self.focus == 2 { "admit" } else { "next" }),
            ("Tab", "next"),
            ("Esc", "close"),
        ]);
        let title = format!("Admit somebody to {}", scope_word(model, &self.scope));
        let mut dialog = Boxed::open(paint, (70, 16), &title, Mood::Plain, &keys);
        if self.saving {
            dialog.corner(paint, crate::tui::view::spinner(model, theme), theme.accent);
        }
        dialog.gap(10);
        dialog.caption(paint, "Their ID", "they get it with `sealbox id`", self.focus == 0);
        dialog.field(paint, &self.id, 1, Look::Plain, self.focus == 0);
        dialog.gap(8);
        dialog.caption(paint, "Their name", "", self.focus == 1);
        dialog.field(paint, &self.label, 1, Look::Plain, self.focus == 1);
        dialog.gap(6);
        dialog.caption(paint, "Their role", "Left/Right changes it", self.focus == 2);
        roles(paint, &mut dialog, self.role, self.focus == 2);
        dialog.text(paint, self.role.meaning(), theme.muted);
        dialog.gap(2);
        dialog.note(paint, self.note.as_ref());
    }
}

fn roles(paint: &mut Paint<'_>, dialog: &mut Boxed, chosen: Role, focused: bool) {
    let theme = paint.theme;
    let row = dialog.take(1);
    let mut x = row.x;
    for role in Role::ALL {
        let style = match (role == chosen, focused) {
            (true, true) => theme.selected,
            (true, false) => theme.title,
            _ => theme.muted,
        };
        let text = if role == chosen { format!("[{role}]") } else { format!(" {role} ") };
        x = x
            .saturating_add(paint.put(x, row.y, row.right().saturating_sub(x), &text, style))
            .saturating_add(2);
    }
}

/// Changes somebody's role.
pub(crate) struct Change {
    scope: ScopeRef,
    label: String,
    id: String,
    before: Option<Role>,
    role: Role,
    note: Option<(Tone, String)>,
    saving: bool,
}

impl Change {
    pub(crate) fn new(scope: ScopeRef, member: &MemberInfo) -> Self {
        Self {
            scope,
            label: printable::line(&member.label),
            id: member.id.clone(),
            before: member.role,
            role: member.role.unwrap_or(Role::Read),
            note: None,
            saving: false,
        }
    }
}

impl Panel for Change {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        match press.code {
            _ if self.saving => {}
            KeyCode::Esc => return vec![Step::Close],
            KeyCode::Left | KeyCode::Up | KeyCode::Char('h' | 'k') => self.role = step_role(self.role, false),
            KeyCode::Right | KeyCode::Down | KeyCode::Char('l' | 'j' | ' ') => {
                self.role = step_role(self.role, true)
            }
            KeyCode::Enter if Some(self.role) == self.before => return vec![Step::Close],
            KeyCode::Enter => {
                self.saving = true;
                self.note = None;
                let call =
                    SetMemberRole { scope: self.scope.clone(), member: self.id.clone(), role: self.role };
                return vec![Step::Ask(Request::SetMemberRole(call))];
            }
            _ => {}
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.saving = false;
        match what {
            Incoming::Answer(Ok(Answer::SetMemberRole(changed))) => {
                let text = format!("{} has the role {} now", self.label, self.role);
                let mut steps = vec![Step::Close, Step::Refresh, Step::Say(Tone::Good, text)];
                steps.extend(exposed(&self.label, &changed.exposed));
                steps
            }
            Incoming::Answer(Err(error)) => {
                self.note = Some((Tone::Bad, crate::tui::update::sentence(&error)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let keys = hints(&[("Enter", "set"), ("Left/Right", "role"), ("Esc", "close")]);
        let mut dialog = Boxed::open(paint, (60, 12), &format!("Role of {}", self.label), Mood::Plain, &keys);
        if self.saving {
            dialog.corner(paint, crate::tui::view::spinner(model, theme), theme.accent);
        }
        dialog.gap(6);
        roles(paint, &mut dialog, self.role, true);
        dialog.gap(5);
        dialog.text(paint, self.role.meaning(), theme.muted);
        if self.role == Role::Read && self.before.is_some_and(|before| before > Role::Read) {
            let text =
                "The keys of this scope change. What they could read so far must be rotated at its source.";
            dialog.text(paint, text, theme.warning);
        }
        dialog.note(paint, self.note.as_ref());
    }
}

/// Removes somebody, after a question.
pub(crate) fn remove(scope: ScopeRef, member: &MemberInfo) -> Box<dyn Panel> {
    let label = printable::line(&member.label);
    let text = format!(
        "{label} loses the role here and the keys of this scope change. What they have read they may have kept: the secrets they could read are listed afterwards, so that you can rotate them at their source."
    );
    let call = RemoveMember { scope, member: member.id.clone() };
    let word = format!("remove {label}");
    let then = {
        let label = label.clone();
        move |answer: Answer, _: &Model| {
            let mut steps = vec![Step::Refresh, Step::Say(Tone::Good, format!("removed {label}"))];
            if let Answer::RemoveMember(changed) = answer {
                steps.extend(exposed(&label, &changed.exposed));
            }
            steps
        }
    };
    let confirm = Confirm::new(
        &format!("Remove {label}"),
        Mood::Danger,
        &text,
        &word,
        Request::RemoveMember(call),
        Box::new(then),
    );
    Box::new(confirm)
}

/// Tells which secrets somebody could read.
fn exposed(label: &str, names: &[SecretName]) -> Option<Step> {
    if names.is_empty() {
        return None;
    }
    let text = format!(
        "{label} could read {}. Change them at their source, then write the new values here; until then they are marked as exposed.",
        super::delete::plural(names.len(), "secret")
    );
    let list = names.iter().map(|name| name.as_str().to_owned()).collect();
    Some(Step::Open(Box::new(Message::new("Rotate these", &text).with_list(list))))
}

/// Everything about somebody.
pub(crate) fn about(member: &MemberInfo) -> Message {
    let role =
        member.role.map_or_else(|| "former member".to_owned(), |role| format!("{role}: {}", role.meaning()));
    let text = format!(
        "{role}\nsince {} by {}",
        date::local_minute(member.since_ms),
        printable::line(&member.granted_by)
    );
    Message::new(&printable::line(&member.label), &text).with_copy(&member.id)
}
