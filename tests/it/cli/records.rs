//! The read log, rotation intervals and `lint` on the command line.

use crate::env::TestEnv;
use serde_json::Value;

fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "STRIPE_KEY"], b"sk_live_canary0123456789").ok();
    env
}

#[test]
fn a_reading_is_in_the_log_with_program_and_host_and_the_log_can_be_narrowed() {
    let env = vault();
    env.run(&["get", "STRIPE_KEY"]).ok();
    env.run(&["get", "NOWHERE"]).code(10);
    let log = env.run(&["log"]).ok();
    assert!(
        log.text().contains("read: get ") && log.text().contains("STRIPE_KEY v1 by sealbox get on "),
        "{}",
        log.text()
    );
    assert!(log.text().contains("read: get failed") && log.text().contains("NOWHERE: secret_not_found"));
    let count = |args: &[&str]| -> usize {
        let document = env.run(&[&["log", "--json"], args].concat()).ok().json();
        document["events"].as_array().unwrap().len()
    };
    assert_eq!((count(&[]), count(&["--reads"]), count(&["--changes"])), (4, 2, 2));
    assert_eq!((count(&["--name", "STRIPE_KEY"]), count(&["--member", "ada"])), (2, 4));
    assert_eq!((count(&["--since", "1h"]), count(&["--reads", "--limit", "1"])), (4, 1));
    env.run(&["log", "--since", "yesterday"]).code(2).says("30m, 12h, 7d or 4w");
    env.run(&["log", "--member", "nobody"]).code(10);
    env.run(&["log", "--reads", "--changes"]).code(2);
}

#[test]
fn json_lines_have_the_same_stable_fields_on_every_line() {
    let env = vault();
    env.run(&["get", "STRIPE_KEY"]).ok();
    env.run(&["get", "NOWHERE"]).code(10);
    let ran = env.run(&["log", "--jsonl"]).ok();
    let lines: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    let fields = [
        "action", "actor", "code", "entry", "hash", "host", "kind", "names", "program", "role", "scope",
        "subject", "ts", "version",
    ];
    for line in &lines {
        let mut keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, fields);
    }
    assert_eq!(
        (&lines[1]["kind"], &lines[1]["code"], &lines[1]["names"][0]),
        (&"change".into(), &"ok".into(), &"STRIPE_KEY".into())
    );
    assert_eq!(
        (&lines[2]["kind"], &lines[2]["action"], &lines[2]["program"]),
        (&"read".into(), &"get".into(), &"sealbox get".into())
    );
    assert_eq!((&lines[3]["code"], &lines[3]["version"]), (&"secret_not_found".into(), &Value::Null));
    assert!(!ran.text().contains("canary"));
}

#[test]
fn an_interval_is_set_with_a_value_or_alone_and_shown() {
    let env = vault();
    env.run_with(&["set", "DB_PASSWORD", "--rotate-every", "90d"], b"x9$kQ2!vLp").ok().says("every 90 d");
    env.run(&["set", "STRIPE_KEY", "--rotate-every", "1h", "--keep-value"]).ok().says("every 1 h");
    let of = |name: &str| -> Value {
        let list = env.run(&["list", "--json"]).ok().json();
        let found = list["secrets"].as_array().unwrap().iter().find(|secret| secret["name"] == name).unwrap();
        Value::clone(found)
    };
    let secret = of("DB_PASSWORD");
    assert_eq!((&secret["rotate_every_s"], &secret["rotation_due"]), (&7_776_000.into(), &false.into()));
    assert!(secret["rotation_due_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (&of("STRIPE_KEY")["version"], &of("STRIPE_KEY")["rotate_every_s"]),
        (&1.into(), &3600.into())
    );
    let written =
        env.run(&["set", "STRIPE_KEY", "--rotate-every", "off", "--keep-value", "--json"]).ok().json();
    assert_eq!((&written["version"], &written["rotate_every_s"]), (&1.into(), &Value::Null));
    assert_eq!(of("STRIPE_KEY")["rotate_every_s"], Value::Null);
    assert!(env.run(&["log"]).ok().text().contains("secret rotation set"));
    env.run(&["set", "STRIPE_KEY", "--rotate-every", "soon", "--keep-value"]).code(2).says("3650d");
    env.run(&["set", "STRIPE_KEY", "--keep-value"]).code(2);
    env.run(&["set", "STRIPE_KEY", "--keep-value", "--rotate-every", "1d", "--generate"]).code(2);
    env.run(&["set", "NOWHERE", "--keep-value", "--rotate-every", "1d"]).code(10);
}

#[test]
fn an_interval_where_nobody_feeds_stdin_does_not_empty_the_value() {
    let env = vault();
    env.run(&["set", "STRIPE_KEY", "--rotate-every", "90d"]).code(2).says("--rotate-every 90d --keep-value");
    assert_eq!(env.run(&["get", "STRIPE_KEY"]).ok().stdout, b"sk_live_canary0123456789");
}

#[test]
fn lint_exits_1_for_errors_and_when_strict_for_warnings() {
    let env = vault();
    env.run(&["lint"]).ok().says("nothing to say about 1 secrets");
    env.run_with(&["set", "OTHER_STRIPE_KEY"], b"sk_live_canary0123456789").ok();
    let ran = env.run(&["lint"]).ok();
    assert!(ran.text().contains("duplicate_value") && !ran.text().contains("canary"), "{}", ran.text());
    env.run(&["lint", "--strict"]).code(1).says("1 finding (errors and warnings)");
    env.run_with(&["set", "GITHUB_TOKEN"], b"sk_test_canary0123456789").ok();
    let ran = env.run(&["lint", "--all-scopes", "--json"]).code(1);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(
        (&report["schema_version"], &report["findings"][0]["code"]),
        (&1.into(), &"kind_mismatch".into())
    );
    assert!(!ran.text().contains("canary"));
    env.run(&["lint", "-p", "nowhere"]).code(10);
    assert_eq!(
        env.run(&["log", "--reads", "--json"]).ok().json()["events"],
        serde_json::json!([]),
        "no value was handed out"
    );
}

#[test]
fn a_required_record_is_written_and_a_wrong_setting_is_named() {
    let env = vault();
    let config = env.root().join("config/sealbox");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "[audit]\nrequired = true\n").unwrap();
    assert_eq!(env.run(&["get", "STRIPE_KEY"]).ok().stdout, b"sk_live_canary0123456789");
    assert_eq!(env.run(&["log", "--reads", "--json"]).ok().json()["events"].as_array().unwrap().len(), 1);
}
