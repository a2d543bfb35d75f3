//! What leaves the program: data on stdout, talk on stderr, JSON with a schema version.
//!
//! The only place of the command line that writes to a standard stream. Writes go straight to the file descriptor, so
//! that no buffer keeps a copy of a value, and every write to stdout is checked: a closed pipe ends the command
//! quietly, a full disk is an error.

use super::{
    args::{Color, Globals},
    stop::Stop,
};
use crate::{
    domain::printable,
    service::{ErrorKind, ServiceError},
};
use rustix::io::Errno;
use serde::Serialize;
use std::{ffi::OsString, io::IsTerminal};
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

/// The version of every JSON document printed; it changes when a field changes its meaning or goes away.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// How to talk, decided once from the flags and the streams.
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
    stdout_tty: bool,
    stderr_tty: bool,
    color: Color,
    no_color: bool,
}

/// A document with its schema version in front.
#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    schema_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

impl Output {
    /// From the parsed flags.
    pub(crate) fn new(globals: &Globals) -> Self {
        Self {
            json: globals.json,
            quiet: globals.quiet,
            verbose: globals.verbose,
            stdout_tty: std::io::stdout().is_terminal(),
            stderr_tty: std::io::stderr().is_terminal(),
            color: globals.color,
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }

    /// Before the flags are parsed (for clap's own messages): looks for `--json` and `--color` only.
    pub(crate) fn before_parsing(args: &[OsString]) -> Self {
        let words: Vec<&str> =
            args.iter().filter_map(|arg| arg.to_str()).take_while(|word| *word != "--").collect();
        let color = words.windows(2).find_map(|pair| match pair {
            ["--color", value] => Some(*value),
            _ => None,
        });
        let color = color.or_else(|| words.iter().find_map(|word| word.strip_prefix("--color=")));
        let color = match color {
            Some("always") => Color::Always,
            Some("never") => Color::Never,
            _ => Color::Auto,
        };
        Self::new(&Globals { json: words.contains(&"--json"), color, ..Globals::default() })
    }

    /// True if the answer is to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// True if a person looks at stdout.
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.stdout_tty
    }

    /// True if a person is at both ends: a full-screen program makes sense.
    pub(crate) fn fully_interactive(&self) -> bool {
        self.stdout_tty && std::io::stdin().is_terminal()
    }

    /// True if stdout takes colours.
    pub(crate) fn colors_stdout(&self) -> bool {
        self.colors(self.stdout_tty)
    }

    /// True if stderr takes colours.
    pub(crate) fn colors_stderr(&self) -> bool {
        self.colors(self.stderr_tty)
    }

    fn colors(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal && !self.no_color && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }

    /// True if colours were switched off by flag or environment, for the TUI.
    pub(crate) fn wants_no_color(&self) -> bool {
        self.color == Color::Never || (self.color == Color::Auto && self.no_color)
    }

    /// The same decision in clap's words.
    pub(crate) fn clap_color(&self) -> clap::ColorChoice {
        match self.color {
            Color::Always => clap::ColorChoice::Always,
            Color::Never => clap::ColorChoice::Never,
            Color::Auto => clap::ColorChoice::Auto,
        }
    }

