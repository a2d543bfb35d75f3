//! `lint`: what is told, of which places, and that no value and no part of one is in it.

use crate::people::{Machine, ORG, admit, name, project, set};
use sealbox::domain::lint::{LintCode, LintReport, Severity};
use sealbox::domain::{ProjectName, Role, SetMode};
use sealbox::platform::clock::Clock;
use sealbox::vault::Vault;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const STRIPE: &str = "sk_live_Canary0123456789abcdef";

/// What was found, as `code NAME,NAME` each, in order.
fn told(report: &LintReport) -> Vec<String> {
    let line = |finding: &sealbox::domain::lint::Finding| {
        let names: Vec<_> = finding.names.iter().map(|name| name.as_str()).collect();
        format!("{} {}", finding.code.token(), names.join(","))
    };
    report.findings.iter().map(line).collect()
}

fn with_project(values: &[(&str, &str)], of_web: &[(&str, &str)]) -> (Machine, Vault) {
    let (machine, mut vault) = Machine::founded();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    for (scope, list) in [(ORG, values), (project("web"), of_web)] {
        for (secret, text) in list {
            set(&mut vault, &scope, secret, text).unwrap();
        }
    }
    (machine, vault)
}

#[test]
fn a_healthy_vault_has_no_findings() {
    let values = [("STRIPE_KEY", STRIPE), ("DB_PASSWORD", "x9$kQ2!vLp"), ("PORT", "8080")];
    let (_machine, vault) =
        with_project(&values, &[("DATABASE_URL", "postgres://u:p@h/d"), ("WEB_PORT", "8080")]);
    let report = vault.lint(None).unwrap();
    assert_eq!((told(&report), report.secrets, report.unchecked.len()), (vec![], 5, 0));
}

#[test]
fn each_rule_finds_its_own_and_the_worst_comes_first() {
    let values = [
        ("GITHUB_TOKEN", STRIPE),
        ("DB_PASSWORD", "changeme"),
        ("SMTP_PASSWORD", "abc"),
        ("API_TOKEN", "a-long-enough-token\n"),
        ("SECRET_2", "x9$kQ2!vLpQQ"),
    ];
    let (_machine, vault) = with_project(&values, &[]);
    let report = vault.lint(None).unwrap();
    assert_eq!(
        told(&report),
        [
            "kind_mismatch GITHUB_TOKEN",
            "weak_value DB_PASSWORD",
            "weak_value SMTP_PASSWORD",
            "trailing_newline API_TOKEN",
            "vague_name SECRET_2"
        ]
    );
    let severities: Vec<Severity> = report.findings.iter().map(|finding| finding.severity).collect();
    use Severity::{Error, Info, Warning};
    assert_eq!(severities, [Error, Error, Warning, Warning, Info]);
    let first = &report.findings[0];
    assert_eq!(
        first.message,
        "GITHUB_TOKEN in the organization looks like a live Stripe key, and the name says GITHUB"
    );
    assert_eq!(first.next, "sealbox set GITHUB_TOKEN --org");
}

#[test]
fn no_finding_holds_a_value_or_a_part_of_one() {
    let values = [
        ("GITHUB_TOKEN", STRIPE),
        ("OTHER_STRIPE_KEY", STRIPE),
        ("DB_PASSWORD", "Qz7#c"),
        ("API_TOKEN", "Wq8-Canary-77\n"),
        ("REDIS_URL", "postgres://canary:canary@canary/canary"),
    ];
    let (_machine, vault) =
        with_project(&values, &[("GITHUB_TOKEN", STRIPE), ("API_TOKEN", "Zk3-Canary-99")]);
    let report = vault.lint(None).unwrap();
    assert!(report.findings.len() >= 6, "{:?}", told(&report));
    let text = serde_json::to_string(&report).unwrap();
    for (_, value) in values {
        for part in value.trim().as_bytes().windows(5) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!text.contains(part) || "postgres://".contains(part), "{part} is in {text}");
        }
    }
}

#[test]
fn one_value_under_two_names_is_told_once_with_every_place() {
    let (_machine, vault) = with_project(
        &[("A_KEY", "the same value"), ("B_KEY", "the same value")],
        &[("C_KEY", "the same value")],
    );
    let report = vault.lint(None).unwrap();
    assert_eq!(told(&report), ["duplicate_value A_KEY,B_KEY,C_KEY"]);
    let message = &report.findings[0].message;
    assert!(message.ends_with("A_KEY in the organization, B_KEY in the organization, C_KEY in project web"));
    assert_eq!(told(&vault.lint(Some(&project("web"))).unwrap()), ["duplicate_value A_KEY,B_KEY,C_KEY"]);
}

#[test]
fn a_project_that_repeats_or_overrides_the_organization_is_told_so() {
    let organization = [("A_KEY", "the same value"), ("B_KEY", "one value")];
    let (_machine, vault) =
        with_project(&organization, &[("A_KEY", "the same value"), ("B_KEY", "another one")]);
    let report = vault.lint(None).unwrap();
    assert_eq!(told(&report), ["duplicates_organization A_KEY", "shadows_organization B_KEY"]);
    assert!(report.findings.iter().all(|finding| finding.scope == project("web")));
    assert_eq!(report.findings[0].next, "one is enough: sealbox delete A_KEY -p web");
}

