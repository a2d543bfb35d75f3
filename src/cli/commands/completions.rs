//! `completions`: a script for the user's shell, on stdout.

use crate::cli::{context::Context, definition, stop::Stop};
use clap::Args;
use clap_complete::Shell;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox completions bash > ~/.local/share/bash-completion/completions/sealbox
  sealbox completions zsh > ~/.zfunc/_sealbox
  sealbox completions fish > ~/.config/fish/completions/sealbox.fish";

/// Arguments of `completions`.
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(context: &mut Context, args: CompletionsArgs) -> Result<(), Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "sealbox", &mut script);
    context.out().bytes(&script)
}
