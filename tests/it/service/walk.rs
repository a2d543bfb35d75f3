//! Every request, by everybody: nobody, somebody locked out, and each role. What `Request::need` states is what happens.

use super::service_on;
use crate::people::{Machine, ORG, admit, name, passphrase, project, set, value};
use sealbox::domain::{Passphrase, ProjectName, Role, SecretValue};
use sealbox::service::*;
use std::sync::LazyLock;

/// Who asks. Each has a machine in the named state; the vault is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    Locked,
    Member(Role),
}

const EVERYBODY: [Who; 6] = [
    Who::Nobody,
    Who::Locked,
    Who::Member(Role::Read),
    Who::Member(Role::Run),
    Who::Member(Role::Write),
    Who::Member(Role::Owner),
];

const CANARY: &str = "canary of the walk";

pub(crate) struct Stage {
    /// The founder's; kept so that the shared store lives.
    pub(crate) owner: Machine,
    guest: Option<Machine>,
    pub(crate) service: LocalService,
    somebody: String,
}

impl Stage {
    /// A fresh vault with secret A, members wil and bob, project web; and the service of `who`.
    pub(crate) fn of(who: Who) -> Self {
        let (owner, mut vault) = Machine::founded();
        set(&mut vault, &ORG, "A", "an older value").unwrap();
        set(&mut vault, &ORG, "A", CANARY).unwrap();
        vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
        set(&mut vault, &project("web"), "B", "of web").unwrap();
        let stranger = || Machine::new().home().create_identity(&passphrase()).unwrap();
        vault.add_member(&ORG, &stranger(), "wil", Role::Write).unwrap();
        let somebody = stranger();
        let guest = match who {
            Who::Nobody => Some(Machine::new()),
            Who::Locked | Who::Member(Role::Owner) => None,
            Who::Member(role) => Some(admit(&mut vault, "gus", &[(&ORG, role)]).0),
        };
        drop(vault);
        let service = service_on(guest.as_ref().unwrap_or(&owner));
        if matches!(who, Who::Member(_)) {
            ask(&service, Unlock { passphrase: passphrase() }).unwrap();
        }
        Self { owner, guest, service, somebody }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.guest.as_ref().unwrap_or(&self.owner).folder.path().join(name)
    }
}

fn wrong() -> Passphrase {
    Passphrase::new("wrong".to_owned())
}

fn text(text: &str) -> SecretValue {
    value(text)
}

/// One of each request, harmless enough to be asked by anybody.
pub(crate) fn requests(stage: &Stage) -> Vec<Request> {
    let (scope, a) = (ORG, name("A"));
    let resolve = |dry_run| {
        Request::Resolve(Resolve {
            scope: ORG,
            wanted: Wanted::All,
            purpose: ResolvePurpose::Run,
            program: "env".into(),
            dry_run,
        })
    };
    let get = |purpose| {
        Request::GetSecret(GetSecret {
            scope: ORG,
            name: name("A"),
            version: None,
            purpose,
            program: "test".into(),
        })
    };
    vec![
        Request::Status(Status {}),
        Request::InitPrepare(InitPrepare {
            organization: "acme".into(),
            name: "eve".into(),
            passphrase: passphrase(),
        }),
        Request::InitCommit(InitCommit {}),
        Request::Unlock(Unlock { passphrase: wrong() }),
        Request::Lock(Lock {}),
        Request::Touch(Touch {}),
        Request::KeepOpen(KeepOpen { seconds: 3600 }),
        Request::ListScopes(ListScopes {}),
        Request::ListSecrets(ListSecrets { scope: scope.clone() }),
        get(Purpose::Resolve),
        get(Purpose::Reveal),
        get(Purpose::Copy),
        Request::SetSecret(SetSecret {
            scope: scope.clone(),
            name: a.clone(),
            value: text("n"),
            mode: SetMode::Upsert,
        }),
        Request::SetRotation(SetRotation {
            scope: scope.clone(),
            name: a.clone(),
            every_s: Some(86_400),
            with: Some(NewValue { value: text("n"), mode: SetMode::Upsert }),
        }),
        Request::DeleteSecret(DeleteSecret { scope: scope.clone(), name: a.clone() }),
        Request::GetHistory(GetHistory { scope: scope.clone(), name: a.clone() }),
        Request::Rollback(Rollback { scope: scope.clone(), name: a.clone(), version: 1 }),
        Request::FindSecrets(FindSecrets { query: String::new() }),
        Request::CreateProject(CreateProject { name: ProjectName::parse("new").unwrap() }),
        Request::ListMembers(ListMembers { scope: scope.clone() }),
        Request::AddMember(AddMember {
            scope: scope.clone(),
            id: stage.somebody.clone(),
            label: "new".into(),
            role: Role::Read,
        }),
        Request::SetMemberRole(SetMemberRole {
            scope: scope.clone(),
            member: "wil".into(),
            role: Role::Read,
        }),
        Request::RemoveMember(RemoveMember { scope: scope.clone(), member: "wil".into() }),
        Request::MyId(MyId {}),
        Request::CreateIdentity(CreateIdentity { passphrase: passphrase() }),
        Request::Join(Join { link: "scj1_nonsense".into(), store: None, passphrase: passphrase() }),
        Request::ChangePassphrase(ChangePassphrase { old: wrong(), new: passphrase(), memory_mib: None }),
        Request::GetLog(GetLog { scope: scope.clone(), limit: None, pick: LogPick::default() }),
        Request::Verify(Verify {}),
        Request::Import(Import {
            scope: scope.clone(),
            entries: vec![(name("I"), text("i"))],
            on_existing: OnExisting::Fail,
            dry_run: false,
        }),
        Request::Export(Export { scope, names: None, with_organization: false, program: "test".into() }),
        resolve(true),
        resolve(false),
        Request::Backup(Backup { to: stage.path("walk-backup") }),
        Request::Restore(Restore { from: stage.path("missing"), accept_rollback: false }),
        Request::Recover(Recover {
            recovery_key: text("nonsense"),
            from: None,
            name: "x".into(),
            passphrase: passphrase(),
        }),
        Request::Reset(Reset {}),
        Request::Lint(Lint { scope: Some(ORG) }),
        Request::Lint(Lint { scope: None }),
        Request::Doctor(Doctor { accept_rollback: false }),
        Request::Fingerprints(Fingerprints { scopes: None }),
        Request::KeepOpen(KeepOpen { seconds: 3600 }),
    ]
}

