//! Good practice as checks: over names, dates and values of every scope that we can see.
//!
//! Owns the walk; the rules are `domain::{lint, shape}`. Values are opened one at a time, compared by a hash keyed with a
//! random key of this one run, and never leave: a finding has names only. Because no value is handed out, nothing is
//! written into the read log. Where our role opens no value, names and dates are looked at, and that is said.

use super::error::VaultError;
use super::session::Vault;
use super::space::Space;
use crate::crypto::{random, sha256_keyed};
use crate::domain::lint::{Finding, LintCode, LintReport, Severity, Unchecked, is_vague};
use crate::domain::{Role, Rotation, ScopeRef, SecretName, shape, span};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A secret by place.
type Place = (ScopeRef, SecretName);

impl Vault {
    /// Looks at one scope, or at all of them. What is told of one scope includes what it shares with the others.
    pub fn lint(&self, scope: Option<&ScopeRef>) -> Result<LintReport, VaultError> {
        if let Some(scope) = scope {
            self.space_as(scope, Role::Read)?;
        }
        let mut look = Look {
            only: scope,
            now_ms: self.clock.wall_ms(),
            key: random::array()?,
            report: LintReport::default(),
            same: HashMap::new(),
            marks: BTreeMap::new(),
        };
        let spaces = self.spaces();
        for (place, space) in &spaces {
            look.names(place, space)?;
            look.values(self, place, space)?;
        }
        let organization = spaces.iter().find(|(place, _)| *place == ScopeRef::Organization);
        if let Some((_, organization)) = organization {
            let projects = spaces.iter().filter(|(place, _)| *place != ScopeRef::Organization);
            for (place, project) in projects {
                look.shadows(place, project, organization);
            }
        }
        look.duplicates();
        let mut report = look.report;
        report.findings.sort_by(|one, two| {
            let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.code);
            key(one).cmp(&key(two)).then_with(|| (&one.scope, &one.names).cmp(&(&two.scope, &two.names)))
        });
        Ok(report)
    }
}

struct Look<'a> {
    only: Option<&'a ScopeRef>,
    now_ms: u64,
    key: [u8; 32],
    report: LintReport,
    /// Secrets by the keyed hash of their value, where that is worth comparing.
    same: HashMap<[u8; 32], Vec<Place>>,
    /// The keyed hash of every value, for shadows.
    marks: BTreeMap<Place, [u8; 32]>,
}

