//! References: the text in a file that stands for a value (DESIGN 7).
//!
//! `{{$secret.NAME}}` and `{{ vault.NAME }}` stand for a secret of ours, `{{ $secrets.ALIAS.KEY }}` and
//! `{{ $secrets['ALIAS']['path/to/key#field'] }}` for one that a provider keeps. One parser reads all of them, from bytes.
//! What merely looks like a template of somebody else (`{{ .Values.x }}`, `{{ vault }}`, `{{ $secret }}`) is not ours.
//! Invariant: a [`Reference`] holds nothing that could harm a terminal or a log.

use super::{NameError, SecretName, printable};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest alias, in bytes.
pub const MAX_ALIAS: usize = 64;
/// The longest key within a provider, in bytes.
pub const MAX_KEY: usize = 1024;

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A secret of the vault: of the project first, then of the organization.
    Secret(SecretName),
    /// Something that a provider keeps.
    Provider {
        /// Which provider.
        alias: Alias,
        /// What of it, in the provider's own words.
        key: ProviderKey,
    },
}

impl Reference {
    /// The reference with which `text` begins, opening braces included, and its length. `None` if it is none, or a wrong
    /// one.
    pub fn at_start(text: &[u8]) -> Option<(Self, usize)> {
        match inside(text.strip_prefix(b"{{")?) {
            Inside::Reference(reference, length) => Some((reference, length + 2)),
            Inside::Foreign | Inside::Wrong(..) => None,
        }
    }
}

impl Reference {
    /// The name, of a secret of the vault.
    pub fn secret(&self) -> Option<&SecretName> {
        match self {
            Self::Secret(name) => Some(name),
            Self::Provider { .. } => None,
        }
    }
}

impl fmt::Display for Reference {
    /// As it is spelled inside the braces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "$secret.{name}"),
            Self::Provider { alias, key } => {
                let quote = if key.as_str().contains('\'') { '"' } else { '\'' };
                write!(f, "$secrets['{alias}'][{quote}{key}{quote}]")
            }
        }
    }
}

/// What a provider is called in references: 1 to 64 of letters, digits, `_` and `-`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alias(String);

/// What is asked of a provider: 1 to 1024 bytes of printable text on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderKey(String);

impl Alias {
    /// Accepts exactly the rule above.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let ok = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.len() <= MAX_ALIAS
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if ok { Ok(Self(text.to_owned())) } else { Err(Fault::Alias) }
    }

    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProviderKey {
    /// Accepts exactly the rule above.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let ok = !text.is_empty() && text.len() <= MAX_KEY && !text.chars().any(printable::is_dangerous);
        if ok { Ok(Self(text.to_owned())) } else { Err(Fault::Key) }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why something that starts like a reference is none. The text itself is not kept: it may be a pasted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing where the name belongs.
    #[error("the name is missing: {{{{$secret.NAME}}}}")]
    NoName,
    /// Not a secret's name.
    #[error("that is not a secret's name: {0}")]
    Name(#[from] NameError),
    /// Not a provider's alias.
    #[error(
        "a provider's alias has 1 to {MAX_ALIAS} letters, digits, _ or -: {{{{ $secrets.ALIAS.KEY }}}} or {{{{ $secrets['ALIAS']['KEY'] }}}}"
    )]
    Alias,
    /// Not a key, or a key that needs quotes.
    #[error(
        "a key is a word, or up to {MAX_KEY} printable bytes in quotes: {{{{ $secrets.ALIAS.KEY }}}} or {{{{ $secrets['ALIAS']['path/to/key#field'] }}}}"
    )]
    Key,
    /// `$secret[…]`: brackets are for providers.
    #[error("brackets are for providers ($secrets); a secret of the vault is {{{{$secret.NAME}}}}")]
    Brackets,
    /// Something stands between the name and the closing braces.
    #[error("nothing but }}}} may follow the name")]
    Extra,
    /// The text ends, or goes on with something else, before the closing braces.
    #[error("the reference is not closed by }}}}")]
    Unclosed,
}

/// What stands behind two opening braces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// Somebody else's text.
    Foreign,
    /// A reference, and where the text after its closing braces begins.
    Reference(Reference, usize),
    /// It starts like ours and is wrong; how far in.
    Wrong(Fault, usize),
}

