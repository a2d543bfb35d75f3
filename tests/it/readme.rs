//! The README is held to the program: its generated tables are equal to what the program says, its picture exists, and
//! every command it names exists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::PathBuf};

fn readme() -> String {
    fs::read_to_string(path()).unwrap()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// Compares the part between two markers. `SEALBOX_UPDATE_README=1 cargo test readme` writes it anew.
fn holds(marker: &str, want: &str) {
    let (start, end) = (format!("<!-- {marker}:start -->\n"), format!("<!-- {marker}:end -->"));
    let text = readme();
    let from = text.find(&start).unwrap() + start.len();
    let to = text.find(&end).unwrap();
    if std::env::var_os("SEALBOX_UPDATE_README").is_some() {
        fs::write(path(), format!("{}{want}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(&text[from..to], want, "run: SEALBOX_UPDATE_README=1 cargo test readme");
    }
}

/// One test, because both tables may be written anew into the same file.
#[test]
fn the_readme_tables_are_those_of_the_program() {
    holds("keys", &sealbox::tui::markdown());
    let mut table = String::from("| exit code | meaning |\n|---|---|\n");
    for (code, meaning) in sealbox::cli::exit_codes() {
        table.push_str(&format!("| {code} | {meaning} |\n"));
    }
    holds("exit-codes", &table);
}

#[test]
fn the_readme_names_only_commands_that_exist() {
    let definition = sealbox::cli::definition();
    let known: Vec<&str> = definition.get_subcommands().map(|command| command.get_name()).collect();
    let text = readme();
    let commands = text.lines().filter_map(|line| {
        let line = line.trim_start_matches("them$").trim_start_matches("you$").trim_start();
        line.strip_prefix("sealbox ").or_else(|| Some(line.split_once("| sealbox ")?.1))
    });
    let mut seen = 0;
    for command in commands {
        let word = command.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if !word.is_empty() {
            assert!(known.contains(&word), "the README names `sealbox {word}`");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} commands were found in the README");
}

#[test]
fn the_picture_in_the_readme_is_there() {
    let picture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/browser.svg");
    let text = fs::read_to_string(picture).unwrap();
    assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
}
