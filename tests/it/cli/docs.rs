//! What the documentation of the command line promises is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::TestEnv;
use std::collections::BTreeSet;

/// Every command with its full path, aliases included.
fn commands(command: &clap::Command, path: &str, into: &mut Vec<(String, clap::Command)>) {
    for below in command.get_subcommands() {
        let full = format!("{path}{}", below.get_name());
        commands(below, &format!("{full} "), into);
        into.push((full, below.clone()));
    }
}

fn definition() -> clap::Command {
    let mut command = sealbox::cli::definition();
    command.build();
    command
}

#[test]
fn the_definition_is_free_of_contradictions() {
    sealbox::cli::definition().debug_assert();
}

#[test]
fn help_never_promises_a_command_that_does_not_exist() {
    let root = definition();
    let known: BTreeSet<String> = root
        .get_subcommands()
        .flat_map(|below| std::iter::once(below.get_name()).chain(below.get_all_aliases()))
        .map(str::to_owned)
        .collect();
    let mut all = vec![("".to_owned(), root)];
    let top = all[0].1.clone();
    commands(&top, "", &mut all);
    for (path, mut command) in all {
        let text = command.render_long_help().to_string();
        for word in promised(&text) {
            assert!(known.contains(&word), "the help of {path:?} promises `sealbox {word}`");
        }
    }
}

/// A paragraph is one line, which clap breaks where the terminal ends; one broken in the source would be broken twice.
#[test]
fn no_paragraph_of_a_help_is_broken_by_hand() {
    let root = definition();
    let mut all = vec![("".to_owned(), root.clone())];
    commands(&root, "", &mut all);
    for (path, command) in all {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2) {
            let prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
            let broken = prose(pair[0]) && prose(pair[1]) && pair[0].len() > 80 && !pair[0].ends_with('.');
            assert!(!broken, "the help of {path:?} breaks a paragraph after {:?}", pair[0]);
        }
    }
}

#[test]
fn hints_in_the_sources_name_commands_that_exist() {
    let known: BTreeSet<String> = definition()
        .get_subcommands()
        .flat_map(|below| std::iter::once(below.get_name()).chain(below.get_all_aliases()))
        .map(str::to_owned)
        .collect();
    for path in crate::env::files_below(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.contains("hint(") || line.contains("next:")) {
            for word in promised(line) {
                assert!(known.contains(&word), "{}: a hint promises `sealbox {word}`", path.display());
            }
        }
    }
}

/// The words after `sealbox`, flags with their values skipped.
fn promised(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("sealbox ") {
        let boundary = text[..at].chars().next_back().is_none_or(|c| " \n\"(`".contains(c));
        let mut words = text[at + 8..].split([' ', '\n']);
        let mut word = words.next().unwrap_or_default();
        while word == "--vault" || word == "-p" {
            words.next();
            word = words.next().unwrap_or_default();
        }
        let word: String = word.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        let prose = ["keeps", "to", "alone", "has", "could", "that", "needs"];
        if boundary && !word.is_empty() && !word.starts_with('-') && !prose.contains(&word.as_str()) {
            found.push(word);
        }
    }
    found
}

#[test]
fn every_command_has_examples_and_a_line_about_it() {
    let mut all = Vec::new();
    commands(&definition(), "", &mut all);
    for (path, command) in all {
        assert!(command.get_about().is_some(), "{path} says nothing about itself");
        let group = command.get_subcommands().next().is_some();
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(group || examples.starts_with("Examples:"), "{path} has no examples");
    }
}

#[test]
fn exit_codes_are_printed_as_published() {
    let env = TestEnv::new();
    let printed = env.run(&["help", "exit-codes"]).ok();
    let codes: Vec<u8> = printed
        .text()
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(codes, [0, 1, 2, 3, 10, 11, 12, 13, 14, 20, 21, 22]);
    let json = env.run(&["help", "exit-codes", "--json"]).ok().json();
    assert_eq!(json["exit_codes"].as_array().unwrap().len(), sealbox::cli::exit_codes().len());
}

#[test]
fn help_and_version_are_data_and_need_no_home() {
    let mut env = TestEnv::new();
    for name in ["HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
        env.set(name, "<unset>");
    }
    for args in [&["--help"][..], &["help"], &["help", "member", "add"], &["set", "--help"], &["--version"]] {
        let ran = env.run(args).ok();
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{args:?}");
    }
    assert!(env.run(&["help", "set"]).ok().text().contains("--from-file"));
    env.run(&["help", "sett"]).code(2).says("did you mean sealbox help set?");
}

#[test]
fn alone_without_a_terminal_it_prints_help_and_is_a_usage_error() {
    let ran = TestEnv::new().run::<&str>(&[]).code(2).says("Usage: sealbox");
    assert!(ran.stdout.is_empty());
}

#[test]
fn usage_errors_exit_2_in_words_and_in_json() {
    let env = TestEnv::new();
    env.run(&["histroy", "A"]).code(2).says("similar subcommand");
    env.run(&["get"]).code(2);
    env.run(&["list", "--no-such-flag"]).code(2).says("--no-such-flag");
    let error = env.run(&["list", "--no-such-flag", "--json"]).code(2).json_error();
    assert_eq!(error["kind"], "usage");
    assert!(error["message"].as_str().unwrap().contains("--no-such-flag"));
}

#[test]
fn completions_and_manual_pages_are_made_for_every_command() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(env.run(&["completions", shell]).ok().text().contains("rollback"), "{shell}");
    }
    assert!(env.run(&["man"]).ok().text().starts_with(".ie"));
    env.run(&["man", "--dir", "pages"]).ok();
    for page in ["sealbox.1", "sealbox-set.1", "sealbox-member-add.1", "sealbox-project-list.1"] {
        assert!(env.work().join("pages").join(page).is_file(), "{page}");
    }
}
