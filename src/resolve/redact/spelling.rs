//! How programs spell a value when they print it: as it is, base64, percent-encoded, JSON-escaped, with the line breaks
//! of a terminal.
//!
//! Owns the list of spellings and one generator that yields any of them byte by byte, so that a long value is never
//! spelled out in memory. It does not search. Invariant: a generator keeps at most twelve bytes of plaintext, and wipes
//! them.

use zeroize::Zeroize;

/// One way to spell a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The bytes themselves.
    Raw,
    /// Each `\n` as `\r\n`: what a terminal makes of it.
    Terminal,
    /// A part of base64 text.
    Base64(Base64),
    /// As in a URL: bytes outside the kept ones as `%XX`.
    Percent(Percent),
    /// As inside a JSON string.
    Json(Json),
    /// One line of it, from here to there: programs indent lines (a key in YAML), number them or print them one by one.
    Line(u32, u32),
}

/// The shortest line that is looked for by itself. Longer than what lines say that are no secret (`BEGIN PRIVATE KEY`).
const SHORTEST_LINE: usize = 32;
/// A line of fewer different bytes is a rule or a frame, as everybody draws them.
const FEWEST_BYTES: u32 = 8;

/// Where the value stands in data that is encoded as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Base64 {
    /// `-` and `_` instead of `+` and `/`.
    url: bool,
    /// How many bytes stand before it, modulo 3.
    before: usize,
    /// Characters in a line (0: no lines), and whether lines end as on a terminal.
    line: usize,
    crlf: bool,
    end: End,
}

/// What follows the last character that the value alone decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// More data, so that the next character is unknown.
    Open,
    /// Nothing: the value's last bits, and no `=`.
    Bare,
    /// Nothing: the value's last bits, and `=` to a multiple of four.
    Padded,
}

/// Which bytes stay as they are besides letters, digits and `-._`, and how the others are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Percent {
    kept: &'static [u8],
    plus: bool,
    lower: bool,
}

/// Whose JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    /// Only what must be escaped: JavaScript, serde.
    Least,
    /// `/` too.
    Slash,
    /// Everything outside ASCII too: Python.
    Ascii,
    /// Both: PHP.
    AsciiSlash,
    /// `<`, `>` and `&` too: Go.
    Html,
    /// Quotes, `+`, `` ` `` and everything outside ASCII too, in upper-case hexadecimal: .NET.
    Wide,
}

/// RFC 3986, `encodeURIComponent`, Python's `quote`, `encodeURI`, and form encoding in both customs.
const PERCENT: [(&[u8], bool); 6] = [
    (b"~", false),
    (b"~!*'()", false),
    (b"~/", false),
    (b"~!*'();,/?:@&=+$#", false),
    (b"~", true),
    (b"*", true),
];

const JSON: [Json; 6] = [Json::Least, Json::Slash, Json::Ascii, Json::AsciiSlash, Json::Html, Json::Wide];

/// Every spelling of a value. Some may be equal; whoever collects them drops doubles.
pub(super) fn forms(value: &[u8]) -> Vec<Form> {
    let mut forms = vec![Form::Raw];
    if value.contains(&b'\n') {
        forms.push(Form::Terminal);
    }
    for url in [false, true] {
        for before in 0..3 {
            let part = Base64 { url, before, line: 0, crlf: false, end: End::Open };
            forms.push(Form::Base64(part));
            if !(value.len() * 8 - part.skipped_bits()).is_multiple_of(6) {
                forms.extend([End::Bare, End::Padded].map(|end| Form::Base64(Base64 { end, ..part })));
            }
        }
    }
    for (line, crlf) in [(76, false), (76, true), (64, false), (64, true)] {
        if value.len() * 8 > line * 6 {
            let whole = Base64 { url: false, before: 0, line, crlf, end: End::Open };
            forms.push(Form::Base64(whole));
            if !(value.len() * 8).is_multiple_of(6) {
                forms.push(Form::Base64(Base64 { end: End::Padded, ..whole }));
            }
        }
    }
    if value.iter().any(|byte| !byte.is_ascii_alphanumeric() && !b"-._".contains(byte)) {
        for (kept, plus) in PERCENT {
            forms.extend([false, true].map(|lower| Form::Percent(Percent { kept, plus, lower })));
        }
    }
    if value.iter().any(|byte| !byte.is_ascii_graphic() || b"\"\\/<>&'+`".contains(byte)) {
        forms.extend(JSON.map(Form::Json));
    }
    forms.extend(lines(value));
    forms
}

