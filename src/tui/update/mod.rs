//! `update`: the only place where the model changes. No I/O, no clock: messages in, effects out.
//!
//! Routes a message to the panel on top, else to the gate, else to the browser, and carries out the steps that panels
//! answer with. Invariant: an answer is used only if its ticket still waits; closing a panel cancels its tickets.

mod answers;
mod browse;
pub(crate) mod possible;
mod timers;

pub(crate) use answers::sentence;
pub(crate) use timers::next_due;

use super::action::Action;
use super::keymap::Press;
use super::model::{Model, Notice, OnClipboard, Owner, Tab};
use super::msg::{Effect, Msg, Now};
use super::panel::{Incoming, Layer, Panel, Step, Tone};
use crate::domain::{ScopeRef, SecretValue};
use crate::service::{GetSecret, Lock, Purpose, Request, Status, Touch, VaultState};
use crossterm::event::KeyCode;

/// How often a person's activity is reported to the service.
const TOUCH_MS: u64 = 15_000;
/// Keys this soon after a paste belong to it.
const PASTE_TAIL_MS: u64 = 30;
/// What the read log calls this program.
pub(crate) const PROGRAM: &str = "sealbox tui";
/// How long a notice stands.
const NOTICE_MS: u64 = 5_000;

/// The first thing to do.
pub(crate) fn start(model: &mut Model) -> Vec<Effect> {
    let mut out = Vec::new();
    ask(model, Owner::Status, Request::Status(Status {}), &mut out);
    out
}

/// Takes one message.
pub(crate) fn update(model: &mut Model, now: Now, msg: Msg) -> Vec<Effect> {
    model.now = now;
    let mut out = Vec::new();
    match msg {
        Msg::Key(press) => {
            touch(model, &mut out);
            key(model, press, &mut out);
            model.dirty = true;
        }
        Msg::Paste(text) => {
            touch(model, &mut out);
            paste(model, &text, &mut out);
            model.paste_until = now.mono.saturating_add(PASTE_TAIL_MS);
            model.dirty = true;
        }
        Msg::Resize(width, height) => {
            if model.size != (width, height) {
                model.size = (width, height);
                veil(model, &mut out);
                refit(model);
            }
            out.push(Effect::Redraw);
            model.dirty = true;
        }
        Msg::FocusLost => {
            model.focused = false;
            veil(model, &mut out);
        }
        Msg::FocusGained => {
            model.focused = true;
            timers::poll(model, &mut out);
        }
        Msg::Wheel(rows) => {
            let action = if rows < 0 { Action::Up } else { Action::Down };
            let press = Press::plain(if rows < 0 { KeyCode::Up } else { KeyCode::Down });
            for _ in 0..rows.unsigned_abs() {
                if model.layers.is_empty() && model.unlocked() {
                    browse::act(model, action, &mut out);
                } else {
                    key(model, press, &mut out);
                }
            }
            model.dirty = true;
        }
        Msg::Click(x, y) => {
            touch(model, &mut out);
            if model.layers.is_empty() && model.unlocked() {
                browse::click(model, x, y, &mut out);
            }
            model.dirty = true;
        }
        Msg::ClipboardOver(ticket) => {
            if model.copied.as_ref().is_some_and(|copied| copied.ticket == ticket) {
                model.copied = None;
                model.dirty = true;
            }
        }
        Msg::Nothing => {}
        Msg::Tick => timers::tick(model, &mut out),
        Msg::Answered(ticket, result) => {
            if let Some((owner, _)) = model.pending.remove(&ticket) {
                answers::arrived(model, owner, result, &mut out);
            }
        }
        Msg::Generated(ticket, result) => {
            if let Some((Owner::Panel(id), _)) = model.pending.remove(&ticket) {
                model.dirty = true;
                to_layer(model, id, &mut out, |panel, model| {
                    panel.incoming(Incoming::Generated(result), model)
                });
            }
        }
        Msg::Places(ticket, places) => {
            if let Some((Owner::Panel(id), _)) = model.pending.remove(&ticket) {
                model.dirty = true;
                to_layer(model, id, &mut out, |panel, model| panel.incoming(Incoming::Places(places), model));
            }
        }
        Msg::Copied(ticket, report) => {
            if let Some((owner, _)) = model.pending.remove(&ticket) {
                if let Some(countdown) = report.countdown {
                    let left = u64::try_from(countdown.left.as_millis()).unwrap_or(u64::MAX);
                    let label = match owner {
                        Owner::Copy(name) => name.as_str().to_owned(),
                        _ => "text".to_owned(),
                    };
                    let until = now.mono.saturating_add(left);
                    model.copied = Some(OnClipboard { ticket, label, place: countdown.place, until });
                } else if report.ok {
                    model.copied = None; // replaced by what stays
                }
                say(model, if report.ok { Tone::Good } else { Tone::Warning }, report.text);
            }
        }
    }
    out
}

