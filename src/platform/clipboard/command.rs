//! The program that the person's settings name for copying: `clipboard.command`.
//!
//! The value goes to its stdin, never into its arguments. What it prints is thrown away: it might be the value.

use super::helper::Outside;
use super::tool::Tool;
use crate::domain::{SecretValue, printable};

/// Gives the value to the program; answers its name, safe to show. The error is the reason for a refusal.
pub(super) fn give(value: &SecretValue, argv: &[String], outside: &dyn Outside) -> Result<String, String> {
    let Some((program, args)) = argv.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err("clipboard.mode is \"command\", and clipboard.command names none".to_owned());
    };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let tool = Tool { program, args: &args, input: value.expose(), keep_output: false };
    outside.tool(tool).map_err(|failure| failure.to_string())?;
    Ok(printable::line(program))
}
