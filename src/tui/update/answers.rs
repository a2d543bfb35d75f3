//! What the service answered, put into the model.
//!
//! Owns the comparison of an old list with a new one, which is how changes by others become a notice.

use super::super::model::{Model, Owner, Secrets, Tab};
use super::super::msg::Effect;
use super::super::panel::{Incoming, Tone};
use super::super::screens::{Unlock, Wizard, log};
use super::{ask, browse, forget, say, set_gate, ticket, to_layer};
use crate::domain::{ScopeRef, SecretMeta, date, printable};
use crate::service::{
    Answer, ErrorKind, LogEvent, MemberInfo, Request, SecretList, ServiceError, Status, StatusReport,
    VaultState,
};

/// How long a row changed by somebody else stays marked.
const FRESH_MS: u64 = 8_000;

/// An answer that was waited for.
pub(super) fn arrived(
    model: &mut Model,
    owner: Owner,
    result: Result<Answer, ServiceError>,
    out: &mut Vec<Effect>,
) {
    // A vault that locked itself (idle, or from elsewhere) says so in any answer: find out at once.
    let gated = model.gate.is_some();
    if result.as_ref().is_err_and(|error| error.kind == ErrorKind::Locked) && !gated && owner != Owner::Status
    {
        ask(model, Owner::Status, Request::Status(Status {}), out);
    }
    match (owner, result) {
        (Owner::Panel(id), result) => {
            model.dirty = true;
            to_layer(model, id, out, |panel, model| panel.incoming(Incoming::Answer(result), model));
        }
        (Owner::Status, Ok(Answer::Status(report))) => status(model, report, out),
        (Owner::Status, Err(error)) => {
            if model.status.is_none() {
                model.fatal = Some(error);
            } else {
                say(model, Tone::Bad, sentence(&error));
            }
            model.dirty = true;
        }
        (Owner::Scopes, Ok(Answer::ListScopes(scopes))) => {
            model.dirty |= model.browser.scopes != scopes;
            model.browser.scopes = scopes;
            model.browser.scopes_loaded = true;
            browse::settle(model, out);
        }
        (Owner::Secrets(scope), Ok(Answer::ListSecrets(list))) => secrets(model, &scope, list, out),
        (Owner::Secrets(scope), Err(error)) => {
            if let Some(secrets) = side(model, &scope) {
                *secrets = Secrets::new(Some(scope));
                secrets.loaded = true;
                secrets.error = Some(error);
            }
            refreshed(model, out);
        }
        (Owner::Members(scope), result) => {
            let list =
                result.map(|answer| if let Answer::ListMembers(list) = answer { Some(list) } else { None });
            let page = model.page();
            model.browser.members.receive(scope, list, member_words, page);
            refreshed(model, out);
        }
        (Owner::Log(scope), result) => {
            let list = result.map(|answer| {
                let Answer::GetLog(mut list) = answer else { return None };
                list.reverse(); // newest first
                Some(list)
            });
            let page = model.page();
            model.browser.log.receive(scope, list, event_words, page);
            model.dirty = true;
        }
        (Owner::Rest(scope, name), Ok(Answer::GetHistory(history))) => {
            model.browser.history = Some((scope, name, history));
            model.dirty = true;
        }
        (Owner::Copy(name), Ok(Answer::GetSecret(revealed))) => {
            let label = name.as_str().to_owned();
            let ticket = ticket(model, Owner::Copy(name));
            out.push(Effect::Copy(ticket, label, revealed.value));
        }
        (Owner::Lock, _) => {
            forget(model);
            ask(model, Owner::Status, Request::Status(Status {}), out);
        }
        (Owner::Copy(_) | Owner::Scopes, Err(error)) => say(model, Tone::Bad, sentence(&error)),
        (Owner::Rest(..) | Owner::Touch | Owner::CopyText, _) => {}
        (_, Ok(_)) => say(model, Tone::Bad, "the service answered a different question: this is a bug"),
    }
}

/// What failed, why, and what to do next.
pub(crate) fn sentence(error: &ServiceError) -> String {
    match &error.hint {
        Some(hint) => format!("{} {} {hint}", error.message, "·"),
        None => error.message.clone(),
    }
}

fn status(model: &mut Model, report: StatusReport, out: &mut Vec<Effect>) {
    let first = model.status.is_none();
    let before = model.status.as_ref().map(|status| status.state);
    let face = |model: &Model| {
        let lock = model.lock_text();
        model
            .status
            .as_ref()
            .map(|s| (s.state, s.organization.clone(), s.me.clone(), s.warnings.clone(), lock))
    };
    let old_face = face(model);
    let state = report.state;
    let changes = report.changes_by_others;
    let warning = report.warnings.first().cloned();
    let reason = report.lock.reason;
    model.status = Some(report);
    model.status_at = model.now.mono;
    model.polled_at = model.now.mono;
    model.dirty |= old_face != face(model);
    match state {
        VaultState::Absent if model.gate.is_none() => set_gate(model, Box::new(Wizard::new()), out),
        VaultState::Locked if model.gate.is_none() => {
            let by_itself = before == Some(VaultState::Unlocked);
            if by_itself {
                model.asked_scope = Some(model.browser.place.clone());
            }
            forget(model);
            set_gate(model, Box::new(Unlock::new(reason.filter(|_| by_itself))), out);
        }
        VaultState::Unlocked if model.gate.is_some() => {
            let gate = model.gate.as_ref().map(|gate| gate.id);
            gate.into_iter().for_each(|id| to_layer(model, id, out, |panel, _| panel.found_open()));
        }
        VaultState::Unlocked => {
            if first || before != Some(VaultState::Unlocked) {
                model.changes_seen = changes;
                model.touched_at = model.now.mono;
                browse::refresh(model, out);
                if let Some(warning) = warning {
                    say(model, Tone::Warning, warning);
                }
            } else if model.changes_seen != changes {
                model.changes_seen = changes;
                browse::refresh(model, out);
            }
        }
        _ => {}
    }
}

