//! `status` and the names that `.sealbox.toml` declares.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;
use std::fs;

fn declare(env: &TestEnv, text: &str) {
    fs::write(env.work().join(".sealbox.toml"), text).unwrap();
}

#[test]
fn status_says_which_declared_names_are_missing() {
    let mut env = TestEnv::with_vault();
    env.run(&["project", "create", "web"]).ok();
    env.run_with(&["set", "SHARED", "--org"], b"x").ok();
    env.run_with(&["set", "OWN", "-p", "web"], b"x").ok();
    declare(&env, "project = \"web\"\nnames = [\"OWN\", \"SHARED\", \"STRIPE_KEY\"]\n");
    let status = env.run(&["status"]).ok();
    assert!(
        status.text().contains("names   3 declared, 1 missing in project web: STRIPE_KEY"),
        "{}",
        status.text()
    );
    let json = env.run(&["status", "--json"]).ok().json();
    assert_eq!(json["declared"]["missing"], serde_json::json!(["STRIPE_KEY"]));
    assert_eq!((&json["declared"]["checked"], &json["declared"]["names"]), (&true.into(), &3.into()));
    assert_eq!(json["state"], "locked");
    env.run(&["status", "--check"]).code(10).says("sealbox set STRIPE_KEY -p web");

    env.set("SEALBOX_PASSPHRASE_FILE", "<unset>");
    let locked = env.run(&["status"]).ok();
    assert!(locked.text().contains("3 declared, not checked while locked"), "{}", locked.text());
    env.run(&["status", "--check"]).code(11);
    let wrong = env.private_file("wrong", b"not the passphrase\n");
    env.set("SEALBOX_PASSPHRASE_FILE", wrong.to_str().unwrap());
    env.run(&["status"]).ok().says("were not checked");
    env.run(&["status", "--check"]).code(11);

    let good = env.passphrase_file();
    env.set("SEALBOX_PASSPHRASE_FILE", good.to_str().unwrap());
    env.run_with(&["set", "STRIPE_KEY", "-p", "web"], b"x").ok();
    assert!(env.run(&["status", "--check"]).ok().text().contains("3 declared, all there"));
}

#[test]
fn without_declared_names_status_opens_nothing_and_check_has_nothing_to_say() {
    let env = TestEnv::with_vault();
    let json = env.run(&["status", "--json"]).ok().json();
    assert_eq!(json["declared"], serde_json::Value::Null);
    env.run(&["status", "--check"]).code(10).says("no .sealbox.toml");
    declare(&env, "scan = [\"src\"]\n");
    env.run(&["status", "--check"]).ok().says("no names are declared");
}

#[test]
fn a_project_that_does_not_exist_is_a_mistake_that_check_finds() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "SHARED", "--org"], b"x").ok();
    declare(&env, "project = \"tpyo\"\nnames = [\"SHARED\"]\n");
    // The organization has the name, but `run` stops at the project: so must the check in front of it.
    env.run(&["run", "--", "true"]).code(10);
    env.run(&["status", "--check"]).code(10).says("no project tpyo");
    env.run(&["status"]).ok().says("were not checked").says("no project tpyo");
}
