//! Where a passphrase, a value or a yes comes from.
//!
//! A passphrase: `--passphrase-fd`, then `SEALBOX_PASSPHRASE_FILE`, then a hidden question on the terminal; never an
//! argument and never an environment variable's own text. Questions go to the terminal itself, so that stdin and
//! stdout stay free for data.

use super::{
    context::{Context, env},
    stop::{cancelled, file_error, usage},
};
use crate::{
    crypto::strength::strength,
    domain::{Passphrase, SecretValue, value::MAX_VALUE},
    platform::tty,
    service::{ErrorKind, ServiceError},
};
use rustix::io::Errno;
use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The longest passphrase file that is read.
const MAX_PASSPHRASE: usize = 64 * 1024;

/// A passphrase, and whether a person typed it just now (and so may try again).
pub(crate) struct Given {
    pub(crate) passphrase: Passphrase,
    pub(crate) typed: bool,
}

/// The passphrase of the vault.
pub(crate) fn passphrase(context: &Context) -> Result<Given, ServiceError> {
    if let Some(passphrase) = present_source(context)? {
        return Ok(Given { passphrase, typed: false });
    }
    let typed = ask_hidden(context, "Passphrase: ").map_err(|error| match no_way(error, WAYS) {
        told if told.kind == ErrorKind::Usage => {
            ServiceError::new(ErrorKind::Locked, "the vault is locked, and there is no terminal to ask on")
                .hint(format!("sealbox unlock; or {WAYS}"))
        }
        other => other,
    })?;
    Ok(Given { passphrase: typed, typed: true })
}

/// A passphrase for something new: from the same sources, but a person types it twice.
pub(crate) fn first_passphrase(context: &Context) -> Result<Passphrase, ServiceError> {
    match present_source(context)? {
        Some(passphrase) => Ok(passphrase),
        None => twice(context).map_err(|error| no_way(error, WAYS)),
    }
}

/// The next passphrase, for `passwd`.
pub(crate) fn new_passphrase(context: &Context, fd: Option<u32>) -> Result<Passphrase, ServiceError> {
    if let Some(fd) = fd {
        return from_fd(fd, "--new-passphrase-fd");
    }
    match env("SEALBOX_NEW_PASSPHRASE_FILE").filter(|path| !path.is_empty()) {
        Some(path) => from_file(context, Path::new(&path), "SEALBOX_NEW_PASSPHRASE_FILE"),
        None => twice(context).map_err(|error| no_way(error, NEW_WAYS)),
    }
}

const WAYS: &str =
    "give it by --passphrase-fd N, by a file named in SEALBOX_PASSPHRASE_FILE, or run this on a terminal";
const NEW_WAYS: &str = "give it by --new-passphrase-fd N, by a file named in SEALBOX_NEW_PASSPHRASE_FILE, or run this on a terminal";

/// The sources that need no person.
fn present_source(context: &Context) -> Result<Option<Passphrase>, ServiceError> {
    if let Some(fd) = context.globals().passphrase_fd {
        return from_fd(fd, "--passphrase-fd").map(Some);
    }
    match env("SEALBOX_PASSPHRASE_FILE").filter(|path| !path.is_empty()) {
        Some(path) => from_file(context, Path::new(&path), "SEALBOX_PASSPHRASE_FILE").map(Some),
        None => Ok(None),
    }
}

fn from_fd(fd: u32, flag: &str) -> Result<Passphrase, ServiceError> {
    let bytes = if fd == 0 {
        read_limited(rustix::stdio::stdin(), MAX_PASSPHRASE)
    } else {
        // adopting a raw descriptor is not possible in safe Rust; opening its name is
        File::open(format!("/dev/fd/{fd}")).and_then(|file| read_limited(&file, MAX_PASSPHRASE))
    };
    let bytes = bytes.map_err(|error| usage(format!("{flag}: cannot read file descriptor {fd}: {error}")))?;
    checked(bytes, flag)
}

fn from_file(context: &Context, path: &Path, variable: &str) -> Result<Passphrase, ServiceError> {
    let failed = |error: &io::Error| {
        let mut told = file_error(&format!("read the passphrase file of {variable},"), path, error);
        told.kind = ErrorKind::Usage; // a wrong setting, whatever the system calls it
        told
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    if readable_by_others(&file) {
        context.out().warn(&format!(
            "other users can read {}: chmod 600 it",
            crate::domain::printable::line(&path.to_string_lossy())
        ));
    }
    let bytes = read_limited(&file, MAX_PASSPHRASE).map_err(|error| failed(&error))?;
    checked(bytes, variable)
}

/// Our own regular file with bits for others. Files of the system (`/run/secrets`) have their own rules.
fn readable_by_others(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|found| {
        found.is_file() && found.mode() & 0o077 != 0 && found.uid() == rustix::process::geteuid().as_raw()
    })
}

fn checked(mut bytes: Zeroizing<Vec<u8>>, origin: &str) -> Result<Passphrase, ServiceError> {
    match Passphrase::from_file_bytes(std::mem::take(&mut *bytes)) {
        None => Err(usage(format!("{origin}: the passphrase is not valid UTF-8"))),
        Some(passphrase) if passphrase.is_empty() => Err(usage(format!("{origin}: the passphrase is empty"))),
        Some(passphrase) => Ok(passphrase),
    }
}

