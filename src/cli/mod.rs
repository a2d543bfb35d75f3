//! The command line: arguments, one file per command, output, prompts and exit codes.
//!
//! Owns everything a person or a script sees of sealbox outside the TUI. It holds a [`crate::service::Service`] and
//! asks it; it never touches a key or a row. Data goes to stdout, talk to stderr, questions to the terminal, and a
//! value only where the command was asked for one.

mod args;
mod commands;
mod context;
mod demo;
mod exit;
mod findings;
mod output;
mod prompt;
mod quick;
mod recipe;
mod registered;
mod scope;
mod stop;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use context::Context;
use output::Output;
use std::{ffi::OsString, process::ExitCode};
use stop::{Stop, usage};

/// The whole command as clap knows it: for completions, man pages and the tests that hold the documentation true.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// The exit codes, as `sealbox help exit-codes` prints them: number and meaning.
pub fn exit_codes() -> &'static [(u8, &'static str)] {
    exit::TABLE
}

/// Runs one command line (with the program's name first) and says how the process should end. `refused` is what
/// the system refused when the process was hardened.
pub fn run(args: Vec<OsString>, refused: Vec<String>) -> ExitCode {
    if let Some(ended) = crate::platform::process::hidden_part(&args) {
        return ended;
    }
    let early = Output::before_parsing(&args);
    let parsed = quick::parse(&args).map_or_else(
        || {
            let mut command = Cli::command().color(early.clap_color());
            command.try_get_matches_from_mut(args).and_then(|matches| Cli::from_arg_matches(&matches))
        },
        Ok,
    );
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(exit::of_clap(&error, &early)),
    };
    let output = Output::new(&cli.globals);
    for line in &refused {
        output.debug(line);
    }
    let mut context = Context::new(output, cli.globals, cli.scope, refused);
    let ended = dispatch(&mut context, cli.command);
    ExitCode::from(exit::of(ended, context.out()))
}

/// Walks to the command's own file.
fn dispatch(context: &mut Context, command: Option<Command>) -> Result<(), Stop> {
    use commands as c;
    let Some(command) = command else {
        return bare(context);
    };
    match command {
        Command::Init(args) => c::init::run(context, args),
        Command::Status(args) => c::status::run(context, args),
        Command::Unlock(args) => c::unlock::run(context, args),
        Command::Lock(args) => c::lock::run(context, args),
        Command::Agent(args) => c::agent::run(context, args),
        Command::Set(args) => c::set::run(context, args),
        Command::Get(args) => c::get::run(context, args),
        Command::List(args) => c::list::run(context, args),
        Command::Edit(args) => c::edit::run(context, args),
        Command::Delete(args) => c::delete::run(context, args),
        Command::Copy(args) => c::copy::run(context, args),
        Command::ClipboardHolder(args) => c::clipboard_holder::run(context, args),
        Command::Run(args) => c::run::run(context, args),
        Command::History(args) => c::history::run(context, args),
        Command::Rollback(args) => c::rollback::run(context, args),
        Command::Generate(args) => c::generate::run(context, args),
        Command::Find(args) => c::find::run(context, args),
        Command::Scan(args) => c::scan::run(context, args),
        Command::Lint(args) => c::lint::run(context, args),
        Command::Import(args) => c::import::run(context, args),
        Command::Export(args) => c::export::run(context, args),
        Command::Inject(args) => c::inject::run(context, args),
        Command::Project(args) => c::project::run(context, args),
        Command::Member(args) => c::member::run(context, args),
        Command::Id(args) => c::id::run(context, args),
        Command::Join(args) => c::join::run(context, args),
        Command::Passwd(args) => c::passwd::run(context, args),
        Command::Log(args) => c::log::run(context, args),
        Command::Verify(args) => c::verify::run(context, args),
        Command::Backup(args) => c::backup::run(context, args),
        Command::Restore(args) => c::restore::run(context, args),
        Command::Reset(args) => c::reset::run(context, args),
        Command::Doctor(args) => c::doctor::run(context, args),
        Command::Demo(args) => c::demo::run(context, args),
        Command::Tui(args) => c::tui::run(context, args),
        Command::Completions(args) => c::completions::run(context, args),
        Command::Man(args) => c::man::run(context, args),
        Command::Help(args) => c::help::run(context, args),
    }
}

/// `sealbox` alone: the TUI for a person, the help (and a usage error) for a script.
fn bare(context: &mut Context) -> Result<(), Stop> {
    if context.out().fully_interactive() && !context.out().is_json() {
        return commands::tui::run(context, args::ScopedOnly::default());
    }
    context.out().say_always(&Cli::command().render_help().to_string());
    Err(usage("no command was given and this is not a terminal").hint("sealbox help").into())
}