/// What came of one request by somebody.
struct Step {
    who: Who,
    kind: &'static str,
    need: Need,
    error: Option<ServiceError>,
    /// The answer or error as JSON.
    said: String,
}

/// These change what later requests would find, and get a stage of their own.
const LASTING: [&str; 14] = [
    "InitPrepare",
    "Lock",
    "SetSecret",
    "SetRotation",
    "DeleteSecret",
    "Rollback",
    "CreateProject",
    "AddMember",
    "SetMemberRole",
    "RemoveMember",
    "CreateIdentity",
    "Import",
    "Backup",
    "Reset",
];

/// Every request by everybody, asked once for all tests.
static WALK: LazyLock<Vec<Step>> = LazyLock::new(|| {
    let mut steps = Vec::new();
    for who in EVERYBODY {
        let shared = Stage::of(who);
        for (n, request) in requests(&shared).into_iter().enumerate() {
            let (kind, need) = (request.kind(), request.need());
            let answer = if LASTING.contains(&kind) {
                let stage = Stage::of(who);
                stage.service.handle(requests(&stage).swap_remove(n))
            } else {
                shared.service.handle(request)
            };
            let said = match &answer {
                Ok(answer) => serde_json::to_string(answer).unwrap(),
                Err(error) => serde_json::to_string(error).unwrap(),
            };
            steps.push(Step { who, kind, need, error: answer.err(), said });
        }
    }
    steps
});

#[test]
fn every_request_is_allowed_or_refused_as_its_need_says() {
    for Step { who, kind: asked, need, error, .. } in WALK.iter() {
        let what = format!("{asked} by {who:?}");
        let kind = error.as_ref().map(|error| error.kind);
        match (need, who) {
            (Need::Nothing, _) => {} // looked at one by one below
            (_, Who::Nobody) => assert_eq!(kind, Some(ErrorKind::NotFound), "{what}"),
            (_, Who::Locked) => assert_eq!(kind, Some(ErrorKind::Locked), "{what}"),
            (Need::Role(_, least), Who::Member(role)) if role < least => {
                assert_eq!(kind, Some(ErrorKind::Denied), "{what}");
                let hint = error.as_ref().unwrap().hint.clone().unwrap();
                assert!(hint.contains(least.word()), "{what}: {hint}");
            }
            (_, Who::Member(_)) => assert_eq!(kind, None, "{what}: {error:?}"),
        }
    }
}

