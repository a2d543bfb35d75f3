//! Actions on the browser: moving, tabs, opening dialogs, asking for lists.

use super::super::action::Action;
use super::super::dialogs;
use super::super::keymap::Press;
use super::super::layout;
use super::super::model::{Model, Owner, Rows, Secrets, Tab};
use super::super::msg::Effect;
use super::super::panel::Tone;
use super::super::widgets::Edit;
use super::answers::tab_of;
use super::possible::possible;
use super::{ask, copy, lock, open, quit, say, veil};
use crate::domain::ScopeRef;
use crate::service::{GetHistory, GetLog, ListMembers, ListScopes, ListSecrets, LogPick, Request};

/// The cursor must rest this long before the detail pane asks for the history.
const REST_MS: u64 = 250;
/// The log shows the newest so many.
const LOG_ROWS: usize = 5_000;

/// Carries out an action, or says why not.
pub(super) fn act(model: &mut Model, action: Action, out: &mut Vec<Effect>) {
    let page = model.page();
    let len = model.browser.listing().hits.len();
    if model.browser.listing_mut().scroll.act(action, len, page) {
        return moved(model);
    }
    if let Err(reason) = possible(action, model) {
        return say(model, Tone::Warning, reason);
    }
    match action {
        Action::Up
        | Action::Down
        | Action::PageUp
        | Action::PageDown
        | Action::Top
        | Action::Bottom
        | Action::Rollback => {}
        Action::Back => back(model),
        Action::Filter => model.browser.listing_mut().typing = true,
        Action::Sort => {
            let secrets = model.browser.secrets_mut();
            secrets.newest_first = !secrets.newest_first;
            secrets.listing.scroll = Default::default();
            secrets.rebuild(page);
            let how = if secrets.newest_first { "sorted by newest change" } else { "sorted by name" };
            say(model, Tone::Info, how);
        }
        Action::Mark => {
            let secrets = model.browser.secrets_mut();
            if let Some(name) = secrets.current().map(|meta| meta.name.clone()) {
                if !secrets.marked.remove(&name) {
                    secrets.marked.insert(name);
                }
                let len = secrets.listing.hits.len();
                secrets.listing.scroll.act(Action::Down, len, page);
            }
        }
        Action::Open | Action::New | Action::Edit | Action::Delete | Action::Reveal | Action::History => {
            if let Some(panel) = dialogs::for_action(action, model) {
                open(model, panel, out);
            }
        }
        Action::Copy => {
            if let Some(name) = model.browser.secrets().current().map(|meta| meta.name.clone()) {
                copy(model, name, None, out);
            }
        }
        Action::Organization => switch(model, Tab::Organization, out),
        Action::Project => switch(model, Tab::Project, out),
        Action::Members => switch(model, Tab::Members, out),
        Action::Log => switch(model, Tab::Log, out),
        Action::NextTab | Action::PreviousTab => {
            let here = Tab::ALL.iter().position(|tab| *tab == model.browser.tab).unwrap_or(0);
            let step = if action == Action::NextTab { 1 } else { Tab::ALL.len() - 1 };
            if let Some(tab) = Tab::ALL.get((here + step) % Tab::ALL.len()) {
                switch(model, *tab, out);
            }
        }
        Action::Projects
        | Action::NewProject
        | Action::MyId
        | Action::Join
        | Action::Info
        | Action::Palette
        | Action::Help => {
            if let Some(panel) = dialogs::for_action(action, model) {
                open(model, panel, out);
            }
        }
        Action::Refresh => {
            refresh(model, out);
            say(model, Tone::Info, "refreshed");
        }
        Action::Lock => lock(model, out),
        Action::Suspend => {
            veil(model, out);
            out.push(Effect::Suspend);
        }
        Action::Quit => quit(model, out),
    }
}

