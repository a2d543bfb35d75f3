//! OSC 52: asking the terminal itself to take a text into its clipboard, which works through SSH.
//!
//! Owns the sequence, its wrapping for tmux and screen, and its size limit. A terminal does not answer, so nothing here
//! claims success. Only writes are ever sent: never a read, whose answer would be typed into the program.

use crate::domain::SecretValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::ffi::OsString;
use std::io::Write;
use zeroize::Zeroizing;

/// The longest value that is sent, in bytes: 99,992 in base64, the customary limit of 100,000 for a sequence.
pub const MAX_BYTES: usize = 74_994;

const INTRODUCER: &[u8] = b"\x1b]52;c;";
const END: u8 = 0x07;
/// Not base64: terminals empty their clipboard. Sent first, because kitty appends one write to the next.
const EMPTY: &[u8] = b"\x1b]52;c;!\x07";
/// Nothing at all: the same for those that ignore what is not base64.
const NOTHING: &[u8] = b"\x1b]52;c;\x07";
/// screen drops device control strings of 768 bytes and more.
const SCREEN_PIECE: usize = 700;

/// What stands between us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    Plain,
    Tmux,
    Screen,
}

impl Wrapping {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tmux => "tmux",
            Self::Screen => "screen",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Plain, Self::Tmux, Self::Screen].into_iter().find(|wrapping| wrapping.word() == word)
    }
}

/// A value that was written to the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) wrappings: Vec<Wrapping>,
    /// A setting that this terminal is known to need.
    pub(super) note: Option<String>,
}

