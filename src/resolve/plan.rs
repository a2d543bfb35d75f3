//! What each reference stands for, decided before anything is read.
//!
//! Pure: names and roles in, sources out. A secret is looked for in the scope itself, then in the organization; the first
//! that has the name is its source. Whatever is wrong with what was wanted is told at once, not one name after the other.
//! No value comes near this file, so `run`, `inject`, a dry run and the read log can all stand on one plan.

use crate::domain::{Alias, ProviderKey, Reference, Role, ScopeRef, SecretName, filter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What somebody wants resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Every secret of the scope and, for a project, those of the organization that it does not override.
    All,
    /// These, each once, in this order.
    These(Vec<Reference>),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A scope of the vault.
    Scope(ScopeRef),
    /// A provider.
    Provider(Alias),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scope(scope) => scope.fmt(f),
            Self::Provider(alias) => write!(f, "provider {alias}"),
        }
    }
}

/// The names of one scope, and what we may do there.
pub struct Listing<'a> {
    /// Which scope.
    pub scope: ScopeRef,
    /// Our role in it.
    pub role: Role,
    /// Names with the current version of each.
    pub names: BTreeMap<&'a SecretName, u32>,
}

/// Everything that a plan is made from: the scope asked for and, if that is a project, the organization, unless we are no
/// member of it.
pub struct Catalogue<'a> {
    /// The scope that was asked for.
    pub scope: Listing<'a>,
    /// What names fall through to.
    pub organization: Option<Listing<'a>>,
    /// The aliases of the providers that can be asked.
    pub providers: Vec<Alias>,
}

/// One value to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// From the vault.
    Secret {
        /// Which scope.
        scope: ScopeRef,
        /// Which secret.
        name: SecretName,
        /// Its current version.
        version: u32,
    },
    /// From a provider.
    Provider {
        /// Which provider.
        alias: Alias,
        /// What of it.
        key: ProviderKey,
    },
}

/// What to get, in the order wanted (names in their own order for [`Wanted::All`]), nothing twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One step a value.
    pub steps: Vec<Step>,
    /// What was left out of [`Wanted::All`] and why, in words.
    pub warning: Option<String>,
}

/// Everything that is wrong with what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The scope that was asked for, and whether the organization was looked at.
    pub scope: ScopeRef,
    /// False if we are no member of the organization.
    pub looked_in_organization: bool,
    /// Names that are nowhere, with the nearest that is.
    pub unknown: Vec<(SecretName, Option<SecretName>)>,
    /// Providers that are not there, each once, with the nearest that is.
    pub no_provider: Vec<(Alias, Option<Alias>)>,
    /// Names that are there, in a scope where our role does not reach.
    pub denied: Vec<(SecretName, ScopeRef, Role)>,
}

impl Step {
    /// The reference that it answers.
    pub fn reference(&self) -> Reference {
        match self {
            Self::Secret { name, .. } => Reference::Secret(name.clone()),
            Self::Provider { alias, key } => Reference::Provider { alias: alias.clone(), key: key.clone() },
        }
    }

    /// Where its value comes from.
    pub fn source(&self) -> Source {
        match self {
            Self::Secret { scope, .. } => Source::Scope(scope.clone()),
            Self::Provider { alias, .. } => Source::Provider(alias.clone()),
        }
    }

    /// The version of a secret of the vault.
    pub fn version(&self) -> Option<u32> {
        match self {
            Self::Secret { version, .. } => Some(*version),
            Self::Provider { .. } => None,
        }
    }
}

/// Decides where each wanted value comes from.
pub fn plan(catalogue: &Catalogue<'_>, wanted: &Wanted) -> Result<Plan, Problems> {
    match wanted {
        Wanted::All => Ok(all(catalogue)),
        Wanted::These(references) => these(catalogue, references),
    }
}

/// The role that takes a value out of a scope. Whoever may not even do that in the scope itself is only shown a plan, and
/// sees it as it would be for somebody who may.
fn needed(catalogue: &Catalogue<'_>) -> Role {
    catalogue.scope.role.min(Role::Run)
}