/// Esc in the browser: takes away the filter, then the marks; never quits.
fn back(model: &mut Model) {
    let page = model.page();
    if !model.browser.listing().query.is_empty() {
        model.browser.listing_mut().query.clear();
        refine(model);
    } else if model.browser.on_secrets() && !model.browser.secrets().marked.is_empty() {
        model.browser.secrets_mut().marked.clear();
    } else {
        let key = model.keymap.key(Action::Quit);
        say(model, Tone::Info, format!("{key} quits"));
    }
    let listing = model.browser.listing_mut();
    listing.scroll.fit(listing.hits.len(), page);
}

/// The cursor stands on another row.
fn moved(model: &mut Model) {
    model.browser.history = None;
    let detail = layout::parts(model.size).detail.is_some();
    model.browser.rest_at =
        (detail && model.browser.on_secrets()).then(|| model.now.mono.saturating_add(REST_MS));
}

/// The cursor has rested: the detail pane gets the versions.
pub(super) fn rested(model: &mut Model, out: &mut Vec<Effect>) {
    model.browser.rest_at = None;
    if !model.browser.on_secrets() || layout::parts(model.size).detail.is_none() || !model.unlocked() {
        return;
    }
    let scope = model.browser.place.clone();
    if let Some(name) = model.browser.secrets().current().map(|meta| meta.name.clone()) {
        let call = GetHistory { scope: scope.clone(), name: name.clone() };
        ask(model, Owner::Rest(scope, name), Request::GetHistory(call), out);
    }
}

fn refine(model: &mut Model) {
    let page = model.page();
    match model.browser.tab {
        Tab::Organization | Tab::Project => model.browser.secrets_mut().refine(page),
        Tab::Members => model.browser.members.refine(page),
        Tab::Log => model.browser.log.refine(page),
    }
    moved(model);
}

/// A key while the filter line is open.
pub(super) fn filter_key(model: &mut Model, press: Press) {
    let page = model.page();
    let len = model.browser.listing().hits.len();
    let moves = !matches!(
        press.code,
        crossterm::event::KeyCode::Char(_) | crossterm::event::KeyCode::Home | crossterm::event::KeyCode::End
    );
    if let Some(action) = model.keymap.action(press).filter(|_| moves)
        && model.browser.listing_mut().scroll.act(action, len, page)
    {
        return moved(model);
    }
    if model.browser.listing_mut().key(press) {
        refine(model);
    }
}

/// Text pasted into the filter line.
pub(super) fn filter_paste(model: &mut Model, text: &str) {
    match model.browser.listing_mut().query.paste(text) {
        Edit::Refused(reason) => say(model, Tone::Warning, reason),
        _ => refine(model),
    }
}

/// A button pressed somewhere on the browser.
pub(super) fn click(model: &mut Model, x: u16, y: u16, out: &mut Vec<Effect>) {
    let parts = layout::parts(model.size);
    if y == parts.tabs.y {
        let mut left = 0u16;
        for (tab, text) in super::super::view::tab_texts(model) {
            let end = left.saturating_add(super::super::widgets::paint::width(&text)).saturating_add(2);
            if (left..end).contains(&x) {
                return switch(model, tab, out);
            }
            left = end;
        }
    }
    let first = parts.table.y.saturating_add(2);
    let page = model.page();
    if x < parts.table.right() && y >= first && usize::from(y - first) < page {
        let listing = model.browser.listing_mut();
        let at = listing.scroll.top.saturating_add(usize::from(y - first));
        if at < listing.hits.len() {
            listing.scroll.at = at;
            moved(model);
        }
    }
}

fn switch(model: &mut Model, tab: Tab, out: &mut Vec<Effect>) {
    model.browser.listing_mut().typing = false;
    model.browser.tab = tab;
    match tab {
        Tab::Organization => model.browser.place = ScopeRef::Organization,
        Tab::Project => {
            if let Some(scope) = model.browser.project.scope.clone() {
                model.browser.place = scope;
            } else {
                // Nothing chosen yet: the tab shows how to choose one; Members and Log stay where they were.
            }
        }
        Tab::Members | Tab::Log => {}
    }
    moved(model);
    load(model, out);
}

