//! JSON: one flat object of names and texts.
//!
//! Owns the reader of a flat mapping, which YAML shares. Numbers, booleans and nested values are refused instead of
//! guessed at: `007` and `1e3` would not come back as they were written. Duplicate keys, which a map would swallow, are
//! problems like any other.

use super::{Found, SecretName, Sink as _, Wiped, shown_key};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::fmt;
use zeroize::Zeroizing;

/// Reads a text into `found`.
pub(super) fn parse(text: &str, found: &mut Found) {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Flat { found, may_be_empty: false }.deserialize(&mut reader).and_then(|()| reader.end());
    if let Err(e) = read {
        // the message of a serde error may hold a value: only the place and the kind are used
        let what = match e.classify() {
            serde_json::error::Category::Data => {
                "is not one object of names and texts: {\"NAME\": \"value\"}"
            }
            serde_json::error::Category::Eof => "the file ends too early",
            _ => "is not valid JSON",
        };
        found.problem(Some(e.line()), None, format!("{what} (column {})", e.column()));
    }
}

/// One entry a line, in the given order.
pub(super) fn render<'a>(entries: impl Iterator<Item = (&'a SecretName, &'a str)>, out: &mut Wiped) {
    out.push("{");
    for (at, (name, text)) in entries.enumerate() {
        out.push(if at == 0 { "\n  \"" } else { ",\n  \"" });
        out.push(name.as_str());
        out.push("\": ");
        quote(text, out);
    }
    out.push("\n}\n");
}

/// A double-quoted text that JSON and YAML read alike: what YAML calls not printable is escaped too.
pub(super) fn quote(text: &str, out: &mut Wiped) {
    out.push("\"");
    for c in text.chars() {
        match c {
            '"' => out.push("\\\""),
            '\\' => out.push("\\\\"),
            '\n' => out.push("\\n"),
            '\r' => out.push("\\r"),
            '\t' => out.push("\\t"),
            '\0'..='\x1f'
            | '\x7f'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let code = u32::from(c);
                out.push("\\u");
                for shift in [12, 8, 4, 0] {
                    out.push_char(char::from_digit(code >> shift & 15, 16).unwrap_or('0'));
                }
            }
            c => out.push_char(c),
        }
    }
    out.push("\"");
}

/// Reads a mapping of names to texts, entry by entry, into `found`.
pub(super) struct Flat<'a> {
    pub(super) found: &'a mut Found,
    /// Whether "nothing at all" is an empty mapping, as in an empty YAML file.
    pub(super) may_be_empty: bool,
}

impl<'de> DeserializeSeed<'de> for Flat<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flat<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of names to texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let shown = Some(shown_key(&key));
            match map.next_value::<Node>()? {
                Node::Text(mut text) => {
                    self.found.add(None, &key, shown, std::mem::take(&mut *text).into_bytes());
                }
                Node::Bare(kind) => {
                    self.found.problem(None, shown, format!("is {kind}; put it in quotes"));
                }
                Node::Nested(inner) => {
                    let path = inner.map(|inner| format!(" ({key}.{inner})")).unwrap_or_default();
                    let what = format!("is not text{}; secrets are flat: NAME and text", shown_key(&path));
                    self.found.problem(None, shown, what);
                }
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.may_be_empty { Ok(()) } else { Err(E::custom("no mapping")) }
    }
}

/// What stands for a value.
enum Node {
    Text(Zeroizing<String>),
    /// A number, a boolean or null, in words.
    Bare(&'static str),
    /// A list or a mapping; its first key.
    Nested(Option<String>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Bare("true or false"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Bare("a number"))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Bare("a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Bare("a number"))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Bare("a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Bare("a number"))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Bare("null"))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Bare("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Nested(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let first = map.next_key::<String>()?;
        if first.is_some() {
            map.next_value::<IgnoredAny>()?;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(Node::Nested(first))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, parse as parse_bytes};

    fn problems(text: &str) -> String {
        parse_bytes(Format::Json, text.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn a_flat_object_is_read_and_nothing_else() {
        let read = parse_bytes(Format::Json, br#" {"A": "x\n\u0000\ud83d\ude00", "B_1": ""} "#).unwrap();
        assert_eq!(read[0].1.expose(), "x\n\0😀".as_bytes());
        assert!(read[1].1.is_empty());
        assert!(parse_bytes(Format::Json, b"{}").unwrap().is_empty());
        for bad in
            ["", "[]", "null", "\"x\"", "{\"A\": \"x\"", "{\"A\": \"x\"} x", "{'A': 'x'}", "{\"A\": \"x\",}"]
        {
            assert!(parse_bytes(Format::Json, bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(problems("{\n\"A\" \"x\"}").contains("line 2: is not valid JSON (column 5)"));
    }

    #[test]
    fn every_problem_is_reported_with_its_key() {
        let text = r#"{"A":"x","A":"y","b":"z","N":1,"T":true,"Z":null,"L":[1],"D":{"HOST":{"x":1}},"bad key\u001b":"v"}"#;
        let error = problems(text);
        for wanted in [
            "A: is in the file twice",
            "b: names are upper case; write B",
            "N: is a number; put it in quotes",
            "T: is true or false",
            "Z: is null",
            "L: is not text;",
            "D: is not text (D.HOST); secrets are flat",
            "bad key^[: not a name",
        ] {
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_stack_overflow() {
        let deep = format!("{{\"A\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(parse_bytes(Format::Json, deep.as_bytes()).is_err());
        let deep = "{\"A\":".repeat(200_000);
        assert!(parse_bytes(Format::Json, deep.as_bytes()).is_err());
    }

    #[test]
    fn values_do_not_reach_the_message() {
        for text in
            ["\"canary\"", "{\"A\":canary}", "{\"A\":\"canary\\q\"}", "{\"A\" \"canary\"}", "[\"canary\"]"]
        {
            assert!(!problems(text).contains("canary"), "{}", problems(text));
        }
    }
}
