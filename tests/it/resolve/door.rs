//! `Resolve` through the door: sources, roles in two scopes, one error for everything, and the read log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::people::{Machine, ORG, admit, name, passphrase, project, set};
use sealbox::domain::{LogKind, LogPick, ProjectName, Reference, Role, ScopeRef};
use sealbox::service::*;

/// The founder's machine, a guest's, and the guest's service, unlocked.
struct Office {
    _owner: Machine,
    guest: Machine,
    service: LocalService,
}

/// BOTH and SHARED in the organization, BOTH and OWN in the project web; the guest has these roles.
fn office(web: Option<Role>, organization: Option<Role>) -> Office {
    let (owner, mut vault) = Machine::founded();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    for (scope, secret) in
        [(&ORG, "BOTH"), (&ORG, "SHARED"), (&project("web"), "BOTH"), (&project("web"), "OWN")]
    {
        set(&mut vault, scope, secret, &format!("{secret} of {scope}")).unwrap();
    }
    let web = web.map(|role| (project("web"), role));
    let grants: Vec<_> = web.into_iter().chain(organization.map(|role| (ORG, role))).collect();
    let grants: Vec<_> = grants.iter().map(|(scope, role)| (scope, *role)).collect();
    let (guest, opened) = admit(&mut vault, "gus", &grants);
    drop((opened, vault));
    let service = LocalService::new(ServiceOptions { audit_required: true, ..guest.service_options() });
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    Office { _owner: owner, guest, service }
}

impl Office {
    fn resolve(&self, scope: ScopeRef, wanted: Wanted, dry_run: bool) -> Result<Resolved, ServiceError> {
        let (purpose, program) = (ResolvePurpose::Run, "a test".to_owned());
        ask(&self.service, Resolve { scope, wanted, purpose, program, dry_run })
    }

    /// `name=value` each; in a dry run, where it would come from.
    fn told(&self, wanted: Wanted, dry_run: bool) -> Result<Vec<String>, ServiceError> {
        let resolved = self.resolve(project("web"), wanted, dry_run)?;
        let told = |item: &ResolvedItem| {
            let name = item.name().unwrap();
            assert_eq!((item.version, item.value.is_none()), (Some(1), dry_run));
            match &item.value {
                Some(value) => format!("{name}={}", value.expose_text().unwrap()),
                None => format!("{name} from {}", item.source),
            }
        };
        Ok(resolved.items.iter().map(told).collect())
    }
}

fn these(names: &[&str]) -> Wanted {
    Wanted::These(names.iter().map(|text| Reference::Secret(name(text))).collect())
}

#[test]
fn a_project_goes_before_the_organization_and_each_value_comes_once() {
    let office = office(Some(Role::Run), Some(Role::Run));
    let all = office.told(Wanted::All, false).unwrap();
    assert_eq!(
        all,
        ["BOTH=BOTH of project web", "OWN=OWN of project web", "SHARED=SHARED of the organization"]
    );
    let some = office.told(these(&["SHARED", "BOTH", "SHARED"]), false).unwrap();
    assert_eq!(some, ["SHARED=SHARED of the organization", "BOTH=BOTH of project web"]);
    let resolved = office.resolve(ORG, Wanted::All, false).unwrap();
    assert_eq!(resolved.items.len(), 2, "an organization knows nothing of its projects' secrets");
}

#[test]
fn a_reader_sees_the_plan_and_no_value() {
    let office = office(Some(Role::Read), Some(Role::Read));
    let all = office.told(Wanted::All, true).unwrap();
    assert_eq!(all, ["BOTH from project web", "OWN from project web", "SHARED from the organization"]);
    let error = office.told(Wanted::All, false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
}

#[test]
fn what_falls_through_takes_a_role_in_the_organization_too() {
    let office = office(Some(Role::Write), Some(Role::Read));
    assert_eq!(office.told(these(&["BOTH"]), false).unwrap(), ["BOTH=BOTH of project web"]);
    for dry_run in [false, true] {
        let error = office.told(these(&["BOTH", "SHARED"]), dry_run).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert_eq!(error.message, "SHARED is in the organization, where your role is read; values take run");
        assert_eq!(error.hint.unwrap(), "ask an owner for the role run in the organization");
        let resolved = office.resolve(project("web"), Wanted::All, dry_run).unwrap();
        assert_eq!(resolved.items.len(), 2);
        assert!(resolved.warning.unwrap().contains("(1) are left out"));
    }
}

#[test]
fn without_the_organization_all_is_the_project_alone() {
    let office = office(Some(Role::Run), None);
    let resolved = office.resolve(project("web"), Wanted::All, false).unwrap();
    assert_eq!(resolved.items.len(), 2);
    assert!(resolved.warning.unwrap().contains("not a member of the organization"));
    let error = office.told(these(&["OWN", "SHARED"]), false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("you are not a member of the organization"), "{error}");
}

#[test]
fn all_unknown_names_are_told_at_once_and_nothing_is_read() {
    let office = office(Some(Role::Run), Some(Role::Run));
    let error = office.told(these(&["OWNN", "OWN", "NOWHERE", "SHARDE"]), false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        error.message,
        "project web and the organization have no secret OWNN (did you mean OWN?), NOWHERE, SHARDE (did you mean SHARED?)"
    );
}

#[test]
fn what_was_read_and_what_was_refused_is_in_the_read_log_of_its_scope() {
    let office = office(Some(Role::Run), Some(Role::Run));
    office.told(Wanted::All, true).unwrap();
    office.told(Wanted::All, false).unwrap();
    office.told(these(&["OWN"]), false).unwrap();
    office.told(these(&["NOWHERE"]), false).unwrap_err();
    let vault = office.guest.open();
    let pick = LogPick { kind: LogKind::Reads, ..LogPick::default() };
    let log = |scope: &ScopeRef| -> Vec<String> {
        let events = vault.log_of(scope, &pick, None).unwrap();
        let told = events.iter().map(|event| {
            let read = event.read.as_ref().unwrap();
            let names: Vec<_> = read.names.iter().map(|name| name.as_str()).collect();
            assert_eq!(read.program, "a test");
            format!("{} {} {}", event.action, read.code.token(), names.join("+"))
        });
        told.collect()
    };
    assert_eq!(log(&ORG), ["run ok SHARED"]);
    assert_eq!(log(&project("web")), ["run ok BOTH+OWN", "run ok OWN", "run secret_not_found NOWHERE"]);
}
