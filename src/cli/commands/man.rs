//! `man`: the manual pages, made from the same definition as `--help`.

use crate::cli::{
    context::Context,
    definition,
    stop::{Stop, file_error},
};
use clap::Args;
use clap_mangen::Man;
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox man | man -l -                           the main page
  sealbox man --dir ~/.local/share/man/man1        all pages, one a command";

/// Arguments of `man`.
#[derive(Args)]
pub(crate) struct ManArgs {
    /// Write all pages into this folder, which is made if it is missing
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(context: &mut Context, args: ManArgs) -> Result<(), Stop> {
    let Some(dir) = args.dir else {
        let mut page = Vec::new();
        let rendered = Man::new(definition()).render(&mut page);
        rendered.map_err(|error| file_error("render", "the manual".as_ref(), &error))?;
        return context.out().bytes(&page);
    };
    std::fs::create_dir_all(&dir).map_err(|error| file_error("create", &dir, &error))?;
    clap_mangen::generate_to(definition(), &dir).map_err(|error| file_error("write into", &dir, &error))?;
    context.out().say(&format!("wrote the manual pages to {}", dir.display()));
    Ok(())
}
