//! `Resolve`: plan, then walk, then say what came of it.
//!
//! The role check of the request is made at the door; the plan checks the organization's. Here is the one place where
//! `run` and `inject` take values out of the vault, and so the place where the read log hears of it.

use super::{answer::*, request::Resolve};
use crate::domain::Label;
use crate::resolve::{Item, NoProviders, ResolveError, execute, prepare, rehearse};
use crate::vault::{Vault, VaultError};

/// Answers a `Resolve` on an open vault whose role was checked.
pub(super) fn resolve(vault: &mut Vault, call: &Resolve) -> Result<Resolved, ResolveError> {
    if Label::parse(&call.program).is_err() {
        let rule = "the program's name has 1 to 64 printable characters".to_owned();
        return Err(VaultError::Invalid(rule).into());
    }
    let providers = NoProviders;
    let plan = prepare(vault, &call.scope, &call.wanted, &providers)?;
    let items = if call.dry_run {
        rehearse(&plan)
    } else {
        // The read log is written here, before the values leave: `plan.steps` has scope, name and version of each;
        // `call` has the purpose and the program.
        execute(vault, &plan, &providers)?
    };
    Ok(Resolved { items: items.into_iter().map(ResolvedItem::from).collect(), warning: plan.warning })
}

impl From<Item> for ResolvedItem {
    fn from(item: Item) -> Self {
        Self { reference: item.reference, source: item.source, version: item.version, value: item.value }
    }
}
