//! What a program is to get: the wish that the flags state, and the plan that comes of it once the values are known.
//!
//! Pure. Owns the rule for names that would hand a program over (SPEC R26): named by the person who runs it, such a name
//! is an error before anything is asked; merely present in the vault, it is left out and told, so that nobody who may
//! write a secret can stop everybody's programs either.

use super::{RunArgs, values::Item};
use crate::{
    cli::{context::Context, stop::usage},
    domain::{ScopeRef, SecretName, SecretValue},
    platform::process::{Variable, environment},
    service::ServiceError,
};
use std::collections::BTreeMap;

/// What the flags ask for.
pub(super) struct Wish {
    /// Secrets under their own names: all of the scope, or these.
    pub(super) own: Own,
    /// Variable and secret.
    pub(super) mapped: Vec<(String, SecretName)>,
    /// The secrets under their own names become files rather than variables.
    pub(super) as_files: bool,
    allowed: Vec<String>,
}

/// The secrets that are given under their own names.
pub(super) enum Own {
    All,
    These(Vec<SecretName>),
}

impl Wish {
    /// Reads the flags; refuses what needs no vault to be refused.
    pub(super) fn of(context: &Context, args: &RunArgs) -> Result<Self, ServiceError> {
        let only = args.only.iter().map(|name| context.name(name)).collect::<Result<Vec<_>, _>>()?;
        let mapped = args.map.iter().map(|text| mapped(context, text)).collect::<Result<Vec<_>, _>>()?;
        let as_files = args.files.is_some();
        let own = if !only.is_empty() {
            Own::These(only)
        } else if as_files || mapped.is_empty() {
            Own::All
        } else {
            Own::These(Vec::new())
        };
        let wish = Self { own, mapped, as_files, allowed: args.allow_env.clone() };
        let named: &[SecretName] = match &wish.own {
            Own::These(names) if !as_files => names,
            _ => &[],
        };
        let variables =
            named.iter().map(SecretName::as_str).chain(wish.mapped.iter().map(|(name, _)| name.as_str()));
        for name in variables {
            if let Some(why) = wish.danger(name) {
                return Err(usage(format!("{name} cannot come from a secret, because {why}"))
                    .hint(format!("if that is wanted: --allow-env {name}")));
            }
        }
        Ok(wish)
    }

    /// Why a variable of this name must not come from a secret, unless the person allowed it.
    fn danger(&self, name: &str) -> Option<&'static str> {
        environment::danger(name).filter(|_| !self.allowed.iter().any(|allowed| allowed == name))
    }
}

/// `ENV=NAME`.
fn mapped(context: &Context, text: &str) -> Result<(String, SecretName), ServiceError> {
    let (variable, name) = text
        .split_once('=')
        .ok_or_else(|| usage("--map takes ENV=NAME: a variable, and the secret that it gets"))?;
    if !environment::is_variable_name(variable) {
        return Err(usage("--map ENV=NAME: a variable's name has letters, digits and _, and no digit first"));
    }
    Ok((variable.to_owned(), context.name(name)?))
}

/// A secret that is given under its own name.
pub(super) struct Taken {
    pub(super) name: SecretName,
    pub(super) value: SecretValue,
}

/// One line of `--dry-run`.
pub(super) struct Row {
    pub(super) variable: Option<String>,
    pub(super) file: Option<String>,
    pub(super) secret: String,
    pub(super) scope: Option<ScopeRef>,
    pub(super) version: Option<u32>,
}

/// What the program gets.
pub(super) struct Plan {
    pub(super) variables: Vec<Variable>,
    pub(super) files: Vec<Taken>,
    /// Everything that must not be printed.
    pub(super) hidden: Vec<(SecretName, SecretValue)>,
    /// Names that were left out, and why.
    pub(super) refused: Vec<(SecretName, &'static str)>,
    pub(super) rows: Vec<Row>,
}

impl Plan {
    /// Puts each value where it belongs. `items` holds everything that the wish asks for.
    pub(super) fn of(wish: &Wish, items: Vec<Item>) -> Result<Self, ServiceError> {
        let mut plan = Self {
            variables: Vec::new(),
            files: Vec::new(),
            hidden: Vec::new(),
            refused: Vec::new(),
            rows: Vec::new(),
        };
        // by variable, so that a later flag wins over an earlier one and the table has one line a variable
        let mut variables: BTreeMap<String, &Item> = BTreeMap::new();
        for item in items.iter().filter(|item| wish.takes(&item.name)) {
            if wish.as_files {
                plan.rows.push(row(None, Some(item.name.to_string()), item));
                plan.files.push(Taken { name: item.name.clone(), value: item.value.duplicate() });
            } else if let Some(why) = wish.danger(item.name.as_str()) {
                plan.refused.push((item.name.clone(), why));
            } else {
                variables.insert(item.name.to_string(), item);
            }
        }
        for (variable, name) in &wish.mapped {
            let item = items.iter().find(|item| item.name == *name);
            variables.insert(
                variable.clone(),
                item.ok_or_else(|| usage(format!("there is no value for {name}")))?,
            );
        }
        for (name, item) in variables {
            plan.rows.push(row(Some(name.clone()), None, item));
            plan.variables.push(Variable { name, value: item.value.duplicate() });
        }
        let given = |item: &Item| !plan.refused.iter().any(|(name, _)| *name == item.name);
        plan.hidden = items.into_iter().filter(given).map(|item| (item.name, item.value)).collect();
        Ok(plan)
    }
}

impl Wish {
    fn takes(&self, name: &SecretName) -> bool {
        match &self.own {
            Own::All => true,
            Own::These(names) => names.contains(name),
        }
    }
}

fn row(variable: Option<String>, file: Option<String>, item: &Item) -> Row {
    Row {
        variable,
        file,
        secret: item.name.to_string(),
        scope: Some(item.scope.clone()),
        version: Some(item.version),
    }
}
