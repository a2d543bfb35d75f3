//! Walks a plan over an open vault and the providers: each value is read once.
//!
//! Decides nothing: what is read was planned, what may be read is checked by the vault's keys once more. Nothing is kept
//! after the walk; a failure at any step drops (and wipes) what was read before it.

use super::plan::{Catalogue, Listing, Plan, Problems, Source, Step, Wanted, plan};
use crate::domain::{Alias, ProviderKey, Reference, Role, ScopeRef, SecretValue};
use crate::vault::{Vault, VaultError};

/// Where references to providers get their values.
pub trait ProviderSource {
    /// The providers that can be asked, by the names that references use.
    fn aliases(&self) -> Vec<Alias>;

    /// One value. The error is a sentence for a person, and never holds a value.
    fn read(&self, alias: &Alias, key: &ProviderKey) -> Result<SecretValue, String>;
}

/// No provider at all: each alias is unknown.
pub struct NoProviders;

impl ProviderSource for NoProviders {
    fn aliases(&self) -> Vec<Alias> {
        Vec::new()
    }

    fn read(&self, alias: &Alias, _: &ProviderKey) -> Result<SecretValue, String> {
        Err(format!("there is no provider {alias}"))
    }
}

/// One value with its origin; without the value if only the plan was asked for.
pub struct Item {
    /// What was referred to.
    pub reference: Reference,
    /// Where it was found.
    pub source: Source,
    /// The version of a secret of the vault.
    pub version: Option<u32>,
    /// The plaintext.
    pub value: Option<SecretValue>,
}

/// Why nothing was resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Names, providers or roles that are not there.
    #[error(transparent)]
    Problems(#[from] Box<Problems>),
    /// The vault did not give a value.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A provider did not give a value.
    #[error("{alias}: {reason}")]
    Provider {
        /// Which provider.
        alias: Alias,
        /// What it said, for a person.
        reason: String,
    },
}

/// Plans what is wanted of a scope. Takes the role `read` there.
pub fn prepare(
    vault: &Vault,
    scope: &ScopeRef,
    wanted: &Wanted,
    providers: &dyn ProviderSource,
) -> Result<Plan, ResolveError> {
    let over = |only: Option<&[Reference]>| -> Result<Result<Plan, Problems>, ResolveError> {
        let organization = match scope {
            ScopeRef::Organization => None,
            ScopeRef::Project(_) => match listing(vault, &ScopeRef::Organization, only) {
                Err(VaultError::NotAMember(_)) => None,
                other => Some(other?),
            },
        };
        let own = listing(vault, scope, only)?;
        Ok(plan(&Catalogue { scope: own, organization, providers: providers.aliases() }, wanted))
    };
    let planned = match wanted {
        Wanted::All => over(None)?,
        // A few names out of many: the others are looked at only where the nearest of them is to be told.
        Wanted::These(references) => match over(Some(references))? {
            Err(problems) if !problems.unknown.is_empty() => over(None)?,
            planned => planned,
        },
    };
    Ok(planned.map_err(Box::new)?)
}

/// The names of a scope; of `only` these, if they are there.
fn listing<'v>(
    vault: &'v Vault,
    scope: &ScopeRef,
    only: Option<&[Reference]>,
) -> Result<Listing<'v>, VaultError> {
    let (role, names) = vault.names(scope, Role::Read)?;
    let found = |reference: &Reference| match reference {
        Reference::Secret(name) => names.get(name),
        Reference::Provider { .. } => None,
    };
    let names = match only {
        None => names.iter().collect(),
        Some(references) => references.iter().filter_map(found).collect(),
    };
    Ok(Listing { scope: scope.clone(), role, names })
}

/// Reads what was planned.
pub fn execute(
    vault: &Vault,
    plan: &Plan,
    providers: &dyn ProviderSource,
) -> Result<Vec<Item>, ResolveError> {
    let read = |step: &Step| {
        let value = match step {
            Step::Secret { scope, name, version } => vault.read(scope, name, Some(*version))?.value,
            Step::Provider { alias, key } => providers
                .read(alias, key)
                .map_err(|reason| ResolveError::Provider { alias: alias.clone(), reason })?,
        };
        Ok(Item { value: Some(value), ..shown(step) })
    };
    plan.steps.iter().map(read).collect()
}

/// What was planned, without reading anything.
pub fn rehearse(plan: &Plan) -> Vec<Item> {
    plan.steps.iter().map(shown).collect()
}

fn shown(step: &Step) -> Item {
    Item { reference: step.reference(), source: step.source(), version: step.version(), value: None }
}
