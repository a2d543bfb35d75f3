//! Every request and answer survives its journey as JSON, values to the last byte; nothing malformed is taken.

use super::service_on;
use crate::people::{Machine, ORG, name, passphrase, project, value};
use sealbox::domain::{Alias, Passphrase, ProjectName, ProviderKey, Reference, Role, SecretValue};
use sealbox::service::*;

fn again<T: serde::Serialize + serde::de::DeserializeOwned>(message: &T) -> T {
    let text = serde_json::to_string(message).unwrap();
    let read: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    read
}

/// A service on the other side of a wire.
struct Remote(LocalService);

impl Service for Remote {
    fn handle(&self, request: Request) -> Result<Answer, ServiceError> {
        let request = again(&request);
        match self.0.handle(request) {
            Ok(answer) => Ok(again(&answer)),
            Err(error) => Err(again(&error)),
        }
    }
}

#[test]
fn a_whole_life_works_through_a_wire() {
    let machine = Machine::new();
    let remote = Remote(service_on(&machine));
    let bytes: Vec<u8> = (0..=255).collect();
    let key = ask(
        &remote,
        InitPrepare { organization: "acme".into(), name: "ada".into(), passphrase: passphrase() },
    )
    .unwrap();
    assert!(key.key.expose().starts_with(b"sbkey1"));
    ask(&remote, InitCommit {}).unwrap();
    ask(&remote, Touch {}).unwrap();
    ask(&remote, CreateProject { name: ProjectName::parse("web").unwrap() }).unwrap();
    let all = SecretValue::new(bytes.clone()).unwrap();
    let written =
        ask(&remote, SetSecret { scope: ORG, name: name("A"), value: all, mode: SetMode::Create }).unwrap();
    assert_eq!(written, Written { version: 1, created: true });
    let get = |version| {
        ask(
            &remote,
            GetSecret {
                scope: ORG,
                name: name("A"),
                version,
                purpose: Purpose::Reveal,
                program: "test".into(),
            },
        )
    };
    assert_eq!(get(None).unwrap().value.expose(), bytes.as_slice());
    ask(
        &remote,
        SetSecret { scope: ORG, name: name("A"), value: value(""), mode: SetMode::Replace { seen: 1 } },
    )
    .unwrap();
    assert!(get(Some(2)).unwrap().value.is_empty());
    assert_eq!(get(Some(7)).err().unwrap().kind, ErrorKind::NotFound);
    assert_eq!(ask(&remote, Rollback { scope: ORG, name: name("A"), version: 1 }).unwrap().version, 3);
    let entries = vec![(name("I"), value("i")), (name("J"), SecretValue::new(vec![0xff; 3]).unwrap())];
    let report =
        ask(&remote, Import { scope: ORG, entries, on_existing: OnExisting::Fail, dry_run: false }).unwrap();
    assert_eq!(report.created, [name("I"), name("J")]);
    let exported =
        ask(&remote, Export { scope: ORG, names: None, with_organization: false, program: "test".into() })
            .unwrap()
            .entries;
    assert_eq!(
        exported.iter().map(|(name, value)| (name.as_str(), value.expose())).collect::<Vec<_>>(),
        [("A", bytes.as_slice()), ("I", b"i"), ("J", &[0xff; 3])]
    );
    let resolve = |wanted, dry_run| {
        let (purpose, program) = (ResolvePurpose::Inject, "inject".to_owned());
        ask(&remote, Resolve { scope: project("web"), wanted, purpose, program, dry_run })
    };
    let wanted = Wanted::These(vec![Reference::Secret(name("J")), Reference::Secret(name("A"))]);
    let resolved = resolve(wanted, false).unwrap();
    let values: Vec<_> = resolved.items.iter().map(|item| item.value.as_ref().unwrap().expose()).collect();
    assert_eq!(values, [&[0xff; 3], bytes.as_slice()]);
    assert!(resolved.items.iter().all(|item| item.source == Source::Scope(ORG)));
    let rehearsed = resolve(Wanted::All, true).unwrap();
    assert!(rehearsed.items.len() == 3 && rehearsed.items.iter().all(|item| item.value.is_none()));
    let provider = Reference::Provider {
        alias: Alias::parse("prod").unwrap(),
        key: ProviderKey::parse("a/b#c").unwrap(),
    };
    let refused = resolve(Wanted::These(vec![provider]), true).err().unwrap();
    assert!(refused.kind == ErrorKind::NotFound && refused.message.contains("prod"), "{refused}");
    assert_eq!(ask(&remote, ListSecrets { scope: ORG }).unwrap().secrets.len(), 3);
    assert_eq!(ask(&remote, GetHistory { scope: ORG, name: name("A") }).unwrap().versions.len(), 3);
    assert_eq!(ask(&remote, FindSecrets { query: "a".into() }).unwrap().len(), 1);
    assert_eq!(ask(&remote, ListScopes {}).unwrap().len(), 2);
    let id = Machine::new().home().create_identity(&passphrase()).unwrap();
    let link =
        ask(&remote, AddMember { scope: ORG, id, label: "gus".into(), role: Role::Write }).unwrap().link;
    assert!(link.starts_with("scj1_"));
    assert!(
        ask(&remote, SetMemberRole { scope: ORG, member: "gus".into(), role: Role::Read }).unwrap().rotated
    );
    assert!(ask(&remote, RemoveMember { scope: ORG, member: "gus".into() }).unwrap().rotated);
    assert_eq!(ask(&remote, ListMembers { scope: ORG }).unwrap().len(), 3);
    assert!(
        ask(&remote, GetLog { scope: ORG, limit: Some(3), pick: LogPick::default() }).unwrap().len() == 3
    );
    assert!(ask(&remote, MyId {}).unwrap().starts_with("sbid1"));
    assert!(ask(&remote, Verify {}).unwrap().sound());
    let to = machine.folder.path().join("b");
    assert_eq!(ask(&remote, Backup { to: to.clone() }).unwrap().scopes, 2);
    assert!(ask(&remote, Restore { from: to, accept_rollback: false }).unwrap().sound());
    let new = || Passphrase::new("ünïcode \u{1f511}".to_owned());
    ask(&remote, ChangePassphrase { old: passphrase(), new: new(), memory_mib: None }).unwrap();
    ask(&remote, Unlock { passphrase: new() }).unwrap();
    assert_eq!(ask(&remote, DeleteSecret { scope: ORG, name: name("A") }).unwrap().versions, 3);
    assert!(
        ask(&remote, Doctor { accept_rollback: false })
            .unwrap()
            .checks
            .iter()
            .all(|check| check.status != CheckStatus::Failed)
    );
    ask(&remote, Lock {}).unwrap();
    assert_eq!(ask(&remote, Status {}).unwrap().state, VaultState::Locked);
    let recovered = ask(
        &remote,
        Recover { recovery_key: key.key, from: None, name: "ada".into(), passphrase: passphrase() },
    );
    assert_eq!(recovered.unwrap().len(), 2);
    ask(&remote, Reset {}).unwrap();
    assert!(ask(&remote, CreateIdentity { passphrase: passphrase() }).unwrap().starts_with("sbid1"));
    let refused = ask(
        &remote,
        Join { link: "scj1_x@y".into(), store: Some("/nowhere".into()), passphrase: passphrase() },
    );
    assert_eq!(refused.err().unwrap().kind, ErrorKind::Usage);
}

