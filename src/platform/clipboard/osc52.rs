//! OSC 52: asking the terminal itself to take a text into its clipboard, which works through SSH.
//!
//! Owns the sequence, its wrapping for tmux and screen, and its size limit. A terminal does not answer, so nothing here
//! claims success. Only writes are ever sent: never a read, whose answer would be typed into the program.

use crate::domain::SecretValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::ffi::OsString;
use std::io::{self, Write};
use zeroize::Zeroizing;

/// The longest value that is sent, in bytes: 99,992 in base64, the customary limit of 100,000 for a sequence.
pub const MAX_BYTES: usize = 74_994;

const INTRODUCER: &[u8] = b"\x1b]52;c;";
const END: u8 = 0x07;
/// Not base64: terminals empty their clipboard. Sent first, because kitty appends one write to the next.
const EMPTY: &[u8] = b"\x1b]52;c;!\x07";
/// screen drops longer device control strings.
const SCREEN_PIECE: usize = 250;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Plain,
    Tmux,
    Screen,
}

/// Sends a value; the answer is a setting that this terminal is known to need. The error is the reason for a refusal.
pub(super) fn send(
    value: &SecretValue,
    env: &dyn Fn(&str) -> Option<OsString>,
    terminal: Option<&mut (dyn Write + '_)>,
) -> Result<Option<&'static str>, String> {
    let terminal = terminal.ok_or("there is no terminal to send it to")?;
    let wrapping = wrapping(env)?;
    if value.len() > MAX_BYTES {
        let length = value.len();
        return Err(format!("the value has {length} bytes and terminals take at most {MAX_BYTES}"));
    }
    let sequence = sequence(value.expose());
    terminal
        .write_all(&wrapped(wrapping, EMPTY))
        .and_then(|()| terminal.write_all(&wrapped(wrapping, &sequence)))
        .and_then(|()| terminal.flush())
        .map_err(|e| format!("the terminal cannot be written to: {e}"))?;
    Ok(match wrapping {
        Wrapping::Tmux => Some("tmux passes it on only with: set -g allow-passthrough on"),
        Wrapping::Plain | Wrapping::Screen => None,
    })
}

/// Asks the terminal to empty its clipboard, best effort: it does not say whether it did, and what was copied there
/// meanwhile by others goes too.
pub fn clear(env: &dyn Fn(&str) -> Option<OsString>, terminal: &mut dyn Write) -> io::Result<()> {
    let wrapping = wrapping(env).map_err(io::Error::other)?;
    terminal.write_all(&wrapped(wrapping, EMPTY))?;
    terminal.flush()
}

fn wrapping(env: &dyn Fn(&str) -> Option<OsString>) -> Result<Wrapping, String> {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let term = env("TERM").unwrap_or_default();
    let term = term.to_string_lossy();
    if set("TMUX") || term.starts_with("tmux") {
        Ok(Wrapping::Tmux)
    } else if set("STY") {
        Ok(Wrapping::Screen)
    } else if matches!(term.as_ref(), "" | "dumb" | "linux" | "vt100" | "vt220") {
        Err("this terminal has no clipboard".to_owned())
    } else {
        Ok(Wrapping::Plain)
    }
}

fn sequence(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = bytes.len().div_ceil(3) * 4;
    let mut out = Zeroizing::new(vec![0; length]);
    let written = BASE64_STANDARD.encode_slice(bytes, &mut out).unwrap_or(0);
    let mut sequence = Zeroizing::new(Vec::with_capacity(INTRODUCER.len() + length + 1));
    sequence.extend_from_slice(INTRODUCER);
    sequence.extend(out.iter().take(written));
    sequence.push(END);
    sequence
}

fn wrapped(wrapping: Wrapping, sequence: &[u8]) -> Zeroizing<Vec<u8>> {
    let pieces = sequence.len() / SCREEN_PIECE + 1;
    let mut out = Zeroizing::new(Vec::with_capacity(sequence.len() + 4 * pieces + 16));
    match wrapping {
        Wrapping::Plain => out.extend_from_slice(sequence),
        Wrapping::Tmux => {
            out.extend_from_slice(b"\x1bPtmux;");
            for byte in sequence {
                if *byte == 0x1b {
                    out.push(0x1b); // an escape inside is doubled
                }
                out.push(*byte);
            }
            out.extend_from_slice(b"\x1b\\");
        }
        Wrapping::Screen => {
            for piece in sequence.chunks(SCREEN_PIECE) {
                out.extend_from_slice(b"\x1bP");
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\x1b\\");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sent = (Result<Option<&'static str>, String>, Vec<u8>);

    fn sent(value: &[u8], vars: &[(&str, &str)]) -> Sent {
        let mut out = Vec::new();
        let env =
            |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let told = send(&SecretValue::new(value.to_vec()).unwrap(), &env, Some(&mut out));
        (told, out)
    }

    #[test]
    fn plain_terminals_get_an_emptying_and_the_text() {
        let (told, out) = sent(b"hello", &[("TERM", "xterm")]);
        assert_eq!(told, Ok(None));
        assert_eq!(out, b"\x1b]52;c;!\x07\x1b]52;c;aGVsbG8=\x07");
    }

    #[test]
    fn tmux_gets_it_wrapped_and_the_person_the_setting() {
        let (told, out) = sent(b"hello", &[("TERM", "screen-256color"), ("TMUX", "/tmp/x,1,0")]);
        assert!(told.unwrap().unwrap().contains("allow-passthrough"));
        assert_eq!(out, b"\x1bPtmux;\x1b\x1b]52;c;!\x07\x1b\\\x1bPtmux;\x1b\x1b]52;c;aGVsbG8=\x07\x1b\\");
        assert!(
            sent(b"x", &[("TERM", "tmux-256color")]).1.starts_with(b"\x1bPtmux;"),
            "tmux at the near end of SSH"
        );
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_sequence() {
        let value = vec![b'k'; 1_000];
        let (_, out) = sent(&value, &[("TERM", "screen"), ("STY", "1.pts")]);
        let text = String::from_utf8(out).unwrap();
        let pieces: Vec<&str> = text.split("\x1b\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() <= SCREEN_PIECE + 2));
        let joined: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(joined, format!("\x1b]52;c;!\x07\x1b]52;c;{}\x07", BASE64_STANDARD.encode(&value)));
    }

    #[test]
    fn the_limit_is_exact_and_nothing_is_truncated() {
        let (told, out) = sent(&vec![1; MAX_BYTES], &[("TERM", "xterm")]);
        assert!(told.is_ok());
        assert_eq!(out.len(), EMPTY.len() + INTRODUCER.len() + 99_992 + 1);
        let (told, out) = sent(&vec![1; MAX_BYTES + 1], &[("TERM", "xterm")]);
        assert!(told.unwrap_err().contains("74994") && out.is_empty());
    }

    #[test]
    fn terminals_without_a_clipboard_and_no_terminal_are_refused() {
        for term in ["", "dumb", "linux"] {
            let (told, out) = sent(b"x", &[("TERM", term)]);
            assert!(told.is_err() && out.is_empty(), "{term}");
        }
        let value = SecretValue::new(b"x".to_vec()).unwrap();
        assert!(send(&value, &|_| Some("xterm".into()), None).is_err());
    }

    #[test]
    fn clearing_sends_only_the_emptying() {
        let mut out = Vec::new();
        clear(&|name| (name == "TERM").then(|| "xterm".into()), &mut out).unwrap();
        assert_eq!(out, EMPTY);
    }
}