/// Sends a question and remembers who waits for the answer.
pub(super) fn ask(model: &mut Model, owner: Owner, request: Request, out: &mut Vec<Effect>) {
    let ticket = ticket(model, owner);
    out.push(Effect::Ask(ticket, request));
}

fn ticket(model: &mut Model, owner: Owner) -> u64 {
    model.pending.retain(|_, (older, _)| !owner.supersedes(older));
    model.next_ticket = model.next_ticket.saturating_add(1);
    model.pending.insert(model.next_ticket, (owner, model.now.mono));
    model.next_ticket
}

/// Puts a line at the bottom for a few seconds.
pub(super) fn say(model: &mut Model, tone: Tone, text: impl Into<String>) {
    let text = crate::domain::printable::line(&text.into());
    let longer = if matches!(tone, Tone::Bad | Tone::Warning) { 2 } else { 1 };
    model.notice = Some(Notice { tone, text, until: model.now.mono.saturating_add(NOTICE_MS * longer) });
    model.dirty = true;
}

fn touch(model: &mut Model, out: &mut Vec<Effect>) {
    if model.unlocked() && model.now.mono >= model.touched_at.saturating_add(TOUCH_MS) {
        model.touched_at = model.now.mono;
        ask(model, Owner::Touch, Request::Touch(Touch {}), out);
    }
}

fn key(model: &mut Model, press: Press, out: &mut Vec<Effect>) {
    if model.now.mono < model.paste_until && !press.ctrl {
        // The rest of a paste that carried its own end marker (SPEC R24): data, never a command.
        model.paste_until = model.now.mono.saturating_add(PASTE_TAIL_MS);
        match press.code {
            KeyCode::Char(c) => paste(model, c.encode_utf8(&mut [0; 4]), out),
            KeyCode::Enter => paste(model, "\n", out),
            _ => {}
        }
        return;
    }
    model.notice = None;
    let action = model.keymap.action(press);
    // Leaving must work everywhere; `q` must stay typeable in fields.
    if press.ctrl && action == Some(Action::Quit) {
        return quit(model, out);
    }
    if press.ctrl && action == Some(Action::Suspend) {
        veil(model, out);
        out.push(Effect::Suspend);
        return;
    }
    if press.ctrl && action == Some(Action::Lock) && model.unlocked() {
        return lock(model, out);
    }
    if let Some(id) = model.layers.last().map(|layer| layer.id) {
        return to_layer(model, id, out, |panel, model| panel.key(press, model));
    }
    if let Some(id) = model.gate.as_ref().map(|layer| layer.id) {
        return to_layer(model, id, out, |panel, model| panel.key(press, model));
    }
    if !model.unlocked() {
        if action == Some(Action::Quit) {
            quit(model, out);
        }
        return;
    }
    if model.browser.listing().typing {
        browse::filter_key(model, press);
        return;
    }
    if let Some(action) = action {
        browse::act(model, action, out);
    }
}

fn paste(model: &mut Model, text: &str, out: &mut Vec<Effect>) {
    let id = model.layers.last().or(model.gate.as_ref()).map(|layer| layer.id);
    if let Some(id) = id {
        to_layer(model, id, out, |panel, model| panel.paste(text, model));
    } else if model.unlocked() && model.browser.listing().typing {
        browse::filter_paste(model, text);
    }
}

/// Lets a panel act, with the model to look at, and carries out what it wants.
fn to_layer(
    model: &mut Model,
    id: u32,
    out: &mut Vec<Effect>,
    act: impl FnOnce(&mut Box<dyn Panel>, &Model) -> Vec<Step>,
) {
    // The panel is taken out for the moment so that it can look at the model that holds it.
    let steps = if let Some(place) = model.layers.iter().position(|layer| layer.id == id) {
        let mut layer = model.layers.remove(place);
        let steps = act(&mut layer.panel, model);
        model.layers.insert(place, layer);
        steps
    } else if model.gate.as_ref().is_some_and(|layer| layer.id == id) {
        let Some(mut layer) = model.gate.take() else { return };
        let steps = act(&mut layer.panel, model);
        model.gate = Some(layer);
        steps
    } else {
        return;
    };
    for step in steps {
        carry_out(model, id, step, out);
    }
}