fn all(catalogue: &Catalogue<'_>) -> Plan {
    let mut found = BTreeMap::new();
    let mut warning = None;
    match &catalogue.organization {
        Some(organization) if organization.role >= needed(catalogue) => {
            found.extend(organization.names.iter().map(|(name, version)| (*name, (organization, *version))));
        }
        Some(organization) => {
            let left = organization.names.keys().filter(|name| !catalogue.scope.names.contains_key(*name));
            warning = Some(format!(
                "the organization's own secrets ({}) are left out: your role there is {}, and values take {}",
                left.count(),
                organization.role,
                Role::Run
            ));
        }
        None if catalogue.scope.scope != ScopeRef::Organization => {
            warning = Some(
                "the organization's secrets are left out: you are not a member of the organization"
                    .to_owned(),
            );
        }
        None => {}
    }
    let own = &catalogue.scope;
    found.extend(own.names.iter().map(|(name, version)| (*name, (own, *version))));
    let step = |(name, (listing, version)): (&SecretName, (&Listing<'_>, u32))| Step::Secret {
        scope: listing.scope.clone(),
        name: name.clone(),
        version,
    };
    Plan { steps: found.into_iter().map(step).collect(), warning }
}

fn these(catalogue: &Catalogue<'_>, references: &[Reference]) -> Result<Plan, Problems> {
    let mut problems = Problems {
        scope: catalogue.scope.scope.clone(),
        looked_in_organization: catalogue.organization.is_some(),
        unknown: Vec::new(),
        no_provider: Vec::new(),
        denied: Vec::new(),
    };
    let mut steps = Vec::with_capacity(references.len());
    let mut seen = std::collections::HashSet::with_capacity(references.len());
    for reference in references.iter().filter(|reference| seen.insert(*reference)) {
        match reference {
            Reference::Secret(name) => match listed(catalogue, name) {
                Some((listing, version)) if listing.role >= needed(catalogue) => {
                    steps.push(Step::Secret { scope: listing.scope.clone(), name: name.clone(), version });
                }
                Some((listing, _)) => {
                    problems.denied.push((name.clone(), listing.scope.clone(), listing.role));
                }
                None => {
                    problems.unknown.push((name.clone(), nearest(catalogue, name, problems.unknown.len())))
                }
            },
            Reference::Provider { alias, key } if catalogue.providers.contains(alias) => {
                steps.push(Step::Provider { alias: alias.clone(), key: key.clone() });
            }
            Reference::Provider { alias, .. } => {
                if !problems.no_provider.iter().any(|(known, _)| known == alias) {
                    let all = catalogue.providers.iter().map(Alias::as_str);
                    let near = filter::nearest(alias.as_str(), all).and_then(|text| Alias::parse(text).ok());
                    problems.no_provider.push((alias.clone(), near));
                }
            }
        }
    }
    let fine = problems.unknown.is_empty() && problems.no_provider.is_empty() && problems.denied.is_empty();
    if fine { Ok(Plan { steps, warning: None }) } else { Err(problems) }
}

fn listed<'c>(catalogue: &'c Catalogue<'c>, name: &SecretName) -> Option<(&'c Listing<'c>, u32)> {
    let places = std::iter::once(&catalogue.scope).chain(&catalogue.organization);
    places.into_iter().find_map(|listing| Some((listing, *listing.names.get(name)?)))
}

/// So many unknown names get a suggestion and are named; of more, the number is told. Bounds the time that a text full of
/// nonsense takes.
const NAMED: usize = 20;

fn nearest(catalogue: &Catalogue<'_>, name: &SecretName, before: usize) -> Option<SecretName> {
    if before >= NAMED {
        return None;
    }
    let places = std::iter::once(&catalogue.scope).chain(&catalogue.organization);
    let names = places.flat_map(|listing| listing.names.keys().map(|name| name.as_str()));
    filter::nearest(name.as_str(), names).and_then(|text| SecretName::parse(text).ok())
}

impl std::error::Error for Problems {}

impl std::fmt::Display for Problems {
    /// One sentence without a full stop, naming everything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if !self.unknown.is_empty() {
            let looked_in = match (&self.scope, self.looked_in_organization) {
                (ScopeRef::Organization, _) => format!("{} has", self.scope),
                (_, true) => format!("{} and the organization have", self.scope),
                (_, false) => format!("{} (you are not a member of the organization) has", self.scope),
            };
            parts.push(format!("{looked_in} no secret {}", told(&self.unknown)));
        }
        if !self.no_provider.is_empty() {
            parts.push(format!("there is no provider {}", told(&self.no_provider)));
        }
        if !self.denied.is_empty() {
            let (_, scope, role) = self.denied.first().ok_or(std::fmt::Error)?;
            let names: Vec<_> = self.denied.iter().map(|(name, ..)| (name.clone(), None)).collect();
            let (verb, role_needed) = (if names.len() == 1 { "is" } else { "are" }, Role::Run);
            parts.push(format!(
                "{} {verb} in {scope}, where your role is {role}; values take {role_needed}",
                told(&names)
            ));
        }
        f.write_str(&parts.join("; "))
    }
}