/// The lines of a value of several, without the white space around them, that are long enough to mean it.
fn lines(value: &[u8]) -> impl Iterator<Item = Form> {
    let several = value.contains(&b'\n');
    let mut next = 0;
    value.split(|byte| *byte == b'\n').filter_map(move |line| {
        let start = next + line.len() - line.trim_ascii_start().len();
        next += line.len() + 1;
        let line = line.trim_ascii();
        let seen = line.iter().fold([0_u128; 2], |mut seen, byte| {
            if let Some(half) = seen.get_mut(usize::from(byte >> 7)) {
                *half |= 1 << (byte & 127);
            }
            seen
        });
        let different: u32 = seen.iter().map(|half| half.count_ones()).sum();
        let meant = several && line.len() >= SHORTEST_LINE && different >= FEWEST_BYTES;
        let place = Form::Line(u32::try_from(start).ok()?, u32::try_from(start + line.len()).ok()?);
        meant.then_some(place)
    })
}

impl Base64 {
    /// Bits of the value that share a character with what stands before it.
    fn skipped_bits(self) -> usize {
        match self.before {
            0 => 0,
            1 => 4,
            _ => 2,
        }
    }

    /// The character number `at`, line breaks not counted.
    fn character(self, value: &[u8], at: usize) -> Option<u8> {
        let (bit, bits) = (self.skipped_bits() + at * 6, value.len() * 8);
        if bit >= bits {
            let characters = (bits - self.skipped_bits()).div_ceil(6);
            let padding = (3 - (self.before + value.len()) % 3) % 3;
            return (self.end == End::Padded && at < characters + padding).then_some(b'=');
        }
        if bit + 6 > bits && self.end == End::Open {
            return None;
        }
        let byte = |at: usize| u16::from(value.get(at).copied().unwrap_or(0));
        let pair = byte(bit / 8) << 8 | byte(bit / 8 + 1);
        Some(match (pair >> (10 - bit % 8)) as u8 & 63 {
            six @ 0..26 => b'A' + six,
            six @ 26..52 => b'a' + six - 26,
            six @ 52..62 => b'0' + six - 52,
            62 if self.url => b'-',
            62 => b'+',
            _ if self.url => b'_',
            _ => b'/',
        })
    }
}

/// Yields one spelling of a value, a byte at a time. The value is handed in with each step and must stay the same.
pub(super) struct Spelling {
    form: Form,
    /// Bytes of the value taken so far; for base64, characters written.
    at: usize,
    queue: [u8; 12],
    queued: usize,
    taken: usize,
}

impl Spelling {
    /// From the beginning.
    pub(super) fn new(form: Form) -> Self {
        let at = if let Form::Line(start, _) = form { start as usize } else { 0 };
        Self { form, at, queue: [0; 12], queued: 0, taken: 0 }
    }

