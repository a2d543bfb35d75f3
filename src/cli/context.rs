//! What a command works with: its output, the vault's folders, the service, the scope.
//!
//! Everything is made when it is first needed, so that `help` works without a HOME and `status` never asks for a
//! passphrase. The unlock rule lives here: a command that needs keys calls [`Context::unlock`], which asks once.

use super::{
    args::{Globals, ScopeArgs, TopScope},
    output::Output,
    prompt, scope,
    stop::{Stop, usage, wrap},
};
use crate::{
    agent::{Front, Use, spawn::Terms},
    config::{Settings, project, settings::AgentStart},
    domain::{Passphrase, ProjectName, ScopeRef, SecretName, filter},
    platform::{
        clock::{Clock, SystemClock},
        paths::VaultPaths,
    },
    service::{
        Call, ErrorKind, GetHistory, History, ListScopes, ListSecrets, LocalService, ServiceError,
        ServiceOptions, Status, StatusReport, VaultState, ask,
    },
};
use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How often a person may mistype the passphrase at the terminal.
const TRIES: u32 = 3;

/// What a command works with.
pub(crate) struct Context {
    out: Output,
    globals: Globals,
    top: TopScope,
    front: OnceLock<Arc<Front>>,
    /// The passphrase came from a terminal.
    typed: std::cell::Cell<bool>,
    warned: std::cell::Cell<bool>,
    project_file: OnceLock<Option<(PathBuf, project::ProjectFile)>>,
    refused: Vec<String>,
}

impl Context {
    /// Touches nothing yet.
    pub(crate) fn new(out: Output, globals: Globals, top: TopScope, refused: Vec<String>) -> Self {
        Self {
            out,
            globals,
            top,
            front: OnceLock::new(),
            typed: false.into(),
            warned: false.into(),
            project_file: OnceLock::new(),
            refused,
        }
    }

    /// What the system refused when the process was hardened.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Where to print.
    pub(crate) fn out(&self) -> &Output {
        &self.out
    }

    /// The flags that every command knows.
    pub(crate) fn globals(&self) -> &Globals {
        &self.globals
    }

    /// May a question be asked at all?
    pub(crate) fn may_ask(&self) -> bool {
        !self.globals.no_input && env("SEALBOX_NO_INPUT").is_none_or(|value| value.is_empty() || value == "0")
    }

    /// The vault's folders: `--vault`, then `SEALBOX_VAULT`, then the project file, then the default vault.
    pub(crate) fn paths(&self) -> Result<VaultPaths, ServiceError> {
        self.paths_by(&env)
    }

    /// The same vault as sessions see it whose runtime folder is another one: that of a login, or none (cron, sudo). They
    /// have an agent of their own, which must hear of a lock too.
    pub(crate) fn paths_elsewhere(&self) -> Result<Vec<VaultPaths>, ServiceError> {
        let own = self.paths()?;
        let login = format!("/run/user/{}", rustix::process::geteuid().as_raw());
        let mut others: Vec<VaultPaths> = Vec::new();
        for runtime in [Some(OsString::from(login)), None] {
            let other = self.paths_by(&|name| match name {
                "XDG_RUNTIME_DIR" => runtime.clone(),
                _ => env(name),
            })?;
            if other.runtime != own.runtime {
                others.push(other);
            }
        }
        Ok(others)
    }

    fn paths_by(&self, env: &dyn Fn(&str) -> Option<OsString>) -> Result<VaultPaths, ServiceError> {
        let named = match &self.globals.vault {
            Some(vault) => Some(vault.clone()),
            None => match text_env("SEALBOX_VAULT")? {
                Some(vault) => Some(vault),
                None => self.vault_of_folder()?,
            },
        };
        VaultPaths::resolve(named.as_deref(), env).map_err(|error| usage(error.to_string()))
    }

    /// A project file may name a vault of this user, never lead to a folder: it comes with other people's code.
    fn vault_of_folder(&self) -> Result<Option<String>, ServiceError> {
        Ok(self.project_file()?.and_then(|(_, file)| file.vault.clone()))
    }

    /// The nearest `.sealbox.toml`, read once.
    pub(crate) fn project_file(&self) -> Result<Option<&(PathBuf, project::ProjectFile)>, ServiceError> {
        if let Some(found) = self.project_file.get() {
            return Ok(found.as_ref());
        }
        let found = match std::env::current_dir() {
            Ok(folder) => project::find_upward(&folder).map_err(|error| wrap(ErrorKind::Usage, &error))?,
            Err(_) => None, // the current folder is gone: nothing to find
        };
        Ok(self.project_file.get_or_init(|| found).as_ref())
    }

