//! How often a secret must be changed: sealed under `M`, so that every member sees it and the store does not.
//!
//! Owns writing the interval, alone or with a new value in the same transaction. Whether a value is due is arithmetic on
//! the date of its current version, which a rewrap does not renew; nothing here reads a clock.

use super::error::VaultError;
use super::secrets::{existing, expected, plan_put};
use super::session::{Plan, Vault};
use super::space::Space;
use crate::chain::{Body, ScheduleBody, SecretId};
use crate::domain::{
    Role, ScopeRef, SecretName, SecretValue, SetMode,
    span::{LONGEST_ROTATION, SHORTEST_ROTATION},
};

impl Vault {
    /// Sets the interval in seconds, or takes it away; with a value, writes that too. Says the version that then is
    /// current, and whether the secret is new. An interval that is there already is not written again.
    pub fn set_rotation(
        &mut self,
        scope: &ScopeRef,
        name: &SecretName,
        every_s: Option<u64>,
        with: Option<(&SecretValue, SetMode)>,
    ) -> Result<(u32, bool), VaultError> {
        if every_s.is_some_and(|seconds| !(SHORTEST_ROTATION..=LONGEST_ROTATION).contains(&seconds)) {
            return Err(VaultError::Invalid("a rotation interval is an hour to 3650 days".to_owned()));
        }
        self.write(scope, Role::Write, |_, space| {
            let mut plan = Plan::default();
            let (id, version, created, present) = match with {
                Some((value, mode)) => {
                    let found = expected(space, scope, name, mode)?;
                    let present = found.and_then(|(id, secret)| space.rotate_every_s(&id, secret));
                    let (version, created) =
                        (plan_put(&mut plan, space, name, found, value)?, found.is_none());
                    let id = plan.bodies.iter().find_map(|body| match body {
                        Body::Put(put) => Some(put.secret),
                        _ => None,
                    });
                    (id.ok_or(VaultError::NotJoined)?, version, created, present)
                }
                None => {
                    let (id, secret) = existing(space, scope, name)?;
                    (id, secret.current(), false, space.rotate_every_s(&id, secret))
                }
            };
            if present != every_s {
                plan.bodies.push(schedule(space, id, every_s)?);
            }
            Ok((plan, (version, created)))
        })
    }
}

fn schedule(space: &Space, secret: SecretId, every_s: Option<u64>) -> Result<Body, VaultError> {
    let generation = space.state()?.generation();
    let key = space.ring().and_then(|ring| ring.meta(generation)).ok_or(VaultError::NotJoined)?;
    let sealed = key.seal_interval(&space.id.0, &secret.0, generation, every_s.unwrap_or(0))?;
    Ok(Body::Schedule(ScheduleBody { secret, generation, sealed }))
}
