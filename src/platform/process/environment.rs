//! Which variables a program gets (SPEC R19, R26): the caller's own, without ours, and the secrets over them.
//!
//! Pure but for the stack limit. Owns the list of names that would hand the program over to whoever may write a secret,
//! and the limits that the system sets on an environment, so that a value that cannot be passed is named before
//! anything is started.

use crate::platform::process::{Launch, Variable};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Our own variables that may be passed on: they name a place or a taste and open nothing. All others of ours are
/// removed, so that a credential that is added one day is removed from its first day.
const PASSED_ON: &[&str] =
    &["SEALBOX_VAULT", "SEALBOX_PROJECT", "SEALBOX_NO_INPUT", "SEALBOX_NO_AGENT", "SEALBOX_THEME"];

/// The longest `NAME=value` that Linux passes, without the NUL at its end (`MAX_ARG_STRLEN`).
pub const MAX_VARIABLE: usize = 131_071;

/// True if a variable of the caller is ours and must not reach the program.
pub fn is_ours(name: &OsStr) -> bool {
    has_our_prefix(name) && !PASSED_ON.iter().any(|kept| name == *kept)
}

/// True if a variable is one of ours, whatever it does.
pub fn has_our_prefix(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"SEALBOX_")
}

/// True if the text can be a variable's name in a shell: a letter or `_`, then letters, digits and `_`.
pub fn is_variable_name(text: &str) -> bool {
    let word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    word && !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// What a name of the list may do, and the names: a trailing `*` stands for any ending.
struct Danger {
    why: &'static str,
    names: &'static [&'static str],
}

