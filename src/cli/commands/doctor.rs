//! `doctor`: what is wrong, and what to do. Works in any state of the vault; also looks at this side of the door:
//! the terminal, the clipboard, the editor, the folder for temporary files.

use crate::{
    cli::{
        context::{Context, env},
        prompt,
        stop::Stop,
    },
    config::settings::ClipboardMode,
    domain::printable,
    service::{Check, CheckStatus, Doctor, ErrorKind, ServiceError, SettleForks},
};
use clap::Args;
use serde_json::json;
use std::path::Path;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox doctor
  sealbox doctor --json | jq '.checks[] | select(.status != \"ok\")'
  sealbox doctor --accept-rollback                 after you put an old copy of the store back on purpose

Exits 1 if a check failed, 14 if the vault itself is damaged.";

/// Arguments of `doctor`.
#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// Take the store's present state as the newest, although this machine has seen a newer one
    #[arg(long)]
    accept_rollback: bool,

    /// As an owner: go on from the valid head of a forked scope, for everybody; asks for the passphrase
    #[arg(long, conflicts_with = "accept_rollback")]
    settle_fork: bool,
}

pub(crate) fn run(context: &mut Context, args: DoctorArgs) -> Result<(), Stop> {
    if args.settle_fork {
        return settle(context);
    }
    let mut checks = context.ask(Doctor { accept_rollback: args.accept_rollback })?.checks;
    let damaged = checks
        .iter()
        .any(|check| check.status == CheckStatus::Failed && DAMAGE.contains(&check.name.as_str()));
    checks.extend(own_checks(context));
    let failed = checks.iter().filter(|check| check.status == CheckStatus::Failed).count();
    if context.out().is_json() {
        context.out().json(&json!({ "healthy": failed == 0, "checks": checks }))?;
    } else {
        for check in &checks {
            tell(context, check)?;
        }
    }
    match (failed, damaged) {
        (0, _) => Ok(()),
        (_, true) => Err(ServiceError::new(ErrorKind::Damaged, format!("{failed} checks failed")).into()),
        (_, false) => Err(ServiceError::new(ErrorKind::Failure, format!("{failed} checks failed")).into()),
    }
}

fn settle(context: &mut Context) -> Result<(), Stop> {
    let passphrase = prompt::passphrase(context)?.passphrase;
    let settled = context.ask(SettleForks { passphrase })?;
    if context.out().is_json() {
        return context.out().json(&json!({ "settled": settled }));
    }
    if settled.is_empty() {
        return context.out().line("no scope is forked");
    }
    for fork in &settled {
        let (label, signer) = (printable::line(&fork.label), &fork.signer);
        context.out().line(&format!(
            "{label} goes on from its valid head; the entry that did not follow was signed by the key {signer}…"
        ))?;
    }
    context
        .out()
        .say("find that key with `sealbox log --json`, and remove its holder: sealbox member remove");
    Ok(())
}

fn tell(context: &Context, check: &Check) -> Result<(), Stop> {
    let word = match check.status {
        CheckStatus::Ok => "ok  ",
        CheckStatus::Warning => "warn",
        CheckStatus::Failed => "FAIL",
    };
    let mut text = format!("{word}  {}: {}", printable::line(&check.name), printable::line(&check.detail));
    if let Some(next) = &check.next {
        text.push_str(&format!("\n      next: {}", printable::line(next)));
    }
    context.out().line(&text)
}

/// Checks whose failure means that the vault itself is damaged; others fail for what can be put right around it.
const DAMAGE: [&str; 3] = ["identity file", "store structure", "signatures"];

/// This side of the door.
fn own_checks(context: &Context) -> Vec<Check> {
    vec![
        terminal(context),
        colours(context),
        clipboard(context),
        editor(),
        runtime(context),
        hardening(context),
        settings(context),
    ]
}

fn check(name: &str, status: CheckStatus, detail: impl Into<String>, next: Option<&str>) -> Check {
    Check { name: name.to_owned(), status, detail: detail.into(), next: next.map(str::to_owned) }
}

fn terminal(context: &Context) -> Check {
    if !context.out().stdout_is_terminal() {
        return check("terminal", CheckStatus::Ok, "not a terminal; the TUI cannot open here", None);
    }
    let kind = env("TERM").map(|term| term.to_string_lossy().into_owned()).unwrap_or_default();
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
    let (columns, rows) = size.map(|size| (size.ws_col, size.ws_row)).unwrap_or_default();
    let detail = format!("{kind}, {columns}x{rows}");
    match (kind.as_str(), columns < 40 || rows < 12) {
        ("" | "dumb", _) => check(
            "terminal",
            CheckStatus::Warning,
            "TERM is not set or dumb",
            Some("export TERM=xterm-256color"),
        ),
        (_, true) => {
            check("terminal", CheckStatus::Warning, detail, Some("make it at least 40x12, better 80x24"))
        }
        _ => check("terminal", CheckStatus::Ok, detail, None),
    }
}

