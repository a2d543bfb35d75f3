//! Roles, in one total order: `read < run < write < owner` (SPEC 1.2).
//!
//! A role is what a member may do *and* which key the member is given; both facts live here so that they cannot part.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a member may do in one scope. Each level adds exactly one right to the one below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees names and dates; holds no key that opens a value.
    Read = 1,
    /// May also resolve values, for workers and pipelines.
    Run = 2,
    /// May also create, edit, delete, reveal and copy.
    Write = 3,
    /// May also admit and remove people and create projects.
    Owner = 4,
}

/// Which scope key a member is sent: `M` opens names and labels, `K` opens everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyClass {
    /// Names and labels only.
    Meta,
    /// Values too.
    Full,
}

impl Role {
    /// All roles, lowest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Run, Self::Write, Self::Owner];

    /// The role of a byte in a member entry; 0 (revoked) and unknown bytes are `None`.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| *role as u8 == byte)
    }

    /// The key that this role is sent.
    pub fn key_class(self) -> KeyClass {
        if self == Self::Read { KeyClass::Meta } else { KeyClass::Full }
    }

    /// The lower-case word used on the command line and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Write => "write",
            Self::Owner => "owner",
        }
    }

    /// One sentence for help texts.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Read => "sees names and dates, no values",
            Self::Run => "may also resolve values (for workers)",
            Self::Write => "may also create, edit, delete, reveal and copy",
            Self::Owner => "may also manage members and create projects",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or_else(|| "a role is one of read, run, write, owner".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_totally_ordered_and_only_read_lacks_the_value_key() {
        assert!(Role::Read < Role::Run && Role::Run < Role::Write && Role::Write < Role::Owner);
        assert_eq!(Role::ALL.map(Role::key_class).iter().filter(|c| **c == KeyClass::Meta).count(), 1);
        assert_eq!(Role::from_byte(0), None);
        assert_eq!(Role::from_byte(5), None);
        assert_eq!("write".parse(), Ok(Role::Write));
    }
}