/// Names by which a value decides what code runs, or from which files a program takes it. Whoever may write secrets
/// would thereby run code on every machine that uses `run`. Names that only redirect traffic or carry credentials
/// (proxies, package indexes, tokens) are not here: they are what secrets are for.
const DANGERS: &[Danger] = &[
    Danger {
        why: "the dynamic loader and the C library load code or files by it",
        names: &[
            "LD_*",
            "DYLD_*",
            "GLIBC_TUNABLES",
            "GCONV_PATH",
            "GETCONF_DIR",
            "HOSTALIASES",
            "LOCALDOMAIN",
            "LOCPATH",
            "MALLOC_*",
            "NIS_PATH",
            "NLSPATH",
            "RESOLV_HOST_CONF",
            "RES_OPTIONS",
            "TMPDIR",
            "TZDIR",
            "OPENSSL_CONF",
            "OPENSSL_ENGINES",
            "OPENSSL_MODULES",
            "SSLKEYLOGFILE",
        ],
    },
    Danger {
        why: "shells and programs choose by it which programs and start-up files they run",
        names: &[
            "PATH",
            "CDPATH",
            "FPATH",
            "ENV",
            "IFS",
            "HOME",
            "SHELL",
            "SHELLOPTS",
            "PS0",
            "PS1",
            "PS2",
            "PS4",
            "PROMPT_COMMAND",
            "BASHOPTS",
            "BASH_ENV",
            "BASH_FUNC_*",
            "BASH_LOADABLES_PATH",
            "ZDOTDIR",
            "INPUTRC",
            "XDG_CONFIG_HOME",
            "XDG_CONFIG_DIRS",
            "XDG_DATA_HOME",
            "XDG_DATA_DIRS",
            "XDG_RUNTIME_DIR",
            "TERM",
            "TERMCAP",
            "TERMINFO",
            "TERMINFO_DIRS",
            "SCREENRC",
        ],
    },
    Danger {
        why: "programs run it as an editor, pager, browser or helper",
        names: &[
            "EDITOR",
            "VISUAL",
            "FCEDIT",
            "PAGER",
            "MANPAGER",
            "SYSTEMD_PAGER",
            "SYSTEMD_EDITOR",
            "AWS_PAGER",
            "GH_PAGER",
            "GH_EDITOR",
            "KUBE_EDITOR",
            "PSQL_EDITOR",
            "PSQL_PAGER",
            "PSQLRC",
            "BROWSER",
            "GH_BROWSER",
            "LESS",
            "LESSOPEN",
            "LESSCLOSE",
            "LESSKEY",
            "LESSKEYIN",
            "LESSKEY_CONTENT",
            "EXINIT",
            "VIMINIT",
            "GVIMINIT",
            "VIM",
            "VIMRUNTIME",
            "MYVIMRC",
            "EMACSLOADPATH",
            "SUDO_ASKPASS",
            "SUDO_EDITOR",
            "SSH_ASKPASS",
        ],
    },
    Danger {
        why: "git, ssh and other transports run it, or take options and hooks from it",
        names: &[
            "GIT_SSH",
            "GIT_SSH_COMMAND",
            "GIT_ASKPASS",
            "GIT_EDITOR",
            "GIT_SEQUENCE_EDITOR",
            "GIT_PAGER",
            "GIT_EXTERNAL_DIFF",
            "GIT_PROXY_COMMAND",
            "GIT_EXEC_PATH",
            "GIT_TEMPLATE_DIR",
            "GIT_CONFIG*",
            "GIT_DIR",
            "GIT_COMMON_DIR",
            "GIT_WORK_TREE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALLOW_PROTOCOL",
            "GIT_TRACE*",
            "HGRCPATH",
            "HGEDITOR",
            "HGMERGE",
            "SVN_SSH",
            "SVN_EDITOR",
            "CVS_RSH",
            "RSYNC_RSH",
            "RSYNC_CONNECT_PROG",
        ],
    },
    Danger {
        why: "Python loads code by it",
        names: &[
            "PYTHONPATH",
            "PYTHONHOME",
            "PYTHONSTARTUP",
            "PYTHONUSERBASE",
            "PYTHONEXECUTABLE",
            "PYTHONINSPECT",
            "PYTHONBREAKPOINT",
            "PYTHONWARNINGS",
            "PYTHONPLATLIBDIR",
            "PYTHONPYCACHEPREFIX",
            "PIP_CONFIG_FILE",
        ],
    },
    Danger {
        why: "Node and its relatives load code by it",
        names: &[
            "NODE_OPTIONS",
            "NODE_PATH",
            "NODE_REPL_EXTERNAL_MODULE",
            "NODE_EXTRA_CA_CERTS",
            "ELECTRON_RUN_AS_NODE",
            "BUN_OPTIONS",
            "NPM_CONFIG_SCRIPT_SHELL",
            "NPM_CONFIG_NODE_OPTIONS",
            "NPM_CONFIG_USERCONFIG",
            "NPM_CONFIG_GLOBALCONFIG",
            "NPM_CONFIG_PREFIX",
        ],
    },
    Danger {
        why: "Perl, Ruby, PHP, Lua, Tcl, R, Julia or Erlang load code by it",
        names: &[
            "PERL5LIB",
            "PERLLIB",
            "PERL5OPT",
            "PERL5DB",
            "PERL5SHELL",
            "RUBYOPT",
            "RUBYLIB",
            "RUBYSHELL",
            "GEM_HOME",
            "GEM_PATH",
            "BUNDLE_GEMFILE",
            "PHPRC",
            "PHP_INI_SCAN_DIR",
            "LUA_INIT*",
            "LUA_PATH*",
            "LUA_CPATH*",
            "TCLLIBPATH",
            "R_PROFILE*",
            "R_ENVIRON*",
            "R_LIBS*",
            "JULIA_LOAD_PATH",
            "JULIA_DEPOT_PATH",
            "ERL_AFLAGS",
            "ERL_FLAGS",
            "ERL_ZFLAGS",
            "ERL_LIBS",
            "ELIXIR_ERL_OPTIONS",
        ],
    },
    Danger {
        why: "Java and .NET load agents, hooks or classes by it",
        names: &[
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS",
            "_JAVA_OPTIONS",
            "JAVA_OPTS",
            "JAVA_HOME",
            "CLASSPATH",
            "MAVEN_OPTS",
            "MAVEN_ARGS",
            "GRADLE_OPTS",
            "SBT_OPTS",
            "ANT_OPTS",
            "CATALINA_OPTS",
            "DOTNET_STARTUP_HOOKS",
            "DOTNET_ADDITIONAL_DEPS",
            "DOTNET_ROOT*",
            "CORECLR_ENABLE_PROFILING",
            "CORECLR_PROFILER*",
            "COR_ENABLE_PROFILING",
            "COR_PROFILER*",
        ],
    },
    Danger {
        why: "build tools run it, or take rules and flags from it",
        names: &[
            "MAKEFLAGS",
            "MFLAGS",
            "GNUMAKEFLAGS",
            "MAKEFILES",
            "CC",
            "CXX",
            "CPP",
            "CMAKE_TOOLCHAIN_FILE",
            "COMPILER_PATH",
            "GCC_EXEC_PREFIX",
            "GOFLAGS",
            "GOENV",
            "GOROOT",
            "GOTOOLDIR",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTDOC",
            "RUSTFLAGS",
            "CARGO_HOME",
            "CARGO_BUILD_*",
            "CARGO_TARGET_*",
            "TAR_OPTIONS",
            "ANSIBLE_CONFIG",
            "ANSIBLE_LIBRARY",
            "TF_CLI_*",
        ],
    },
    Danger {
        why: "toolkits for windows and media load plug-ins by it",
        names: &[
            "GTK_MODULES",
            "GTK_PATH",
            "GIO_EXTRA_MODULES",
            "GIO_MODULE_DIR",
            "GST_PLUGIN_PATH*",
            "GST_PLUGIN_SYSTEM_PATH*",
            "QT_PLUGIN_PATH",
            "QT_QPA_PLATFORM_PLUGIN_PATH",
            "QML2_IMPORT_PATH",
        ],
    },
    Danger { why: "sealbox itself is steered by it", names: &["SEALBOX_*"] },
];

