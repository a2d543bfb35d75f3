//! `sealbox scan`: what it prints, how it ends, and what it never says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{Ran, TestEnv, holds};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fs;
use std::os::unix::ffi::OsStrExt;

const NOW: &str = "n3w-Canary-of-scan-8d31";
const OLD: &str = "0ld-Canary-of-scan-5b20";
const WEB: &str = "w3b-Canary-of-scan-77aa";

/// API_KEY (two versions) and PIN (too short) in the organization, WEB_KEY in project web.
fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], OLD.as_bytes()).ok();
    env.run_with(&["set", "API_KEY"], NOW.as_bytes()).ok();
    env.run_with(&["set", "PIN"], b"1234").ok();
    env.run(&["project", "create", "web"]).ok();
    env.run_with(&["set", "WEB_KEY", "-p", "web"], WEB.as_bytes()).ok();
    fs::create_dir(env.work().join("tree")).unwrap();
    env
}

fn write(env: &TestEnv, name: &str, text: impl AsRef<[u8]>) {
    fs::write(env.work().join("tree").join(name), text).unwrap();
}

#[track_caller]
fn silent(ran: Ran) -> Ran {
    for value in [NOW, OLD, WEB] {
        let base64 = STANDARD.encode(value);
        for shape in [value, base64.trim_end_matches('=')] {
            assert!(!holds(&ran.stdout, shape.as_bytes()), "{} told a value", ran.what);
            assert!(!holds(ran.stderr.as_bytes(), shape.as_bytes()), "{} told a value", ran.what);
        }
    }
    ran
}

#[test]
fn leaks_are_told_by_name_shape_and_age_and_end_with_1() {
    let env = vault();
    write(&env, "a.txt", format!("secret line text\nk={NOW}\n{OLD}\n"));
    write(&env, "b.yaml", format!("data:\n  both: {}\n", STANDARD.encode(format!("user:{NOW}:{WEB}"))));
    write(&env, "c.txt", "1234 and nothing");
    write(&env, "d.bin", [b"\0\0", NOW.as_bytes()].concat());
    let ran = silent(env.run(&["scan", "tree"]).code(1));
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [
            "tree/a.txt:2:3  LEAK API_KEY (raw)  organization",
            "tree/a.txt:3:1  LEAK API_KEY v1 (old) (raw)  organization",
            "tree/b.yaml:2:16  LEAK API_KEY (base64)  organization",
            "tree/b.yaml:2:48  LEAK WEB_KEY (base64)  web",
            "tree/d.bin:byte 2  LEAK API_KEY (raw)  organization",
        ]
    );
    assert!(!ran.text().contains("line text"));
    let ran = ran.says("3 values of the vault leaked into 3 files").says("1 value (PIN)");
    assert!(ran.stderr.contains("sealbox set"), "{}", ran.stderr);

    let json = silent(env.run(&["scan", "tree", "--json"]).code(1));
    let document = json.json();
    assert_eq!(document["leaks"].as_array().unwrap().len(), 5);
    let old = &document["leaks"][1];
    assert_eq!(
        (&old["name"], &old["version"], &old["current"]),
        (&"API_KEY".into(), &1.into(), &false.into())
    );
    assert_eq!(document["leaks"][4]["line"], serde_json::Value::Null);
    assert_eq!(document["not_searched"][0]["why"], "short");
    assert_eq!(document["complete"], true);

    // A flag narrows the search to one scope; `--references` looks for no value at all.
    assert_eq!(silent(env.run(&["scan", "tree", "-p", "web"]).code(1)).text().lines().count(), 1);
    assert_eq!(silent(env.run(&["scan", "tree", "--references"]).ok()).text(), "");
    let piped = silent(env.run_with(&["scan", "--stdin"], format!("\n  {NOW}").as_bytes()).code(1));
    assert_eq!(piped.text(), "-:2:3  LEAK API_KEY (raw)  organization\n");
}

#[test]
fn references_are_answered_project_first_and_unknown_ones_are_marked() {
    let env = vault();
    write(
        &env,
        "app.env",
        "A={{$secret.WEB_KEY}}\nB={{ vault.API_KEY }}\nC={{$secret.WEB_KYE}}\nD={{ other }}\n",
    );
    let ran = env.run(&["scan", "tree", "-p", "web"]).ok();
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [
            "tree/app.env:1:3  WEB_KEY  web",
            "tree/app.env:2:3  API_KEY  organization",
            "tree/app.env:3:3  WEB_KYE  not in the vault; did you mean WEB_KEY?",
        ]
    );
    env.run(&["scan", "tree", "-p", "web", "--strict"]).code(10).says("1 reference to names that are not in");
    assert_eq!(env.run(&["scan", "tree", "--leaks"]).ok().text(), "");
    let json = env.run(&["scan", "tree", "--json", "-p", "web"]).ok().json();
    assert_eq!(json["references"][0]["scope"]["project"], "web");
    assert_eq!(json["references"][2]["known"], false);
    assert_eq!(json["references"][2]["nearest"], "WEB_KEY");
    env.run(&["scan", "tree", "-p", "wbe"]).code(10).says("did you mean -p web?");
    env.run(&["scan", "nowhere"]).code(10);
    env.run(&["scan", "--references", "--leaks"]).code(2);
}

