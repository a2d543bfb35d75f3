//! The main screens as text, in the look without colour, at a fixed time.

use super::rig::*;
use insta::assert_snapshot;
use sealbox::tui::Driver;

fn with(size: (u16, u16), keys: &[&str], check: impl FnOnce(&mut Driver)) {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let mut screen = ada.screen(size.0, size.1);
    screen.pass(1_000).unwrap();
    for key in keys {
        screen.key(key).unwrap();
    }
    screen.pass(400).unwrap();
    check(&mut screen);
}

#[test]
fn browser_80x24() {
    with((80, 24), &[], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn browser_120x40() {
    with((120, 40), &[], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn browser_40x12() {
    with((40, 12), &[], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn create_80x24() {
    with((80, 24), &["n", "a", "b", "enter", "c"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn create_40x12() {
    with((40, 12), &["n", "a", "b", "enter", "c"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn edit_80x24() {
    with((80, 24), &["e", "a"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn edit_40x12() {
    with((40, 12), &["e", "a"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn delete_80x24() {
    with((80, 24), &["d"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn delete_40x12() {
    with((40, 12), &["d"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn reveal_80x24() {
    with((80, 24), &["G", "x"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn history_80x24() {
    with((80, 24), &["h"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn members_80x24() {
    with((80, 24), &["3"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn project_selector_80x24() {
    with((80, 24), &["p"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn palette_80x24() {
    with((80, 24), &[":"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn help_80x24() {
    with((80, 24), &["?"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn generate_80x24() {
    with((80, 24), &["n", "ctrl-g"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn filter_120x40() {
    with((120, 40), &["/", "t", "o", "k"], |screen| assert_snapshot!(screen.screen()));
}

#[test]
fn wizard_80x24() {
    let folder = tempfile::tempdir().unwrap();
    let person = Person::nobody(folder.path(), None);
    let mut screen = person.screen(80, 24);
    assert_snapshot!("wizard_welcome_80x24", screen.screen());
    screen.key("enter").unwrap().type_text("acme\nada\nhunter2").unwrap();
    assert_snapshot!("wizard_create_80x24", screen.screen());
    screen.resize(40, 12).unwrap();
    assert_snapshot!("wizard_create_40x12", screen.screen());
}

#[test]
fn unlock_80x24() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    ada.ask(sealbox::service::Lock {});
    let mut screen = ada.screen(80, 24);
    screen.type_text("abc").unwrap();
    let text = screen.screen().replace(&*folder.path().to_string_lossy(), "FOLDER");
    assert_snapshot!("unlock_80x24", text.lines().take(20).collect::<Vec<_>>().join("\n"));
    screen.resize(40, 12).unwrap();
    assert_snapshot!("unlock_40x12", screen.screen().lines().take(11).collect::<Vec<_>>().join("\n"));
}

#[test]
fn no_size_crashes_any_screen() {
    let folder = tempfile::tempdir().unwrap();
    let ada = seeded(folder.path());
    let sizes = [(0, 0), (1, 1), (5, 2), (19, 6), (20, 5), (20, 6), (21, 7), (40, 12), (200, 3), (3, 200)];
    for keys in [
        &[][..],
        &["n"],
        &["e"],
        &["d"],
        &["x"],
        &["h"],
        &["p"],
        &[":"],
        &["?"],
        &["3"],
        &["4"],
        &["v"],
        &["i"],
        &["enter"],
        &["n", "ctrl-g"],
        &["/", "a"],
        &["3", "n"],
        &["J"],
        &["P"],
    ] {
        let mut screen = ada.screen(80, 24);
        for key in keys {
            screen.key(key).unwrap();
        }
        for (columns, rows) in sizes {
            screen.resize(columns, rows).unwrap();
            for key in ["down", "pgdn", "tab"] {
                screen.key(key).unwrap();
            }
        }
    }
    let mut tiny = ada.screen(18, 4);
    shows(&tiny, "too small");
    tiny.resize(80, 24).unwrap();
    shows(&tiny, "NPM_TOKEN");
}