    /// The scope that this command works in.
    pub(crate) fn scope(&self, flags: &ScopeArgs) -> Result<ScopeRef, ServiceError> {
        scope::choose(flags, &self.top, text_env("SEALBOX_PROJECT")?, || {
            Ok(self.project_file()?.and_then(|(_, file)| file.project.clone()))
        })
    }

    /// The scope, if a flag names it.
    pub(crate) fn scope_by_flag(&self, flags: &ScopeArgs) -> Result<Option<ScopeRef>, ServiceError> {
        let flagged = flags.org || flags.project.is_some() || self.top.org || self.top.project.is_some();
        if flagged { self.scope(flags).map(Some) } else { Ok(None) }
    }

    /// The scope, if anything but the default names one (for the TUI's first tab).
    pub(crate) fn named_scope(&self, flags: &ScopeArgs) -> Result<Option<ScopeRef>, ServiceError> {
        let chosen = self.scope(flags)?;
        let named = flags.org || self.top.org || chosen != ScopeRef::Organization;
        Ok(named.then_some(chosen))
    }

    /// The user's settings.
    pub(crate) fn settings(&self) -> Result<Settings, ServiceError> {
        let path = self.paths()?.config.join("config.toml");
        Settings::load(&path, &env)
            .map_err(|error| wrap(ErrorKind::Usage, &error).hint(format!("edit {}", path.display())))
    }

    /// The service: the agent where it is open, else this process. A command that lives for a moment has no idle lock.
    pub(crate) fn front(&self) -> Result<&Arc<Front>, ServiceError> {
        if let Some(front) = self.front.get() {
            return Ok(front);
        }
        let made = self.new_front(None, None)?;
        if self.typed.get() {
            made.by_a_person();
        }
        Ok(self.front.get_or_init(|| made))
    }

    /// Lets the service go, and with it (if it is in this process) the open vault and its keys.
    pub(crate) fn let_go(&mut self) {
        self.front.take();
    }

    /// A service of its own, for front ends that live longer and so lock themselves.
    pub(crate) fn new_front(
        &self,
        idle_lock: Option<Duration>,
        max_unlocked: Option<Duration>,
    ) -> Result<Arc<Front>, ServiceError> {
        let paths = self.paths()?;
        let local = LocalService::new(ServiceOptions {
            paths: paths.clone(),
            kdf: crate::crypto::KdfPolicy::STANDARD,
            idle_lock,
            clock: clock(),
            demo: false,
            // settings that cannot be read may have asked for it
            audit_required: self.settings().map_or(true, |settings| settings.audit_required),
        });
        let agent = self.terms().unwrap_or_else(|error| {
            // wrong settings are no reason to keep a value back; that nothing stays open is the careful way
            self.out.warn(&format!("going on without an agent: {}", error.message));
            None
        });
        let agent = agent.map_or(Use::Never, Use::Auto);
        Ok(Arc::new(Front::new(local.max_unlocked(max_unlocked), paths, agent)))
    }

    /// With what an agent would be started; `None` if there is to be none.
    pub(crate) fn terms(&self) -> Result<Option<Terms>, ServiceError> {
        let unwanted = |value: OsString| !value.is_empty() && value != "0";
        if self.globals.no_agent || env("SEALBOX_NO_AGENT").is_some_and(unwanted) {
            return Ok(None);
        }
        let settings = self.settings()?;
        Ok((settings.agent_start == AgentStart::Auto).then_some(Terms {
            paths: self.paths()?,
            idle_lock: settings.lock_idle,
            max_unlocked: settings.lock_max,
            audit_required: settings.audit_required,
        }))
    }

    /// A passphrase was typed by a person: what it opens may stay open in the agent.
    pub(crate) fn was_typed(&self) {
        self.typed.set(true);
        if let Some(front) = self.front.get() {
            front.by_a_person();
        }
    }

    /// Asks a typed question.
    pub(crate) fn ask<C: Call>(&self, call: C) -> Result<C::Answer, ServiceError> {
        ask(self.front()?.as_ref(), call)
    }

    /// Makes sure that there is a vault here, before anybody is asked for anything. Says how it stands.
    pub(crate) fn present(&self) -> Result<StatusReport, ServiceError> {
        let status = self.ask(Status {})?;
        if !self.warned.replace(true) {
            for warning in &status.warnings {
                self.out.warn(&crate::domain::printable::line(warning));
            }
        }
        if status.state == VaultState::Absent {
            return Err(ServiceError::new(
                ErrorKind::NotFound,
                format!("there is no vault at {}", status.vault),
            )
            .hint("sealbox init (a new vault), sealbox id (to join one), or sealbox demo (to look around)"));
        }
        Ok(status)
    }

