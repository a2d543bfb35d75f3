//! `lint`: good practice as checks. Names only: no value, no part of one, no length.

use crate::{
    cli::{args::ScopeArgs, commands::list, context::Context, stop::Stop},
    domain::{
        ScopeRef,
        lint::{LintReport, Severity},
        printable,
    },
    service::{ErrorKind, Lint, ServiceError},
};
use clap::Args;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox lint -p billing
  sealbox lint --all-scopes --strict               for a pipeline: exits 1 for warnings too
  sealbox lint --all-scopes --json | jq -r '.findings[] | [.severity, .code, .names[0]] | @tsv'

What is found: kind_mismatch (a value that looks like another kind of credential than its name says), weak_value, \
rotation_due, duplicate_value, duplicates_organization, trailing_newline, shadows_organization, vague_name. \
Exits 1 if there is an error, with --strict also for a warning; never for an info. Values need the role run: without it \
only names and dates are looked at, and that is said. No value leaves the vault, so nothing is put into the read log.";

/// Arguments of `lint`.
#[derive(Args)]
pub(crate) struct LintArgs {
    /// Every scope that you are a member of
    #[arg(long, conflicts_with_all = ["project", "org"])]
    all_scopes: bool,
    /// Exit 1 for warnings too
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) fn run(context: &mut Context, args: LintArgs) -> Result<(), Stop> {
    let scope = if args.all_scopes { None } else { Some(context.scope(&args.scope)?) };
    context.unlock()?;
    let report = context
        .ask(Lint { scope: scope.clone() })
        .map_err(|error| context.suggest(error, scope.as_ref().unwrap_or(&ScopeRef::Organization), None))?;
    print(context, &report)?;
    let least = if args.strict { Severity::Warning } else { Severity::Error };
    let count = report.findings.iter().filter(|finding| finding.severity >= least).count();
    if count == 0 {
        return Ok(());
    }
    let noun = if count == 1 { "finding" } else { "findings" };
    let what = if args.strict { "errors and warnings" } else { "errors" };
    Err(ServiceError::new(ErrorKind::Failure, format!("{count} {noun} ({what})")).into())
}

fn print(context: &Context, report: &LintReport) -> Result<(), Stop> {
    if context.out().is_json() {
        return context.out().json(report);
    }
    if !report.findings.is_empty() {
        let rows: Vec<[String; 4]> = report
            .findings
            .iter()
            .map(|finding| {
                let code = finding.code.token().to_owned();
                [finding.severity.word().to_owned(), code, finding.message.clone(), finding.next.clone()]
            })
            .collect();
        context.out().table(["SEVERITY", "CODE", "FINDING", "NEXT"], &rows)?;
    }
    for left in &report.unchecked {
        let place = printable::line(&list::word(&left.scope));
        match left.role {
            Some(role) => context.out().warn(&format!(
                "{place}: your role is {role}, which opens no value: only names and dates were looked at"
            )),
            None => context.out().warn(&format!(
                "{place}: {} values do not open and were not looked at: sealbox verify",
                left.unreadable
            )),
        }
    }
    let (count, secrets) = (report.findings.len(), report.secrets);
    if count == 0 {
        context.out().say(&format!("nothing to say about {secrets} secrets"));
    }
    Ok(())
}