/// Shows a scope: its secrets, or on Members and Log its people and events.
pub(super) fn go(model: &mut Model, scope: ScopeRef, out: &mut Vec<Effect>) {
    if matches!(scope, ScopeRef::Project(_)) && model.browser.project.scope.as_ref() != Some(&scope) {
        model.browser.project = Secrets::new(Some(scope.clone()));
    }
    if model.browser.on_secrets() {
        model.browser.tab = tab_of(&scope);
    }
    if model.browser.place != scope {
        model.browser.members = Rows::new();
        model.browser.log = Rows::new();
    }
    model.browser.place = scope;
    moved(model);
    load(model, out);
}

/// Asks for what the current tab shows, if it is not here yet.
fn load(model: &mut Model, out: &mut Vec<Effect>) {
    let place = model.browser.place.clone();
    match model.browser.tab {
        Tab::Organization if model.browser.organization.loaded => {}
        Tab::Project if model.browser.project.loaded || model.browser.project.scope.is_none() => {}
        Tab::Organization | Tab::Project => list(model, place, out),
        Tab::Members => {
            if model.browser.members.scope.as_ref() != Some(&place) {
                model.browser.members = Rows::new();
            }
            ask(
                model,
                Owner::Members(place.clone()),
                Request::ListMembers(ListMembers { scope: place }),
                out,
            );
        }
        Tab::Log => {
            if model.browser.log.scope.as_ref() != Some(&place) {
                model.browser.log = Rows::new();
            }
            let call = GetLog { scope: place.clone(), limit: Some(LOG_ROWS), pick: LogPick::default() };
            ask(model, Owner::Log(place), Request::GetLog(call), out);
        }
    }
}

fn list(model: &mut Model, scope: ScopeRef, out: &mut Vec<Effect>) {
    ask(model, Owner::Secrets(scope.clone()), Request::ListSecrets(ListSecrets { scope }), out);
}

/// Reads the lists again.
pub(super) fn refresh(model: &mut Model, out: &mut Vec<Effect>) {
    ask(model, Owner::Scopes, Request::ListScopes(ListScopes {}), out);
    if !model.browser.scopes_loaded {
        return; // `settle` goes on when it is known which scopes there are
    }
    let place = model.browser.place.clone();
    // The other side is read again when it is looked at.
    let (organization, project) = (&mut model.browser.organization, &mut model.browser.project);
    let other = if place == ScopeRef::Organization { project } else { organization };
    other.loaded = false;
    if model.browser.tab != Tab::Project || model.browser.project.scope.is_some() {
        list(model, place, out);
    }
    if matches!(model.browser.tab, Tab::Members | Tab::Log) {
        load(model, out);
    }
}

/// The scopes are known: chooses a place if none was asked for, and reads its list.
pub(super) fn settle(model: &mut Model, out: &mut Vec<Effect>) {
    let browser = &mut model.browser;
    let first_project = browser.scopes.iter().find(|info| matches!(info.scope, ScopeRef::Project(_)));
    let first_project = first_project.map(|info| info.scope.clone());
    let in_organization = browser.scope_info(&ScopeRef::Organization).is_some();
    if browser.project.scope.is_none() {
        browser.project = Secrets::new(first_project.clone());
    }
    if browser.place == ScopeRef::Organization && !in_organization && !browser.organization.loaded {
        browser.organization.loaded = true;
        if let Some(scope) = first_project {
            browser.tab = if browser.tab == Tab::Organization { Tab::Project } else { browser.tab };
            browser.place = scope;
        }
    }
    if browser.tab == Tab::Project
        && browser.place == ScopeRef::Organization
        && let Some(scope) = browser.project.scope.clone()
    {
        browser.place = scope;
    }
    if !browser.secrets().loaded && browser.secrets().scope.is_some() {
        let scope = browser.place.clone();
        if !model.pending.values().any(|(owner, _)| *owner == Owner::Secrets(scope.clone())) {
            list(model, scope, out);
        }
    }
}
