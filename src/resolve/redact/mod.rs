//! Redaction of what a program prints: values, and the spellings in which programs print them, become `[sealed:NAME]`.
//!
//! [`Redaction`] holds the values of one run, arranged for searching; each stream goes through a [`Redactor`] of its own.
//! `spelling` knows how a value may be written, `patterns` finds spellings, `stream` deals with time and pieces. Nothing
//! here does I/O or knows a terminal.
//!
//! Of a value of several lines, each line of 32 bytes or more is found by itself too.
//!
//! What it does not find: a value that a program cuts up otherwise, reverses, encrypts or prints in hexadecimal; base64 in lines
//! of another width than 64 or 76 characters, or that does not start at the beginning of a line.

mod patterns;
mod spelling;
mod stream;
#[cfg(test)]
mod tests;

use crate::domain::{SecretName, SecretValue};
use patterns::{Patterns, SHORTEST};
pub use stream::Redactor;

/// What is to be kept out of a stream. Immutable: one is shared by all streams of a program.
pub struct Redaction {
    names: Vec<SecretName>,
    values: Vec<SecretValue>,
    too_short: Vec<SecretName>,
    patterns: Patterns,
}

impl Redaction {
    /// Takes the values; each is known under its name from now on. Of equal values the first name is shown.
    pub fn new(values: impl IntoIterator<Item = (SecretName, SecretValue)>) -> Self {
        let (mut names, mut kept, mut too_short) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in values {
            if core(&value).len() < SHORTEST {
                too_short.push(name);
            } else {
                names.push(name);
                kept.push(value);
            }
        }
        let patterns = Patterns::of(&kept.iter().map(core).collect::<Vec<_>>());
        Self { names, values: kept, too_short, patterns }
    }

    /// Names whose values are too short (under 6 bytes) to be found without hiding ordinary text.
    pub fn too_short(&self) -> &[SecretName] {
        &self.too_short
    }

    /// True if there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    fn name(&self, owner: u32) -> &str {
        let name = usize::try_from(owner).ok().and_then(|owner| self.names.get(owner));
        name.map_or("", SecretName::as_str)
    }

    fn value_of(&self, rest: u32) -> &[u8] {
        let owner = self.patterns.rest(rest).and_then(|rest| usize::try_from(rest.owner).ok());
        owner.and_then(|owner| self.values.get(owner)).map_or(&[], core)
    }
}

/// The value without line breaks at its end: a file's last line break is lost in `$(…)`, and showing it tells nothing.
fn core(value: &SecretValue) -> &[u8] {
    let bytes = value.expose();
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}