/// Why a variable of this name is not given to a program unless the person who runs it says so; `None` if it is an
/// ordinary name. Upper and lower case are the same here: some programs read both.
pub fn danger(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let is = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => upper.starts_with(start),
        None => upper == *pattern,
    };
    DANGERS.iter().find(|danger| danger.names.iter().any(is)).map(|danger| danger.why)
}

/// A variable that cannot be passed to a program. Names the variable, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpassable {
    /// An environment ends each variable with a NUL byte.
    #[error("{0} holds a NUL byte, which no environment variable can")]
    Nul(String),
    /// Longer than [`MAX_VARIABLE`].
    #[error(
        "{name} is too long for an environment variable: {bytes} bytes with its name, {MAX_VARIABLE} at most"
    )]
    TooLong {
        /// Its name.
        name: String,
        /// Length of `NAME=value`.
        bytes: usize,
    },
    /// All arguments and variables together.
    #[error(
        "arguments and environment are too long together: {bytes} bytes, {limit} at most; the longest secret is {longest}"
    )]
    Together {
        /// What would be passed.
        bytes: usize,
        /// What the system takes.
        limit: usize,
        /// The secret that takes the most room.
        longest: String,
    },
}

/// Looks whether the system will take this, so that the error can name a secret.
pub fn check(
    launch: &Launch,
    inherited: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(), Unpassable> {
    for Variable { name, value } in &launch.set {
        if value.expose().contains(&0) {
            return Err(Unpassable::Nul(name.clone()));
        }
        let bytes = name.len() + 1 + value.len();
        if bytes > MAX_VARIABLE {
            return Err(Unpassable::TooLong { name: name.clone(), bytes });
        }
    }
    const POINTER: usize = size_of::<usize>();
    let set = |name: &OsStr| launch.set.iter().any(|variable| name == variable.name.as_str());
    let kept = inherited
        .filter(|(name, _)| !set(name) && !launch.unset.contains(name))
        .map(|(name, value)| name.len() + value.len() + 2 + POINTER);
    let secrets = launch.set.iter().map(|variable| variable.name.len() + variable.value.len() + 2 + POINTER);
    let arguments = launch.args.iter().map(|arg| arg.len() + 1 + POINTER);
    // the program's name twice (argument and path), and room for what the kernel adds
    let fixed = 2 * launch.program.len() + 4096;
    let bytes = fixed + kept.sum::<usize>() + secrets.sum::<usize>() + arguments.sum::<usize>();
    let limit = limit();
    let longest = launch.set.iter().max_by_key(|variable| variable.value.len());
    match longest {
        Some(longest) if bytes > limit => {
            Err(Unpassable::Together { bytes, limit, longest: longest.name.clone() })
        }
        _ => Ok(()),
    }
}

/// What the system takes of arguments and environment together: on Linux a quarter of the stack, at least 128 KiB and at
/// most 6 MiB; elsewhere the 1 MiB of macOS.
fn limit() -> usize {
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        return 1 << 20;
    }
    let stack = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    let quarter = stack.map_or(u64::MAX, |bytes| bytes / 4).clamp(128 << 10, 6 << 20);
    usize::try_from(quarter).unwrap_or(128 << 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::SecretValue;

    fn launch(set: &[(&str, Vec<u8>)]) -> Launch {
        let variable = |(name, value): &(&str, Vec<u8>)| Variable {
            name: (*name).to_owned(),
            value: SecretValue::new(value.clone()).unwrap(),
        };
        Launch {
            program: "x".into(),
            args: Vec::new(),
            set: set.iter().map(variable).collect(),
            unset: Vec::new(),
        }
    }

    fn checked(set: &[(&str, Vec<u8>)]) -> Result<(), Unpassable> {
        check(&launch(set), std::iter::empty())
    }

    #[test]
    fn names_that_hand_a_program_over_are_known_in_any_case() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "DYLD_INSERT_LIBRARIES",
            "PATH",
            "BASH_ENV",
            "ENV",
            "IFS",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PERL5LIB",
            "PERL5OPT",
            "RUBYOPT",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_KEY_0",
            "JAVA_TOOL_OPTIONS",
            "npm_config_script_shell",
            "GCC_EXEC_PREFIX",
            "GTK_MODULES",
            "GST_PLUGIN_PATH_1_0",
            "HOME",
            "SEALBOX_TOKEN",
        ] {
            assert!(danger(name).is_some(), "{name}");
        }
    }

    #[test]
    fn ordinary_secrets_are_not_taken_for_dangers() {
        for name in [
            "API_KEY",
            "DATABASE_URL",
            "GIT_TOKEN",
            "GITHUB_TOKEN",
            "NPM_TOKEN",
            "NPM_CONFIG__AUTH",
            "NODE_AUTH_TOKEN",
            "PIP_INDEX_URL",
            "HTTPS_PROXY",
            "AWS_SECRET_ACCESS_KEY",
            "ANSIBLE_VAULT_PASSWORD",
            "TF_VAR_TOKEN",
            "PATHFINDER_KEY",
            "ENVIRONMENT",
            "JAVA_KEYSTORE_PASSWORD",
            "PYTHON_SERVICE_TOKEN",
        ] {
            assert!(danger(name).is_none(), "{name}");
        }
    }

    #[test]
    fn every_pattern_of_the_list_is_upper_case_and_stands_once() {
        let all: Vec<&str> = DANGERS.iter().flat_map(|danger| danger.names.iter().copied()).collect();
        for (at, name) in all.iter().enumerate() {
            assert_eq!(*name, name.to_ascii_uppercase());
            assert!(!all.iter().skip(at + 1).any(|other| other == name), "{name} is there twice");
        }
    }

    #[test]
    fn our_own_variables_are_removed_unless_they_only_name_a_place() {
        for name in [
            "SEALBOX_TOKEN",
            "SEALBOX_TOKEN_FILE",
            "SEALBOX_PASSPHRASE_FILE",
            "SEALBOX_NEW_PASSPHRASE_FILE",
            "SEALBOX_AGENT_SOCKET",
            "SEALBOX_STORE",
            "SEALBOX_WHATEVER_COMES",
        ] {
            assert!(is_ours(OsStr::new(name)), "{name}");
        }
        for name in ["SEALBOX_PROJECT", "SEALBOX_VAULT", "HOME", "XSEALBOX_TOKEN"] {
            assert!(!is_ours(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn variable_names_are_those_of_a_shell() {
        for good in ["A", "_", "a_1", "TF_VAR_x"] {
            assert!(is_variable_name(good), "{good}");
        }
        for bad in ["", "1A", "A-B", "A B", "A=B", "é", "A\0"] {
            assert!(!is_variable_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_nul_byte_and_a_variable_that_is_too_long_name_the_secret() {
        assert_eq!(
            checked(&[("OK", b"x".to_vec()), ("BAD", b"a\0b".to_vec())]),
            Err(Unpassable::Nul("BAD".into()))
        );
        assert_eq!(checked(&[("AB", vec![b'x'; MAX_VARIABLE - 3])]), Ok(()));
        assert_eq!(
            checked(&[("AB", vec![b'x'; MAX_VARIABLE - 2])]),
            Err(Unpassable::TooLong { name: "AB".into(), bytes: MAX_VARIABLE + 1 })
        );
    }

    #[test]
    fn the_total_counts_what_is_inherited_but_not_what_is_replaced() {
        let names: Vec<String> = (0..70).map(|n| format!("S{n}")).collect();
        let many: Vec<(&str, Vec<u8>)> =
            names.iter().map(|name| (name.as_str(), vec![b'x'; 100_000])).collect();
        assert!(matches!(checked(&many), Err(Unpassable::Together { .. })));
        let big = || std::iter::once((OsString::from("S0"), OsString::from("y".repeat(8 << 20))));
        assert_eq!(check(&launch(&[("S0", b"x".to_vec())]), big()), Ok(()));
        assert!(check(&launch(&[("S1", b"x".to_vec())]), big()).is_err());
    }
}
