//! Dotenv: `NAME=value` lines.
//!
//! Reading is generous (an `export` prefix, comments, single and double quotes, quoted values over several lines, CRLF)
//! and never expands a `$`. Writing is strict: what is not plain is put in single quotes, so that a POSIX shell, our
//! parser and most others read the same bytes. A line of this format may be a piece of a pasted key, so an error shows a
//! key only if it cannot be one.

use super::{SecretName, Sink, Wiped, shown_key};
use zeroize::Zeroizing;

/// Why a value that is text cannot be written, if it cannot.
pub(super) fn cannot_hold(name: &SecretName, text: &str) -> Option<String> {
    if name.as_str().starts_with(|c: char| c.is_ascii_digit()) {
        return Some("begins with a digit, which no shell takes as a variable: use --format json".to_owned());
    }
    text.contains('\0').then(|| format!("holds a NUL byte, which dotenv cannot: sealbox get {name} > file"))
}

/// One line an entry, in the given order.
pub(super) fn render<'a>(entries: impl Iterator<Item = (&'a SecretName, &'a str)>, out: &mut Wiped) {
    for (name, text) in entries {
        out.push(name.as_str());
        out.push("=");
        if text.bytes().all(plain) {
            out.push(text);
        } else {
            out.push("'");
            for (at, part) in text.split('\'').enumerate() {
                if at > 0 {
                    out.push("'\\''"); // end the quotes, one escaped quote, begin them again
                }
                out.push(part);
            }
            out.push("'");
        }
        out.push("\n");
    }
}

/// Bytes that mean themselves unquoted, to a shell and to every dotenv parser.
fn plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"_./:@%+,=-".contains(&b)
}

