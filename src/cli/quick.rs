//! The everyday commands, parsed without building the definition of every other one: that takes longer than the agent takes
//! to answer.
//!
//! The same derived definitions are used, of one command instead of all. Invariant: what is not understood here at once
//! (help, a mistake, a flag before the command) is left to the whole definition, which says what is to be said.

use super::args::{Cli, Command, Globals, TopScope};
use super::commands as c;
use clap::{ArgMatches, Args, FromArgMatches};
use std::ffi::OsString;

type Augment = fn(clap::Command) -> clap::Command;
type Read = fn(&ArgMatches) -> Result<Command, clap::Error>;

macro_rules! everyday {
    ($($name:literal => $variant:ident($args:ty),)+) => {
        const NAMES: &[&str] = &[$($name),+];

        fn alone(name: &str) -> Option<(Augment, Read)> {
            match name {
                $($name => Some((<$args>::augment_args, |matches| {
                    <$args>::from_arg_matches(matches).map(Command::$variant)
                })),)+
                _ => None,
            }
        }
    };
}

everyday! {
    "get" => Get(c::get::GetArgs),
    "set" => Set(c::set::SetArgs),
    "list" => List(c::list::ListArgs),
    "copy" => Copy(c::copy::CopyArgs),
    "run" => Run(c::run::RunArgs),
    "status" => Status(c::status::StatusArgs),
}

/// A command line that begins with an everyday command and is right. `None` for any other.
pub(super) fn parse(args: &[OsString]) -> Option<Cli> {
    let name = NAMES.iter().find(|name| args.get(1).is_some_and(|word| word == **name))?;
    let (augment, read) = alone(name)?;
    let top = TopScope::augment_args(Globals::augment_args(clap::Command::new("sealbox")));
    let mut command = top.subcommand(augment(clap::Command::new(*name)));
    let matches = command.try_get_matches_from_mut(args).ok();
    std::mem::forget(command); // nothing of the caller's is in it, and taking it apart costs as much as building it
    let matches = matches?;
    let (_, own) = matches.subcommand()?;
    Some(Cli {
        globals: Globals::from_arg_matches(&matches).ok()?,
        scope: TopScope::from_arg_matches(&matches).ok()?,
        command: Some(read(own).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_short_way_means_what_the_long_way_means() {
        for line in [
            "sealbox get A",
            "sealbox get A -p billing --json",
            "sealbox get A --version 3 --vault work -q --no-agent --no-input --color never --passphrase-fd 7",
            "sealbox list --org -v",
            "sealbox status --json",
            "sealbox set A --from-file x",
            "sealbox run -p billing -- env -i --json",
        ] {
            let (short, long) =
                (parse(&words(line)).unwrap(), Cli::command().try_get_matches_from(words(line)).unwrap());
            let long = Cli::from_arg_matches(&long).unwrap();
            let face = |cli: &Cli| {
                let g = &cli.globals;
                let flags = (
                    g.json,
                    g.quiet,
                    g.verbose,
                    g.no_input,
                    g.no_agent,
                    g.color == super::super::args::Color::Never,
                );
                (g.vault.clone(), flags, g.passphrase_fd, cli.scope.project.clone(), cli.scope.org)
            };
            assert_eq!(face(&short), face(&long), "{line}");
            assert_eq!(
                short.command.as_ref().map(std::mem::discriminant),
                long.command.as_ref().map(std::mem::discriminant),
                "{line}"
            );
        }
    }

    #[test]
    fn everything_else_is_left_to_the_long_way() {
        for line in [
            "sealbox",
            "sealbox get",
            "sealbox get --help",
            "sealbox get A --nonsense",
            "sealbox -p billing get A",
            "sealbox --version",
            "sealbox gte A",
            "sealbox get A -q -v",
            "sealbox help get",
        ] {
            assert!(parse(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn every_everyday_command_exists_under_its_name() {
        let whole = Cli::command();
        assert!(NAMES.iter().all(|name| whole.get_subcommands().any(|command| command.get_name() == *name)));
    }
}
