//! Secret names: `[A-Z0-9_]{1,128}`, chosen once and never changed (SPEC 1.5, R17).
//!
//! One rule, used when a person types, when a file is imported and when a name comes back out of a ciphertext.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The longest name, in bytes (and characters: the alphabet is ASCII).
pub const MAX_NAME: usize = 128;

/// A valid secret name. The only way to hold one is [`SecretName::parse`]. Clones share one text: every index has its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(Arc<str>);

/// Why a text is not a secret name. The offending text itself is not kept: it may be a pasted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a name needs at least one character")]
    Empty,
    /// The text is longer than [`MAX_NAME`] bytes.
    #[error("a name has at most {MAX_NAME} characters; this has {0}")]
    TooLong(usize),
    /// A character outside the alphabet, with its 1-based position in characters.
    #[error("only A-Z, 0-9 and _ are allowed; character {position} is {shown}")]
    Character {
        /// Position of the first offending character, counted from 1.
        position: usize,
        /// The character, escaped so that it is safe on a terminal.
        shown: String,
    },
}

impl SecretName {
    /// Accepts exactly `[A-Z0-9_]{1,128}`; nothing is upper-cased or trimmed.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| !allowed(*c)) {
            return Err(NameError::Character { position: at + 1, shown: c.escape_default().to_string() });
        }
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// Trims surrounding white space, upper-cases ASCII letters, then parses: for text that a person pasted or typed
    /// as a command argument. `-` and `.` are not converted: a name must not change behind its author's back.
    pub fn from_user(text: &str) -> Result<Self, NameError> {
        Self::parse(&text.trim().to_ascii_uppercase())
    }

    /// What one typed character becomes in a name field: upper-cased if it is allowed, otherwise nothing.
    pub fn typed(c: char) -> Option<char> {
        let c = c.to_ascii_uppercase();
        allowed(c).then_some(c)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for SecretName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        String::from(&*name.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_whole_alphabet_and_the_longest_name() {
        assert!(SecretName::parse("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_").is_ok());
        assert!(SecretName::parse(&"A".repeat(128)).is_ok());
        assert!(SecretName::parse("_").is_ok());
    }

    #[test]
    fn refuses_everything_else() {
        for bad in ["", "a", "A-B", "A B", "ÀB", "Ａ", "A\0", "A\n", "../A", "A.B", "А"] {
            assert!(SecretName::parse(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(SecretName::parse(&"A".repeat(129)), Err(NameError::TooLong(129)));
    }

    #[test]
    fn errors_show_the_character_escaped() {
        let error = SecretName::parse("AB\u{1b}").unwrap_err().to_string();
        assert!(error.contains("character 3") && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn typed_text_is_upper_cased_or_dropped() {
        assert_eq!("stripe key-1_é".chars().filter_map(SecretName::typed).collect::<String>(), "STRIPEKEY1_");
    }

    #[test]
    fn from_user_upper_cases_but_never_guesses() {
        assert_eq!(SecretName::from_user(" api_key\n").unwrap().as_str(), "API_KEY");
        assert!(SecretName::from_user("api-key").is_err());
    }
}
