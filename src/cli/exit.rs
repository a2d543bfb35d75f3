//! Exit codes: the published table, kept for ever, and the one place where an ending becomes a number.

use super::{output::Output, stop::Stop};
use crate::service::{ErrorKind, ServiceError};

/// Number and meaning. Scripts rely on it: a number is never given another meaning.
pub(crate) const TABLE: &[(u8, &str)] = &[
    (0, "ok"),
    (1, "failure: anything without a code of its own"),
    (2, "usage: the command line, a name or a value is not acceptable"),
    (3, "cancelled: you said no"),
    (10, "not found: no such secret, version, project, member or vault"),
    (11, "locked, or wrong passphrase"),
    (12, "permission denied: your role does not allow it"),
    (13, "conflict: it exists already, or somebody else was faster"),
    (14, "vault damaged, tampered with, rolled back, or newer than this program"),
    (20, "reserved: provider denied"),
    (21, "reserved: provider unreachable"),
    (22, "reserved: provider has no such secret"),
];

/// The code of each kind of error.
pub(crate) fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Failure => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Cancelled => 3,
        ErrorKind::NotFound => 10,
        ErrorKind::Locked => 11,
        ErrorKind::Denied => 12,
        ErrorKind::Conflict => 13,
        ErrorKind::Damaged => 14,
    }
}

/// Tells the error, if there is one, and gives the process's exit code.
pub(crate) fn of(ended: Result<(), Stop>, out: &Output) -> u8 {
    match ended {
        Ok(()) | Err(Stop::ClosedPipe) => 0,
        Err(Stop::Ended(code)) => code,
        Err(Stop::Failed(error)) => {
            out.error(&error);
            code(error.kind)
        }
    }
}

/// What clap has to say: help and version are data, everything else is a usage error.
pub(crate) fn of_clap(error: &clap::Error, out: &Output) -> u8 {
    use clap::error::ErrorKind as Clap;
    match error.kind() {
        Clap::DisplayHelp | Clap::DisplayVersion => {
            let text = error.render();
            let text = if out.colors_stdout() { text.ansi().to_string() } else { text.to_string() };
            of(out.text(&text), out)
        }
        _ if out.is_json() => {
            out.error(&ServiceError::new(ErrorKind::Usage, first_sentence(&error.render().to_string())));
            code(ErrorKind::Usage)
        }
        _ => {
            let text = error.render();
            let text = if out.colors_stderr() { text.ansi().to_string() } else { text.to_string() };
            out.say_always(&text.replacen("error:", "sealbox:", 1));
            code(ErrorKind::Usage)
        }
    }
}

/// clap's message without its prefix and its usage lines.
fn first_sentence(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or(text);
    let first = first.trim().trim_start_matches("error: ");
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_published_code_of_its_own() {
        let kinds = [
            ErrorKind::Failure,
            ErrorKind::Usage,
            ErrorKind::Cancelled,
            ErrorKind::NotFound,
            ErrorKind::Locked,
            ErrorKind::Denied,
            ErrorKind::Conflict,
            ErrorKind::Damaged,
        ];
        let codes: std::collections::BTreeSet<u8> = kinds.into_iter().map(code).collect();
        assert_eq!(codes.len(), kinds.len());
        assert!(codes.iter().all(|code| TABLE.iter().any(|(number, _)| number == code)));
        assert_eq!(codes.into_iter().collect::<Vec<_>>(), [1, 2, 3, 10, 11, 12, 13, 14]);
    }

    #[test]
    fn clap_messages_lose_their_usage_lines() {
        let text = "error: unrecognized subcommand 'gte'\n\n  tip: a similar subcommand exists: 'get'\n\nUsage: sealbox";
        assert_eq!(first_sentence(text), "unrecognized subcommand 'gte'");
    }
}
