//! Text that is safe to put on a terminal (SPEC R23): what came from other people, stores or values goes through here.
//!
//! Owns the decision which characters may reach a terminal as they are. Everything that could drive the terminal,
//! reorder the line or hide (controls, bidi, zero-width and other format characters) becomes a visible escape.
//! Invariant: no output holds such a character, `\n` and `\t` in [`bytes_multiline`] excepted.

use std::fmt::Write;
use unicode_normalization::char::is_combining_mark;

/// Combining marks kept on one base character; what is above is dropped and shown as one `…`.
pub const MAX_MARKS: usize = 8;

/// Safe text on one line: a line break is shown as `^J`, an escape as `^[`, DEL as `^?`, a C1 control or a format
/// character as `\u{9b}`.
pub fn line(text: &str) -> String {
    let mut out = Safe::new(text.len(), false);
    text.chars().for_each(|c| out.push(c));
    out.text
}

/// Safe text over several lines, for a value shown on a terminal: as [`line()`], but `\n` and `\t` stay, and bytes that
/// are not UTF-8 are shown as `\xNN`. The result holds the value: the caller wipes it.
pub fn bytes_multiline(bytes: &[u8]) -> String {
    let mut out = Safe::new(bytes.len(), true);
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| out.push(c));
        for byte in chunk.invalid() {
            out.escape(format_args!("\\x{byte:02x}"));
        }
    }
    out.text
}

/// True if the character must not reach a terminal as it is: controls, bidi controls, zero-width and other invisible
/// or format characters, line separators and noncharacters.
pub fn is_dangerous(c: char) -> bool {
    c.is_control() || DANGEROUS.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// Unicode's format characters (Cf), its separators, default-ignorable fillers, and noncharacters.
const DANGEROUS: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

struct Safe {
    text: String,
    multiline: bool,
    marks: usize,
}

impl Safe {
    /// Room for the worst case, four bytes for one: a text that grew while it was written would leave unwiped copies of a
    /// value behind.
    fn new(len: usize, multiline: bool) -> Self {
        Self { text: String::with_capacity(len.saturating_mul(4).saturating_add(16)), multiline, marks: 0 }
    }

    fn push(&mut self, c: char) {
        match c {
            '\n' | '\t' if self.multiline => self.plain(c),
            '\0'..='\x1f' => {
                let shown = char::from_u32(u32::from(c) + 0x40).unwrap_or('?');
                self.escape(format_args!("^{shown}"));
            }
            '\x7f' => self.escape(format_args!("^?")),
            c if is_dangerous(c) => self.escape(format_args!("\\u{{{:x}}}", u32::from(c))),
            c if is_combining_mark(c) => {
                self.marks = self.marks.saturating_add(1);
                if self.marks <= MAX_MARKS {
                    self.text.push(c);
                } else if self.marks == MAX_MARKS + 1 {
                    self.text.push('…');
                }
            }
            c => self.plain(c),
        }
    }

    fn plain(&mut self, c: char) {
        self.marks = 0;
        self.text.push(c);
    }

    fn escape(&mut self, shown: std::fmt::Arguments<'_>) {
        self.marks = 0;
        let _ = self.text.write_fmt(shown); // writing to a String cannot fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["", "plain text", "naïve café — 日本語 Ελλάδα", "e\u{301}", "👍 ok"] {
            assert_eq!(line(text), text);
            assert_eq!(bytes_multiline(text.as_bytes()), text);
        }
    }

    #[test]
    fn terminal_sequences_become_visible() {
        assert_eq!(line("a\x1b[31mb"), "a^[[31mb");
        assert_eq!(line("\x1b]52;c;AAAA\x07"), "^[]52;c;AAAA^G");
        assert_eq!(line("a\r\nb\tc\0\x7f"), "a^M^Jb^Ic^@^?");
        assert_eq!(line("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(line("a\u{202e}b\u{2066}\u{200f}\u{61c}"), "a\\u{202e}b\\u{2066}\\u{200f}\\u{61c}");
        assert_eq!(line("\u{200b}\u{feff}\u{e0041}"), "\\u{200b}\\u{feff}\\u{e0041}");
    }

    #[test]
    fn a_value_keeps_its_lines_and_shows_its_raw_bytes() {
        assert_eq!(bytes_multiline(b"a\n\tb\r\n\xff\xfec\x1b"), "a\n\tb^M\n\\xff\\xfec^[");
        // a C1 control as a single raw byte is not UTF-8: it must not pass either
        assert_eq!(bytes_multiline(&[0x9b, b'A']), "\\x9bA");
    }

    #[test]
    fn ten_thousand_combining_marks_become_eight_and_an_ellipsis() {
        let text = format!("a{}b", "\u{301}".repeat(10_000));
        assert_eq!(line(&text), format!("a{}…b", "\u{301}".repeat(8)));
        assert_eq!(line(&"e\u{301}\u{302}".repeat(20)), "e\u{301}\u{302}".repeat(20));
    }

    proptest! {
        #[test]
        fn no_line_holds_a_dangerous_character(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_dangerous));
        }

        #[test]
        fn no_value_on_a_screen_holds_one_but_line_breaks_and_tabs(bytes in any::<Vec<u8>>()) {
            let shown = bytes_multiline(&bytes);
            prop_assert!(shown.len() <= bytes.len() * 4 + 16, "it outgrew its room");
            prop_assert!(!shown.chars().any(|c| is_dangerous(c) && c != '\n' && c != '\t'));
        }

        #[test]
        fn format_characters_never_pass(picks in proptest::collection::vec((0usize..26, any::<u16>()), 0..40)) {
            let text: String = picks.iter().filter_map(|(row, step)| {
                let (from, to) = DANGEROUS[*row];
                char::from_u32(u32::from(from) + u32::from(*step) % (u32::from(to) - u32::from(from) + 1))
            }).collect();
            prop_assert!(line(&text).is_ascii());
            prop_assert!(line(&text).len() <= text.len() * 4 + 16);
        }
    }
}