/// Reads a text into `found`.
pub(super) fn parse(text: &str, found: &mut impl Sink) {
    // a file with CRLF throughout has it inside quoted values too; anywhere else a CR is part of the value
    let crlf = text.contains('\n')
        && text.match_indices('\n').all(|(at, _)| text.get(..at).is_some_and(|t| t.ends_with('\r')));
    let unified = crlf.then(|| {
        let mut unified = Wiped::with_room(text.len());
        text.split("\r\n").enumerate().for_each(|(at, line)| {
            if at > 0 {
                unified.push("\n");
            }
            unified.push(line);
        });
        Zeroizing::new(unified.take())
    });
    let text = unified.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or(text);
    let mut reader = Reader { rest: text, line: 1 };
    while !reader.rest.is_empty() {
        reader.entry(found);
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// Line of the first character of `rest`, counted from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    /// Reads one line, or several if a quoted value goes on.
    fn entry(&mut self, found: &mut impl Sink) {
        let first = self.line;
        let content = self.rest.split('\n').next().unwrap_or_default();
        let statement = content.trim();
        if statement.is_empty() || statement.starts_with('#') {
            return self.skip_line();
        }
        let statement = match statement.strip_prefix("export") {
            Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
            _ => statement,
        };
        if content.contains('\0') {
            found.problem(Some(first), None, "holds a NUL byte");
            return self.skip_line();
        }
        let Some((key, _)) = statement.split_once('=') else {
            found.problem(
                Some(first),
                None,
                "has no =; a line is NAME=value (values over several lines need quotes)",
            );
            return self.skip_line();
        };
        let key = key.trim_end();
        let after_equals = content.find('=').map_or(content.len(), |at| at + 1);
        self.advance(after_equals);
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        let value = match self.rest.get(blank..).and_then(|rest| rest.chars().next()) {
            Some('\'' | '"') => {
                self.advance(blank);
                self.quoted(found, first)
            }
            _ => Some(self.unquoted()),
        };
        if let Some(value) = value {
            found.add(Some(first), key, harmless(key), value.take());
        }
    }

    /// The rest of the line: a comment needs white space before its `#`; surrounding white space is dropped.
    fn unquoted(&mut self) -> Wiped {
        let content = self.rest.split('\n').next().unwrap_or_default();
        let comment = content
            .char_indices()
            .zip(content.chars().skip(1))
            .find_map(|((at, before), c)| (c == '#' && matches!(before, ' ' | '\t')).then_some(at));
        let text = content.get(..comment.unwrap_or(content.len())).unwrap_or(content).trim();
        let mut value = Wiped::with_room(text.len());
        value.push(text);
        self.skip_line();
        value
    }

    /// A word as a shell reads it, from an opening quote to white space; `None` if it has a problem.
    fn quoted(&mut self, found: &mut impl Sink, first: usize) -> Option<Wiped> {
        let mut value = Wiped::default();
        while let Some(c) = self.rest.chars().next() {
            match c {
                ' ' | '\t' | '\n' | '\r' => break,
                '\'' => {
                    let Some((inside, _)) = self.rest.get(1..).and_then(|rest| rest.split_once('\'')) else {
                        return self.unterminated(found, first);
                    };
                    value.push(inside);
                    self.advance(inside.len() + 2);
                }
                '"' => {
                    self.advance(1);
                    if !self.double_quoted(&mut value) {
                        return self.unterminated(found, first);
                    }
                }
                '\\' => {
                    self.advance(1);
                    if let Some(escaped) = self.next_char().filter(|c| *c != '\n') {
                        value.push_char(escaped);
                    }
                }
                c => {
                    value.push_char(c);
                    self.advance(c.len_utf8());
                }
            }
        }
        if value.0.contains(&0) {
            found.problem(Some(first), None, "holds a NUL byte");
            self.skip_line();
            return None;
        }
        let tail = self.rest.split('\n').next().unwrap_or_default().trim();
        let complete = tail.is_empty() || tail.starts_with('#');
        if !complete {
            found.problem(
                Some(self.line),
                None,
                "has text after the closing quote; write \\\" for a quote inside",
            );
        }
        self.skip_line();
        complete.then_some(value)
    }

    /// The inside of double quotes and the closing one; false if the text ends before it.
    fn double_quoted(&mut self, value: &mut Wiped) -> bool {
        while let Some(c) = self.next_char() {
            match c {
                '"' => return true,
                '\\' => match self.next_char() {
                    Some('n') => value.push("\n"),
                    Some('r') => value.push("\r"),
                    Some('t') => value.push("\t"),
                    Some(c @ ('\\' | '"' | '$' | '`')) => value.push_char(c),
                    Some('\n') => {} // a joined line, as in a shell
                    Some(other) => {
                        value.push("\\");
                        value.push_char(other);
                    }
                    None => return false,
                },
                c => value.push_char(c),
            }
        }
        false
    }

    /// Nothing after an open quote can be told apart any more.
    fn unterminated(&mut self, found: &mut impl Sink, first: usize) -> Option<Wiped> {
        found.problem(Some(first), None, "has a quote that is never closed; what follows was not checked");
        self.rest = "";
        None
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.advance(c.len_utf8());
        Some(c)
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.bytes().filter(|b| *b == b'\n').count();
        self.rest = rest;
    }

    fn skip_line(&mut self) {
        self.advance(self.rest.find('\n').map_or(self.rest.len(), |at| at + 1));
    }
}

/// A key for an error, unless it may be a piece of a secret, such as the last line of a pasted key: base64 mixes cases.
fn harmless(key: &str) -> Option<String> {
    let short = key.len() <= super::MAX_SHOWN;
    let word = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let mixed = key.bytes().any(|b| b.is_ascii_lowercase()) && key.bytes().any(|b| b.is_ascii_uppercase());
    (short && word && !mixed && !key.is_empty()).then(|| shown_key(key))
}

#[cfg(test)]
mod tests {
    use super::super::{Format, parse as parse_bytes, render as render_bytes};
    use crate::domain::{SecretName, SecretValue};
    use std::process::Command;

    fn read(text: &str) -> Vec<(String, String)> {
        let entries = parse_bytes(Format::Dotenv, text.as_bytes()).unwrap();
        let plain = |(name, value): &(SecretName, SecretValue)| {
            (name.to_string(), value.expose_text().unwrap().to_owned())
        };
        entries.iter().map(plain).collect()
    }

    fn value(text: &str) -> String {
        let mut entries = read(text);
        assert_eq!(entries.len(), 1, "{text:?}");
        entries.remove(0).1
    }

    fn problems(text: &str) -> String {
        parse_bytes(Format::Dotenv, text.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn the_usual_spellings_are_read() {
        for (text, want) in [
            ("A=b", "b"),
            ("A=b\n", "b"),
            ("export A=b", "b"),
            ("export\tA = b  ", "b"),
            ("A=", ""),
            ("A=''", ""),
            ("A=\"\"  # nothing", ""),
            ("A=b # comment", "b"),
            ("A=b#c", "b#c"),
            ("A=#fff", "#fff"),
            ("A= # comment", ""),
            ("A=b=c==", "b=c=="),
            ("A=two words", "two words"),
            ("A=it's", "it's"),
            ("A=C:\\dir\\new", "C:\\dir\\new"),
            ("A='$HOME `x` \\n \"'", "$HOME `x` \\n \""),
            ("A=\"$HOME \\$X \\\"q\\\" \\\\ \\n \\d\"", "$HOME $X \"q\" \\ \n \\d"),
            ("A=$HOME", "$HOME"),
            ("A='it'\\''s'", "it's"),
            ("A=\"a\"'b'c", "abc"),
            ("A='# not a comment'", "# not a comment"),
        ] {
            assert_eq!(value(text), want, "{text:?}");
        }
        assert_eq!(read("# head\n\n  \nA=1\n  # mid\nB=2").len(), 2);
        assert!(read("").is_empty() && read("\n#\n").is_empty());
    }

    #[test]
    fn quoted_values_go_on_over_several_lines() {
        let pem = "-----BEGIN KEY-----\nMIIEabc=\n+/xyz==\n-----END KEY-----\n";
        assert_eq!(value(&format!("A=\"{pem}\"\n")), pem);
        assert_eq!(value(&format!("A='{pem}' # the key\n")), pem);
        let read = read(&format!("A='{pem}'\nB=\"x\ny\"\nC=3\n"));
        assert_eq!(read[1].1, "x\ny");
        assert_eq!(read[2].1, "3");
    }

    #[test]
    fn crlf_files_lose_it_and_a_lone_cr_in_quotes_stays() {
        assert_eq!(read("A=1\r\nB='x\r\ny'\r\n"), [("A".into(), "1".into()), ("B".into(), "x\ny".into())]);
        assert_eq!(value("A='x\r\ny'\n"), "x\r\ny");
        assert_eq!(value("A=b\r\n"), "b");
    }

    #[test]
    fn every_problem_is_reported_with_its_line_and_nothing_is_imported() {
        let error = problems("A=1\nb=2\nA=3\nnonsense\nC-D=4\nE='x' y\nF=\"open\nG=1\n");
        for wanted in [
            "line 2: b: names are upper case; write B",
            "line 3: A: is in the file twice (first on line 1)",
            "line 4: has no =",
            "line 5: C-D: not a name: only A-Z, 0-9 and _ are allowed; character 2 is -",
            "line 6: has text after the closing quote",
            "line 7: has a quote that is never closed",
        ] {
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
        assert!(!error.contains("nonsense"), "{error}");
        assert!(problems("A=x\0y\n").contains("NUL"));
        assert!(problems("A='x\n\0y'\n").contains("NUL"));
        assert!(problems("=x\n").contains("a name needs at least one character"));
    }

    #[test]
    fn pieces_of_a_pasted_key_are_not_repeated() {
        let error = problems("KEY=-----BEGIN\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nabCD12==\n-----END\n");
        assert!(error.contains("line 2") && error.contains("line 3"), "{error}");
        assert!(!error.contains("MIIE") && !error.contains("abCD"), "{error}");
    }

    #[test]
    fn what_dotenv_cannot_hold_is_refused_by_name() {
        let entries = [("A", "x\0y"), ("1ST", "x"), ("OK", "x")]
            .map(|(name, value)| (SecretName::parse(name).unwrap(), SecretValue::new(value.into()).unwrap()));
        let error = render_bytes(Format::Dotenv, &entries).unwrap_err().to_string();
        assert!(
            error.contains("A: holds a NUL byte") && error.contains("1ST: begins with a digit"),
            "{error}"
        );
        assert!(!error.contains("OK"), "{error}");
    }

    #[test]
    fn a_shell_sources_exactly_the_bytes() {
        let values = [
            "plain-1.2_3/x:y@z%+,=",
            "",
            " ",
            "two words",
            "it's",
            "'",
            "''a'",
            "\"double\" `ticks` $HOME ${X} $(id) \\ \\n",
            "line one\nline two\n",
            "\r\n\t x\r",
            "#hash ~ * ? [a] {b} | & ; < > ( ) !",
            "-----BEGIN KEY-----\nMIIE+/=\n-----END KEY-----\n",
            "é😀\u{feff}\u{1b}[31m",
            "~/x",
            "a;b",
            "\\",
            "trailing\\",
            "x'\\''y",
        ];
        let entries: Vec<(SecretName, SecretValue)> = values
            .iter()
            .enumerate()
            .map(|(n, text)| {
                (SecretName::parse(&format!("T{n}")).unwrap(), SecretValue::new((*text).into()).unwrap())
            })
            .collect();
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("secrets.env");
        std::fs::write(&file, render_bytes(Format::Dotenv, &entries).unwrap().as_slice()).unwrap();
        let script = "set -eu; set -a; . \"$0\"; i=0; while [ $i -lt $1 ]; do eval \"printf '%s\\000' \\\"\\$T$i\\\"\"; i=$((i+1)); done";
        let out = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(&file)
            .arg(values.len().to_string())
            .env_clear()
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let sourced: Vec<&[u8]> = out.stdout.split(|b| *b == 0).collect();
        for (n, text) in values.iter().enumerate() {
            assert_eq!(sourced[n], text.as_bytes(), "{text:?}");
        }
    }
}
