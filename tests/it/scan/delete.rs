//! Before a secret is deleted, where its name is still referenced is shown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;
use std::fs;

#[test]
fn delete_shows_where_the_name_is_still_referenced() {
    let env = TestEnv::with_vault();
    for name in ["API_KEY", "OTHER", "UNUSED", "MANY"] {
        env.run_with(&["set", name], b"CANARY-44").ok();
    }
    let src = env.work().join("src");
    fs::create_dir(&src).unwrap();
    fs::write(src.join("app.env"), "x\nK={{$secret.API_KEY}}\nO={{$secret.OTHER}}\n").unwrap();
    fs::write(src.join("\u{1b}[31m.env"), "{{ vault.API_KEY }}").unwrap();
    fs::write(src.join("many"), "{{$secret.MANY}}\n".repeat(30)).unwrap();
    fs::write(env.work().join("elsewhere"), "{{$secret.API_KEY}}").unwrap();
    fs::write(env.work().join(".sealbox.toml"), "scan = [\"src\"]\n").unwrap();

    let ran = env.run(&["delete", "API_KEY", "--yes"]).ok();
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[..3], ["still referenced in 2 places:", "  src/^[[31m.env:1:1", "  src/app.env:2:3"]);
    let ran = env.run(&["delete", "MANY", "--yes"]).ok();
    assert!(ran.stderr.contains("in 30 places") && ran.stderr.contains("and 20 more"), "{}", ran.stderr);
    let ran = env.run(&["delete", "UNUSED", "--yes"]).ok();
    assert!(!ran.stderr.contains("referenc"), "{}", ran.stderr);
    let json = env.run(&["delete", "OTHER", "--yes", "--json"]).ok().json();
    assert_eq!(json["references"], serde_json::json!([{ "path": "src/app.env", "line": 3, "column": 3 }]));
    assert_eq!(json["references_complete"], true);
}

#[test]
fn without_registered_folders_scripts_hear_nothing_of_it() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"x").ok();
    env.run_with(&["set", "B"], b"x").ok();
    let ran = env.run(&["delete", "A", "--yes"]).ok();
    assert!(!ran.stderr.contains("referenc"), "{}", ran.stderr);
    let json = env.run(&["delete", "B", "--yes", "--json"]).ok().json();
    assert_eq!(json["references_complete"], false);
}