fn carry_out(model: &mut Model, id: u32, step: Step, out: &mut Vec<Effect>) {
    model.dirty = true;
    match step {
        Step::Close => close(model, id),
        Step::Open(panel) => open(model, panel, out),
        Step::Ask(request) => ask(model, Owner::Panel(id), request, out),
        Step::Generate(recipe) => {
            let ticket = ticket(model, Owner::Panel(id));
            out.push(Effect::Generate(ticket, recipe));
        }
        Step::Search(search) => {
            let ticket = ticket(model, Owner::Panel(id));
            out.push(Effect::Search(ticket, search));
        }
        Step::Copy(name, version) => copy(model, name, version, out),
        Step::CopyText(text) => match SecretValue::new(text.as_bytes().to_vec()) {
            Ok(value) => {
                let ticket = ticket(model, Owner::CopyText);
                out.push(Effect::Copy(ticket, "the text".to_owned(), value));
            }
            Err(error) => say(model, Tone::Bad, error.to_string()),
        },
        Step::Say(tone, text) => say(model, tone, text),
        Step::Refresh => browse::refresh(model, out),
        Step::Select(name) => model.browser.select = Some(name),
        Step::Unmark => model.browser.secrets_mut().marked.clear(),
        Step::Go(scope) => browse::go(model, scope, out),
        Step::Deliver(text) => {
            let below = model.layers.iter().rev().find(|layer| layer.id != id).map(|layer| layer.id);
            if let Some(below) = below {
                to_layer(model, below, out, |panel, model| panel.incoming(Incoming::Delivered(text), model));
            }
        }
        Step::Do(action) => browse::act(model, action, out),
        Step::Enter => {
            model.gate = None;
            model.status = None;
            ask(model, Owner::Status, Request::Status(Status {}), out);
        }
        Step::Quit => quit(model, out),
    }
}

/// Puts a panel on the stack.
pub(super) fn open(model: &mut Model, mut panel: Box<dyn Panel>, out: &mut Vec<Effect>) {
    model.next_layer = model.next_layer.saturating_add(1);
    let id = model.next_layer;
    let steps = panel.opened(model);
    model.layers.push(Layer { id, panel });
    for step in steps {
        carry_out(model, id, step, out);
    }
}

/// Puts a panel in front of everything.
fn set_gate(model: &mut Model, mut panel: Box<dyn Panel>, out: &mut Vec<Effect>) {
    model.next_layer = model.next_layer.saturating_add(1);
    let id = model.next_layer;
    let steps = panel.opened(model);
    model.gate = Some(Layer { id, panel });
    for step in steps {
        carry_out(model, id, step, out);
    }
}

fn close(model: &mut Model, id: u32) {
    model.layers.retain(|layer| layer.id != id);
    model.pending.retain(|_, (owner, _)| *owner != Owner::Panel(id));
}

fn copy(model: &mut Model, name: crate::domain::SecretName, version: Option<u32>, out: &mut Vec<Effect>) {
    let scope = model.browser.place.clone();
    let call =
        GetSecret { scope, name: name.clone(), version, purpose: Purpose::Copy, program: PROGRAM.to_owned() };
    ask(model, Owner::Copy(name), Request::GetSecret(call), out);
}

/// Hides whatever shows a value.
pub(crate) fn veil(model: &mut Model, out: &mut Vec<Effect>) {
    let ids: Vec<u32> = model.layers.iter().chain(model.gate.as_ref()).map(|layer| layer.id).collect();
    for id in ids {
        to_layer(model, id, out, |panel, _| panel.veil());
    }
    model.dirty = true;
}

/// Forgets everything that an unlocked vault has shown.
fn forget(model: &mut Model) {
    model.layers.clear();
    model.pending.clear();
    model.browser = super::model::Browser::new(model.asked_scope.as_ref());
    model.dirty = true;
}

fn lock(model: &mut Model, out: &mut Vec<Effect>) {
    // Where the user was is where the user comes back to; a place is no secret.
    model.asked_scope = Some(model.browser.place.clone());
    forget(model);
    if let Some(status) = &mut model.status {
        status.state = VaultState::Locked;
    }
    ask(model, Owner::Lock, Request::Lock(Lock {}), out);
}

fn quit(model: &mut Model, out: &mut Vec<Effect>) {
    veil(model, out);
    forget(model);
    model.gate = None;
    model.leaving = true;
    out.push(Effect::Quit);
}

/// The size has changed: every list fits its window again.
fn refit(model: &mut Model) {
    let page = model.page();
    let browser = &mut model.browser;
    for listing in [
        &mut browser.organization.listing,
        &mut browser.project.listing,
        &mut browser.members.listing,
        &mut browser.log.listing,
    ] {
        listing.scroll.fit(listing.hits.len(), page);
    }
}

/// What a tab is called, short or long.
pub(crate) fn tab_word(tab: Tab) -> &'static str {
    match tab {
        Tab::Organization => "Organization",
        Tab::Project => "Project",
        Tab::Members => "Members",
        Tab::Log => "Log",
    }
}

/// What a scope is called in a sentence, safe to show.
pub(crate) fn scope_word(model: &Model, scope: &ScopeRef) -> String {
    match scope {
        ScopeRef::Organization => model
            .status
            .as_ref()
            .and_then(|status| status.organization.as_deref())
            .map_or_else(|| "the organization".to_owned(), crate::domain::printable::line),
        ScopeRef::Project(name) => name.as_str().to_owned(),
    }
}