fn colours(context: &Context) -> Check {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| env(name).filter(|value| !value.is_empty()));
    let locale = locale.map(|value| value.to_string_lossy().to_lowercase()).unwrap_or_default();
    let colours = if context.out().colors_stdout() { "colours on" } else { "colours off" };
    if locale.contains("utf-8") || locale.contains("utf8") {
        check("locale", CheckStatus::Ok, format!("UTF-8, {colours}"), None)
    } else {
        let next = Some("export LANG=C.UTF-8 to see symbols instead of plain letters");
        check("locale", CheckStatus::Warning, format!("not UTF-8, {colours}"), next)
    }
}

fn clipboard(context: &Context) -> Check {
    let set = |names: &[&str]| names.iter().any(|name| env(name).is_some_and(|value| !value.is_empty()));
    let settings = context.settings().unwrap_or_default(); // unreadable ones are a check of their own
    let system = cfg!(feature = "clipboard");
    let desk = cfg!(target_os = "macos") || set(&["WAYLAND_DISPLAY", "DISPLAY"]);
    let terminal = if set(&["TMUX"]) { "through tmux to your terminal" } else { "to your terminal (OSC 52)" };
    let ok = |detail: String| check("clipboard", CheckStatus::Ok, detail, None);
    match settings.clipboard_mode {
        ClipboardMode::Command => match settings.clipboard_command.first() {
            Some(program) => ok(format!("values are given to {program}")),
            None => check(
                "clipboard",
                CheckStatus::Warning,
                "clipboard.mode is \"command\", and clipboard.command names none",
                Some("set clipboard.command in config.toml"),
            ),
        },
        ClipboardMode::System if !system => check(
            "clipboard",
            CheckStatus::Warning,
            "this build has no system clipboard",
            Some("set clipboard.mode = \"auto\" in config.toml"),
        ),
        ClipboardMode::System => ok("the system clipboard".to_owned()),
        ClipboardMode::Osc52 => ok(format!("values are sent {terminal}")),
        ClipboardMode::Auto if set(&["SSH_TTY", "SSH_CONNECTION"]) => {
            ok(format!("over SSH: values are sent {terminal}"))
        }
        ClipboardMode::Auto if system && desk => ok("the system clipboard".to_owned()),
        ClipboardMode::Auto => ok(format!("no display: values are sent {terminal}")),
    }
}

fn editor() -> Check {
    let program = crate::platform::editor::chosen(&env).to_string_lossy().into_owned();
    let first = program.split_whitespace().next().unwrap_or_default().to_owned();
    let found = if first.contains('/') {
        Path::new(&first).is_file()
    } else {
        env("PATH")
            .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(&first).is_file()))
    };
    if found {
        check("editor", CheckStatus::Ok, program, None)
    } else {
        let next = Some("set VISUAL or EDITOR; sealbox set NAME < FILE works without one");
        check("editor", CheckStatus::Warning, format!("{program} is not there: `edit` cannot open it"), next)
    }
}

fn runtime(context: &Context) -> Check {
    match context.paths() {
        Err(error) => check("runtime folder", CheckStatus::Warning, error.message, None),
        Ok(paths) => {
            let memory = paths
                .runtime
                .ancestors()
                .find(|folder| folder.is_dir())
                .is_some_and(crate::platform::files::in_memory);
            let shown = paths.runtime.to_string_lossy().into_owned();
            if memory {
                check("runtime folder", CheckStatus::Ok, format!("{shown} (in memory)"), None)
            } else {
                let detail = format!("{shown} is not in memory: `edit` uses /dev/shm if it is there");
                check("runtime folder", CheckStatus::Ok, detail, None)
            }
        }
    }
}

fn hardening(context: &Context) -> Check {
    match context.refused() {
        [] => check("process", CheckStatus::Ok, "no core dumps, not readable by other programs", None),
        refused => check("process", CheckStatus::Warning, refused.join("; "), None),
    }
}

fn settings(context: &Context) -> Check {
    match context.settings() {
        Ok(_) => check("settings", CheckStatus::Ok, "readable", None),
        Err(error) => check("settings", CheckStatus::Failed, error.message, error.hint.as_deref()),
    }
}