    /// The next byte; `None` at the end.
    pub(super) fn next(&mut self, value: &[u8]) -> Option<u8> {
        if self.taken == self.queued {
            self.fill(value)?;
        }
        let byte = self.queue.get(self.taken).copied();
        self.taken += 1;
        byte
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.queue.get_mut(self.queued) {
                *slot = *byte;
                self.queued += 1;
            }
        }
    }

    fn put_hex(&mut self, before: &[u8], number: u32, digits: u32, lower: bool) {
        self.put(before);
        for digit in (0..digits).rev() {
            let nibble = (number >> (4 * digit)) as u8 & 15;
            self.put(&[match nibble {
                0..10 => b'0' + nibble,
                _ if lower => b'a' + nibble - 10,
                _ => b'A' + nibble - 10,
            }]);
        }
    }

    /// Queues what the next byte (or character) of the value becomes.
    fn fill(&mut self, value: &[u8]) -> Option<()> {
        (self.queued, self.taken) = (0, 0);
        if let Form::Base64(part) = self.form {
            let character = part.character(value, self.at)?;
            if part.line > 0 && self.at > 0 && self.at.is_multiple_of(part.line) {
                self.put(if part.crlf { b"\r\n" } else { b"\n" });
            }
            self.put(&[character]);
            self.at += 1;
            return Some(());
        }
        let end = if let Form::Line(_, end) = self.form { end as usize } else { value.len() };
        let byte = *value.get(..end)?.get(self.at)?;
        self.at += 1;
        match self.form {
            Form::Terminal if byte == b'\n' => self.put(b"\r\n"),
            Form::Percent(percent) => match byte {
                b' ' if percent.plus => self.put(b"+"),
                _ if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => self.put(&[byte]),
                _ if percent.kept.contains(&byte) => self.put(&[byte]),
                _ => self.put_hex(b"%", u32::from(byte), 2, percent.lower),
            },
            Form::Json(json) => self.fill_json(json, byte, value),
            _ => self.put(&[byte]),
        }
        Some(())
    }

    fn fill_json(&mut self, json: Json, byte: u8, value: &[u8]) {
        let lower = json != Json::Wide;
        match byte {
            b'\\' => self.put(b"\\\\"),
            b'"' if lower => self.put(b"\\\""),
            b'\n' => self.put(b"\\n"),
            b'\r' => self.put(b"\\r"),
            b'\t' => self.put(b"\\t"),
            8 => self.put(b"\\b"),
            12 => self.put(b"\\f"),
            b'/' if matches!(json, Json::Slash | Json::AsciiSlash) => self.put(b"\\/"),
            b'<' | b'>' | b'&' if matches!(json, Json::Html | Json::Wide) => {
                self.put_hex(b"\\u", byte.into(), 4, lower);
            }
            b'"' | b'\'' | b'+' | b'`' | 127 if json == Json::Wide => {
                self.put_hex(b"\\u", byte.into(), 4, lower);
            }
            0..32 => self.put_hex(b"\\u", byte.into(), 4, lower),
            128.. if matches!(json, Json::Ascii | Json::AsciiSlash | Json::Wide) => {
                let start = self.at - 1;
                let character = (2..=4).find_map(|length| {
                    let text = std::str::from_utf8(value.get(start..start + length)?).ok()?;
                    text.chars().next()
                });
                let Some(character) = character else { return self.put(&[byte]) };
                self.at = start + character.len_utf8();
                for unit in character.encode_utf16(&mut [0; 2]) {
                    self.put_hex(b"\\u", u32::from(*unit), 4, lower);
                }
            }
            _ => self.put(&[byte]),
        }
    }
}

impl Drop for Spelling {
    fn drop(&mut self) {
        self.queue.zeroize();
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose as engines};

