//! Running an outside program (tmux, a clipboard program) for a moment, with bytes on its stdin and a deadline.
//!
//! Owns no choice of program. Invariant: a value enters by the pipe only, and no error repeats what a program said.

use crate::domain::printable;
use crate::platform::process::environment;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program that does not end within this is killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers are short; more than this is not read.
const MAX_ANSWER: usize = 64 * 1024;
/// How often it is looked whether a program has ended that leaves its pipes open.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

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
        if environment::has_our_prefix(&variable) {
            command.env_remove(variable); // a token or the way to a passphrase is nobody else's business
        }
    }
    let mut child = command.spawn().map_err(|e| ToolFailed::NotStarted(name(), e.kind()))?;
    let start = Instant::now();
    let answer = talk(&mut child, tool.input, start);
    let ended = wait(&mut child, start);
    match ended {
        Some(status) if status.success() => Ok(answer),
        Some(status) => Err(ToolFailed::Ended(name(), status)),
        None => Err(ToolFailed::TooSlow(name())),
    }
}

/// Feeds the program and listens to it until both are done, it has ended, or its time is over. Never blocks on a pipe:
/// what the program started may hold that open for as long as it likes.
fn talk(child: &mut Child, input: &[u8], start: Instant) -> Vec<u8> {
    let mut stdin = child.stdin.take().filter(|pipe| rustix::io::ioctl_fionbio(pipe, true).is_ok());
    let mut stdout = child.stdout.take().filter(|pipe| rustix::io::ioctl_fionbio(pipe, true).is_ok());
    let (mut rest, mut answer) = (input, Vec::new());
    loop {
        stdin = stdin.filter(|_| !rest.is_empty());
        let mut pipes: Vec<PollFd<'_>> = Vec::with_capacity(2);
        pipes.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        pipes.extend(stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        if pipes.is_empty() || start.elapsed() >= PATIENCE {
            return answer;
        }
        let _ = poll(&mut pipes, Some(&STEP)); // the reads and writes below tell what is wrong
        let ended = matches!(child.try_wait(), Ok(Some(_)) | Err(_));
        if let Some(pipe) = &mut stdin {
            match pipe.write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if later(&error) => {}
                Err(_) => rest = &[], // it does not want the rest; its exit code says what that means
            }
        }
        if stdout.as_mut().is_some_and(|pipe| !listen(pipe, &mut answer)) {
            stdout = None;
        }
        if ended {
            return answer;
        }
    }
}

/// Takes what is there; false at the end of it, or if it is too much.
fn listen(pipe: &mut impl Read, answer: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 4096];
    while answer.len() < MAX_ANSWER {
        match pipe.read(&mut chunk) {
            Ok(0) => return false,
            Ok(read) => answer.extend(chunk.iter().take(read)),
            Err(error) => return later(&error),
        }
    }
    false
}

fn later(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Waits for the end, or makes one: `None`.
fn wait(child: &mut Child, start: Instant) -> Option<ExitStatus> {
    let mut pause = Duration::from_micros(500);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < PATIENCE => std::thread::sleep(pause),
            _ => break,
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

    /// The pipe holds 64 KiB; the rest of a long value would wait for a reader that never comes.
    #[test]
    fn a_reader_that_a_program_leaves_behind_does_not_hold_us() {
        let start = Instant::now();
        let long = vec![b'x'; 1 << 20];
        assert!(shell("sleep 30 <&0 & echo done", &long).is_ok());
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        let told = shell("sleep 30 <&0; true", &long).unwrap_err();
        assert!(matches!(told, ToolFailed::TooSlow(_)), "{told}");
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    #[test]
    fn the_exit_code_counts_and_what_was_said_is_not_repeated() {
        let told = shell("cat >&2; exit 3", b"CANARY").unwrap_err().to_string();
        assert!(told.contains("exit status: 3") && !told.contains("CANARY"), "{told}");
        let missing = Tool { program: "no-such-program", args: &[], input: b"", keep_output: false };
        assert!(run(missing).unwrap_err().to_string().contains("cannot be started"));
    }
}
