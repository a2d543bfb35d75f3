//! The dialog that deletes shows where a name is still referenced, for the folders that are registered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::rig::{hides, seeded, shows};
use sealbox::domain::ScopeRef;
use sealbox::scan::places::Registered;
use std::fs;
use std::path::Path;

fn registered(folder: &Path) -> Registered {
    let src = folder.join("repo/src");
    fs::create_dir_all(&src).unwrap();
    Registered { base: folder.join("repo"), folders: vec![src] }
}

#[test]
fn delete_shows_where_the_name_is_referenced_and_still_takes_the_name_typed() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    let registered = registered(folder.path());
    fs::write(registered.folders[0].join("app.env"), "x\nA={{$secret.NPM_TOKEN}}\nB={{$secret.TLS_KEY}}\n")
        .unwrap();
    fs::write(registered.folders[0].join("\u{1b}]0;x\u{7}.yaml"), "{{ vault.NPM_TOKEN }}").unwrap();
    screen.register(registered);
    screen.key("d").unwrap();
    shows(&screen, "Still referenced in 2 places");
    shows(&screen, "src/app.env:2");
    shows(&screen, "src/^[]0;x^G.yaml:1");
    insta::assert_snapshot!(screen.screen());
    screen.type_text("npm_token\n").unwrap();
    shows(&screen, "deleted NPM_TOKEN (2 versions)");
    assert_eq!(ada.names(&ScopeRef::Organization).len(), 3);
}

#[test]
fn many_places_are_counted_and_long_paths_keep_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let registered = registered(folder.path());
    let deep = registered.folders[0].join("a-rather-long-name-of-a-folder/".repeat(3));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("values.yaml"), "{{$secret.NPM_TOKEN}}\n".repeat(12)).unwrap();
    for (columns, rows) in [(80, 24), (40, 12)] {
        let mut screen = ada.screen(columns, rows);
        screen.register(registered.clone());
        screen.key("d").unwrap();
        shows(&screen, "Still referenced in 12 places");
        shows(&screen, "values.yaml:1");
        if rows == 24 {
            shows(&screen, "and 10 more");
        } else {
            insta::assert_snapshot!(screen.screen());
        }
        screen.key("esc").unwrap();
    }
}

#[test]
fn several_names_are_looked_for_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let registered = registered(folder.path());
    fs::write(registered.folders[0].join("b"), "{{$secret.SENTRY_DSN}}").unwrap();
    let mut screen = ada.screen(80, 24);
    screen.register(registered);
    screen.key("space").unwrap().key("space").unwrap().key("d").unwrap();
    shows(&screen, "src/b:1  SENTRY_DSN");
}

#[test]
fn nothing_found_and_nothing_registered_are_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(80, 24);
    screen.key("d").unwrap();
    shows(&screen, "no scan folders");
    screen.key("esc").unwrap();
    screen.register(registered(folder.path()));
    screen.key("d").unwrap();
    shows(&screen, "No references found");
    hides(&screen, "maybe more");
    screen.key("esc").unwrap();
    let gone = Registered { base: folder.path().into(), folders: vec![folder.path().join("gone")] };
    screen.register(gone);
    screen.key("d").unwrap();
    shows(&screen, "No references found; maybe more");
}