#[test]
fn the_longest_value_travels_and_a_longer_one_does_not() {
    let set = |length: usize| SetSecret {
        scope: ORG,
        name: name("A"),
        value: SecretValue::new(vec![7; length]).unwrap(),
        mode: SetMode::Upsert,
    };
    let text = serde_json::to_string(&Request::SetSecret(set(1 << 20))).unwrap();
    assert!(serde_json::from_str::<Request>(&text).is_ok());
    let longer = text.replace("\"value\":\"", "\"value\":\"AAAA");
    assert!(serde_json::from_str::<Request>(&longer).is_err());
}

#[test]
fn malformed_messages_are_refused_and_not_repeated() {
    let good = serde_json::to_string(&Request::SetSecret(SetSecret {
        scope: ORG,
        name: name("A"),
        value: value("canary"),
        mode: SetMode::Upsert,
    }))
    .unwrap();
    for bad in [
        good.replace("\"A\"", "\"a b\""),
        good.replace("Y2FuYXJ5", "canary!"),
        good.replace("set_secret", "get_everything"),
        good.replace("\"upsert\"", "\"whatever\""),
        good[..good.len() - 2].to_owned(),
        format!("{good}x"),
    ] {
        let error = serde_json::from_str::<Request>(&bad).map(drop).unwrap_err().to_string();
        assert!(!error.contains("Y2FuYXJ5") && !error.contains("canary!"), "{error}");
    }
}