    /// Exact bytes to stdout.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Stop> {
        write_all(bytes, |rest| rustix::io::write(rustix::stdio::stdout(), rest)).map_err(|errno| match errno
        {
            Errno::PIPE => Stop::ClosedPipe,
            other => {
                let why = std::io::Error::from(other);
                ServiceError::new(ErrorKind::Failure, format!("cannot write to standard output: {why}"))
                    .into()
            }
        })
    }

    /// Text to stdout, as it is.
    pub(crate) fn text(&self, text: &str) -> Result<(), Stop> {
        self.bytes(text.as_bytes())
    }

    /// One line to stdout.
    pub(crate) fn line(&self, text: &str) -> Result<(), Stop> {
        self.text(&format!("{text}\n"))
    }

    /// One JSON document to stdout: the fields of `body` (a struct or map) after `schema_version`. Not for values:
    /// see [`Self::json_secret`].
    pub(crate) fn json<T: Serialize>(&self, body: &T) -> Result<(), Stop> {
        self.json_secret(&Envelope { schema_version: SCHEMA_VERSION, body }, 4096)
    }

    /// One JSON object on one line, of many: for collectors, whose lines carry no schema version.
    pub(crate) fn json_line(&self, body: &serde_json::Value) -> Result<(), Stop> {
        self.json_secret(body, 1024)
    }

    /// One JSON document that may hold values: written into memory that is wiped. `size` is an upper estimate of its
    /// length, so that the buffer does not grow and leave a copy behind. The caller puts `schema_version` in.
    pub(crate) fn json_secret<T: Serialize>(&self, document: &T, size: usize) -> Result<(), Stop> {
        let mut text = Zeroizing::new(Vec::with_capacity(size));
        let encoded = serde_json::to_writer(&mut *text, document);
        encoded.map_err(|_| ServiceError::new(ErrorKind::Failure, "the answer cannot be written as JSON"))?;
        text.push(b'\n');
        match std::str::from_utf8(&text).ok().and_then(escape_json) {
            Some(escaped) => self.bytes(escaped.as_bytes()),
            None => self.bytes(&text),
        }
    }

    /// A table to stdout: a bold header if stdout takes colours, columns two spaces apart, no trailing spaces. Cells
    /// are made safe for a terminal here.
    pub(crate) fn table<const N: usize>(&self, header: [&str; N], rows: &[[String; N]]) -> Result<(), Stop> {
        let rows: Vec<[String; N]> =
            rows.iter().map(|row| row.each_ref().map(|cell| printable::line(cell))).collect();
        let mut widths = header.map(UnicodeWidthStr::width);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let mut text = String::new();
        let titles = layout(header.iter().copied(), &widths);
        if self.colors_stdout() {
            text.push_str(&format!("\u{1b}[1m{titles}\u{1b}[0m\n"));
        } else {
            text.push_str(&titles);
            text.push('\n');
        }
        for row in &rows {
            text.push_str(&layout(row.iter().map(String::as_str), &widths));
            text.push('\n');
        }
        self.text(&text)
    }

    /// Talk: one line to stderr, unless `-q` or `--json`.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet && !self.json {
            self.say_always(text);
        }
    }

    /// Something to look at, on stderr, also with `-q`. With `--json` a document of its own, on a line of its own.
    pub(crate) fn warn(&self, text: &str) {
        if self.json {
            let document =
                serde_json::json!({ "schema_version": SCHEMA_VERSION, "warning": text }).to_string();
            return self.say_always(&escape_json(&document).unwrap_or_else(|| Zeroizing::new(document)));
        }
        self.say_always(&format!("{}: {text}", self.paint("33", "warning")));
    }

    /// True if a person looks on who may want to know how far something is.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr_tty && !self.quiet && !self.json
    }

    /// A line on the terminal that the next one replaces; an empty one takes it away.
    pub(crate) fn transient(&self, text: &str) {
        let text = format!("\r\u{1b}[K{text}");
        let _ = write_all(text.as_bytes(), |rest| rustix::io::write(rustix::stdio::stderr(), rest));
    }

    /// Detail for `-v`.
    pub(crate) fn debug(&self, text: &str) {
        if self.verbose {
            self.say_always(text);
        }
    }

    /// A line to stderr in any case. A failure to write there has nobody to be told to.
    pub(crate) fn say_always(&self, text: &str) {
        let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        let _ = write_all(text.as_bytes(), |rest| rustix::io::write(rustix::stdio::stderr(), rest));
    }

    /// The error, at the edge: one line, the next command, and with `-v` the chain of causes.
    pub(crate) fn error(&self, error: &ServiceError) {
        if self.json {
            let causes = if self.verbose { Some(&error.causes) } else { None };
            let mut body = serde_json::json!({
                "kind": error.kind.token(), "message": error.message, "hint": error.hint,
            });
            if let (Some(causes), Some(map)) = (causes, body.as_object_mut()) {
                map.insert("causes".to_owned(), serde_json::json!(causes));
            }
            let document = serde_json::json!({ "schema_version": SCHEMA_VERSION, "error": body }).to_string();
            self.say_always(&escape_json(&document).unwrap_or_else(|| Zeroizing::new(document)));
            return;
        }
        let mut text = format!("{}: {}\n", self.paint("31;1", "sealbox"), printable::line(&error.message));
        if let Some(hint) = &error.hint {
            text.push_str(&format!("{}: {}\n", self.paint("36", "hint"), printable::line(hint)));
        }
        if self.verbose {
            for cause in &error.causes {
                text.push_str(&format!("cause: {}\n", printable::line(cause)));
            }
        }
        self.say_always(&text);
    }

    fn paint(&self, code: &str, word: &str) -> String {
        if self.colors_stderr() { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

/// One row: cells padded to their column, the last one not.
fn layout<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut row = String::new();
    for (cell, width) in cells.zip(widths) {
        row.push_str(cell);
        row.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
    }
    row.truncate(row.trim_end().len());
    row
}

/// Writes everything, through interruptions and short writes.
fn write_all(mut bytes: &[u8], write: impl Fn(&[u8]) -> Result<usize, Errno>) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => std::thread::sleep(std::time::Duration::from_millis(1)),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// JSON leaves DEL, C1 controls, bidi marks and zero-width characters as they are; a terminal should not meet them.
/// They can stand inside strings only, so each becomes its `\u` escape. `None` if there is nothing to do.
fn escape_json(document: &str) -> Option<Zeroizing<String>> {
    let dangerous = |c: char| c == '\u{7f}' || (!c.is_ascii() && printable::is_dangerous(c));
    if !document.chars().any(dangerous) {
        return None;
    }
    let mut escaped = Zeroizing::new(String::with_capacity(document.len().saturating_mul(6)));
    for c in document.chars() {
        if dangerous(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    Some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_meaning_when_dangerous_characters_are_escaped() {
        let value = serde_json::json!({ "label": "a\u{202e}b\u{9b}c\u{7f}\u{e0001}é\"\\" });
        let document = value.to_string();
        let escaped = escape_json(&document).unwrap();
        assert!(!escaped.contains(['\u{202e}', '\u{9b}', '\u{7f}', '\u{e0001}']), "{}", *escaped);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        assert!(escape_json("{\"a\":\"plain é\"}").is_none());
    }

    #[test]
    fn rows_have_aligned_columns_and_no_trailing_spaces() {
        assert_eq!(layout(["A", "é", ""].into_iter(), &[3, 2, 5]), "A    é");
        assert_eq!(layout(["表", "x"].into_iter(), &[4, 1]), "表    x");
    }

    #[test]
    fn short_and_interrupted_writes_are_continued() {
        let written = std::cell::RefCell::new(Vec::new());
        let calls = std::cell::Cell::new(0);
        let result = write_all(b"hello", |rest| {
            calls.set(calls.get() + 1);
            if calls.get() % 2 == 1 {
                return Err(Errno::INTR);
            }
            written.borrow_mut().push(rest[0]);
            Ok(1)
        });
        assert!(result.is_ok());
        assert_eq!(*written.borrow(), b"hello");
    }
}
