//! Import and export: secrets as dotenv, JSON or YAML text, pure in both directions (SPEC R22).
//!
//! Owns the formats and nothing else: no file is opened and no vault is touched. Invariants: a parse gives every entry
//! or, in one error, every problem; no error holds a value; and what [`render`] writes, [`parse`] (and for dotenv also
//! a POSIX shell) reads back byte for byte.

pub mod dotenv;
pub mod json;
mod variables;
pub mod yaml;

pub use variables::{VariableLine, variables};

use crate::domain::value::{MAX_VALUE, SecretValue};
use crate::domain::{NameError, SecretName, printable};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The largest text that is read, in bytes: 128 MiB.
pub const MAX_INPUT: usize = 128 << 20;

/// Problems that the message of an error spells out; the others are counted.
const SPELLED_OUT: usize = 10;
/// The longest piece of a foreign key that is shown.
const MAX_SHOWN: usize = 64;

/// A text format for many secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME=value` lines, as a shell sources them.
    Dotenv,
    /// One object of names and texts.
    Json,
    /// One mapping of names and texts.
    Yaml,
}

impl Format {
    /// The format that a file's name says: `.json`, `.yaml`, `.yml`, `.env`, `.env.*`, `*.env`.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("json") => Some(Self::Json),
            Some("yaml" | "yml") => Some(Self::Yaml),
            Some("env") => Some(Self::Dotenv),
            _ if name.starts_with(".env.") => Some(Self::Dotenv),
            _ => None,
        }
    }
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "dotenv" | "env" => Ok(Self::Dotenv),
            "json" => Ok(Self::Json),
            "yaml" | "yml" => Ok(Self::Yaml),
            _ => Err("a format is dotenv, json or yaml".to_owned()),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Yaml => "yaml",
        })
    }
}

/// One thing that is wrong with a text. Never holds a value; safe on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The key as it was written, where it is known to be no part of a value.
    pub key: Option<String>,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// Everything that is wrong with a text, or with what should become one; there is at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferError {
    /// In the order of the text.
    pub problems: Vec<Problem>,
}

impl TransferError {
    fn one(line: Option<usize>, what: impl Into<String>) -> Self {
        Self { problems: vec![Problem { line, key: None, what: what.into() }] }
    }
}

