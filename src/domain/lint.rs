//! What `lint` may say of secrets: a stable code, how bad it is, which names, and what to do. Never a value.
//!
//! Owns the words, and the rule for names that say nothing. Rules that look at values are in [`super::shape`].

use super::{Role, ScopeRef, SecretName};
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; may well be meant.
    Info,
    /// Against good practice.
    Warning,
    /// Certainly not what was meant.
    Error,
}

/// What was found. The tokens are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LintCode {
    /// The value looks like another kind of credential than its name says.
    KindMismatch,
    /// The value is a placeholder, its own name, or far too short for what the name says.
    WeakValue,
    /// The value is older than its rotation interval.
    RotationDue,
    /// One value is kept under several names.
    DuplicateValue,
    /// A project repeats the organization's secret: same name, same value.
    DuplicatesOrganization,
    /// A single-line value ends with a line break.
    TrailingNewline,
    /// A project's secret takes the place of the organization's of the same name.
    ShadowsOrganization,
    /// The name says nothing.
    VagueName,
}

impl LintCode {
    /// The stable token.
    pub fn token(self) -> &'static str {
        match self {
            Self::KindMismatch => "kind_mismatch",
            Self::WeakValue => "weak_value",
            Self::RotationDue => "rotation_due",
            Self::DuplicateValue => "duplicate_value",
            Self::DuplicatesOrganization => "duplicates_organization",
            Self::TrailingNewline => "trailing_newline",
            Self::ShadowsOrganization => "shadows_organization",
            Self::VagueName => "vague_name",
        }
    }
}

impl Severity {
    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub code: LintCode,
    /// How bad.
    pub severity: Severity,
    /// Where; of several places the first.
    pub scope: ScopeRef,
    /// Which secrets, in the order in which the message names them.
    pub names: Vec<SecretName>,
    /// One sentence without a full stop. Names only: no value, no part of one, no length.
    pub message: String,
    /// What to do about it.
    pub next: String,
}

/// What was not looked at, so that silence is not taken for health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked {
    /// Where.
    pub scope: ScopeRef,
    /// Our role there, if that is the reason: it opens no value.
    pub role: Option<Role>,
    /// How many values do not open, if that is the reason.
    pub unreadable: usize,
}

/// Everything that `lint` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LintReport {
    /// The worst first.
    pub findings: Vec<Finding>,
    /// How many secrets were looked at.
    pub secrets: usize,
    /// Where values were not looked at: only names and dates were.
    pub unchecked: Vec<Unchecked>,
}

/// True if a name says nothing: a bare kind of thing (`SECRET`, `TOKEN_2`), a word of tests, or a letter with a number.
pub fn is_vague(name: &SecretName) -> bool {
    const VAGUE: [&str; 42] = [
        "SECRET",
        "SECRETS",
        "MY_SECRET",
        "THE_SECRET",
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PWD",
        "MY_PASSWORD",
        "PASSPHRASE",
        "KEY",
        "KEYS",
        "MY_KEY",
        "TOKEN",
        "TOKENS",
        "MY_TOKEN",
        "CREDENTIAL",
        "CREDENTIALS",
        "CREDS",
        "AUTH",
        "LOGIN",
        "PIN",
        "CODE",
        "VALUE",
        "VAR",
        "DATA",
        "STUFF",
        "THING",
        "MISC",
        "TEST",
        "TESTING",
        "TMP",
        "TEMP",
        "FOO",
        "BAR",
        "BAZ",
        "QUX",
        "FOOBAR",
        "ABC",
        "ASDF",
        "NEW",
        "OLD",
    ];
    let base = name.as_str().trim_matches('_').trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    base.len() <= 1 || VAGUE.contains(&base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_and_letters_with_numbers_say_nothing() {
        let vague = |text: &str| is_vague(&SecretName::parse(text).unwrap());
        for name in
            ["SECRET", "TOKEN_2", "KEY1", "_PASSWORD_", "A1", "X", "42", "_", "FOO_BAR_1".get(..3).unwrap()]
        {
            assert!(vague(name), "{name}");
        }
        for name in ["STRIPE_KEY", "API_KEY", "DB_PASSWORD", "SESSION_SECRET", "S3", "AWS_1", "FOO_SERVICE"] {
            assert_eq!(vague(name), name == "S3", "{name}");
        }
    }

    #[test]
    fn the_worst_comes_last_in_the_order_and_tokens_are_what_is_written() {
        assert!(Severity::Info < Severity::Warning && Severity::Warning < Severity::Error);
        for code in [LintCode::KindMismatch, LintCode::ShadowsOrganization, LintCode::VagueName] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.token());
        }
        assert_eq!(serde_json::to_value(Severity::Warning).unwrap(), Severity::Warning.word());
    }
}
