//! `help`: the help of a command, or the table of exit codes.

use crate::cli::{
    context::Context,
    definition, exit,
    stop::{Stop, usage},
};
use crate::domain::filter;
use clap::Args;
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox help set
  sealbox help member add
  sealbox help exit-codes";

/// Arguments of `help`.
#[derive(Args)]
pub(crate) struct HelpArgs {
    /// A command, or `exit-codes`
    topic: Vec<String>,
}

pub(crate) fn run(context: &mut Context, args: HelpArgs) -> Result<(), Stop> {
    if args.topic == ["exit-codes"] {
        return exit_codes(context);
    }
    let mut command = definition().color(context.out().clap_color());
    command.build();
    for word in &args.topic {
        let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
        let Some(found) = command.find_subcommand(word) else {
            let near = filter::nearest(word, names.iter().map(String::as_str).chain(["exit-codes"]));
            let error = usage("there is no such command");
            return Err(match near {
                Some(near) => error.hint(format!("did you mean sealbox help {near}?")),
                None => error.hint("sealbox help"),
            }
            .into());
        };
        command = found.clone();
    }
    let text = command.render_long_help();
    let text = if context.out().colors_stdout() { text.ansi().to_string() } else { text.to_string() };
    context.out().text(&text)
}

fn exit_codes(context: &Context) -> Result<(), Stop> {
    if context.out().is_json() {
        let codes: Vec<_> =
            exit::TABLE.iter().map(|(code, meaning)| json!({ "code": code, "meaning": meaning })).collect();
        return context.out().json(&json!({ "exit_codes": codes }));
    }
    let rows: Vec<_> =
        exit::TABLE.iter().map(|(code, meaning)| [code.to_string(), (*meaning).to_owned()]).collect();
    context.out().table(["CODE", "MEANING"], &rows)
}