    fn spelled(form: Form, value: &[u8]) -> String {
        let mut spelling = Spelling::new(form);
        let bytes = std::iter::from_fn(|| spelling.next(value)).collect::<Vec<u8>>();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn all(value: &[u8]) -> Vec<String> {
        forms(value).into_iter().map(|form| spelled(form, value)).collect()
    }

    #[test]
    fn base64_is_found_wherever_the_value_stands_in_the_encoded_data() {
        let value = b"hunter2?\xff\xfe~".repeat(3);
        for length in 6..value.len() {
            let value = &value[..length];
            let spellings = all(value);
            for (before, after) in (0..3).flat_map(|before| (0..3).map(move |after| (before, after))) {
                let whole = [&b"xyz"[..before], value, &b"abc"[..after]].concat();
                for encoded in [
                    engines::STANDARD.encode(&whole),
                    engines::STANDARD_NO_PAD.encode(&whole),
                    engines::URL_SAFE.encode(&whole),
                    engines::URL_SAFE_NO_PAD.encode(&whole),
                ] {
                    let longest = spellings.iter().filter(|text| encoded.contains(text.as_str()));
                    let longest = longest.map(String::len).max().unwrap();
                    // the neighbours, the characters shared with them, and the padding
                    let foreign = encoded.len() - longest;
                    assert!(foreign <= 9, "{encoded} {longest} {before} {after}");
                    if after == 0 && before == 0 {
                        assert_eq!(foreign, 0, "{encoded}");
                    }
                }
            }
        }
    }

    #[test]
    fn base64_is_found_in_lines() {
        let value = b"a long value that does not fit into one line of seventy-six characters: 0123456789";
        let text = engines::STANDARD.encode(value);
        for (line, end) in [(76, "\n"), (76, "\r\n"), (64, "\n"), (64, "\r\n")] {
            let lines: Vec<&str> =
                text.as_bytes().chunks(line).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
            assert!(all(value).contains(&lines.join(end)), "{line} {end:?}");
        }
    }

    #[test]
    fn urls_are_spelled_as_the_common_encoders_do() {
        let value = "p@ss w/rd~*'é".as_bytes();
        let spellings = all(value);
        for (who, text) in [
            ("RFC 3986", "p%40ss%20w%2Frd~%2A%27%C3%A9"),
            ("lower case", "p%40ss%20w%2frd~%2a%27%c3%a9"),
            ("encodeURIComponent", "p%40ss%20w%2Frd~*'%C3%A9"),
            ("Python quote", "p%40ss%20w/rd~%2A%27%C3%A9"),
            ("encodeURI", "p@ss%20w/rd~*'%C3%A9"),
            ("Python quote_plus, Go", "p%40ss+w%2Frd~%2A%27%C3%A9"),
            ("HTML form", "p%40ss+w%2Frd%7E*%27%C3%A9"),
        ] {
            assert!(spellings.iter().any(|spelling| spelling == text), "{who}: {text}");
        }
    }

    #[test]
    fn json_is_spelled_as_the_common_writers_do() {
        let value = "a\"b\\c/d\n\t\u{1}<é>😀&".as_bytes();
        let text = std::str::from_utf8(value).unwrap();
        let serde = serde_json::to_string(text).unwrap();
        let spellings = all(value);
        for (who, wanted) in [
            ("serde", serde.trim_matches('"')),
            ("slash", r#"a\"b\\c\/d\n\t\u0001<é>😀&"#),
            ("Python", r#"a\"b\\c/d\n\t\u0001<\u00e9>\ud83d\ude00&"#),
            ("PHP", r#"a\"b\\c\/d\n\t\u0001<\u00e9>\ud83d\ude00&"#),
            ("Go", r#"a\"b\\c/d\n\t\u0001\u003cé\u003e😀\u0026"#),
            (".NET", r#"a\u0022b\\c/d\n\t\u0001\u003C\u00E9\u003E\uD83D\uDE00\u0026"#),
        ] {
            assert!(spellings.iter().any(|spelling| spelling == wanted), "{who}: {wanted}");
        }
    }

    #[test]
    fn a_plain_value_has_few_spellings_and_lines_end_as_on_a_terminal() {
        let plain = all(b"abcdef");
        assert_eq!(plain[0], "abcdef");
        assert!(plain[1..].iter().all(|text| !text.contains("abcdef")), "{plain:?}");
        assert!(all(b"one\ntwo\n").contains(&"one\r\ntwo\r\n".to_owned()));
    }
}