#[test]
fn a_reader_gets_the_checks_of_names_and_dates_and_is_told_what_was_left_out() {
    let (_machine, mut vault) = with_project(&[("GITHUB_TOKEN", STRIPE), ("SECRET", "changeme")], &[]);
    vault.set_rotation(&ORG, &name("SECRET"), Some(3_600), None).unwrap();
    let (_, rea) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    let report = rea.lint(None).unwrap();
    assert_eq!(told(&report), ["vague_name SECRET"]);
    assert_eq!(report.unchecked.len(), 1);
    assert_eq!((&report.unchecked[0].scope, report.unchecked[0].role), (&ORG, Some(Role::Read)));
    let (_, rune) = admit(&mut vault, "rune", &[(&ORG, Role::Run)]);
    assert_eq!(rune.lint(Some(&ORG)).unwrap().findings.len(), 3, "a runner opens values");
    assert!(rune.lint(Some(&project("web"))).is_err(), "of a project that is not ours nothing is told");
}

#[derive(Default)]
struct Dated(AtomicU64);

impl Clock for Dated {
    fn wall_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    fn since_boot(&self) -> Duration {
        Duration::from_secs(1)
    }
}

const DAY: u64 = 86_400;

#[test]
fn a_value_falls_due_by_its_own_date_which_a_change_of_keys_does_not_renew() {
    let (machine, vault) = Machine::founded();
    drop(vault);
    let clock = Arc::new(Dated::default());
    let at = |day: u64| clock.0.store(day * DAY * 1000, Ordering::SeqCst);
    at(1_000);
    let mut vault = machine.home_with(Arc::clone(&clock) as _).unlock(&crate::people::passphrase()).unwrap();
    let value = |text: &str| crate::people::value(text);
    let every = Some(90 * DAY);
    let first = value("x9$kQ2!vLp");
    let key = name("SIGNING_KEY");
    assert_eq!(vault.set_rotation(&ORG, &key, every, Some((&first, SetMode::Create))).unwrap(), (1, true));
    let codes = |vault: &Vault| vault.lint(None).unwrap().findings.iter().map(|f| f.code).collect::<Vec<_>>();
    at(1_089);
    assert!(codes(&vault).is_empty());
    let (_, guest) = admit(&mut vault, "fay", &[(&ORG, Role::Write)]);
    drop(guest);
    vault.remove_member(&ORG, "fay").unwrap(); // new keys; the value is as old as before
    at(1_093);
    assert_eq!(codes(&vault), [LintCode::RotationDue]);
    let due = vault.lint(None).unwrap().findings.remove(0);
    assert_eq!(due.message, "SIGNING_KEY in the organization is older than the 90 d it may live, by 3 d");
    set(&mut vault, &ORG, "SIGNING_KEY", "another value").unwrap();
    assert!(codes(&vault).is_empty(), "a new value is a new start");
    assert_eq!(vault.list(&ORG).unwrap().1[0].rotate_every_s, every, "and the interval stays");
}

#[test]
fn an_interval_comes_with_its_value_or_alone_and_goes_again() {
    let (machine, mut vault) = Machine::founded();
    let of = |vault: &Vault, secret: &str| {
        let list = vault.list(&ORG).unwrap().1;
        list.into_iter()
            .find(|meta| meta.name == name(secret))
            .map(|meta| (meta.version, meta.rotate_every_s))
    };
    let head = |vault: &Vault| vault.scopes().unwrap()[0].head;
    let one = crate::people::value("one");
    let before = head(&vault);
    vault.set_rotation(&ORG, &name("A"), Some(90 * DAY), Some((&one, SetMode::Create))).unwrap();
    assert_eq!((of(&vault, "A"), head(&vault)), (Some((1, Some(90 * DAY))), before + 2));
    // again, with nothing new to say: nothing is written
    vault.set_rotation(&ORG, &name("A"), Some(90 * DAY), None).unwrap();
    assert_eq!(head(&vault), before + 2);
    vault.set_rotation(&ORG, &name("A"), Some(7 * DAY), None).unwrap();
    assert_eq!(of(&vault, "A"), Some((1, Some(7 * DAY))));
    vault.set_rotation(&ORG, &name("A"), None, None).unwrap();
    assert_eq!(of(&vault, "A"), Some((1, None)));
    vault.set_rotation(&ORG, &name("B"), None, Some((&one, SetMode::Upsert))).unwrap();
    assert_eq!((of(&vault, "B"), head(&vault)), (Some((1, None)), before + 5), "no interval is no entry");
    for (secret, every) in [("NOWHERE", Some(DAY)), ("A", Some(1)), ("A", Some(4_000 * DAY))] {
        assert!(vault.set_rotation(&ORG, &name(secret), every, None).is_err(), "{secret} {every:?}");
    }
    vault.set_rotation(&ORG, &name("A"), Some(30 * DAY), None).unwrap();
    drop(vault);
    let mut vault = machine.open();
    assert_eq!(of(&vault, "A"), Some((1, Some(30 * DAY))));
    let told: Vec<_> =
        vault.log(&ORG, None).unwrap().into_iter().filter(|e| e.action == "secret_rotation_set").collect();
    assert_eq!(
        told.iter().map(|event| event.rotate_every_s.unwrap()).collect::<Vec<_>>(),
        [90 * DAY, 7 * DAY, 0, 30 * DAY]
    );
    assert!(told.iter().all(|event| event.subject.as_deref() == Some("A")));
    // every member sees it, and who may not write may not set it
    let (_, mut rea) = admit(&mut vault, "rea", &[(&ORG, Role::Read)]);
    assert_eq!(of(&rea, "A"), Some((1, Some(30 * DAY))));
    assert!(rea.set_rotation(&ORG, &name("A"), None, None).is_err());
    // a new secret of the same name starts without
    vault.delete(&ORG, &name("A")).unwrap();
    set(&mut vault, &ORG, "A", "two").unwrap();
    assert_eq!(of(&vault, "A"), Some((1, None)));
}