fn side<'a>(model: &'a mut Model, scope: &ScopeRef) -> Option<&'a mut Secrets> {
    let browser = &mut model.browser;
    [&mut browser.organization, &mut browser.project]
        .into_iter()
        .find(|side| side.scope.as_ref() == Some(scope))
}

fn secrets(model: &mut Model, scope: &ScopeRef, list: SecretList, out: &mut Vec<Effect>) {
    let (page, now, me) = (model.page(), model.now.mono, model.status.as_ref().and_then(|s| s.me.clone()));
    let select = model.browser.select.take();
    let Some(side) = side(model, scope) else { return };
    let theirs = if side.loaded && side.error.is_none() {
        changes(&side.list, &list.secrets, me.as_deref())
    } else {
        Vec::new()
    };
    let unchanged =
        side.loaded && side.error.is_none() && side.list == list.secrets && side.role == Some(list.role);
    side.loaded = true;
    side.error = None;
    side.role = Some(list.role);
    side.quarantined = list.quarantined.len();
    if !unchanged {
        let here = side.current().map(|meta| meta.name.clone());
        side.list = list.secrets;
        side.rebuild(page);
        if let Some(name) = select.as_ref().or(here.as_ref()) {
            side.select(name, page);
        }
        let names = &side.list;
        side.marked.retain(|name| names.binary_search_by(|meta| meta.name.cmp(name)).is_ok());
    } else if let Some(name) = &select {
        side.select(name, page);
    }
    for (name, _) in &theirs {
        side.fresh.insert(name.clone(), now.saturating_add(FRESH_MS));
    }
    if !unchanged {
        model.browser.history = None;
        model.browser.rest_at = Some(now);
    }
    if let Some((_, last)) = theirs.first() {
        let count = theirs.len();
        let noun = if count == 1 { "change" } else { "changes" };
        say(model, Tone::Info, format!("{count} {noun} by others: {last}"));
    }
    model.dirty |= !unchanged;
    refreshed(model, out);
}

/// What others did between two lists: names to mark, with a sentence each, the newest first.
fn changes(
    old: &[SecretMeta],
    new: &[SecretMeta],
    me: Option<&str>,
) -> Vec<(crate::domain::SecretName, String)> {
    let mut found: Vec<(u64, crate::domain::SecretName, String)> = Vec::new();
    for meta in new {
        let before = old.binary_search_by(|other| other.name.cmp(&meta.name)).ok().and_then(|at| old.get(at));
        let verb = match before {
            None => "created",
            Some(before) if before.version != meta.version => "updated",
            Some(_) => continue,
        };
        if Some(meta.updated_by.as_str()) != me {
            let text = format!("{} {verb} {}", printable::line(&meta.updated_by), meta.name);
            found.push((meta.updated_ms, meta.name.clone(), text));
        }
    }
    found.sort_by_key(|(when, ..)| std::cmp::Reverse(*when));
    found.into_iter().map(|(_, name, text)| (name, text)).collect()
}

fn refreshed(model: &mut Model, out: &mut Vec<Effect>) {
    model.dirty = true;
    let ids: Vec<u32> = model.layers.iter().map(|layer| layer.id).collect();
    for id in ids {
        to_layer(model, id, out, |panel, model| panel.refreshed(model));
    }
}

fn member_words(member: &MemberInfo) -> String {
    let role = member.role.map_or("former", |role| role.word());
    format!("{} {role}", printable::line(&member.label))
}

/// What the filter of the log looks at: what the row says, and what the details say beside it.
fn event_words(event: &LogEvent) -> String {
    let (phrase, when) = (log::phrase(event), date::local_minute(event.time_ms));
    let author = printable::line(&event.author);
    match &event.read {
        Some(read) => {
            let names: Vec<&str> = read.names.iter().map(|name| name.as_str()).collect();
            let from = printable::line(&format!("{} {}", read.program, read.host));
            format!("read {phrase} {} {author} {} {from} {when}", names.join(" "), read.code.token())
        }
        None => format!("change {phrase} {author} {when}"),
    }
}

/// The tab that shows a scope's secrets.
pub(super) fn tab_of(scope: &ScopeRef) -> Tab {
    match scope {
        ScopeRef::Organization => Tab::Organization,
        ScopeRef::Project(_) => Tab::Project,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SecretName;

    fn meta(name: &str, version: u32, by: &str) -> SecretMeta {
        SecretMeta {
            name: SecretName::parse(name).unwrap(),
            version,
            updated_ms: u64::from(version),
            updated_by: by.to_owned(),
            created_ms: 0,
            created_by: by.to_owned(),
            exposed: false,
            rotate_every_s: None,
        }
    }

    #[test]
    fn only_what_others_wrote_is_a_change_by_others() {
        let old = [meta("A", 1, "me"), meta("B", 1, "me"), meta("C", 1, "bob")];
        let new = [meta("A", 2, "me"), meta("B", 2, "bo\u{1b}b"), meta("C", 1, "bob"), meta("D", 3, "eve")];
        let told: Vec<String> = changes(&old, &new, Some("me")).into_iter().map(|(_, text)| text).collect();
        assert_eq!(told, ["eve created D", "bo^[b updated B"]);
    }
}