/// `A (did you mean B?), C and 4 more`.
fn told<T: std::fmt::Display>(list: &[(T, Option<T>)]) -> String {
    let mut text = String::new();
    for (n, (name, near)) in list.iter().take(NAMED).enumerate() {
        let _ = write!(text, "{}{name}", if n == 0 { "" } else { ", " }); // writing to a String cannot fail
        if let Some(near) = near {
            let _ = write!(text, " (did you mean {near}?)");
        }
    }
    if list.len() > NAMED {
        let _ = write!(text, " and {} more", list.len() - NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    fn web() -> ScopeRef {
        ScopeRef::Project(crate::domain::ProjectName::parse("web").unwrap())
    }

    /// What the plan says, or what it complains about.
    fn planned(
        project: Role,
        organization: Option<Role>,
        wanted: &Wanted,
    ) -> Result<(Vec<String>, bool), String> {
        let (own, shared) = ([name("BOTH"), name("OWN")], [name("BOTH"), name("SHARED")]);
        let catalogue = Catalogue {
            scope: Listing { scope: web(), role: project, names: own.iter().map(|name| (name, 1)).collect() },
            organization: organization.map(|role| Listing {
                scope: ScopeRef::Organization,
                role,
                names: shared.iter().map(|name| (name, 7)).collect(),
            }),
            providers: vec![Alias::parse("prod").unwrap()],
        };
        let plan = plan(&catalogue, wanted).map_err(|problems| problems.to_string())?;
        let step = |step: &Step| {
            format!("{} of {} v{}", step.reference(), step.source(), step.version().unwrap_or_default())
        };
        Ok((plan.steps.iter().map(step).collect(), plan.warning.is_some()))
    }

    fn these(names: &[&str]) -> Wanted {
        Wanted::These(names.iter().map(|text| Reference::Secret(name(text))).collect())
    }

    fn provider(alias: &str) -> Reference {
        Reference::Provider { alias: Alias::parse(alias).unwrap(), key: ProviderKey::parse("k").unwrap() }
    }

    #[test]
    fn a_project_goes_before_the_organization() {
        let (steps, warned) = planned(Role::Run, Some(Role::Run), &Wanted::All).unwrap();
        let want = [
            "$secret.BOTH of project web v1",
            "$secret.OWN of project web v1",
            "$secret.SHARED of the organization v7",
        ];
        assert_eq!((steps.as_slice(), warned), (want.map(str::to_owned).as_slice(), false));
        let wanted = these(&["SHARED", "BOTH", "SHARED"]);
        let (steps, _) = planned(Role::Owner, Some(Role::Run), &wanted).unwrap();
        assert_eq!(steps, ["$secret.SHARED of the organization v7", "$secret.BOTH of project web v1"]);
    }

    #[test]
    fn all_is_the_project_alone_where_the_organization_is_out_of_reach() {
        for organization in [None, Some(Role::Read)] {
            let (steps, warned) = planned(Role::Run, organization, &Wanted::All).unwrap();
            assert_eq!(steps, ["$secret.BOTH of project web v1", "$secret.OWN of project web v1"]);
            assert!(warned);
        }
        // a reader is shown the plan of somebody who may
        let (steps, warned) = planned(Role::Read, Some(Role::Read), &Wanted::All).unwrap();
        assert!(steps.len() == 3 && !warned);
    }

    #[test]
    fn everything_that_is_wrong_is_told_in_one_sentence() {
        let Wanted::These(mut wanted) = these(&["OWNN", "NOWHERE_AT_ALL", "SHARED", "OWN"]) else {
            unreachable!()
        };
        wanted.extend([provider("prdo"), provider("prdo"), provider("prod")]);
        let told = planned(Role::Run, Some(Role::Read), &Wanted::These(wanted)).unwrap_err();
        assert_eq!(
            told,
            "project web and the organization have no secret OWNN (did you mean OWN?), NOWHERE_AT_ALL; \
             there is no provider prdo (did you mean prod?); \
             SHARED is in the organization, where your role is read; values take run"
        );
        let told = planned(Role::Run, None, &these(&["SHARED"])).unwrap_err();
        assert_eq!(told, "project web (you are not a member of the organization) has no secret SHARED");
    }

    #[test]
    fn a_name_of_the_project_needs_no_role_in_the_organization() {
        let (steps, _) = planned(Role::Run, Some(Role::Read), &these(&["BOTH"])).unwrap();
        assert_eq!(steps, ["$secret.BOTH of project web v1"]);
    }

    #[test]
    fn providers_that_are_there_are_asked() {
        let (steps, _) = planned(Role::Run, None, &Wanted::These(vec![provider("prod")])).unwrap();
        assert_eq!(steps, ["$secrets['prod']['k'] of provider prod v0"]);
    }

    #[test]
    fn a_hundred_thousand_unknown_names_are_told_shortly_and_soon() {
        let references = (0..100_000).map(|n| Reference::Secret(name(&format!("N{n}")))).collect();
        let started = std::time::Instant::now();
        let told = planned(Role::Run, Some(Role::Run), &Wanted::These(references)).unwrap_err();
        assert!(told.len() < 1000 && told.ends_with("N19 and 99980 more"), "{told}");
        assert!(started.elapsed().as_secs() < 10);
    }
}
