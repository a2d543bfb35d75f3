//! The log in words: what each valid entry of a chain did, and beside it what the read log says was read.

use super::error::VaultError;
use super::session::Vault;
use super::space::Space;
use crate::chain::{Body, Entry, PutBody, Replay, State};
use crate::crypto::PublicId;
use crate::crypto::Subject;
use crate::domain::{LogEvent, LogKind, LogPick, Role, ScopeRef, scope::hex};
use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

impl Vault {
    /// The history of a scope, oldest first; only the newest `limit` if given.
    pub fn log(&self, scope: &ScopeRef, limit: Option<usize>) -> Result<Vec<LogEvent>, VaultError> {
        let space = self.space_as(scope, Role::Read)?;
        // Replayed up to the head that was verified already, so no signature is computed twice; unless junk between the
        // valid entries leads that astray, which shows in the head not being met.
        let mut events = match self.events(scope, space, true)? {
            Some(events) => events,
            // Not even then: the rows were changed under this session.
            None => self.events(scope, space, false)?.ok_or_else(|| space.changed_underneath())?,
        };
        let skip = limit.map_or(0, |limit| events.len().saturating_sub(limit));
        Ok(events.split_off(skip))
    }

    /// Changes and readings, merged by time, oldest first; those that are picked, and of them the newest `limit`. Each
    /// chain keeps its own order, whatever dates its authors claim.
    pub fn log_of(
        &self,
        scope: &ScopeRef,
        pick: &LogPick,
        limit: Option<usize>,
    ) -> Result<Vec<LogEvent>, VaultError> {
        let space = self.space_as(scope, Role::Read)?;
        let member = pick.member.as_deref().map(|who| called(space, who)).transpose()?;
        let everything = pick.member.is_none() && pick.name.is_none() && pick.since_ms.is_none();
        let mut chains = Vec::new();
        if pick.kind != LogKind::Reads {
            chains.push(self.log(scope, limit.filter(|_| everything))?);
        }
        if pick.kind != LogKind::Changes {
            chains.extend(self.readings(scope, space, limit.filter(|_| everything))?);
        }
        let mut dated: Vec<(u64, LogEvent)> = Vec::new();
        for chain in chains {
            let mut latest = 0;
            for event in chain {
                latest = event.time_ms.max(latest);
                if picked(&event, pick, member.as_deref()) {
                    dated.push((latest, event));
                }
            }
        }
        dated.sort_by_key(|(time, _)| *time);
        let skip = limit.map_or(0, |limit| dated.len().saturating_sub(limit));
        Ok(dated.into_iter().skip(skip).map(|(_, event)| event).collect())
    }

    /// The valid entries in words; `None` if signatures must be checked after all.
    fn events(
        &self,
        scope: &ScopeRef,
        space: &Space,
        trusted: bool,
    ) -> Result<Option<Vec<LogEvent>>, VaultError> {
        let mut replay = Replay::new(space.id, space.replay().head(), trusted);
        let mut names = HashMap::new();
        let mut present = HashSet::new();
        let mut events = Vec::new();
        self.store.entries(&space.id, None, &mut |seq, bytes| {
            if replay.feed(seq, bytes).is_ok()
                && let (Ok(entry), Ok(state)) = (Entry::parse(bytes), replay.state_despite_rollback())
            {
                events.push(self.describe(scope, space, state, &entry, &present, &mut names));
                if matches!(entry.body, Body::Genesis(_) | Body::Member(_)) {
                    present = state.present().map(|(member, _)| member.id.sign).collect();
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(replay.state().is_ok().then_some(events))
    }

    fn describe(
        &self,
        scope: &ScopeRef,
        space: &Space,
        state: &State,
        entry: &Entry<'_>,
        was_present: &HashSet<[u8; 32]>,
        names: &mut HashMap<[u8; 16], String>,
    ) -> LogEvent {
        let header = &entry.header;
        let mut event = LogEvent {
            scope: scope.clone(),
            seq: header.seq,
            time_ms: header.time_ms,
            author: space.person(&header.author),
            action: String::new(), // each arm below says its own
            subject: None,
            version: None,
            role: None,
            hash: hex(&entry.hash()),
            rotate_every_s: None,
            read: None,
        };
        let action;
        match &entry.body {
            Body::Genesis(_) => {
                action = "scope_created";
                event.subject = space.label().map(str::to_owned);
            }
            Body::Member(body) => {
                event.role = Role::from_byte(body.role);
                action = match (event.role, was_present.contains(&body.id.sign)) {
                    (None, _) => "member_removed",
                    (Some(_), false) => "member_added",
                    (Some(_), true) => "member_role_changed",
                };
                event.subject = Some(space.person(&body.id.sign));
            }
            Body::Rotate(body) => {
                action = "keys_rotated";
                event.version = Some(body.generation);
            }
            Body::Put(body) => {
                if let Some(name) = open_name(space, body) {
                    names.insert(body.secret.0, name);
                }
                let newest = state.secrets.get(&body.secret).and_then(|secret| secret.versions.last());
                action = match newest {
                    Some(version) if version.seq != header.seq => "secret_rewrapped",
                    _ if body.version == 1 => "secret_created",
                    _ => "secret_updated",
                };
                event.subject = names.get(&body.secret.0).cloned();
                event.version = Some(body.version);
            }
            Body::Delete(secret) => {
                action = "secret_deleted";
                event.subject = names.get(&secret.0).cloned();
            }
            Body::Child(child) => {
                action = "project_created";
                let label = self.spaces().into_iter().find(|(_, other)| other.id == *child);
                event.subject = label.and_then(|(_, other)| other.label().map(str::to_owned));
            }
            Body::Schedule(body) => {
                action = "secret_rotation_set";
                event.subject = names.get(&body.secret.0).cloned();
                event.rotate_every_s =
                    space.ring().and_then(|ring| ring.meta(body.generation)).and_then(|key| {
                        key.open_interval(&space.id.0, &body.secret.0, body.generation, &body.sealed).ok()
                    });
            }
            Body::Unknown(_) => action = "unknown",
        }
        event.action = action.to_owned();
        event
    }
}

/// What a member is called that somebody named by label or by ID string.
fn called(space: &Space, who: &str) -> Result<String, VaultError> {
    if let Ok(id) = PublicId::parse(who) {
        return Ok(space.person(&id.sign));
    }
    let mut members = space.state()?.members.keys().map(|sign| space.person(sign));
    members.find(|label| label == who).ok_or_else(|| VaultError::NoMember(who.to_owned()))
}

fn picked(event: &LogEvent, pick: &LogPick, member: Option<&str>) -> bool {
    let about_member =
        |who: &str| event.action.starts_with("member_") && event.subject.as_deref() == Some(who);
    let about = |name: &str| match &event.read {
        Some(read) => read.names.iter().any(|read| read.as_str() == name),
        None => event.action.starts_with("secret_") && event.subject.as_deref() == Some(name),
    };
    member.is_none_or(|who| event.author == who || about_member(who))
        && pick.name.as_ref().is_none_or(|name| about(name.as_str()))
        && pick.since_ms.is_none_or(|since| event.time_ms >= since)
}

fn open_name(space: &Space, body: &PutBody) -> Option<String> {
    let sealed = body.name.as_ref()?;
    let name = space
        .ring()?
        .meta(body.generation)?
        .open_name(&space.id.0, Subject::Secret(&body.secret.0), sealed)
        .ok()?;
    // The same rule as everywhere: a name that breaks it is not shown.
    crate::domain::SecretName::parse(&name).ok().map(|name| name.to_string())
}
