//! That a value was read: who took which names for what, never what they hold (SPEC 1.9).
//!
//! Owns the stable words of the read log. There is no field here that a value could enter. A record is advisory: a
//! hostile client can leave it out, and whoever keeps the store can cut the newest ones off.

use super::{SecretName, printable};
use serde::{Deserialize, Serialize};

/// The longest name of a program in a record, in characters.
pub const MAX_PROGRAM: usize = 64;
/// The longest name of a host in a record, in characters.
pub const MAX_HOST: usize = 64;

/// What the value was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadAction {
    /// A person looked at it.
    Reveal,
    /// A person copied it.
    Copy,
    /// A program took it.
    Get,
    /// A child process was started with it.
    Run,
    /// It was written into a file or a stream.
    Inject,
    /// It left with others.
    Export,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadCode {
    /// The values were answered.
    Ok,
    /// There is no such name.
    SecretNotFound,
    /// There is no such version, or its value was removed.
    VersionNotFound,
    /// The role does not allow it.
    PermissionDenied,
    /// The store does not hand the ciphertext out.
    ValueWithheld,
    /// The ciphertext does not open.
    Unreadable,
}

impl ReadAction {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Reveal, Self::Copy, Self::Get, Self::Run, Self::Inject, Self::Export];

    /// The stable token.
    pub fn token(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::Copy => "copy",
            Self::Get => "get",
            Self::Run => "run",
            Self::Inject => "inject",
            Self::Export => "export",
        }
    }
}

impl ReadCode {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::SecretNotFound,
        Self::VersionNotFound,
        Self::PermissionDenied,
        Self::ValueWithheld,
        Self::Unreadable,
    ];

    /// The stable token.
    pub fn token(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::SecretNotFound => "secret_not_found",
            Self::VersionNotFound => "version_not_found",
            Self::PermissionDenied => "permission_denied",
            Self::ValueWithheld => "value_withheld",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One reading, as its reader tells it: written into the read log, sealed, with the machine's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRecord {
    /// What for.
    pub action: ReadAction,
    /// How it ended.
    pub code: ReadCode,
    /// Which secrets: all names of one reading. None if all were asked for and none was given.
    pub names: Vec<SecretName>,
    /// The version, if one secret was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The program that asked, such as `sealbox get`. Escaped, and cut after [`MAX_PROGRAM`] characters, when written.
    pub program: String,
}

/// Text that is short and harmless enough for a record: escaped, then cut.
pub fn short(text: &str, most: usize) -> String {
    printable::line(text).chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_is_written_down() {
        for action in ReadAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.token());
        }
        for code in ReadCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.token());
        }
    }

    #[test]
    fn a_programs_name_is_cut_and_escaped() {
        assert_eq!(short("sealbox get", MAX_PROGRAM), "sealbox get");
        assert_eq!(short("a\u{1b}b", MAX_PROGRAM), "a^[b");
        assert_eq!(short(&"x".repeat(99), MAX_PROGRAM).len(), MAX_PROGRAM);
    }
}
