//! Questions to the person: always on the controlling terminal, never on stdin or stdout, which carry data.
//!
//! Owns terminal modes while a question is open. Invariant: the modes are restored on every way out, Ctrl-C and panic
//! included, and what was typed beyond the answer is thrown away instead of reaching the shell.

use crate::domain::printable;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, Error, ErrorKind, IsTerminal, Read, Write};
use zeroize::{Zeroize, Zeroizing};

/// The longest hidden answer, in bytes: that of a secret value.
const MAX_ANSWER: usize = crate::domain::value::MAX_VALUE;
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const ESC: u8 = 0x1b;

/// Opens the controlling terminal for reading and writing; an error if there is none.
pub fn open() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/tty")
}

/// True if there is a terminal to ask questions on.
pub fn is_available() -> bool {
    open().is_ok()
}

/// True if stdin is a terminal.
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// True if stdout is a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Asks for a secret without showing it. Longer than the 4,095 bytes of an ordinary terminal line are possible.
/// `Interrupted` on Ctrl-C, `UnexpectedEof` on Ctrl-D with nothing typed, `InvalidInput` if several lines were pasted,
/// if it holds control characters or is not UTF-8, `FileTooLarge` above 1 MiB.
pub fn prompt_hidden(prompt: &str) -> io::Result<Zeroizing<String>> {
    hidden_on(&open()?, prompt)
}

/// Asks for one line, shown as it is typed. Errors as [`prompt_hidden`].
pub fn prompt_line(prompt: &str) -> io::Result<String> {
    line_on(&open()?, prompt)
}

/// Asks yes or no; the empty answer is `default`. Asks again until the answer is one of them.
pub fn confirm(question: &str, default: bool) -> io::Result<bool> {
    confirm_on(&open()?, question, default)
}