    /// Makes sure that the vault is open: in the agent, where nothing is asked any more, or here, by the passphrase.
    pub(crate) fn unlock(&self) -> Result<(), Stop> {
        if self.present()?.state == VaultState::Unlocked {
            return Ok(());
        }
        self.unlock_with(|passphrase, typed| {
            let front = self.front()?;
            if typed { front.unlock(passphrase) } else { front.unlock_here(passphrase) }
        })
        .map(drop)
    }

    /// Opens the vault by the passphrase, whether it is open already or not; answers the passphrase, for `passwd`. It is
    /// wiped when it is dropped.
    pub(crate) fn prove(&self) -> Result<Passphrase, Stop> {
        self.present()?;
        self.unlock_with(|passphrase, _| self.front()?.unlock_here(passphrase))
    }

    /// Asks for the passphrase, or takes it from its file, and opens with it. A person has three tries.
    pub(crate) fn unlock_with(
        &self,
        open: impl Fn(Passphrase, bool) -> Result<(), ServiceError>,
    ) -> Result<Passphrase, Stop> {
        let mut tries = 1;
        loop {
            let given = prompt::passphrase(self)?;
            let typed = given.typed;
            let again = Passphrase::new(given.passphrase.expose().to_owned());
            match open(given.passphrase, typed) {
                Ok(()) => return Ok(again),
                Err(error) if typed && tries < TRIES && error.kind == ErrorKind::Locked => {
                    self.out.say_always(&format!("{}; try again", error.message));
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The name of a secret as a person gave it. The text is not repeated in the error: it may be a value.
    pub(crate) fn name(&self, text: &str) -> Result<SecretName, ServiceError> {
        SecretName::from_user(text).map_err(|rule| {
            let error = usage(format!("that is not a secret's name: {rule}"));
            if text.contains('=') { error.hint(super::commands::set::NEVER_AN_ARGUMENT) } else { error }
        })
    }

    /// The versions of a secret; an unknown name gets a suggestion.
    pub(crate) fn history(&self, scope: &ScopeRef, name: &SecretName) -> Result<History, ServiceError> {
        self.ask(GetHistory { scope: scope.clone(), name: name.clone() })
            .map_err(|error| self.suggest(error, scope, Some(name)))
    }

    /// Adds "did you mean" to an error about a secret or project that does not exist. Never makes a new error.
    pub(crate) fn suggest(
        &self,
        error: ServiceError,
        scope: &ScopeRef,
        name: Option<&SecretName>,
    ) -> ServiceError {
        if error.kind != ErrorKind::NotFound {
            return error;
        }
        let Ok(scopes) = self.ask(ListScopes {}) else { return error };
        if let ScopeRef::Project(wanted) = scope
            && !scopes.iter().any(|info| info.scope == *scope)
        {
            let projects = scopes.iter().filter_map(|info| match &info.scope {
                ScopeRef::Project(name) => Some(name.as_str()),
                ScopeRef::Organization => None,
            });
            return match filter::nearest(wanted.as_str(), projects) {
                Some(near) => error.hint(format!("did you mean -p {near}?")),
                None => error.hint("sealbox project list"),
            };
        }
        let Some(name) = name else { return error };
        let names_in = |scope: &ScopeRef| -> Vec<SecretName> {
            let list = self.ask(ListSecrets { scope: scope.clone() });
            list.map(|list| list.secrets.into_iter().map(|secret| secret.name).collect()).unwrap_or_default()
        };
        let here = names_in(scope);
        if here.contains(name) {
            return error; // it is the version that is missing
        }
        if let Some(other) = scopes
            .iter()
            .map(|info| &info.scope)
            .find(|other| *other != scope && names_in(other).contains(name))
        {
            return error.hint(format!("it is in {other}: use {}", scope::flag(other)));
        }
        match filter::nearest(name.as_str(), here.iter().map(SecretName::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("sealbox list {}", scope::flag(scope))),
        }
    }

    /// A project's name as a person gave it.
    pub(crate) fn project_name(&self, text: &str) -> Result<ProjectName, ServiceError> {
        ProjectName::parse(text).map_err(usage)
    }
}

/// The machine's clocks.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// One environment variable.
pub(crate) fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// One environment variable that must be text.
fn text_env(name: &str) -> Result<Option<String>, ServiceError> {
    match env(name).filter(|value| !value.is_empty()).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(usage(format!("{name} is not valid UTF-8"))),
    }
}
