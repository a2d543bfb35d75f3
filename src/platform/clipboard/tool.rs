//! Running an outside program (tmux, a clipboard program) for a moment, with bytes on its stdin and a deadline.
//!
//! Owns no choice of program. Invariant: a value enters by the pipe only, and no error repeats what a program said.

use crate::domain::printable;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program that does not end within this is killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers are short; more than this is not read.
const MAX_ANSWER: u64 = 64 * 1024;

/// What to run. The environment is ours, without what belongs to sealbox.
#[derive(Clone, Copy)]
pub(super) struct Tool<'a> {
    pub(super) program: &'a str,
    pub(super) args: &'a [&'a str],
    pub(super) input: &'a [u8],
    /// Read its stdout. Programs that stay in the background would keep such a pipe open.
    pub(super) keep_output: bool,
}

/// Why a program was of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum ToolFailed {
    #[error("{0} cannot be started: {1}")]
    NotStarted(String, std::io::ErrorKind),
    #[error("{0} did not end within 5 s")]
    TooSlow(String),
    #[error("{0} ended with {1}")]
    Ended(String, ExitStatus),
}

/// Runs it to its end; answers what it wrote to stdout.
pub(super) fn run(tool: Tool<'_>) -> Result<Vec<u8>, ToolFailed> {
    let name = || printable::line(tool.program);
    let output = if tool.keep_output { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(tool.program);
    command.args(tool.args).stdin(Stdio::piped()).stdout(output).stderr(Stdio::null());
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("SEALBOX_") {
            command.env_remove(variable); // a token or the way to a passphrase is nobody else's business
        }
    }
    let mut child = command.spawn().map_err(|e| ToolFailed::NotStarted(name(), e.kind()))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (ended, answer) = std::thread::scope(|scope| {
        // A program that does not read must not block us: killing it ends this write too.
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(tool.input)));
        let reader = scope.spawn(move || {
            let mut answer = Vec::new();
            let read = stdout.map(|pipe| pipe.take(MAX_ANSWER).read_to_end(&mut answer));
            read.map(|_| answer).unwrap_or_default()
        });
        let ended = wait(&mut child);
        (ended, reader.join().unwrap_or_default())
    });
    match ended {
        Some(status) if status.success() => Ok(answer),
        Some(status) => Err(ToolFailed::Ended(name(), status)),
        None => Err(ToolFailed::TooSlow(name())),
    }
}

/// Waits for the end, or makes one: `None`.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    while start.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => std::thread::sleep(pause),
            Err(_) => break,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8]) -> Result<Vec<u8>, ToolFailed> {
        run(Tool { program: "sh", args: &["-c", script], input, keep_output: true })
    }

    #[test]
    fn the_input_arrives_and_the_answer_comes_back() {
        assert_eq!(shell("tr a-z A-Z", b"value").unwrap(), b"VALUE");
    }

    #[test]
    fn a_program_that_reads_nothing_does_not_block_us() {
        assert_eq!(shell("echo done", &vec![b'x'; 1 << 20]).unwrap(), b"done\n");
    }

    #[test]
    fn the_exit_code_counts_and_what_was_said_is_not_repeated() {
        let told = shell("cat >&2; exit 3", b"CANARY").unwrap_err().to_string();
        assert!(told.contains("exit status: 3") && !told.contains("CANARY"), "{told}");
        let missing = Tool { program: "no-such-program", args: &[], input: b"", keep_output: false };
        assert!(run(missing).unwrap_err().to_string().contains("cannot be started"));
    }
}