#[test]
fn the_folders_of_the_project_file_are_the_default() {
    let env = vault();
    write(&env, "x", "{{$secret.API_KEY}}");
    fs::write(env.work().join("outside"), "{{$secret.PIN}}").unwrap();
    fs::write(env.work().join(".sealbox.toml"), "scan = [\"tree\"]\n").unwrap();
    assert_eq!(env.run(&["scan"]).ok().text(), "tree/x:1:1  API_KEY  organization\n");
    let below = env.work().join("tree/deep");
    fs::create_dir(&below).unwrap();
    let mut command = env.command(&["scan"]);
    command.current_dir(&below);
    assert_eq!(Ran::of(command, b"").ok().text(), "../../tree/x:1:1  API_KEY  organization\n");
    std::os::unix::fs::symlink("/etc", env.work().join("etc")).unwrap();
    fs::write(env.work().join(".sealbox.toml"), "scan = [\"etc\"]\n").unwrap();
    env.run(&["scan"]).code(2).says("leads out of the folder");
    fs::remove_file(env.work().join(".sealbox.toml")).unwrap();
    let here = env.run(&["scan"]).ok();
    assert!(here.text().contains("outside:1:1  PIN"), "{}", here.text());
}

#[test]
fn a_locked_vault_lists_references_with_a_warning_and_fails_where_leaks_were_asked_for() {
    let mut env = vault();
    write(&env, "x", format!("{{{{$secret.API_KEY}}}} {NOW}"));
    env.set("SEALBOX_PASSPHRASE_FILE", "<unset>");
    let ran = silent(env.run(&["scan", "tree"]).ok().says("leaked values were not looked for"));
    assert_eq!(ran.text(), "tree/x:1:1  API_KEY\n");
    let json = env.run(&["scan", "tree", "--json"]).ok().json();
    assert_eq!((&json["leaks_searched"], &json["names_checked"]), (&false.into(), &false.into()));
    assert_eq!(json["references"][0]["known"], serde_json::Value::Null);
    env.run(&["scan", "tree", "--leaks"]).code(11);
    env.run(&["scan", "tree", "--strict"]).code(11);
    let wrong = env.private_file("wrong", b"not the passphrase\n");
    env.set("SEALBOX_PASSPHRASE_FILE", wrong.to_str().unwrap());
    env.run(&["scan", "tree", "--leaks"]).code(11);
    env.run(&["scan", "tree"]).ok().says("leaked values were not looked for");
}

#[test]
fn without_a_vault_references_are_listed_all_the_same() {
    let env = TestEnv::new();
    fs::write(env.work().join("x"), "{{$secret.API_KEY}}").unwrap();
    assert_eq!(env.run(&["scan", "x", "--references"]).ok().text(), "x:1:1  API_KEY\n");
    env.run(&["scan", "x", "--leaks"]).code(10).says("no vault");
}

#[test]
fn hostile_names_of_files_reach_the_terminal_escaped() {
    let env = vault();
    let name = std::ffi::OsStr::from_bytes(b"\x1b]0;pwned\x07\xff\xe2\x80\xae.txt");
    fs::write(env.work().join("tree").join(name), NOW).unwrap();
    for args in [&["scan", "tree"][..], &["scan", "tree", "--json"]] {
        let ran = silent(env.run(args).code(1));
        assert!(!ran.text().contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", ran.text());
    }
}

#[test]
fn what_is_ignored_is_scanned_only_if_asked_for() {
    let env = vault();
    write(&env, ".gitignore", ".env\n");
    write(&env, ".env", NOW);
    env.run(&["scan", "tree"]).ok();
    env.run(&["scan", "tree", "--no-ignore"]).code(1);
    write(&env, "large", format!("{NOW}{}", " ".repeat(5000)));
    let ran = env.run(&["scan", "tree", "--max-size", "4000"]).ok();
    assert!(ran.stderr.contains("1 file above --max-size"), "{}", ran.stderr);
    env.run(&["scan", "tree", "--max-size", "4000", "--strict"]).code(1);
}

#[test]
fn a_role_that_opens_no_value_is_told_and_fails_where_leaks_were_asked_for() {
    let owner = vault();
    let reader = TestEnv::new();
    let id = reader.run(&["id"]).ok().text().trim().to_owned();
    let link = owner.run(&["member", "add", &id, "--label", "rea", "--role", "read"]).ok();
    reader.run(&["join", link.text().trim(), "--store", owner.store().to_str().unwrap()]).ok();
    fs::write(reader.work().join("x"), format!("{{{{$secret.API_KEY}}}} {NOW}")).unwrap();
    let ran = silent(reader.run(&["scan", "x"]).ok().says("your role there is read"));
    assert_eq!(ran.text(), "x:1:1  API_KEY  organization\n");
    silent(reader.run(&["scan", "x", "--leaks"]).code(12));
    silent(reader.run(&["scan", "x", "--strict"]).code(12));
}

#[test]
fn what_was_named_and_is_no_file_is_not_passed_over_in_silence() {
    let env = vault();
    write(&env, "clean.txt", "nothing");
    let fifo = env.work().join("tree/fifo");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // `sealbox scan <(git diff)` hands over a pipe: to say that nothing leaked would be a guess.
    for named in ["tree/fifo", "./tree/fifo", "/dev/null"] {
        silent(env.run(&["scan", "--leaks", named, "tree/clean.txt"]).code(1))
            .says("was not scanned: not a regular file; scan --stdin reads a pipe");
    }
    silent(env.run(&["scan", "--leaks", "tree"]).ok()); // found in a folder, it is nobody's file
}
