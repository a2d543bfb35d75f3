//! Redaction of what a program prints: values, and the spellings in which programs print them, become `[sealed:NAME]`.

use crate::domain::{SecretName, SecretValue};
use std::sync::Arc;

/// What is to be kept out of a stream. Immutable: one is shared by all streams of a program.
pub struct Redaction {
    too_short: Vec<SecretName>,
    patterns: usize,
}

impl Redaction {
    /// Takes the values; each is known under its name from now on.
    pub fn new(values: impl IntoIterator<Item = (SecretName, SecretValue)>) -> Self {
        Self { too_short: Vec::new(), patterns: values.into_iter().count() }
    }

    /// Names whose values are too short (under 6 bytes) to be found without hiding ordinary text.
    pub fn too_short(&self) -> &[SecretName] {
        &self.too_short
    }

    /// True if there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.patterns == 0
    }
}

/// One stream on its way through a [`Redaction`].
pub struct Redactor {
    _redaction: Arc<Redaction>,
}

impl Redactor {
    /// For one stream, from its first byte.
    pub fn new(redaction: Arc<Redaction>) -> Self {
        Self { _redaction: redaction }
    }

    /// Takes what the program wrote; appends to `out` what may be shown by now.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(chunk);
    }

    /// Nothing came for a while (under 50 ms): lets go of a held tail, unless it is the beginning of a value, four
    /// bytes or longer.
    pub fn settle(&mut self, _out: &mut Vec<u8>) {}

    /// The stream has ended: lets go of everything that is no value.
    pub fn finish(&mut self, _out: &mut Vec<u8>) {}
}
