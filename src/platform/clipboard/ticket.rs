//! Which copy is the newest on a clipboard that cannot be read: a file with a token, one per place where a person sits.
//!
//! A terminal's clipboard is shared by all terminals of one desk, so the file is named after the SSH client's address
//! (or "here"), not after the terminal. The helper of an older copy finds another token and leaves the newer copy alone.

use crate::platform::clock::{Clock, SystemClock};
use crate::platform::{files, paths::VaultPaths};
use std::ffi::OsString;
use std::path::PathBuf;

/// One copy's claim to be the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) file: PathBuf,
    pub(super) token: String,
}

/// Something that no other copy of this user has.
pub(super) fn token() -> String {
    format!("{:x}-{:x}", std::process::id(), SystemClock.since_boot().as_nanos())
}

impl Ticket {
    /// Claims to be the newest; `None` if there is no place to say so, and then an older copy may clear this one early.
    pub(super) fn draw(env: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        let folder = VaultPaths::resolve(None, env).ok()?.runtime;
        files::private_dir(&folder).ok()?;
        let ticket = Self { file: folder.join(format!("clipboard-{}", seat(env))), token: token() };
        files::write_private_atomic(&ticket.file, ticket.token.as_bytes()).ok()?;
        Some(ticket)
    }

    /// True unless a newer copy has been made. If it cannot be known, clearing is the safer answer.
    pub(super) fn is_newest(&self) -> bool {
        files::read_private(&self.file, 256).map_or(true, |(found, _)| *found == self.token.as_bytes())
    }
}

/// Where the person sits, as a file name.
fn seat(env: &dyn Fn(&str) -> Option<OsString>) -> String {
    let connection = env("SSH_CONNECTION").unwrap_or_default();
    let client = connection.to_string_lossy().split(' ').next().unwrap_or_default().to_owned();
    let name: String =
        client.chars().filter(|c| c.is_ascii_alphanumeric() || ".:".contains(*c)).take(64).collect();
    if name.trim_matches('.').is_empty() { "here".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_copy_of_the_same_desk_takes_over_and_another_desk_does_not() {
        let home = tempfile::tempdir().unwrap();
        let from = |client: &'static str| {
            let run = home.path().join("run").into_os_string();
            move |name: &str| match name {
                "XDG_RUNTIME_DIR" => Some(run.clone()),
                "HOME" => Some(run.clone()),
                "SSH_CONNECTION" => Some(client.into()),
                _ => None,
            }
        };
        let first = Ticket::draw(&from("10.0.0.1 5 10.0.0.9 22")).unwrap();
        assert!(first.is_newest());
        let other = Ticket::draw(&from("10.0.0.2 5 10.0.0.9 22")).unwrap();
        assert!(first.is_newest() && other.is_newest());
        let second = Ticket::draw(&from("10.0.0.1 9 10.0.0.9 22")).unwrap();
        assert!(!first.is_newest() && second.is_newest());
    }

    #[test]
    fn an_address_never_leads_out_of_the_folder() {
        for client in ["../../etc/passwd", "..", "", "a/b"] {
            let name = seat(&|_| Some(client.into()));
            assert!(!name.contains('/') && name != ".." && !name.is_empty(), "{client:?} became {name:?}");
        }
    }
}
