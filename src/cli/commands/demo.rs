//! `demo`: the TUI on a throw-away vault; or a picture of it, for the README.

use crate::{
    cli::{
        commands::tui,
        context::Context,
        demo::Demo,
        stop::{Stop, file_error, usage},
    },
    tui as screen,
};
use clap::Args;
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox demo
  sealbox demo --picture browser.svg --size 100x28

The vault lies in memory where possible and is removed when the demo ends. Your own vault is not touched.";

/// Arguments of `demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Draw the first screen into this SVG file instead of opening it
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Columns and rows of the picture
    #[arg(long, value_name = "WxH", default_value = "100x28", requires = "picture")]
    size: String,
}

pub(crate) fn run(context: &mut Context, args: DemoArgs) -> Result<(), Stop> {
    if let Some(path) = args.picture {
        let (columns, rows) = size(&args.size)
            .ok_or_else(|| usage("--size is columns x rows, from 20x6 to 400x200, as in 100x28"))?;
        let demo = Demo::build()?;
        let picture = screen::picture(demo.service(), columns, rows).map_err(|error| tui::failed(&error))?;
        std::fs::write(&path, picture).map_err(|error| file_error("write", &path, &error))?;
        context.out().say(&format!("drew {}", path.display()));
        return Ok(());
    }
    if !context.out().fully_interactive() {
        return Err(usage("the demo needs a terminal").hint("sealbox demo --picture FILE.svg").into());
    }
    context.out().say("making a throw-away vault...");
    let demo = Demo::build()?;
    context.out().debug(&format!("it lies in {}", demo.path().display()));
    demo.leave_signals_to_the_tui();
    tui::open(context, demo.service(), None, Some(demo.clock()))
}

fn size(text: &str) -> Option<(u16, u16)> {
    let (columns, rows) = text.split_once(['x', 'X'])?;
    let (columns, rows) = (columns.parse().ok()?, rows.parse().ok()?);
    ((20..=400).contains(&columns) && (6..=200).contains(&rows)).then_some((columns, rows))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_and_bounded() {
        assert_eq!(size("100x28"), Some((100, 28)));
        for bad in ["", "100", "x", "0x0", "100x", "-1x9", "9999x28", "70000x28"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }
}
