//! The folders that the nearest `.sealbox.toml` registers, and the names it declares.
//!
//! Owns how the paths read from where the user stands, and the check of declared names; finding and parsing the file is
//! `config`'s, reading the folders `scan`'s.

use super::{
    context::{Context, env},
    scope,
    stop::{Stop, wrap},
};
use crate::{
    config::project::ProjectFile,
    domain::{ScopeRef, SecretName},
    scan::places::Registered,
    service::{ErrorKind, ListSecrets, ServiceError, Status, VaultState},
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The registered folders, as they are reached from the current one. Empty if there are none.
pub(crate) fn from_here(context: &Context) -> Result<Vec<PathBuf>, ServiceError> {
    let Some((base, file)) = project(context)? else { return Ok(Vec::new()) };
    let folders = file.folders(base).map_err(|error| wrap(ErrorKind::Usage, &error))?;
    let here = std::env::current_dir().unwrap_or_default();
    let up = here.strip_prefix(base).map(|below| below.components().count()).unwrap_or(0);
    let shorter = |folder: PathBuf| match folder.strip_prefix(base) {
        Ok(below) => {
            let path: PathBuf = std::iter::repeat_n(Path::new(".."), up).chain([below]).collect();
            if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
        }
        Err(_) => folder,
    };
    Ok(folders.into_iter().map(shorter).collect())
}

/// The registered folders, for a search beside something else: what is wrong with them is told, and nothing is found.
pub(crate) fn folders(context: &Context) -> Registered {
    let found = project(context).and_then(|found| match found {
        None => Ok(Registered::default()),
        Some((base, file)) => {
            let folders = file.folders(base).map_err(|error| wrap(ErrorKind::Usage, &error))?;
            Ok(Registered { base: base.to_owned(), folders })
        }
    });
    found.unwrap_or_else(|error| {
        context.out().warn(&error.message);
        Registered::default()
    })
}

/// The project file and the folder it is in.
fn project(context: &Context) -> Result<Option<(&Path, &ProjectFile)>, ServiceError> {
    let found = context.project_file()?;
    Ok(found.and_then(|(path, file)| Some((path.parent()?, file))))
}

/// What became of the declared names.
#[derive(Serialize)]
pub(crate) struct Declared {
    /// How many names the project file declares.
    pub(crate) names: usize,
    /// The file.
    pub(crate) file: String,
    /// Where they were looked for (and in the organization).
    pub(crate) scope: ScopeRef,
    /// False while the vault is locked.
    pub(crate) checked: bool,
    /// Those that are nowhere.
    pub(crate) missing: Vec<SecretName>,
}

impl Declared {
    /// The error for `--check`, if there is one.
    pub(crate) fn verdict(&self) -> Result<(), ServiceError> {
        if !self.checked {
            let why = "the declared names cannot be checked while the vault is locked";
            return Err(ServiceError::new(ErrorKind::Locked, why)
                .hint("name a passphrase file in SEALBOX_PASSPHRASE_FILE, or give --passphrase-fd N"));
        }
        let Some(first) = self.missing.first() else { return Ok(()) };
        let error = ServiceError::new(ErrorKind::NotFound, self.sentence());
        Err(error.hint(format!("sealbox set {first} {}", scope::flag(&self.scope))))
    }

    /// `3 declared, all there`, `3 declared, 1 missing in project billing: API_KEY`.
    pub(crate) fn sentence(&self) -> String {
        let names = self.names;
        if !self.checked {
            return format!("{names} declared, not checked while locked");
        }
        if self.missing.is_empty() {
            return format!("{names} declared, all there");
        }
        let missing = self.missing.iter().map(SecretName::as_str).collect::<Vec<_>>().join(", ");
        format!("{names} declared, {} missing in {}: {missing}", self.missing.len(), self.scope)
    }
}

/// Checks the declared names, if there are any. Never asks a person: without an open vault or a passphrase at hand they
/// stay unchecked.
pub(crate) fn declared(context: &Context) -> Result<Option<Declared>, Stop> {
    let Some((path, file)) = context.project_file()? else { return Ok(None) };
    if file.names.is_empty() {
        return Ok(None);
    }
    let scope = context.scope(&Default::default())?;
    let mut declared = Declared {
        names: file.names.len(),
        file: path.to_string_lossy().into_owned(),
        scope: scope.clone(),
        checked: false,
        missing: Vec::new(),
    };
    if !opened(context)? {
        return Ok(Some(declared));
    }
    let mut there = BTreeSet::new();
    for place in [&scope, &ScopeRef::Organization] {
        match context.ask(ListSecrets { scope: place.clone() }) {
            Ok(list) => there.extend(list.secrets.into_iter().map(|secret| secret.name)),
            // Of the organization one need not be a member. A project that does not exist is a mistake in the file: `run`
            // and `inject` would stop at it, too.
            Err(error) if error.kind == ErrorKind::Denied => {}
            Err(error) => return Err(context.suggest(error, place, None).into()),
        }
    }
    declared.checked = true;
    declared.missing = file.names.iter().filter(|name| !there.contains(*name)).cloned().collect();
    Ok(Some(declared))
}

/// Opens the vault if that takes no person.
fn opened(context: &Context) -> Result<bool, Stop> {
    match context.ask(Status {})?.state {
        VaultState::Unlocked => return Ok(true),
        VaultState::Absent => return Ok(false),
        VaultState::Locked => {}
    }
    let file = env("SEALBOX_PASSPHRASE_FILE").is_some_and(|path| !path.is_empty());
    if !file && context.globals().passphrase_fd.is_none() {
        return Ok(false);
    }
    context.unlock().map(|_| true)
}