impl Look<'_> {
    fn wanted(&self, scope: &ScopeRef) -> bool {
        self.only.is_none_or(|only| only == scope)
    }

    fn tell(&mut self, code: LintCode, severity: Severity, place: &Place, what: &str, next: String) {
        let (scope, name) = place;
        self.report.findings.push(Finding {
            code,
            severity,
            scope: scope.clone(),
            names: vec![name.clone()],
            message: format!("{name} in {scope} {what}"),
            next,
        });
    }

    fn names(&mut self, scope: &ScopeRef, space: &Space) -> Result<(), VaultError> {
        if !self.wanted(scope) {
            return Ok(());
        }
        let state = space.state()?;
        for (name, id) in space.names() {
            let Some(meta) = state.secrets.get(id).and_then(|secret| space.meta(name, id, state, secret))
            else {
                continue;
            };
            self.report.secrets += 1;
            let place = (scope.clone(), name.clone());
            if is_vague(name) {
                let next = "give it a name that says what it opens, then delete this one".to_owned();
                self.tell(LintCode::VagueName, Severity::Info, &place, "has a name that says nothing", next);
            }
            if let (Some(Rotation::Due(late)), Some(every)) =
                (meta.rotation(self.now_ms), meta.rotate_every_s)
            {
                let what =
                    format!("is older than the {} it may live, by {}", span::words(every), span::about(late));
                let next = format!("change it at its source, then: sealbox set {name}{}", flag(scope));
                self.tell(LintCode::RotationDue, Severity::Warning, &place, &what, next);
            }
        }
        Ok(())
    }

    fn values(&mut self, vault: &Vault, scope: &ScopeRef, space: &Space) -> Result<(), VaultError> {
        let role = space.role().unwrap_or(Role::Read);
        let mut unreadable = 0;
        if role >= Role::Run {
            let state = space.state()?;
            for (name, id) in space.names() {
                let Some(secret) = state.secrets.get(id) else { continue };
                match vault.open_version(space, name, id, secret, secret.current()) {
                    Ok(value) => self.value(&(scope.clone(), name.clone()), value.expose()),
                    Err(error @ VaultError::Store(_)) => return Err(error),
                    Err(_) => unreadable += 1, // `verify` is who complains about that
                }
            }
        }
        if self.wanted(scope) && (role < Role::Run || unreadable > 0) {
            let role = (role < Role::Run).then_some(role);
            self.report.unchecked.push(Unchecked { scope: scope.clone(), role, unreadable });
        }
        Ok(())
    }

    fn value(&mut self, place: &Place, value: &[u8]) {
        let (scope, name) = place;
        let mark = sha256_keyed(&self.key, value);
        self.marks.insert(place.clone(), mark);
        if shape::is_distinctive(value) {
            self.same.entry(mark).or_default().push(place.clone());
        }
        if !self.wanted(scope) {
            return;
        }
        let again = format!("sealbox set {name}{}", flag(scope));
        if let Some(why) = shape::kind_of(value).and_then(|kind| shape::contradiction(name, kind)) {
            self.tell(LintCode::KindMismatch, Severity::Error, place, &why, again.clone());
        }
        if let Some((why, certain)) = shape::weakness(name, value) {
            let severity = if certain { Severity::Error } else { Severity::Warning };
            self.tell(LintCode::WeakValue, severity, place, why, format!("{again} --generate"));
        }
        if shape::ends_with_stray_newline(value) {
            let next = format!("if that is not meant: printf %s \"$VALUE\" | {again}");
            self.tell(LintCode::TrailingNewline, Severity::Warning, place, "ends with a line break", next);
        }
    }

    /// What a project has and the organization too.
    fn shadows(&mut self, scope: &ScopeRef, project: &Space, organization: &Space) {
        if !self.wanted(scope) && !self.wanted(&ScopeRef::Organization) {
            return;
        }
        for name in project.names().keys().filter(|name| organization.names().contains_key(name)) {
            let place = (scope.clone(), name.clone());
            let here = self.marks.get(&place);
            let there = self.marks.get(&(ScopeRef::Organization, name.clone()));
            if here.is_some() && here == there {
                let next = format!("one is enough: sealbox delete {name}{}", flag(scope));
                let what = "repeats the organization's secret of the same name and value";
                self.tell(LintCode::DuplicatesOrganization, Severity::Warning, &place, what, next);
            } else {
                let next = "nothing, if it is meant; else delete one of them".to_owned();
                let what = "takes the place of the organization's secret of the same name";
                self.tell(LintCode::ShadowsOrganization, Severity::Info, &place, what, next);
            }
        }
    }

    /// One value under several names.
    fn duplicates(&mut self) {
        let groups: Vec<Vec<Place>> = std::mem::take(&mut self.same).into_values().collect();
        for mut places in groups {
            // A project's copy of the organization's own secret has been told already.
            let at_top: BTreeSet<SecretName> = places
                .iter()
                .filter(|(scope, _)| *scope == ScopeRef::Organization)
                .map(|(_, name)| name.clone())
                .collect();
            places.retain(|(scope, name)| *scope == ScopeRef::Organization || !at_top.contains(name));
            places.sort();
            let concerns = places.iter().any(|(scope, _)| self.wanted(scope));
            let Some((scope, _)) = places.first().filter(|_| concerns && places.len() > 1) else { continue };
            let said: Vec<String> = places.iter().map(|(scope, name)| format!("{name} in {scope}")).collect();
            self.report.findings.push(Finding {
                code: LintCode::DuplicateValue,
                severity: Severity::Warning,
                scope: scope.clone(),
                names: places.iter().map(|(_, name)| name.clone()).collect(),
                message: format!("one value is kept under several names: {}", said.join(", ")),
                next: "keep one of them, or give each its own value at its source".to_owned(),
            });
        }
    }
}

/// The flag that names a scope on the command line.
fn flag(scope: &ScopeRef) -> String {
    match scope {
        ScopeRef::Organization => " --org".to_owned(),
        ScopeRef::Project(name) => format!(" -p {name}"),
    }
}