impl std::error::Error for TransferError {}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().take(SPELLED_OUT).enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "; " })?;
        }
        match self.problems.len().saturating_sub(SPELLED_OUT) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The text of a file, without a byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, TransferError> {
    if bytes.len() > MAX_INPUT {
        return Err(TransferError::one(None, format!("the file is longer than {} MiB", MAX_INPUT >> 20)));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = 1 + bytes.iter().take(e.valid_up_to()).filter(|b| **b == b'\n').count();
        TransferError::one(Some(line), "the file is not UTF-8 text")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads a text. A byte order mark is dropped. The caller wipes `bytes`.
pub fn parse(format: Format, bytes: &[u8]) -> Result<Vec<(SecretName, SecretValue)>, TransferError> {
    let text = text_of(bytes)?;
    let mut found = Found::default();
    match format {
        Format::Dotenv => dotenv::parse(text, &mut found),
        Format::Json => json::parse(text, &mut found),
        Format::Yaml => yaml::parse(text, &mut found),
    }
    found.finish()
}

/// Writes a text with a line break at its end. Fails, naming the secrets, if the format cannot hold some of them.
pub fn render(
    format: Format,
    entries: &[(SecretName, SecretValue)],
) -> Result<Zeroizing<Vec<u8>>, TransferError> {
    let refusals = entries.iter().filter_map(|(name, value)| {
        let what = match value.expose_text() {
            None => Some(format!("is not text and cannot be in {format}: sealbox get {name} > file")),
            Some(text) if format == Format::Dotenv => dotenv::cannot_hold(name, text),
            Some(_) => None,
        };
        what.map(|what| Problem { line: None, key: Some(name.to_string()), what })
    });
    let problems: Vec<Problem> = refusals.collect();
    if !problems.is_empty() {
        return Err(TransferError { problems });
    }
    let texts = entries.iter().filter_map(|(name, value)| Some((name, value.expose_text()?)));
    let mut out =
        Wiped::with_room(entries.iter().map(|(name, value)| name.as_str().len() + value.len() + 16).sum());
    match format {
        Format::Dotenv => dotenv::render(texts, &mut out),
        Format::Json => json::render(texts, &mut out),
        Format::Yaml => yaml::render(texts, &mut out),
    }
    Ok(out.0)
}

/// Bytes that leave no copy behind when they grow.
#[derive(Default)]
struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    fn with_room(room: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(room)))
    }

    fn push(&mut self, text: &str) {
        if self.0.capacity() - self.0.len() < text.len() {
            let room = (self.0.len() + text.len()).max(self.0.capacity() * 2).max(64);
            let mut bigger = Zeroizing::new(Vec::with_capacity(room));
            bigger.extend_from_slice(&self.0);
            self.0 = bigger;
        }
        self.0.extend_from_slice(text.as_bytes());
    }

    fn push_char(&mut self, c: char) {
        self.push(c.encode_utf8(&mut [0; 4]));
    }

    fn take(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

/// What has been read so far: entries and problems.
#[derive(Default)]
struct Found {
    entries: Vec<(SecretName, SecretValue)>,
    /// Where each name stood first.
    seen: HashMap<SecretName, Option<usize>>,
    problems: Vec<Problem>,
}

/// Where a reader puts what it finds.
trait Sink {
    /// Something that is wrong.
    fn problem(&mut self, line: Option<usize>, key: Option<String>, what: impl Into<String>);
    /// One entry; `shown` is the key as it may appear in an error.
    fn add(&mut self, line: Option<usize>, key: &str, shown: Option<String>, value: Vec<u8>);
}

impl Sink for Found {
    fn problem(&mut self, line: Option<usize>, key: Option<String>, what: impl Into<String>) {
        self.problems.push(Problem { line, key, what: what.into() });
    }

    fn add(&mut self, line: Option<usize>, key: &str, shown: Option<String>, value: Vec<u8>) {
        let value = SecretValue::new(value); // owned from here on, so that a refused value is wiped too
        let name = match SecretName::parse(key) {
            Ok(name) => name,
            Err(why) => {
                let what = match suggestion(key).filter(|_| shown.is_some()) {
                    Some(upper) => format!("names are upper case; write {upper}"),
                    None => describe(&why),
                };
                return self.problem(line, shown, what);
            }
        };
        if let Some(first) = self.seen.get(&name) {
            let place = first.map(|line| format!(" (first on line {line})")).unwrap_or_default();
            return self.problem(line, Some(name.to_string()), format!("is in the file twice{place}"));
        }
        self.seen.insert(name.clone(), line);
        match value {
            Ok(value) => self.entries.push((name, value)),
            Err(_) => {
                let what = format!("the value is longer than {MAX_VALUE} bytes (1 MiB)");
                self.problem(line, Some(name.to_string()), what);
            }
        }
    }
}

impl Found {
    fn finish(self) -> Result<Vec<(SecretName, SecretValue)>, TransferError> {
        if self.problems.is_empty() {
            Ok(self.entries)
        } else {
            Err(TransferError { problems: self.problems })
        }
    }
}

/// The upper-case name that a key with lower-case letters probably means.
fn suggestion(key: &str) -> Option<String> {
    let upper = key.to_ascii_uppercase();
    (upper != key && SecretName::parse(&upper).is_ok()).then_some(upper)
}

fn describe(why: &NameError) -> String {
    format!("not a name: {why}")
}

/// A foreign key as an error may show it: escaped, and not longer than a line bears.
fn shown_key(key: &str) -> String {
    let mut shown: String = key.chars().take(MAX_SHOWN).collect();
    if shown.len() < key.len() {
        shown.push('…');
    }
    printable::line(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, value: &[u8]) -> (SecretName, SecretValue) {
        (SecretName::parse(name).unwrap(), SecretValue::new(value.to_vec()).unwrap())
    }

    fn same(a: &[(SecretName, SecretValue)], b: &[(SecretName, SecretValue)]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && a.1.expose() == b.1.expose())
    }

    #[test]
    fn a_file_name_says_its_format() {
        for (name, want) in [
            (".env", Some(Format::Dotenv)),
            ("a/.env.production", Some(Format::Dotenv)),
            ("prod.env", Some(Format::Dotenv)),
            ("x.JSON", Some(Format::Json)),
            (".env.json", Some(Format::Json)),
            ("x.yml", Some(Format::Yaml)),
            ("x.yaml", Some(Format::Yaml)),
            ("x.txt", None),
            ("env", None),
        ] {
            assert_eq!(Format::from_path(Path::new(name)), want, "{name}");
        }
        for format in [Format::Dotenv, Format::Json, Format::Yaml] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn what_is_not_text_is_refused_by_name_in_every_format() {
        let entries = [entry("GOOD", b"x"), entry("BINARY", &[0xff, 0xfe]), entry("ALSO", &[0x80])];
        for format in [Format::Dotenv, Format::Json, Format::Yaml] {
            let error = render(format, &entries).unwrap_err().to_string();
            assert!(error.contains("BINARY: is not text") && error.contains("ALSO: "), "{error}");
            assert!(error.contains("sealbox get BINARY > file") && !error.contains("GOOD"), "{error}");
        }
    }

    #[test]
    fn a_hundred_thousand_entries_are_read_back() {
        let entries: Vec<_> =
            (0..100_000).map(|n| entry(&format!("NAME_{n}"), format!("value {n}").as_bytes())).collect();
        for format in [Format::Dotenv, Format::Json, Format::Yaml] {
            let text = render(format, &entries).unwrap();
            assert!(same(&parse(format, &text).unwrap(), &entries), "{format}");
        }
    }

    #[test]
    fn long_values_pass_up_to_the_limit_and_no_further() {
        let entries = [entry("LONG", "ä\"'\n".repeat(200_000).as_bytes())];
        for format in [Format::Dotenv, Format::Json, Format::Yaml] {
            let text = render(format, &entries).unwrap();
            assert!(same(&parse(format, &text).unwrap(), &entries), "{format}");
        }
        let long = "x".repeat(MAX_VALUE + 1);
        for (format, text) in [
            (Format::Dotenv, format!("A=1\nLONG={long}\nb=2\n")),
            (Format::Json, format!("{{\"A\":\"1\",\"LONG\":\"{long}\",\"b\":\"2\"}}")),
            (Format::Yaml, format!("A: \"1\"\nLONG: \"{long}\"\nb: \"2\"\n")),
        ] {
            let error = parse(format, text.as_bytes()).err().unwrap();
            assert_eq!(error.problems.len(), 2, "{error}");
            assert!(error.to_string().contains("LONG: the value is longer") && error.to_string().len() < 300);
        }
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_other_encodings_are_refused() {
        for (format, text) in [
            (Format::Dotenv, "\u{feff}A=1"),
            (Format::Json, "\u{feff}{\"A\":\"1\"}"),
            (Format::Yaml, "\u{feff}A: \"1\""),
        ] {
            assert!(same(&parse(format, text.as_bytes()).unwrap(), &[entry("A", b"1")]), "{format}");
            let error = parse(format, b"A=1\nB=\xff\n").err().unwrap();
            assert_eq!(error.problems[0].line, Some(2), "{error}");
        }
    }

    #[test]
    fn many_problems_are_counted_not_listed() {
        let text: String = (0..50).map(|n| format!("bad-{n}=x\n")).collect();
        let error = parse(Format::Dotenv, text.as_bytes()).err().unwrap();
        assert_eq!(error.problems.len(), 50);
        assert!(error.to_string().ends_with("; and 40 more"), "{error}");
    }

    fn values() -> impl Strategy<Value = Vec<String>> {
        let nasty = "[a-c \\t\\n\\r'\"\\\\$`#=:{}\\[\\]&*!|>%@,~\u{0}-\u{1f}\u{7f}-\u{9f}\u{a0}\u{2028}\u{feff}\u{fffe}é😀-]{0,24}";
        proptest::collection::vec(prop_oneof![nasty, any::<String>()], 0..6)
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_parsed_back(texts in values()) {
            let entries: Vec<_> = texts.iter().enumerate().map(|(n, text)| entry(&format!("N{n}"), text.as_bytes())).collect();
            for format in [Format::Json, Format::Yaml] {
                let text = render(format, &entries).unwrap();
                prop_assert!(same(&parse(format, &text).unwrap(), &entries), "{} {:?}", format, texts);
            }
            let entries: Vec<_> = texts.iter().enumerate()
                .map(|(n, text)| entry(&format!("N{n}"), text.replace('\0', "").as_bytes())).collect();
            let text = render(Format::Dotenv, &entries).unwrap();
            prop_assert!(same(&parse(Format::Dotenv, &text).unwrap(), &entries), "dotenv {:?}", texts);
        }

        #[test]
        fn no_input_makes_the_parsers_panic(text in "[A-Ca-b=:'\"\\\\{}\\[\\]# \\t\\r\\n,&*!|>-]{0,60}", bytes in any::<Vec<u8>>()) {
            for format in [Format::Dotenv, Format::Json, Format::Yaml] {
                let _ = parse(format, text.as_bytes());
                let _ = parse(format, &bytes);
            }
        }

        #[test]
        fn no_error_holds_a_value(prefix in "[ab'\"{}: =\\n]{0,6}") {
            // the canary is lower case and digits: the shape that is most easily mistaken for a key
            for text in [
                format!("{prefix}A='canary7531\n"), format!("{prefix}A=\"x\" canary7531\n"), format!("{prefix}canary7531\n"),
                format!("{prefix}{{\"A\": canary7531}}"), format!("{prefix}\"canary7531\""), format!("{prefix}A: [canary7531"),
            ] {
                for format in [Format::Dotenv, Format::Json, Format::Yaml] {
                    if let Err(error) = parse(format, text.as_bytes()) {
                        prop_assert!(!error.to_string().contains("canary"), "{} {:?}: {}", format, text, error);
                    }
                }
            }
        }
    }
}