/// Sends a value. The error is the reason for a refusal, and then nothing was written.
pub(super) fn send(
    value: &SecretValue,
    env: &dyn Fn(&str) -> Option<OsString>,
    terminal: Option<&mut (dyn Write + '_)>,
) -> Result<Sent, String> {
    let terminal = terminal.ok_or("there is no terminal to send it to")?;
    let (wrappings, note) = way_out(env)?;
    if value.len() > MAX_BYTES {
        let length = value.len();
        return Err(format!("the value has {length} bytes and terminals take at most {MAX_BYTES}"));
    }
    let sequence = sequence(value.expose());
    for wrapping in &wrappings {
        terminal
            .write_all(&wrapped(*wrapping, EMPTY))
            .and_then(|()| terminal.write_all(&wrapped(*wrapping, &sequence)))
            .map_err(|e| format!("the terminal cannot be written to: {e}"))?;
    }
    terminal.flush().map_err(|e| format!("the terminal cannot be written to: {e}"))?;
    Ok(Sent { wrappings, note: note.map(str::to_owned) })
}

/// What asks a terminal to empty its clipboard, best effort: it does not say whether it did, and what was copied there
/// meanwhile by others goes too. In one piece, so that it does not tear apart what a program draws.
pub(super) fn emptying(wrappings: &[Wrapping]) -> Vec<u8> {
    let mut out = Vec::new();
    for wrapping in wrappings {
        out.extend_from_slice(&wrapped(*wrapping, EMPTY));
        out.extend_from_slice(&wrapped(*wrapping, NOTHING));
    }
    out
}

const NEEDS_TMUX: &str =
    "your tmux takes it only with: tmux set -s set-clipboard on, and then keeps it as a paste buffer";

/// How to reach the terminal, and what is known of it. Where there may be two kinds of listeners, each gets its own
/// spelling; the other one drops it.
fn way_out(env: &dyn Fn(&str) -> Option<OsString>) -> Result<(Vec<Wrapping>, Option<&'static str>), String> {
    let text = |name: &str| env(name).unwrap_or_default().to_string_lossy().into_owned();
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let term = text("TERM");
    if set("STY") {
        return Ok((vec![Wrapping::Screen], None));
    }
    // tmux that could not be asked, or one at the near end of SSH
    if set("TMUX") || term.starts_with("tmux") {
        return Ok((vec![Wrapping::Plain, Wrapping::Tmux], Some(NEEDS_TMUX)));
    }
    // screen at the near end of SSH, or a tmux that calls itself so
    if term.starts_with("screen") {
        let note = "if your terminal runs tmux, that takes it only with: tmux set -s set-clipboard on";
        return Ok((vec![Wrapping::Plain, Wrapping::Screen], Some(note)));
    }
    if matches!(term.as_str(), "" | "dumb" | "linux" | "vt100" | "vt220") {
        return Err("this terminal has no clipboard".to_owned());
    }
    let iterm = text("LC_TERMINAL") == "iTerm2" || text("TERM_PROGRAM") == "iTerm.app";
    let note = if text("TERM_PROGRAM") == "Apple_Terminal" {
        Some("Terminal.app ignores it")
    } else if iterm {
        Some(
            "iTerm2 takes it only with Settings > General > Selection > Applications in terminal may access clipboard",
        )
    } else if text("VTE_VERSION").parse::<u32>().is_ok_and(|version| version < 7_600) {
        Some("terminals on VTE before 0.76 (GNOME Terminal and others) ignore it")
    } else if set("XTERM_VERSION") {
        Some("xterm takes it only with the resource: XTerm*disallowedWindowOps: 20,21,SetXprop")
    } else {
        None
    };
    Ok((vec![Wrapping::Plain], note))
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
    use proptest::prelude::*;

    fn sent(value: &[u8], vars: &[(&str, &str)]) -> (Result<Sent, String>, Vec<u8>) {
        let mut out = Vec::new();
        let env =
            |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let told = send(&SecretValue::new(value.to_vec()).unwrap(), &env, Some(&mut out));
        (told, out)
    }

    const TEXT: &[u8] = b"\x1b]52;c;!\x07\x1b]52;c;aGVsbG8=\x07";
    const IN_TMUX: &[u8] = b"\x1bPtmux;\x1b\x1b]52;c;!\x07\x1b\\\x1bPtmux;\x1b\x1b]52;c;aGVsbG8=\x07\x1b\\";

    #[test]
    fn plain_terminals_get_an_emptying_and_the_text() {
        let (told, out) = sent(b"hello", &[("TERM", "xterm")]);
        assert_eq!(told, Ok(Sent { wrappings: vec![Wrapping::Plain], note: None }));
        assert_eq!(out, TEXT);
    }

    #[test]
    fn a_tmux_that_cannot_be_asked_gets_both_spellings_and_the_person_the_setting() {
        for vars in [&[("TERM", "screen-256color"), ("TMUX", "/tmp/x,1,0")][..], &[("TERM", "tmux-256color")]]
        {
            let (told, out) = sent(b"hello", vars);
            assert!(told.unwrap().note.unwrap().contains("set-clipboard on"));
            assert_eq!(out, [TEXT, IN_TMUX].concat());
        }
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_sequence() {
        let value = vec![b'k'; 1_000];
        let (_, out) = sent(&value, &[("TERM", "screen"), ("STY", "1.pts")]);
        let text = String::from_utf8(out).unwrap();
        let pieces: Vec<&str> = text.split("\x1b\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() < 768));
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
    fn terminals_that_are_known_to_need_a_setting_are_told_so() {
        for (name, value, word) in [
            ("TERM_PROGRAM", "Apple_Terminal", Some("Terminal.app")),
            ("LC_TERMINAL", "iTerm2", Some("iTerm2")),
            ("VTE_VERSION", "6800", Some("VTE")),
            ("VTE_VERSION", "7600", None),
            ("VTE_VERSION", "not a number", None),
            ("XTERM_VERSION", "XTerm(379)", Some("disallowedWindowOps")),
            ("KITTY_WINDOW_ID", "1", None),
        ] {
            let (told, out) = sent(b"hello", &[("TERM", "xterm-256color"), (name, value)]);
            let note = told.unwrap().note;
            assert_eq!(note.is_some(), word.is_some(), "{name}={value}");
            assert!(word.is_none_or(|word| note.unwrap().contains(word)), "{name}={value}");
            assert_eq!(out, TEXT);
        }
    }

    #[test]
    fn emptying_is_for_the_same_listeners_and_holds_no_text() {
        assert_eq!(emptying(&[Wrapping::Plain]), b"\x1b]52;c;!\x07\x1b]52;c;\x07");
        let both = emptying(&[Wrapping::Plain, Wrapping::Tmux]);
        assert!(both.starts_with(EMPTY) && both.ends_with(b"\x1bPtmux;\x1b\x1b]52;c;\x07\x1b\\"));
    }

    /// What a terminal is asked, whatever wraps it: the payload of each OSC 52.
    fn payloads(out: &[u8]) -> Vec<Vec<u8>> {
        let mut text = Vec::new();
        let mut rest = out;
        while let Some((first, tail)) = rest.split_first() {
            let skip =
                [&b"\x1bPtmux;"[..], b"\x1b\\", b"\x1bP"].into_iter().find(|mark| rest.starts_with(mark));
            match skip {
                Some(mark) => rest = &rest[mark.len()..],
                None => {
                    text.push(*first);
                    rest = tail;
                }
            }
        }
        let marks: Vec<usize> =
            (0..text.len()).filter(|at| text[*at..].starts_with(b"]52;c;")).map(|at| at + 6).collect();
        let end = |from: usize| from + text[from..].iter().position(|byte| *byte == END).unwrap();
        marks.into_iter().map(|from| text[from..end(from)].to_vec()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

        /// A read is `?` in place of the text; its answer would be typed into the program (R37).
        #[test]
        fn no_read_is_ever_sent_and_every_text_is_whole(
            value in proptest::collection::vec(any::<u8>(), 0..2_000),
            term in "(xterm|tmux|screen|linux|dumb|foot|)(-256color)?",
            tmux in any::<bool>(), sty in any::<bool>(),
        ) {
            let mut vars = vec![("TERM", term.as_str())];
            vars.extend(tmux.then_some(("TMUX", "/tmp/t,1,0")));
            vars.extend(sty.then_some(("STY", "1.pts-0.host")));
            let (told, out) = sent(&value, &vars);
            let wanted = BASE64_STANDARD.encode(&value).into_bytes();
            let found = payloads(&out);
            prop_assert_eq!(found.is_empty(), told.is_err());
            for payload in &found {
                prop_assert!(payload.as_slice() == b"!" || *payload == wanted);
            }
            prop_assert_eq!(out.is_empty(), told.is_err());
        }
    }
}
