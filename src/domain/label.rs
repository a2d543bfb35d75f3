//! Labels: what people, and the organization, are called.
//!
//! Free text, but short and harmless: it is shown on other people's screens. A label that comes out of a ciphertext is
//! escaped before it is shown all the same, because its author may have run another program.

use super::printable;
use std::fmt;

/// The most characters in a label.
pub const MAX_LABEL: usize = 64;
const MAX_BYTES: usize = 128;

/// 1 to 64 printable characters (at most 128 bytes of UTF-8), without surrounding white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// Trims, then refuses what is empty, too long or not printable.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            Err("a name needs at least one character")
        } else if text.chars().count() > MAX_LABEL || text.len() > MAX_BYTES {
            Err("a name has at most 64 characters (128 bytes)")
        } else if printable::line(text) != text {
            Err("a name has printable characters only")
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_printable() {
        assert_eq!(Label::parse("  Zoë at work ").unwrap().as_str(), "Zoë at work");
        for bad in ["", "  ", "a\u{1b}[31m", "a\nb", "a\u{202e}b", &"x".repeat(65), &"\u{4e2d}".repeat(64)] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
        }
    }
}
