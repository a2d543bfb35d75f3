//! What the door writes into the read log, and that it closes where a reading must be written and cannot.

use super::service_on;
use crate::people::{Machine, ORG, admit, name, passphrase, project, set, value};
use sealbox::domain::{ProjectName, ReadCode, Role};
use sealbox::service::*;

fn office() -> Machine {
    let (machine, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "canary").unwrap();
    set(&mut vault, &ORG, "B", "canary").unwrap();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    set(&mut vault, &project("web"), "B", "canary").unwrap();
    machine
}

fn unlocked(machine: &Machine) -> LocalService {
    let service = service_on(machine);
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    service
}

fn get(secret: &str, version: Option<u32>, purpose: Purpose) -> GetSecret {
    GetSecret { scope: ORG, name: name(secret), version, purpose, program: "a program".into() }
}

/// What was read in a scope, as `action:code:NAME+NAME vN`.
fn told(service: &LocalService, scope: &sealbox::domain::ScopeRef) -> Vec<String> {
    let pick = LogPick { kind: LogKind::Reads, ..LogPick::default() };
    let events = ask(service, GetLog { scope: scope.clone(), limit: None, pick }).unwrap();
    let word = |event: &LogEvent| {
        let read = event.read.as_ref().unwrap();
        assert_eq!(read.program, "a program");
        let names: Vec<_> = read.names.iter().map(|name| name.as_str()).collect();
        let version = event.version.map(|version| format!(" v{version}")).unwrap_or_default();
        format!("{}:{}:{}{version}", event.action, read.code.token(), names.join("+"))
    };
    events.iter().map(word).collect()
}

#[test]
fn every_way_to_a_value_is_written_down_with_its_purpose_and_outcome() {
    let machine = office();
    let service = unlocked(&machine);
    for purpose in [Purpose::Resolve, Purpose::Reveal, Purpose::Copy] {
        ask(&service, get("A", None, purpose)).unwrap();
    }
    let refused = |call| ask(&service, call).err().unwrap().kind;
    assert_eq!(refused(get("NOWHERE", None, Purpose::Resolve)), ErrorKind::NotFound);
    assert_eq!(refused(get("A", Some(7), Purpose::Copy)), ErrorKind::NotFound);
    let export = |scope, with_organization| Export {
        scope,
        names: None,
        with_organization,
        program: "a program".into(),
    };
    ask(&service, export(ORG, false)).unwrap();
    ask(&service, export(project("web"), true)).unwrap();
    assert_eq!(
        told(&service, &ORG),
        [
            "get:ok:A v1",
            "reveal:ok:A v1",
            "copy:ok:A v1",
            "get:secret_not_found:NOWHERE",
            "copy:version_not_found:A v7",
            "export:ok:A+B",
            "export:ok:A",
        ]
    );
    assert_eq!(told(&service, &project("web")), ["export:ok:B"], "each name where it came from");
    // what shows no value is no reading
    ask(&service, ListSecrets { scope: ORG }).unwrap();
    ask(&service, Lint { scope: None }).unwrap();
    ask(&service, GetHistory { scope: ORG, name: name("A") }).unwrap();
    assert_eq!(told(&service, &ORG).len(), 7);
}

#[test]
fn what_was_refused_is_written_down_where_it_was_refused() {
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "canary").unwrap();
    let (rea, _) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    drop(vault);
    let service = unlocked(&rea);
    assert_eq!(ask(&service, get("A", None, Purpose::Resolve)).err().unwrap().kind, ErrorKind::Denied);
    let export = Export { scope: ORG, names: None, with_organization: false, program: "a program".into() };
    assert_eq!(ask(&service, export).err().unwrap().kind, ErrorKind::Denied);
    assert_eq!(told(&service, &ORG), ["get:permission_denied:A", "export:permission_denied:"]);
}

#[test]
fn a_value_that_the_store_withholds_is_written_down_too() {
    let machine = office();
    let db = rusqlite::Connection::open(machine.store()).unwrap();
    db.execute("DELETE FROM blob", []).unwrap();
    drop(db);
    let service = unlocked(&machine);
    assert_eq!(ask(&service, get("A", None, Purpose::Resolve)).err().unwrap().kind, ErrorKind::Damaged);
    assert_eq!(told(&service, &ORG), [format!("get:{}:A", ReadCode::ValueWithheld.token())]);
}

/// Lets nobody write into the read log of this store.
fn without_read_log(machine: &Machine) {
    let db = rusqlite::Connection::open(machine.store()).unwrap();
    // A row at the end of all positions, and a thousand below it: no place is left that can be trusted.
    let (scope, author) = (machine.identity().roots[0].0, machine.identity().identity.public().sign);
    let run = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
        INSERT INTO access SELECT ?1, ?2, i, x'00' FROM n";
    db.execute(run, [scope.to_vec(), author.to_vec()]).unwrap();
}

#[test]
fn a_reading_that_cannot_be_written_is_a_warning_in_the_status() {
    let machine = office();
    let service = unlocked(&machine);
    without_read_log(&machine);
    assert_eq!(ask(&service, get("A", None, Purpose::Resolve)).unwrap().value.expose(), b"canary");
    let warnings = ask(&service, Status {}).unwrap().warnings;
    assert!(
        warnings.iter().any(|text| text.starts_with("1 reading could not be put into the read log")),
        "{warnings:?}"
    );
}

#[test]
fn where_records_are_required_no_value_is_answered_that_cannot_be_written_down() {
    let machine = office();
    let service = LocalService::new(ServiceOptions { audit_required: true, ..machine.service_options() });
    ask(&service, Unlock { passphrase: passphrase() }).unwrap();
    ask(&service, get("A", None, Purpose::Resolve)).unwrap();
    without_read_log_after_the_first(&machine);
    for call in [
        Request::GetSecret(get("A", None, Purpose::Reveal)),
        Request::Export(Export {
            scope: ORG,
            names: None,
            with_organization: false,
            program: "a program".into(),
        }),
    ] {
        let Err(error) = service.handle(call) else { panic!("a value was answered") };
        assert_eq!(error.kind, ErrorKind::Failure);
        assert!(error.hint.as_deref().unwrap_or_default().contains("audit.required"), "{error:?}");
        assert!(!serde_json::to_string(&error).unwrap().contains("canary"));
    }
    // a failure keeps its own words
    assert_eq!(
        ask(&service, get("NOWHERE", None, Purpose::Resolve)).err().unwrap().kind,
        ErrorKind::NotFound
    );
    // and what is no reading works
    let call = SetSecret { scope: ORG, name: name("C"), value: value("x"), mode: SetMode::Create };
    ask(&service, call).unwrap();
}

/// As above, above a record that is there already.
fn without_read_log_after_the_first(machine: &Machine) {
    let db = rusqlite::Connection::open(machine.store()).unwrap();
    let run = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
        INSERT INTO access SELECT scope, author, i, x'00' FROM n, (SELECT DISTINCT scope, author FROM access)";
    db.execute(run, []).unwrap();
}