fn confirm_on(tty: &File, question: &str, default: bool) -> io::Result<bool> {
    let prompt = format!("{question} [{}] ", if default { "Y/n" } else { "y/N" });
    loop {
        match line_on(tty, &prompt)?.trim().to_ascii_lowercase().as_str() {
            "" => return Ok(default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

fn line_on(mut tty: &File, prompt: &str) -> io::Result<String> {
    // Ctrl-C ends the line as one more end-of-line character, so that it is an answer of its own and not a signal
    let modes = Modes::set(tty, |modes| {
        modes.local_modes.remove(LocalModes::ISIG);
        modes.local_modes.insert(LocalModes::ICANON | LocalModes::ECHO);
        modes.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    })?;
    write!(tty, "{}", printable::line(prompt))?;
    let mut typed = Vec::new();
    let mut byte = [0u8; 1];
    let ended = loop {
        match tty.read(&mut byte)? {
            0 if typed.is_empty() => break Err(ErrorKind::UnexpectedEof.into()),
            0 => break Ok(()), // Ctrl-D after some text
            _ => match byte {
                [b'\n' | b'\r'] => break Ok(()),
                [CTRL_C] => break Err(ErrorKind::Interrupted.into()),
                [b] => typed.push(b),
            },
        }
    };
    drop(modes);
    if ended.is_err() {
        writeln!(tty)?;
    }
    ended.and_then(|()| String::from_utf8(typed).map_err(|_| not_text()))
}

fn hidden_on(mut tty: &File, prompt: &str) -> io::Result<Zeroizing<String>> {
    let modes = Modes::set(tty, |modes| {
        modes
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    })?;
    write!(tty, "{}", printable::line(prompt))?;
    let answer = read_hidden(tty);
    drop(modes);
    writeln!(tty)?;
    answer
}

fn read_hidden(mut tty: &File) -> io::Result<Zeroizing<String>> {
    let mut answer = Answer::default();
    let mut chunk = Zeroizing::new([0u8; 256]);
    let rest: Zeroizing<Vec<u8>> = 'typing: loop {
        let count = tty.read(chunk.as_mut_slice())?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = chunk.iter().take(count);
        while let Some(byte) = bytes.next() {
            if answer.take(*byte)? {
                break 'typing Zeroizing::new(bytes.copied().collect());
            }
        }
    };
    if rest.iter().any(|b| !matches!(b, b'\n' | b'\r')) || more_is_coming(tty)? {
        return Err(invalid("several lines were pasted; give such a value on stdin or with --from-file"));
    }
    answer.finish()
}

/// True if more than line ends arrive within a moment: the rest of a paste.
fn more_is_coming(mut tty: &File) -> io::Result<bool> {
    let moment = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
    let mut chunk = Zeroizing::new([0u8; 256]);
    while poll(&mut [PollFd::new(tty, PollFlags::IN)], Some(&moment))? > 0 {
        let count = tty.read(chunk.as_mut_slice())?;
        if count == 0 {
            return Ok(false);
        }
        if chunk.iter().take(count).any(|b| !matches!(b, b'\n' | b'\r')) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What has been typed so far; wiped wherever it was.
#[derive(Default)]
struct Answer {
    bytes: Zeroizing<Vec<u8>>,
    escape: Escape,
    strange: bool,
}

/// Where we are in an escape sequence: arrow keys and the marks of a bracketed paste are not part of an answer.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    No,
    Started,
    Inside,
}

impl Answer {
    /// Takes one byte; true when the answer is complete.
    fn take(&mut self, byte: u8) -> io::Result<bool> {
        match (self.escape, byte) {
            (Escape::Started, b'[' | b'O') => self.escape = Escape::Inside,
            (Escape::Started, _) => self.escape = Escape::No,
            (Escape::Inside, 0x40..=0x7e) => self.escape = Escape::No,
            (Escape::Inside, _) => {}
            (_, b'\n' | b'\r') => return Ok(true),
            (_, CTRL_C) => return Err(ErrorKind::Interrupted.into()),
            (_, CTRL_D) if self.bytes.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            (_, CTRL_D) => return Ok(true),
            (_, 0x08 | 0x7f) => self.erase(),
            (_, 0x15) => self.bytes.zeroize(), // Ctrl-U
            (_, ESC) => self.escape = Escape::Started,
            (_, 0x00..=0x1f) if byte != b'\t' => self.strange = true,
            _ => self.push(byte)?,
        }
        Ok(false)
    }

    fn push(&mut self, byte: u8) -> io::Result<()> {
        if self.bytes.len() >= MAX_ANSWER {
            return Err(Error::new(ErrorKind::FileTooLarge, "an answer has at most 1 MiB"));
        }
        if self.bytes.len() == self.bytes.capacity() {
            // grown by hand: Vec would free the old place without wiping it
            let mut bigger = Zeroizing::new(Vec::with_capacity((self.bytes.capacity() * 2).max(256)));
            bigger.extend_from_slice(&self.bytes);
            self.bytes = bigger;
        }
        self.bytes.push(byte);
        Ok(())
    }

    /// Removes the last character, which may have several bytes.
    fn erase(&mut self) {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0xc0 != 0x80 {
                break;
            }
        }
    }

    fn finish(mut self) -> io::Result<Zeroizing<String>> {
        if self.strange {
            return Err(invalid(
                "control characters cannot be typed; give such a value on stdin or with --from-file",
            ));
        }
        String::from_utf8(std::mem::take(&mut *self.bytes)).map(Zeroizing::new).map_err(|e| {
            e.into_bytes().zeroize();
            not_text()
        })
    }
}

fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

fn not_text() -> Error {
    invalid("the answer is not UTF-8")
}

/// Changed terminal modes; the old ones come back on drop, and unread input is dropped with them.
struct Modes<'a> {
    tty: &'a File,
    old: Termios,
}

impl<'a> Modes<'a> {
    fn set(tty: &'a File, change: impl FnOnce(&mut Termios)) -> io::Result<Self> {
        let old = tcgetattr(tty)?;
        let mut new = old.clone();
        change(&mut new);
        tcsetattr(tty, OptionalActions::Now, &new)?;
        Ok(Self { tty, old })
    }
}

impl Drop for Modes<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portable_pty::{MasterPty, PtyPair, PtySize, native_pty_system};

    struct Terminal {
        tty: File,
        keys: Box<dyn Write + Send>,
        _pair: (Box<dyn MasterPty + Send>, Box<dyn portable_pty::SlavePty + Send>),
    }

    /// A pseudo-terminal; its screen is not read, the kernel buffers the few bytes.
    fn terminal() -> Terminal {
        let PtyPair { master, slave } = native_pty_system().openpty(PtySize::default()).unwrap();
        let tty = File::options().read(true).write(true).open(master.tty_name().unwrap()).unwrap();
        Terminal { tty, keys: master.take_writer().unwrap(), _pair: (master, slave) }
    }

    /// Types into the terminal once the question is open, which is when echo is off.
    fn type_hidden(keys: &[u8]) -> (io::Result<Zeroizing<String>>, bool) {
        let mut terminal = terminal();
        let tty = terminal.tty.try_clone().unwrap();
        let answer = std::thread::scope(|scope| {
            let asked = scope.spawn(|| hidden_on(&terminal.tty, "Value: "));
            while tcgetattr(&tty).unwrap().local_modes.contains(LocalModes::ECHO) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            terminal.keys.write_all(keys).unwrap();
            asked.join().unwrap()
        });
        let restored = tcgetattr(&tty).unwrap().local_modes;
        (answer, restored.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG))
    }

    fn kind(answer: io::Result<Zeroizing<String>>) -> ErrorKind {
        answer.err().unwrap().kind()
    }

    #[test]
    fn a_hidden_answer_is_edited_and_echo_comes_back() {
        for (keys, want) in [
            (&b"s3cret\r"[..], "s3cret"),
            (b"ab\x7fc\n", "ac"),
            ("aé\x7fb\n".as_bytes(), "ab"),
            (b"wrong\x15right\n", "right"),
            (b"a\x1b[D\x1bOAb\n", "ab"),
            (b"\x1b[200~pasted\x1b[201~\n", "pasted"),
            (b"\n", ""),
            (b"x\r\n", "x"),
        ] {
            let (answer, restored) = type_hidden(keys);
            assert_eq!(*answer.unwrap(), want);
            assert!(restored);
        }
    }

    #[test]
    fn longer_than_a_terminal_line_is_possible() {
        let long = "k".repeat(3_000);
        let (answer, _) = type_hidden(format!("{long}\n").as_bytes());
        assert_eq!(answer.unwrap().len(), 3_000);
    }

    #[test]
    fn every_refusal_restores_the_terminal() {
        for (keys, want) in [
            (&b"abc\x03"[..], ErrorKind::Interrupted),
            (b"\x04", ErrorKind::UnexpectedEof),
            (b"line one\nline two\n", ErrorKind::InvalidInput),
            (b"a\x01b\n", ErrorKind::InvalidInput),
            (b"\xff\xfe\n", ErrorKind::InvalidInput),
        ] {
            let (answer, restored) = type_hidden(keys);
            assert_eq!(kind(answer), want, "{keys:?}");
            assert!(restored, "{keys:?}");
        }
    }

    #[test]
    fn a_line_is_read_and_confirmed() {
        for (keys, want) in [("yes\n", true), ("N\n", false), ("\n", true), ("what\nno\n", false)] {
            let mut terminal = terminal();
            let (tty, keys_in) = (&terminal.tty, &mut terminal.keys);
            let got = std::thread::scope(|scope| {
                let asked = scope.spawn(|| confirm_on(tty, "Sure?", true));
                for key in keys.split_inclusive('\n') {
                    std::thread::sleep(std::time::Duration::from_millis(60));
                    keys_in.write_all(key.as_bytes()).unwrap();
                }
                asked.join().unwrap().unwrap()
            });
            assert_eq!(got, want, "{keys:?}");
        }
    }

    #[test]
    fn ctrl_c_at_a_line_is_an_interruption() {
        let mut terminal = terminal();
        let (tty, keys) = (&terminal.tty, &mut terminal.keys);
        let got = std::thread::scope(|scope| {
            let asked = scope.spawn(|| line_on(tty, "Name: "));
            std::thread::sleep(std::time::Duration::from_millis(60));
            keys.write_all(b"ab\x03").unwrap();
            asked.join().unwrap()
        });
        assert_eq!(got.unwrap_err().kind(), ErrorKind::Interrupted);
        assert!(tcgetattr(&terminal.tty).unwrap().local_modes.contains(LocalModes::ISIG));
    }
}