/// Reads to the end into memory that never moves. One byte more than the limit is an error.
pub(crate) fn read_limited(from: impl AsFd, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0_u8; limit + 1]);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(&from, rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    if filled > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes")));
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// A value from stdin (`None`) or a file: the exact bytes.
pub(crate) fn value_from(file: Option<&Path>) -> Result<SecretValue, ServiceError> {
    let read = match file {
        None => read_limited(rustix::stdio::stdin(), MAX_VALUE),
        Some(path) => File::open(path).and_then(|file| read_limited(&file, MAX_VALUE)),
    };
    let place = file.map_or_else(|| PathBuf::from("standard input"), Path::to_path_buf);
    let mut bytes = read.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => usage("a value has at most 1 MiB (1048576 bytes); this has more"),
        _ => file_error("read the value from", &place, &error),
    })?;
    SecretValue::new(std::mem::take(&mut *bytes)).map_err(|error| usage(error.to_string()))
}

/// A value typed at the terminal, twice, unseen.
pub(crate) fn value_typed(context: &Context, name: &str) -> Result<SecretValue, ServiceError> {
    let ways = "pipe it in (sealbox set NAME < file), or use --from-file FILE or --generate";
    let ask = |question: &str| ask_line_hidden(context, question).map_err(|error| no_way(error, ways));
    let first = ask(&format!("Value of {name}: "))?;
    let second = ask("The same value again: ")?;
    if *first != *second {
        return Err(usage("the two values differ; nothing was written"));
    }
    SecretValue::new(first.as_bytes().to_vec()).map_err(|error| usage(error.to_string()))
}

/// A passphrase typed twice, with a word about its strength.
fn twice(context: &Context) -> io::Result<Passphrase> {
    loop {
        let first = ask_hidden(context, "New passphrase: ")?;
        if first.is_empty() {
            context.out().say_always("a passphrase needs at least one character; try again (Ctrl-C stops)");
            continue;
        }
        let found = strength(&first);
        if found.score < 3 {
            context.out().warn(&format!("that passphrase is weak: {}", found.advice));
        }
        let second = ask_hidden(context, "The same passphrase again: ")?;
        if first.expose() == second.expose() {
            return Ok(first);
        }
        context.out().say_always("the two differ; try again (Ctrl-C stops)");
    }
}

fn ask_hidden(context: &Context, question: &str) -> io::Result<Passphrase> {
    let mut typed = ask_line_hidden(context, question)?;
    context.was_typed();
    Ok(Passphrase::new(std::mem::take(&mut *typed)))
}

fn ask_line_hidden(context: &Context, question: &str) -> io::Result<Zeroizing<String>> {
    if !context.may_ask() {
        return Err(io::Error::new(io::ErrorKind::NotConnected, "questions are switched off"));
    }
    tty::prompt_hidden(question)
}

/// One line of text typed at the terminal. `otherwise` says which flag replaces the question.
pub(crate) fn line(context: &Context, question: &str, otherwise: &str) -> Result<String, ServiceError> {
    if !context.may_ask() {
        return Err(usage(otherwise.to_owned()));
    }
    match tty::prompt_line(question) {
        Ok(typed) => Ok(typed.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(cancelled()),
        Err(_) => Err(usage(otherwise.to_owned())),
    }
}

/// Asks for a word to be typed before something that cannot be undone. Without a terminal, `flag` is needed.
pub(crate) fn typed_word(
    context: &Context,
    question: &str,
    word: &str,
    flag: &str,
) -> Result<(), ServiceError> {
    let otherwise = format!("this cannot be undone and there is no terminal to confirm it on: add {flag}");
    if line(context, question, &otherwise)? == word { Ok(()) } else { Err(cancelled()) }
}

fn no_way(error: io::Error, ways: &str) -> ServiceError {
    match error.kind() {
        io::ErrorKind::Interrupted => cancelled(),
        io::ErrorKind::UnexpectedEof => cancelled(),
        _ => usage("there is no terminal to ask on").hint(ways),
    }
}

/// Reads a whole file of at most `limit` bytes, or stdin for `-`.
pub(crate) fn file_or_stdin(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, ServiceError> {
    let read = if path == Path::new("-") {
        read_growing(rustix::stdio::stdin(), limit)
    } else {
        File::open(path).and_then(|file| read_growing(&file, limit))
    };
    read.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => usage(error.to_string()),
        _ => file_error("read", path, &error),
    })
}

/// For big files: grows by doubling and wipes what it leaves behind. One byte more than the limit is an error.
fn read_growing(from: impl AsFd, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0_u8; 64 * 1024]);
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            let mut bigger = Zeroizing::new(vec![0_u8; bytes.len().saturating_mul(2)]);
            for (to, from) in bigger.iter_mut().zip(bytes.iter()) {
                *to = *from;
            }
            bytes = bigger;
        }
        let Some(rest) = bytes.get_mut(filled..) else { break };
        match rustix::io::read(&from, rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if filled > limit {
            let mib = limit >> 20;
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("the file is longer than {mib} MiB"),
            ));
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
