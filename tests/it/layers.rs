//! The map cannot lie: the table in `lib.rs` is read, and the sources are held to it (DESIGN 2, STYLE 13).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A bare `sealbox` opens the terminal UI: the one import between rooms of one level.
const EXCEPTION: (&str, &str) = ("cli", "tui");

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file, with its path below `src`.
fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&sources(), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(sources()).unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    found.into_iter().map(read).collect()
}

/// Room and level, from the table in the documentation of `lib.rs`.
fn levels() -> BTreeMap<String, u8> {
    let text = std::fs::read_to_string(sources().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
        let level = cells.next()?.parse().ok()?;
        Some((cells.next()?.trim_matches(['[', ']', '`']).to_owned(), level))
    });
    rows.collect()
}

/// The source without comments, strings and characters, so that words in them are not taken for code.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) =
            rest.strip_prefix('r').filter(|raw| raw.starts_with("#\"") || raw.starts_with('"'))
        {
            let hashes = raw.chars().take_while(|c| *c == '#').count();
            let end = format!("\"{}", "#".repeat(hashes));
            let from = hashes + 1;
            raw[from..].find(&end).map_or(rest.len(), |at| 1 + from + at + end.len())
        } else if c == '"' {
            let mut escaped = false;
            let end = rest[1..].char_indices().find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |(at, _)| at + 2)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            rest[2..].find('\'').map_or(rest.len(), |at| at + 3)
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skip..];
    }
    out
}

/// The rooms that a source names through `crate::…`, also inside braces: `use crate::{a::B, c::{d, e}};`.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let word =
        |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let rest = code[at + "crate::".len()..].trim_start();
        let Some(list) = rest.strip_prefix('{') else {
            used.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut first = String::new();
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    used.insert(word(first.trim()));
                    first.clear();
                    continue;
                }
                _ => {}
            }
            first.push(c);
        }
        used.insert(word(first.trim()));
    }
    used.remove("");
    used
}

fn room_of(file: &str) -> Option<&str> {
    file.split_once('/').map(|(room, _)| room)
}

#[test]
fn the_reader_of_sources_sees_what_it_must() {
    let text = "use crate::{chain::{A, b::C}, store, vault::D as E};\n// crate::tui\nlet x = \"crate::cli\"; crate::domain::name()";
    let used: Vec<_> = rooms_used(&code(text)).into_iter().collect();
    assert_eq!(used, ["chain", "domain", "store", "vault"]);
    assert_eq!(code("a \"b\\\"c\" 'd' r#\"e\"f\"# '\"' g // h"), "a   'd'     g  ");
}

#[test]
fn the_table_names_every_room_and_no_other() {
    let rooms: BTreeSet<String> =
        files().iter().filter_map(|(file, _)| room_of(file).map(str::to_owned)).collect();
    let listed: BTreeSet<String> = levels().into_keys().collect();
    assert_eq!(rooms, listed);
}

#[test]
fn a_room_imports_only_from_rooms_of_a_lower_level() {
    let levels = levels();
    let mut wrong = Vec::new();
    for (file, text) in files() {
        let Some(room) = room_of(&file) else { continue };
        for other in rooms_used(&code(&text)) {
            let Some(level) = levels.get(&other) else { continue };
            if other != room && *level >= levels[room] && (room, other.as_str()) != EXCEPTION {
                wrong.push(format!("{file} imports {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<String> =
        files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(file, _)| file).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn only_the_output_room_of_the_command_line_prints() {
    let mut wrong = Vec::new();
    for (file, text) in files().into_iter().filter(|(file, _)| file != "cli/output.rs") {
        let code = code(&text);
        let tested = code.find("#[cfg(test)]").unwrap_or(code.len());
        for word in ["println!", "print!", "eprintln!", "eprint!", "dbg!"] {
            if code[..tested].contains(word) {
                wrong.push(format!("{file}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_unsafe() {
    let unsafe_word = ["un", "safe "].concat();
    assert!(files().iter().all(|(_, text)| !code(text).contains(&unsafe_word)));
}

#[test]
fn no_room_is_called_after_nothing() {
    let nothing = ["utils", "util", "helpers", "common", "manager", "types", "misc"];
    for (file, _) in files() {
        assert!(file.split(['/', '.']).all(|part| !nothing.contains(&part)), "{file}");
    }
}
