//! What is about to be committed: the files of git's index, not those of the folder.
//!
//! git itself says which files differ from HEAD and hands over their staged content, by object id, so that no file name
//! can be mistaken for anything else. Runs no hook, no filter and no diff program of the repository.

use super::pass::Pass;
use super::{FileFindings, Limits, Progress, Report, Wanted};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Why the staged files could not be had.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// git is not installed or cannot be run.
    #[error("cannot run git: {0}")]
    NoGit(#[source] std::io::Error),
    /// git refused; its first line, to be made safe before it is shown.
    #[error("git said: {0}")]
    Git(String),
    /// Talking to git failed.
    #[error("git broke off")]
    BrokeOff(#[source] std::io::Error),
}

/// One staged file.
struct Staged {
    id: String,
    path: PathBuf,
}

/// Scans the staged content of what was added or changed; `paths` narrows it, as git's own path arguments do.
///
/// # Errors
/// If there is no git, no repository here, or git fails.
pub fn scan(
    paths: &[PathBuf],
    wanted: &Wanted,
    limits: &Limits,
    progress: &Progress,
) -> Result<Report, StagedError> {
    let staged = changed(paths)?;
    let mut report = Report { complete: true, ..Report::default() };
    if staged.is_empty() {
        return Ok(report);
    }
    let mut objects = Objects::open()?;
    let mut pass = Pass::new(wanted);
    for file in staged {
        let size = objects.ask(&file.id)?;
        if limits.max_size.is_some_and(|most| size > most) {
            std::io::copy(&mut objects.content(size), &mut std::io::sink()).map_err(StagedError::BrokeOff)?;
            objects.end()?;
            report.too_large.push(file.path);
            continue;
        }
        let read = pass.read(&mut objects.content(size), &mut |bytes| {
            progress.read_some(bytes);
            false
        });
        let read = read.map_err(StagedError::BrokeOff)?;
        objects.end()?;
        progress.read_file();
        if !read.findings.is_empty() {
            report.files.push(FileFindings { path: file.path, findings: read.findings, more: read.more });
        }
    }
    objects.finish()?;
    (report.scanned, report.bytes) = progress.seen();
    Ok(report.sorted())
}

fn git() -> Command {
    let mut git = Command::new("git");
    git.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    git
}

/// The index entries that differ from HEAD: regular files only, no links, no submodules.
fn changed(paths: &[PathBuf]) -> Result<Vec<Staged>, StagedError> {
    let mut command = git();
    // Set by the person, it would leave out whatever lies outside of the current folder.
    command.args(["-c", "diff.relative=false"]);
    command.args(["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=AMT"]);
    command.args(["--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--"]).args(paths);
    let output = command.stdin(Stdio::null()).output().map_err(StagedError::NoGit)?;
    if !output.status.success() {
        // Outside of a repository `git diff` complains of its arguments; this one says what is the matter.
        let place = git().args(["rev-parse", "--git-dir"]).stdin(Stdio::null()).output();
        let stderr =
            place.ok().filter(|place| !place.status.success()).map_or(output.stderr, |place| place.stderr);
        let said = String::from_utf8_lossy(&stderr);
        return Err(StagedError::Git(said.lines().next().unwrap_or("nothing").to_owned()));
    }
    // `:100644 100644 OLD NEW M`, NUL, the path, NUL
    let mut fields = output.stdout.split(|byte| *byte == 0);
    let mut staged = Vec::new();
    while let (Some(entry), Some(path)) = (fields.next(), fields.next()) {
        let words: Vec<&str> = std::str::from_utf8(entry).unwrap_or_default().split(' ').collect();
        if let [_, mode, _, id, _] = words.as_slice()
            && mode.starts_with("100")
        {
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            staged.push(Staged { id: (*id).to_owned(), path });
        }
    }
    Ok(staged)
}

/// `git cat-file --batch`: one process for all contents.
struct Objects {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Objects {
    fn open() -> Result<Self, StagedError> {
        let mut command = git();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().map_err(StagedError::NoGit)?;
        match child.stdout.take() {
            Some(answers) => Ok(Self { child, answers: BufReader::with_capacity(1 << 16, answers) }),
            None => Err(broke_off()),
        }
    }

    /// Asks for an object; its size.
    fn ask(&mut self, id: &str) -> Result<u64, StagedError> {
        let questions = self.child.stdin.as_mut().ok_or_else(broke_off)?;
        questions.write_all(format!("{id}\n").as_bytes()).map_err(StagedError::BrokeOff)?;
        let mut head = String::new();
        (&mut self.answers).take(256).read_line(&mut head).map_err(StagedError::BrokeOff)?;
        // `ID blob SIZE`, or `ID missing`
        let size = head.trim_end().rsplit_once("blob ").and_then(|(_, size)| size.parse().ok());
        size.ok_or_else(|| StagedError::Git(head.trim_end().to_owned()))
    }

    fn content(&mut self, size: u64) -> impl Read {
        (&mut self.answers).take(size)
    }

    /// The line break behind the content.
    fn end(&mut self) -> Result<(), StagedError> {
        self.answers.read_exact(&mut [0]).map_err(StagedError::BrokeOff)
    }

    fn finish(mut self) -> Result<(), StagedError> {
        drop(self.child.stdin.take());
        self.child.wait().map(drop).map_err(StagedError::BrokeOff)
    }
}

fn broke_off() -> StagedError {
    StagedError::BrokeOff(std::io::ErrorKind::BrokenPipe.into())
}

impl Drop for Objects {
    fn drop(&mut self) {
        // After an error git may still be writing: nobody reads it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
