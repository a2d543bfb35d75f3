//! References in the text of a file, found by the first two bytes and read by the one parser of references.
//!
//! Owns only how far a reference may reach in a file. What is no reference (other templates have double braces, too) is
//! passed over without a word: that is `inject`'s to complain about.

use crate::domain::SecretName;

/// The most bytes that a reference may have, braces included.
pub(super) const LONGEST: usize = 2048;

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mention {
    /// A secret of the vault: of the project, or of the organization.
    Name(SecretName),
    /// A secret of a provider, by alias and key. Both come from the file: make them safe before showing them.
    Provider(String, String),
}

/// The reference with which `text` begins, and its length.
pub(super) fn at_start(text: &[u8]) -> Option<(Mention, usize)> {
    let inner = text.strip_prefix(b"{{")?;
    if !matches!(inner.trim_ascii_start().first(), Some(b'$' | b'v')) {
        return None; // the other templates of this world, quickly
    }
    let end = memchr::memmem::find(inner, b"}}")?;
    let body = std::str::from_utf8(inner.get(..end)?).ok()?.trim_ascii();
    let name = body.strip_prefix("$secret.").or_else(|| body.strip_prefix("vault."))?;
    Some((Mention::Name(SecretName::parse(name).ok()?), end + 4))
}
