//! What happens because time passed: polls, countdowns, notices that go, values that hide.
//!
//! Invariant: `next_due` is `None` when nothing is timed, so that an idle program runs no timer at all.

use super::super::model::{Model, Owner, SPIN_MS, WAIT_MS};
use super::super::msg::Effect;
use super::{ask, browse, to_layer};
use crate::service::{Request, Status};

/// How often changes by others are looked for while the vault is open.
pub(crate) const POLL_MS: u64 = 3_000;
/// The same while a value is shown.
const POLL_TIMED_MS: u64 = 1_000;

/// The next instant at which something must happen, in milliseconds since boot.
pub(crate) fn next_due(model: &Model) -> Option<u64> {
    let mut due: Vec<u64> = Vec::new();
    due.extend(model.notice.as_ref().map(|notice| notice.until));
    due.extend(model.browser.rest_at);
    due.extend(model.layers.iter().chain(model.gate.as_ref()).filter_map(|layer| layer.panel.due(model)));
    due.extend(
        model.browser.organization.fresh.values().chain(model.browser.project.fresh.values()).copied(),
    );
    if let Some(since) =
        model.pending.values().filter(|(owner, _)| owner.visible()).map(|(_, since)| *since).min()
    {
        let first = since.saturating_add(WAIT_MS);
        due.push(if model.now.mono < first { first } else { next_step(model.now.mono, since, SPIN_MS) });
    }
    if let Some(copied) = &model.copied {
        // The countdown is seen only while the vault is open.
        let left = copied.until.saturating_sub(model.now.mono);
        let whole = left.saturating_sub(1) / 1000 * 1000;
        due.push(if model.unlocked() { copied.until.saturating_sub(whole) } else { copied.until });
    }
    if model.unlocked() {
        due.push(next_poll(model));
        if model.lock_in_s().is_some_and(|left| left <= 91) {
            due.push(next_step(model.now.mono, model.status_at, 1000));
        }
    }
    due.into_iter().min()
}

/// When to look next. While a dialog runs against time anyway, which is one that shows a value, that is soon: a lock from
/// elsewhere is to hide it.
fn next_poll(model: &Model) -> u64 {
    let timed = model.layers.iter().any(|layer| layer.panel.due(model).is_some());
    model.polled_at.saturating_add(if timed { POLL_TIMED_MS } else { POLL_MS })
}

/// The next multiple of `step` after `now`, counted from `since`.
fn next_step(now: u64, since: u64, step: u64) -> u64 {
    since.saturating_add((now.saturating_sub(since) / step).saturating_add(1).saturating_mul(step))
}

/// Carries out whatever is due. The screen is drawn again only if something on it has changed.
pub(super) fn tick(model: &mut Model, out: &mut Vec<Effect>) {
    let now = model.now.mono;
    if model.notice.as_ref().is_some_and(|notice| notice.until <= now) {
        model.notice = None;
        model.dirty = true;
    }
    if let Some((ticket, until)) = model.copied.as_ref().map(|copied| (copied.ticket, copied.until)) {
        model.dirty = true;
        if until <= now {
            model.copied = None;
        } else if model.unlocked() {
            out.push(Effect::LookAtClipboard(ticket)); // somebody else may have copied
        }
    }
    if model.waiting().is_some() {
        model.dirty = true;
    }
    for secrets in [&mut model.browser.organization, &mut model.browser.project] {
        let before = secrets.fresh.len();
        secrets.fresh.retain(|_, until| *until > now);
        model.dirty |= secrets.fresh.len() != before;
    }
    let due: Vec<u32> = model
        .layers
        .iter()
        .chain(model.gate.as_ref())
        .filter(|layer| layer.panel.due(model).is_some())
        .map(|layer| layer.id)
        .collect();
    for id in due {
        model.dirty = true;
        to_layer(model, id, out, |panel, model| panel.tick(model));
    }
    if model.browser.rest_at.is_some_and(|at| at <= now) {
        browse::rested(model, out);
    }
    if model.lock_in_s().is_some_and(|left| left <= 91) {
        model.dirty = true;
    }
    if model.unlocked() && now >= next_poll(model) {
        poll(model, out);
    }
}

/// Asks where the vault stands, which also tells whether others have written.
pub(super) fn poll(model: &mut Model, out: &mut Vec<Effect>) {
    model.polled_at = model.now.mono;
    if !model.pending.values().any(|(owner, _)| *owner == Owner::Status) {
        ask(model, Owner::Status, Request::Status(Status {}), out);
    }
}
