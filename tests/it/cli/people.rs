//! Two people on one store: roles are real (SPEC R13, R15, R16 at the command line).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;

/// Lets `bob`'s machine into `scope` of `ada`'s vault.
fn admit(ada: &TestEnv, bob: &TestEnv, scope: &[&str], role: &str) {
    let id = bob.run(&["id"]).ok().text().trim().to_owned();
    let args = [&["member", "add", &id, "--label", "bob", "--role", role][..], scope].concat();
    let link = ada.run(&args).ok().text().trim().to_owned();
    assert!(link.starts_with("scj1_"), "{link}");
    let store = ada.store();
    let joined = bob.run(&["join", &link, "--store", store.to_str().unwrap(), "--json"]).ok().json();
    assert!(joined["scopes"].as_array().unwrap().iter().any(|scope| scope["role"] == role));
}

#[test]
fn a_reader_sees_names_and_is_refused_everything_else() {
    let ada = TestEnv::with_vault();
    ada.run_with(&["set", "API_KEY"], b"canary-value").ok();
    let bob = TestEnv::new();
    admit(&ada, &bob, &[], "read");

    let list = bob.run(&["list", "--json"]).ok().json();
    assert_eq!((list["role"].as_str(), list["secrets"][0]["name"].as_str()), (Some("read"), Some("API_KEY")));
    assert_eq!(
        bob.run(&["history", "API_KEY", "--json"]).ok().json()["versions"].as_array().unwrap().len(),
        1
    );
    bob.private_file("x.env", b"NEW=1\n");
    for args in [
        &["get", "API_KEY"][..],
        &["get", "API_KEY", "--version", "1"],
        &["copy", "API_KEY"],
        &["delete", "API_KEY", "--yes"],
        &["rollback", "API_KEY", "--to", "1"],
        &["export"],
        &["export", "--dry-run"],
        &["import", "x.env"],
        &["project", "create", "mine"],
        &["member", "remove", "ada"],
        &["member", "role", "bob", "owner"],
    ] {
        let ran = bob.run(args).code(12);
        assert!(!ran.stderr.contains("canary") && ran.stdout.is_empty(), "{args:?}");
    }
    let refused = bob.run_with(&["set", "API_KEY", "--json"], b"forged").code(12).json_error();
    assert_eq!(refused["kind"], "denied");
    assert_eq!(ada.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    ada.run(&["verify"]).ok();
}

#[test]
fn a_runner_gets_and_cannot_write() {
    let ada = TestEnv::with_vault();
    ada.run(&["project", "create", "web"]).ok();
    ada.run_with(&["set", "TOKEN", "-p", "web"], b"t-1").ok();
    ada.run_with(&["set", "ORG_ONLY"], b"o-1").ok();
    let worker = TestEnv::new();
    admit(&ada, &worker, &["-p", "web"], "run");
    assert_eq!(worker.run(&["get", "TOKEN", "-p", "web"]).ok().text(), "t-1");
    assert_eq!(worker.run(&["export", "-p", "web"]).ok().text(), "TOKEN=t-1\n");
    worker.run_with(&["set", "TOKEN", "-p", "web"], b"t-2").code(12);
    worker.run(&["copy", "TOKEN", "-p", "web"]).code(12);
    // not a member of the organization: its names are not there for them
    let outside = worker.run(&["get", "ORG_ONLY", "--org"]);
    assert!([10, 12].contains(&outside.code), "{}", outside.stderr);
}

#[test]
fn a_writer_shares_both_ways_and_removal_rotates_and_names_what_was_seen() {
    let ada = TestEnv::with_vault();
    ada.run_with(&["set", "SHARED"], b"from ada").ok();
    let bob = TestEnv::new();
    admit(&ada, &bob, &[], "write");
    assert_eq!(bob.run(&["get", "SHARED"]).ok().text(), "from ada");
    bob.run_with(&["set", "SHARED"], b"from bob").ok().says("v2");
    assert_eq!(ada.run(&["get", "SHARED"]).ok().text(), "from bob");
    let list = ada.run(&["list", "--json"]).ok().json();
    assert_eq!(list["secrets"][0]["updated_by"], "bob");

    let members = ada.run(&["member", "list", "--json"]).ok().json();
    let labels: Vec<&str> = members["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["label"].as_str().unwrap())
        .collect();
    assert!(labels.contains(&"ada") && labels.contains(&"bob"), "{labels:?}");

    let id = TestEnv::new().run(&["id"]).ok().text().trim().to_owned();
    ada.run(&["member", "add", &id, "--label", "bob", "--role", "read"]).code(13);
    ada.run(&["member", "add", "nonsense", "--label", "eve", "--role", "read"]).code(2);
    ada.run(&["member", "add", &id, "--label", "eve", "--role", "boss"])
        .code(2)
        .says("read, run, write, owner");

    let removed = ada.run(&["member", "remove", "bob"]).ok();
    assert_eq!(removed.text(), "SHARED\n");
    ada.run_with(&["set", "SHARED"], b"after bob").ok();
    let after = bob.run(&["get", "SHARED"]);
    assert_ne!(after.code, 0, "a removed member still reads new values");
    assert!(!after.text().contains("after bob"));
    ada.run(&["member", "remove", "bob"]).code(10);
    ada.run(&["member", "remove", "ada"]).code(2).says("yourself");
    let former = ada.run(&["member", "list", "--all", "--json"]).ok().json();
    assert!(former["members"].as_array().unwrap().iter().any(|member| member["role"].is_null()));
    let log = ada.run(&["log", "--json"]).ok().json();
    let actions: Vec<&str> =
        log["events"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    for action in ["scope_created", "member_added", "secret_updated", "member_removed", "keys_rotated"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
}

#[test]
fn lowering_a_role_takes_the_values_away() {
    let ada = TestEnv::with_vault();
    ada.run_with(&["set", "SHARED"], b"old").ok();
    let bob = TestEnv::new();
    admit(&ada, &bob, &[], "write");
    let changed = ada.run(&["member", "role", "bob", "read", "--json"]).ok().json();
    assert_eq!(changed["rotated"], true);
    ada.run_with(&["set", "SHARED"], b"new").ok();
    bob.run(&["get", "SHARED"]).code(12);
    bob.run(&["list"]).ok();
}

#[test]
fn joining_needs_an_identity_and_a_true_link() {
    let env = TestEnv::new();
    env.run(&["join", "scj1_nonsense"]).code(10).says("sealbox id");
    let first = env.run(&["id", "--json"]).ok().json();
    assert_eq!(first["created"], true);
    let second = env.run(&["id", "--json"]).ok().json();
    assert_eq!((&second["created"], &second["id"]), (&false.into(), &first["id"]));
    env.run(&["join", "scj1_nonsense"]).code(2);
}
