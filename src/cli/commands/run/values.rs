//! Asks the service for what a run needs.

use super::plan::{Own, Wish};
use crate::{
    cli::{context::Context, stop::Stop},
    domain::{ScopeRef, SecretName, SecretValue},
    service::{Export, ListSecrets},
};

/// One secret of the run.
pub(super) struct Item {
    pub(super) name: SecretName,
    pub(super) scope: ScopeRef,
    pub(super) version: u32,
    pub(super) value: SecretValue,
}

/// Everything that the wish asks for. With `dry_run` the values are empty.
pub(super) fn ask(
    context: &Context,
    scope: &ScopeRef,
    wish: &Wish,
    _program: &str,
    dry_run: bool,
) -> Result<Vec<Item>, Stop> {
    let names = match &wish.own {
        Own::All => None,
        Own::These(names) => {
            Some(names.iter().chain(wish.mapped.iter().map(|(_, name)| name)).cloned().collect())
        }
    };
    let call = Export {
        scope: scope.clone(),
        names,
        with_organization: *scope != ScopeRef::Organization,
        program: "sealbox run".to_owned(),
    };
    let exported = context.ask(call).map_err(|error| context.suggest(error, scope, None))?;
    let mut metas = Vec::new();
    let organization = (*scope != ScopeRef::Organization).then_some(&ScopeRef::Organization);
    for place in std::iter::once(scope).chain(organization) {
        let list = context.ask(ListSecrets { scope: place.clone() })?;
        metas.extend(list.secrets.into_iter().map(|meta| (place.clone(), meta)));
    }
    let mut items = Vec::new();
    for (name, value) in exported.entries {
        let found = metas.iter().find(|(_, meta)| meta.name == name);
        let (scope, version) =
            found.map_or((scope.clone(), 0), |(scope, meta)| (scope.clone(), meta.version));
        let value = if dry_run { SecretValue::new(Vec::new()).unwrap_or(value) } else { value };
        items.push(Item { name, scope, version, value });
    }
    Ok(items)
}
