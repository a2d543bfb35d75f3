//! `doctor`: looks at what a vault stands on, in the order in which things build on each other.
//!
//! Never fails and never changes anything (apart from what opening files narrows); each check says what it found and
//! what to do next.

use super::answer::{Check, CheckStatus, DoctorReport};
use crate::crypto::secret_key;
use crate::store::{SqliteStore, Store, StoreError};
use crate::vault::{Home, Vault};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Makes every check that needs no key, and those that an unlocked vault allows.
pub(super) fn examine(home: &Home, vault: Option<&Vault>) -> DoctorReport {
    let paths = home.paths();
    let mut checks = vec![
        private("data folder", &paths.data, 0o700),
        private("identity", &paths.identity(), 0o600),
        private("pins", &paths.pins(), 0o600),
        memory(),
    ];
    if vault.is_none_or(|vault| Path::new(&vault.location()) == paths.store()) {
        checks.push(private("store file", &paths.store(), 0o600));
        checks.push(structure(&paths.store()));
    }
    if paths.identity().exists() {
        checks.push(identity(home));
    }
    checks.push(chains(home, vault));
    DoctorReport { checks }
}

fn check(name: &str, status: CheckStatus, detail: impl Into<String>, next: Option<&str>) -> Check {
    Check { name: name.to_owned(), status, detail: detail.into(), next: next.map(str::to_owned) }
}

fn private(name: &str, path: &Path, want: u32) -> Check {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => check(
            name,
            CheckStatus::Warning,
            format!("{} is not there", path.display()),
            Some("sealbox init"),
        ),
        Err(error) => check(name, CheckStatus::Failed, format!("{}: {error}", path.display()), None),
        Ok(found) if found.file_type().is_symlink() => check(
            name,
            CheckStatus::Failed,
            format!("{} is a symbolic link", path.display()),
            Some("put the file itself there"),
        ),
        Ok(found) if found.mode() & 0o077 != 0 => {
            let mode = found.mode() & 0o777;
            let detail = format!("{} can be reached by others (mode {mode:04o})", path.display());
            check(name, CheckStatus::Failed, detail, Some(&format!("chmod {want:o} {}", path.display())))
        }
        Ok(_) => check(name, CheckStatus::Ok, path.display().to_string(), None),
    }
}

fn identity(home: &Home) -> Check {
    let name = "identity file";
    match home.inspect_identity() {
        Ok(cost) => {
            let detail =
                format!("whole; a guess costs {} MiB, {} passes", cost.memory_kib >> 10, cost.passes);
            check(name, CheckStatus::Ok, detail, None)
        }
        Err(error) => {
            let next = "put a copy of it back, or sealbox restore --recovery-key-file FILE";
            check(name, CheckStatus::Failed, error.to_string(), Some(next))
        }
    }
}

fn memory() -> Check {
    if secret_key::memory_is_locked() {
        check("memory", CheckStatus::Ok, "keys are locked into memory", None)
    } else {
        check("memory", CheckStatus::Warning, "keys could not be locked into memory", Some("raise ulimit -l"))
    }
}

fn structure(path: &Path) -> Check {
    let name = "store structure";
    match SqliteStore::open(path).and_then(|store| store.check()) {
        Ok(findings) if findings.is_empty() => {
            check(name, CheckStatus::Ok, "the database engine finds no fault", None)
        }
        Ok(findings) => check(name, CheckStatus::Failed, findings.join("; "), Some("sealbox restore BACKUP")),
        Err(StoreError::Missing { .. }) => check(
            name,
            CheckStatus::Warning,
            "there is no store yet",
            Some("sealbox init, or sealbox restore BACKUP"),
        ),
        Err(StoreError::Newer { location }) => check(
            name,
            CheckStatus::Failed,
            format!("{location} was made by a newer version"),
            Some("upgrade sealbox"),
        ),
        Err(error) => check(name, CheckStatus::Failed, error.to_string(), Some("sealbox restore BACKUP")),
    }
}

fn chains(home: &Home, vault: Option<&Vault>) -> Check {
    let name = "signatures";
    if vault.is_none() && !home.paths().store().exists() {
        return check(name, CheckStatus::Warning, "there is nothing to verify yet", None);
    }
    match home.verify(vault) {
        Err(error) => check(name, CheckStatus::Failed, error.to_string(), Some("sealbox verify")),
        Ok(reports) => {
            let faults: Vec<_> = reports.iter().flat_map(|report| report.faults.clone()).collect();
            let (entries, ignored) =
                reports.iter().fold((0, 0), |(e, i), report| (e + report.entries, i + report.ignored));
            if let Some(fault) = faults.first() {
                let next = if fault.contains("older than") {
                    "sealbox doctor --accept-rollback, if you restored a backup on purpose"
                } else {
                    "sealbox verify; sealbox restore BACKUP"
                };
                check(name, CheckStatus::Failed, faults.join("; "), Some(next))
            } else if ignored > 0 {
                let detail = format!("{entries} entries are sound; {ignored} rows are junk and were ignored");
                check(name, CheckStatus::Warning, detail, None)
            } else {
                check(
                    name,
                    CheckStatus::Ok,
                    format!("{entries} entries in {} scopes are sound", reports.len()),
                    None,
                )
            }
        }
    }
}
