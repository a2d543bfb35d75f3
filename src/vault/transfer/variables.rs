//! Dotenv lines whose names are environment variables rather than secrets' names: the file of `run --env-file`.
//!
//! The lines are read by the same reader as an import; only the rule for names differs (lower case is allowed, and a
//! variable does not begin with a digit). What a value refers to is not looked at here.

use super::{Problem, Sink, TransferError, dotenv, text_of};
use std::collections::HashMap;
use zeroize::Zeroizing;

/// One variable: its name, its line (counted from 1), and the text behind the `=`.
pub type VariableLine = (String, usize, Zeroizing<Vec<u8>>);

/// Reads the lines, in their order. Fails with every problem in one error.
pub fn variables(bytes: &[u8]) -> Result<Vec<VariableLine>, TransferError> {
    let mut lines = Lines::default();
    dotenv::parse(text_of(bytes)?, &mut lines);
    if lines.problems.is_empty() { Ok(lines.lines) } else { Err(TransferError { problems: lines.problems }) }
}

#[derive(Default)]
struct Lines {
    lines: Vec<VariableLine>,
    seen: HashMap<String, usize>,
    problems: Vec<Problem>,
}

impl Sink for Lines {
    fn problem(&mut self, line: Option<usize>, key: Option<String>, what: impl Into<String>) {
        self.problems.push(Problem { line, key, what: what.into() });
    }

    fn add(&mut self, line: Option<usize>, key: &str, shown: Option<String>, value: Vec<u8>) {
        let value = Zeroizing::new(value);
        let word = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !word || key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
            return self.problem(line, shown, "not a variable's name: letters, digits and _, no digit first");
        }
        if let Some(first) = self.seen.get(key) {
            let what = format!("is in the file twice (first on line {first})");
            return self.problem(line, Some(key.to_owned()), what);
        }
        self.seen.insert(key.to_owned(), line.unwrap_or(0));
        self.lines.push((key.to_owned(), line.unwrap_or(0), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_are_taken_and_values_left_alone() {
        let lines =
            variables(b"# head\nDB='postgres://{{$secret.USER}}@db'\nhttp_proxy={{ vault.PROXY }}\nEMPTY=\n");
        let lines: Vec<_> = lines
            .unwrap()
            .into_iter()
            .map(|(name, line, text)| format!("{line} {name} {}", String::from_utf8_lossy(&text)))
            .collect();
        assert_eq!(
            lines,
            ["2 DB postgres://{{$secret.USER}}@db", "3 http_proxy {{ vault.PROXY }}", "4 EMPTY "]
        );
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let error = variables(b"1A=x\nA-B=x\nC=1\nC=2\nnonsense\n").unwrap_err().to_string();
        for wanted in [
            "line 1: 1A: not a variable",
            "line 2: A-B: not",
            "line 4: C: is in the file twice (first on line 3)",
            "line 5: has no =",
        ] {
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
    }
}