#[test]
fn the_needs_are_the_table_of_roles() {
    let stage = Stage::of(Who::Nobody);
    let needs: Vec<_> = requests(&stage)
        .iter()
        .filter_map(|request| match request.need() {
            Need::Role(_, role) => Some((request.kind(), role)),
            _ => None,
        })
        .collect();
    use Role::{Owner, Read, Run, Write};
    let expected = [
        ("ListSecrets", Read),
        ("GetSecret", Run),
        ("GetSecret", Write),
        ("GetSecret", Write),
        ("SetSecret", Write),
        ("SetRotation", Write),
        ("DeleteSecret", Write),
        ("GetHistory", Read),
        ("Rollback", Write),
        ("CreateProject", Owner),
        ("ListMembers", Read),
        ("AddMember", Owner),
        ("SetMemberRole", Owner),
        ("RemoveMember", Owner),
        ("GetLog", Read),
        ("Import", Write),
        ("Export", Run),
        ("Resolve", Read),
        ("Resolve", Run),
        ("Lint", Read),
    ];
    assert_eq!(needs, expected);
}

#[test]
fn requests_that_need_nothing_end_as_the_state_of_the_machine_says() {
    use ErrorKind::{Conflict, Locked, NotFound, Usage};
    for Step { who, kind: asked, error, .. } in WALK.iter().filter(|step| step.need == Need::Nothing) {
        let kind = error.as_ref().map(|error| error.kind);
        let what = format!("{asked} by {who:?}: {error:?}");
        let there = *who != Who::Nobody;
        let expected = match *asked {
            "InitPrepare" | "CreateIdentity" => there.then_some(Conflict),
            "InitCommit" | "Join" | "Recover" => Some(Usage),
            "Unlock" | "ChangePassphrase" => Some(if there { Locked } else { NotFound }),
            "Restore" => {
                assert!(kind.is_some(), "{what}");
                continue;
            }
            "Verify" | "Backup" if !there => {
                assert!(kind.is_some(), "there is nothing to verify or copy: {what}");
                continue;
            }
            _ => None,
        };
        assert_eq!(kind, expected, "{what}");
    }
}

#[test]
fn no_answer_to_a_reader_or_an_outsider_holds_a_value() {
    let sealed = "Y2FuYXJ5IG9mIHRoZSB3YWxr";
    let outsiders = [Who::Nobody, Who::Locked, Who::Member(Role::Read)];
    for Step { who, kind, said, .. } in WALK.iter().filter(|step| outsiders.contains(&step.who)) {
        assert!(!said.contains(CANARY) && !said.contains(sealed), "{kind} told {who:?} a value");
    }
    assert!(
        WALK.iter().any(|step| step.who == Who::Member(Role::Run) && step.said.contains(sealed)),
        "the check bites"
    );
}

#[test]
fn a_scope_of_which_one_is_no_member_does_not_exist() {
    let stage = Stage::of(Who::Member(Role::Write));
    let error = ask(&stage.service, ListSecrets { scope: project("web") }).err().unwrap();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let other = ask(&stage.service, ListSecrets { scope: project("nowhere") }).err().unwrap();
    assert_eq!(error.message.replace("web", "nowhere"), other.message, "its existence is not told");
}

#[test]
fn an_export_with_the_organizations_secrets_takes_a_role_there_too() {
    let (owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", CANARY).unwrap();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    set(&mut vault, &project("web"), "B", "x").unwrap();
    let web = project("web");
    let (machine, guest) = admit(&mut vault, "gus", &[(&web, Role::Write), (&ORG, Role::Read)]);
    drop((guest, vault));
    let service = service_on(&machine);
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    let export = |with_organization| {
        ask(
            &service,
            Export { scope: project("web"), names: None, with_organization, program: "test".into() },
        )
    };
    assert_eq!(export(false).unwrap().entries.len(), 1);
    assert_eq!(export(true).err().unwrap().kind, ErrorKind::Denied);
    drop(owner);
}

#[test]
fn after_a_reset_or_restore_nothing_old_is_answered() {
    let stage = Stage::of(Who::Member(Role::Owner));
    let backup = stage.path("b");
    ask(&stage.service, Backup { to: backup.clone() }).unwrap();
    ask(
        &stage.service,
        SetSecret { scope: ORG, name: name("A"), value: text("newer"), mode: SetMode::Upsert },
    )
    .unwrap();
    ask(&stage.service, Restore { from: backup, accept_rollback: true }).unwrap();
    ask(&stage.service, Unlock { passphrase: passphrase() }).unwrap();
    let get = || {
        ask(
            &stage.service,
            GetSecret {
                scope: ORG,
                name: name("A"),
                version: None,
                purpose: Purpose::Resolve,
                program: "test".into(),
            },
        )
    };
    assert_eq!(get().unwrap().value.expose(), CANARY.as_bytes());
    ask(&stage.service, Reset {}).unwrap();
    assert_eq!(get().err().unwrap().kind, ErrorKind::NotFound);
    assert_eq!(ask(&stage.service, Status {}).unwrap().state, VaultState::Absent);
}
