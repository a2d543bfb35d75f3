//! YAML: one flat mapping of names and texts.
//!
//! Reading allows what people write by hand (plain, quoted and block texts, comments, anchors within limits) and
//! refuses what YAML would guess at (`yes`, `007`). Writing uses double-quoted texts and quoted names only, so that
//! `NO` stays a name and no reader guesses.

use super::json::{Flat, quote};
use super::{Found, MAX_INPUT, SecretName, Sink as _, Wiped};
use serde::de::DeserializeSeed;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, budget, options};

/// Entries that fit one file.
const MAX_ENTRIES: usize = 1_000_000;

/// Reads a text into `found`. After a duplicate name the rest is not looked at: the reader stops there.
pub(super) fn parse(text: &str, found: &mut Found) {
    let options = options! {
        budget: budget! {
            max_events: 2 * MAX_ENTRIES + 1_000,
            max_nodes: 2 * MAX_ENTRIES + 1_000,
            max_total_scalar_bytes: MAX_INPUT,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_documents: 1,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |reader| {
        Flat { found, may_be_empty: true }.deserialize(reader)
    });
    if let Err(e) = read {
        // the message of the error may hold a value: only the place and the kind are used
        let what = match e.without_snippet() {
            Error::DuplicateMappingKey { .. } => "a name is in the file twice",
            Error::MergeKeyNotAllowed { .. } => "merge keys (<<) are not supported",
            Error::Budget { .. } => "is nested too deeply, too large, or repeats anchors too often",
            _ => "is not one valid YAML mapping of names and texts (NAME: \"value\")",
        };
        let line = e.location().and_then(|place| usize::try_from(place.line()).ok());
        found.problem(line.filter(|line| *line > 0), None, what);
    }
}

/// One entry a line, in the given order.
pub(super) fn render<'a>(entries: impl Iterator<Item = (&'a SecretName, &'a str)>, out: &mut Wiped) {
    let mut empty = true;
    for (name, text) in entries {
        empty = false;
        out.push("\"");
        out.push(name.as_str());
        out.push("\": ");
        quote(text, out);
        out.push("\n");
    }
    if empty {
        out.push("{}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, parse as parse_bytes, render as render_bytes};
    use crate::domain::{SecretName, SecretValue};

    fn read(text: &str) -> Vec<(String, String)> {
        let entries = parse_bytes(Format::Yaml, text.as_bytes()).unwrap();
        entries.iter().map(|(n, v)| (n.to_string(), v.expose_text().unwrap().to_owned())).collect()
    }

    fn problems(text: &str) -> String {
        parse_bytes(Format::Yaml, text.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn what_people_write_is_read() {
        let text = "---\n# head\nA: plain text\nB: 'it''s'\nC: \"x\\n\\u0000\"\nD: |\n  line one\n  line two\nE: >-\n  folded\n  text\nF: &x same\nG: *x\n";
        let want = [
            ("A", "plain text"),
            ("B", "it's"),
            ("C", "x\n\0"),
            ("D", "line one\nline two\n"),
            ("E", "folded text"),
            ("F", "same"),
            ("G", "same"),
        ];
        assert_eq!(read(text), want.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(read("A: x\r\nB: z\r\n").len(), 2);
        assert_eq!(read("{\"A\": \"x\", \"B\": \"y\"}").len(), 2);
        assert!(read("").is_empty() && read("# only this\n").is_empty() && read("{}").is_empty());
    }

    #[test]
    fn what_yaml_would_guess_at_is_refused_with_its_key() {
        let error =
            problems("A: yes\nB: 007\nC: 1e3\nD:\nE: .inf\nF: [x]\nG:\n  H: x\nlower: x\nI: \"yes\"\n");
        for wanted in [
            "A: is true or false; put it in quotes",
            "B: is a number",
            "C: is a number",
            "D: is null",
            "E: is a number",
            "F: is not text",
            "G: is not text (G.H)",
            "lower: names are upper case; write LOWER",
        ] {
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
        assert!(!error.contains("I: "), "{error}");
    }

    #[test]
    fn duplicates_merges_and_other_tops_are_refused_by_line() {
        assert!(problems("A: x\nB: y\nA: z\n").contains("line 3: a name is in the file twice"));
        assert!(problems("A: &a x\n<<: *a\n").contains("merge keys"));
        for bad in ["- a\n", "text\n", "A: [x\n", "A: x\n---\nB: y\n", "A: !!python/object x\n", "A: *nope\n"]
        {
            assert!(parse_bytes(Format::Yaml, bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn bombs_are_errors() {
        let mut bomb = String::from("A: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for n in 1..30 {
            bomb += &format!("B{n}: &a{n} [*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0}]\n", n - 1);
        }
        assert!(parse_bytes(Format::Yaml, bomb.as_bytes()).is_err());
        assert!(parse_bytes(Format::Yaml, "[".repeat(100_000).as_bytes()).is_err());
        assert!(parse_bytes(Format::Yaml, "A: ".repeat(10_000).as_bytes()).is_err());
    }

    #[test]
    fn names_that_yaml_would_read_as_something_else_come_back() {
        let entries: Vec<(SecretName, SecretValue)> = ["NO", "YES", "NULL", "0X1F", "123", "1E5", "ON", "_"]
            .iter()
            .map(|name| (SecretName::parse(name).unwrap(), SecretValue::new(b"no".to_vec()).unwrap()))
            .collect();
        let text = render_bytes(Format::Yaml, &entries).unwrap();
        let names: Vec<String> =
            read(std::str::from_utf8(&text).unwrap()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["NO", "YES", "NULL", "0X1F", "123", "1E5", "ON", "_"]);
    }
}