/// Reads what stands behind two opening braces. Looks at no more than it takes to decide.
pub(super) fn inside(text: &[u8]) -> Inside {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    let read = if reader.take(b"$secrets") {
        match reader.peek() {
            Some(b'.' | b'[') => reader.provider(),
            _ => return Inside::Foreign,
        }
    } else if reader.take(b"$secret[") {
        Err(Fault::Brackets)
    } else if reader.take(b"$secret.") || reader.take(b"vault.") {
        reader.secret()
    } else {
        return Inside::Foreign;
    };
    match read.and_then(|reference| reader.close().map(|()| reference)) {
        Ok(reference) => Inside::Reference(reference, reader.at),
        Err(fault) => Inside::Wrong(fault, reader.at),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn take(&mut self, word: &[u8]) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn space(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// Up to the first byte that ends a word in every template language.
    fn word(&self) -> &'a [u8] {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[]()|'\"".contains(byte);
        self.rest().split(ends).next().unwrap_or_default()
    }

    fn secret(&mut self) -> Result<Reference, Fault> {
        let word = self.word();
        if word.is_empty() {
            return Err(Fault::NoName);
        }
        let name = SecretName::parse(&String::from_utf8_lossy(word))?;
        self.at += word.len();
        Ok(Reference::Secret(name))
    }

    fn provider(&mut self) -> Result<Reference, Fault> {
        let start = self.at;
        let alias = self.part(Fault::Alias, MAX_ALIAS)?;
        let alias = Alias::parse(alias).inspect_err(|_| self.at = start)?;
        let start = self.at;
        let key = self.part(Fault::Key, MAX_KEY)?;
        let key = ProviderKey::parse(key).inspect_err(|_| self.at = start)?;
        if self.peek() == Some(b'.') {
            self.at = start;
            return Err(Fault::Key); // a key with a dot needs quotes: it could be meant in more than one way
        }
        Ok(Reference::Provider { alias, key })
    }

    /// `.word` or `['any text']`.
    fn part(&mut self, fault: Fault, longest: usize) -> Result<&'a str, Fault> {
        let start = self.at;
        let read = if self.take(b".") {
            let word = self.word().split(|byte| *byte == b'.').next().unwrap_or_default();
            self.at += word.len();
            Some(word)
        } else if self.take(b"[") {
            self.quoted(longest)
        } else {
            None
        };
        let text = read.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.filter(|text| !text.is_empty()).ok_or(fault).inspect_err(|_| self.at = start)
    }

    fn quoted(&mut self, longest: usize) -> Option<&'a [u8]> {
        self.space();
        let quote = self.peek().filter(|byte| matches!(byte, b'\'' | b'"'))?;
        self.at += 1;
        let within = self.rest().get(..longest + 1).unwrap_or(self.rest());
        let length = within.iter().position(|byte| *byte == quote || *byte == b'\n')?;
        let text = within.get(..length)?;
        self.at += length;
        if !self.take(&[quote]) {
            return None;
        }
        self.space();
        self.take(b"]").then_some(text)
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.space();
        if self.take(b"}}") {
            return Ok(());
        }
        Err(match self.rest() {
            [] | [b'}'] | [b'{', b'{', ..] => Fault::Unclosed,
            _ => Fault::Extra,
        })
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Alias {
    type Error = Fault;
    fn try_from(text: String) -> Result<Self, Fault> {
        Self::parse(&text)
    }
}

impl From<Alias> for String {
    fn from(alias: Alias) -> Self {
        alias.0
    }
}

impl TryFrom<String> for ProviderKey {
    type Error = Fault;
    fn try_from(text: String) -> Result<Self, Fault> {
        Self::parse(&text)
    }
}

impl From<ProviderKey> for String {
    fn from(key: ProviderKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Inside {
        inside(text.as_bytes())
    }

    fn secret(name: &str, end: usize) -> Inside {
        Inside::Reference(Reference::Secret(SecretName::parse(name).unwrap()), end)
    }

    fn provider(alias: &str, key: &str, end: usize) -> Inside {
        let (alias, key) = (Alias::parse(alias).unwrap(), ProviderKey::parse(key).unwrap());
        Inside::Reference(Reference::Provider { alias, key }, end)
    }

    #[test]
    fn the_three_spellings_are_read() {
        for (text, want) in [
            ("$secret.API_KEY}} x", secret("API_KEY", 17)),
            (" \t\r\n$secret.A \n}}", secret("A", 17)),
            (" vault.DB_URL }}", secret("DB_URL", 16)),
            ("vault._}}}}", secret("_", 9)),
            (" $secrets.prod.DB_URL }}", provider("prod", "DB_URL", 24)),
            ("$secrets['prod']['a/b#c']}}", provider("prod", "a/b#c", 27)),
            (r#"$secrets[ "p-1" ][ "it's {{ }}" ]}}"#, provider("p-1", "it's {{ }}", 35)),
            ("$secrets.prod['a b']}}", provider("prod", "a b", 22)),
            ("$secrets['prod'].key-1 }}", provider("prod", "key-1", 25)),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        for text in [
            "",
            " ",
            " .Values.x }}",
            " user.name }}",
            " vault }}",
            " vault .Values.x }}",
            " vaults.A }}",
            "- $secret.A }}",
            " $secret }}",
            " $secret := .x }}",
            " $secretName.x }}",
            " $secrets }}",
            " $secrets .x }}",
            "secret.A}}",
            " secrets.A.B }}",
            "$Secret.A}}",
            "VAULT.A}}",
            "$vault.A}}",
        ] {
            assert_eq!(read(text), Inside::Foreign, "{text}");
        }
    }

    #[test]
    fn what_starts_like_ours_and_is_wrong_says_why_and_where() {
        for (text, at, part) in [
            ("$secret.}}", 8, "name is missing"),
            (" vault. }}", 7, "name is missing"),
            ("$secret.", 8, "name is missing"),
            ("$secret.abc}}", 8, "character 1 is a"),
            ("vault.A-B}}", 6, "character 2 is -"),
            ("$secret.A.B}}", 8, "character 2 is ."),
            ("$secret.A | upper }}", 10, "may follow"),
            ("$secret.A", 9, "not closed"),
            ("$secret.A }", 10, "not closed"),
            ("$secret.A {{$secret.B}}", 10, "not closed"),
            ("$secret['A']}}", 8, "brackets"),
            ("$secrets.}}", 8, "alias"),
            ("$secrets.prod}}", 13, "key is a word"),
            ("$secrets.prod.a.b}}", 13, "key is a word"),
            ("$secrets['p q']['k']}}", 8, "alias"),
            ("$secrets['prod']['']}}", 16, "key is a word"),
            ("$secrets['prod']['k\n']}}", 16, "key is a word"),
            ("$secrets['prod'][\"k']}}", 16, "key is a word"),
            ("$secrets[prod][k]}}", 8, "alias"),
            ("$secrets['prod']['\u{202e}']}}", 16, "key is a word"),
        ] {
            match read(text) {
                Inside::Wrong(fault, found) => {
                    assert!(fault.to_string().contains(part), "{text}: {fault}");
                    assert_eq!(found, at, "{text}: {fault}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_no_name_and_no_key() {
        assert!(matches!(inside(b"$secret.A\xff}}"), Inside::Wrong(Fault::Name(_), 8)));
        assert!(matches!(inside(b"$secrets['a']['\xff']}}"), Inside::Wrong(Fault::Key, 13)));
    }

    #[test]
    fn a_reference_travels_and_is_shown_as_it_is_spelled() {
        for text in ["$secret.A}}", "$secrets['p']['a/b#c']}}", "$secrets['p'][\"it's\"]}}"] {
            let Inside::Reference(reference, _) = read(text) else { panic!("{text}") };
            assert_eq!(format!("{reference}}}}}"), text);
            let json = serde_json::to_string(&reference).unwrap();
            assert_eq!(serde_json::from_str::<Reference>(&json).unwrap(), reference);
        }
        assert!(serde_json::from_str::<Reference>(r#"{"provider":{"alias":"a b","key":"k"}}"#).is_err());
        assert!(serde_json::from_str::<Reference>(r#"{"provider":{"alias":"a","key":"\u001b"}}"#).is_err());
    }
}
