//! Secret values and passphrases: bytes that wipe themselves and cannot be printed, cloned or serialized by accident.
//!
//! [`SecretValue::expose`] and [`Passphrase::expose`] are the only ways in; they are named so that `grep expose`
//! finds every place where plaintext is touched.

use zeroize::{Zeroize, Zeroizing};

/// The longest value, in bytes: 1 MiB (SPEC R18).
pub const MAX_VALUE: usize = 1 << 20;

/// The plaintext of a secret: any bytes, UTF-8 or not, from 0 to [`MAX_VALUE`].
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// Why bytes are not a secret value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// More than [`MAX_VALUE`] bytes.
    #[error("a value has at most 1 MiB (1048576 bytes); this has {0}")]
    TooLong(usize),
}

impl SecretValue {
    /// Takes ownership of the bytes; they are wiped if they are refused.
    pub fn new(bytes: Vec<u8>) -> Result<Self, ValueError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > MAX_VALUE {
            return Err(ValueError::TooLong(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// The plaintext.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The plaintext as text, if it is UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// A deliberate second copy, for the few places that need two owners.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for the empty value, which is a valid value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A passphrase as it was typed, UTF-8. It is normalised (NFKC) only where the key is derived.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes ownership of the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Reads UTF-8 bytes; one trailing line break (`\n` or `\r\n`) is dropped, as every editor adds one.
    /// The bytes are wiped. Returns `None` if they are not UTF-8.
    pub fn from_file_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let text = std::str::from_utf8(&bytes).ok().map(|text| {
            let text = text.strip_suffix('\n').unwrap_or(text);
            Self::new(text.strip_suffix('\r').unwrap_or(text).to_owned())
        });
        bytes.zeroize();
        text
    }

    /// The passphrase.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True if nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mebibyte_is_accepted_and_one_byte_more_is_not() {
        assert!(SecretValue::new(vec![7; MAX_VALUE]).is_ok());
        assert_eq!(SecretValue::new(vec![7; MAX_VALUE + 1]).err(), Some(ValueError::TooLong(MAX_VALUE + 1)));
        assert!(SecretValue::new(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn a_passphrase_file_loses_one_line_break_only() {
        for (bytes, want) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a")] {
            assert_eq!(Passphrase::from_file_bytes(bytes.into()).unwrap().expose(), want);
        }
        assert!(Passphrase::from_file_bytes(vec![0xff]).is_none());
    }
}
