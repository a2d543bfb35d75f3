//! Which scope a command works in: flag, then `SEALBOX_PROJECT`, then the nearest `.sealbox.toml`, then the
//! organization.

use super::{
    args::{ScopeArgs, TopScope},
    stop::usage,
};
use crate::{
    domain::{ProjectName, ScopeRef},
    service::ServiceError,
};

/// The rule itself, pure. `folder` is asked last, because reading a project file can fail and a flag must always win.
pub(crate) fn choose(
    flags: &ScopeArgs,
    top: &TopScope,
    environment: Option<String>,
    folder: impl FnOnce() -> Result<Option<ProjectName>, ServiceError>,
) -> Result<ScopeRef, ServiceError> {
    for (project, org) in [(&flags.project, flags.org), (&top.project, top.org)] {
        if org {
            return Ok(ScopeRef::Organization);
        }
        if let Some(name) = project {
            return project_named(name, "-p");
        }
    }
    if let Some(name) = environment.filter(|name| !name.is_empty()) {
        return project_named(&name, "SEALBOX_PROJECT");
    }
    Ok(folder()?.map_or(ScopeRef::Organization, ScopeRef::Project))
}

/// A project's name as a person gave it.
pub(crate) fn project_named(name: &str, origin: &str) -> Result<ScopeRef, ServiceError> {
    ProjectName::parse(name).map(ScopeRef::Project).map_err(|rule| usage(format!("{origin}: {rule}")))
}

/// The flag that names this scope, for hints.
pub(crate) fn flag(scope: &ScopeRef) -> String {
    match scope {
        ScopeRef::Organization => "--org".to_owned(),
        ScopeRef::Project(name) => format!("-p {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(
        flag: Option<&str>,
        org: bool,
        top: Option<&str>,
        env: Option<&str>,
        folder: Option<&str>,
    ) -> String {
        let flags = ScopeArgs { project: flag.map(str::to_owned), org };
        let top = TopScope { project: top.map(str::to_owned), org: false };
        choose(&flags, &top, env.map(str::to_owned), || {
            Ok(folder.map(|name| ProjectName::parse(name).unwrap()))
        })
        .unwrap()
        .to_string()
    }

    #[test]
    fn the_nearer_word_wins() {
        assert_eq!(scope(Some("a"), false, Some("b"), Some("c"), Some("d")), "project a");
        assert_eq!(scope(None, true, Some("b"), Some("c"), Some("d")), "the organization");
        assert_eq!(scope(None, false, Some("b"), Some("c"), Some("d")), "project b");
        assert_eq!(scope(None, false, None, Some("c"), Some("d")), "project c");
        assert_eq!(scope(None, false, None, Some(""), Some("d")), "project d");
        assert_eq!(scope(None, false, None, None, None), "the organization");
    }

    #[test]
    fn a_flag_wins_over_a_broken_project_file() {
        let flags = ScopeArgs { project: Some("a".to_owned()), org: false };
        let chosen = choose(&flags, &TopScope::default(), None, || Err(usage("broken")));
        assert_eq!(chosen.unwrap().to_string(), "project a");
    }

    #[test]
    fn a_bad_project_name_says_where_it_came_from() {
        let error =
            choose(&ScopeArgs::default(), &TopScope::default(), Some("Bad Name".to_owned()), || Ok(None));
        assert!(error.unwrap_err().message.starts_with("SEALBOX_PROJECT: "));
    }
}
