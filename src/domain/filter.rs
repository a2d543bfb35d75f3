//! The fuzzy filter of every list, and "did you mean" for names.
//!
//! Owns ranking only; what is filtered belongs to the caller. Ranking keeps no positions, so that a frame at 100,000
//! names pays for the rows that it shows and no more. Equal scores keep the order of the list.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// A query, ready to be matched against many names. Words may stand in any order; all must match. As in fzf, `'word`
/// is a plain substring, `^word` a start, `word$` an end and `!word` an exclusion. Letters match in either case.
pub struct Filter {
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
}

/// One name that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where it stood in the sequence that was ranked.
    pub index: usize,
    /// Higher is better; comparable within one query only.
    pub score: u32,
}

impl Filter {
    /// Reads a query; the empty query matches everything.
    pub fn new(query: &str) -> Self {
        Self {
            pattern: Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    /// Replaces the query; the buffers stay.
    pub fn set_query(&mut self, query: &str) {
        self.pattern.reparse(query, CaseMatching::Ignore, Normalization::Smart);
    }

    /// True if every name matches.
    pub fn is_empty(&self) -> bool {
        self.pattern.atoms.is_empty()
    }

    /// All names that match, best first; with an empty query all of them in their order, each with score 0.
    pub fn rank<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Vec<Hit> {
        if self.is_empty() {
            return names.enumerate().map(|(index, _)| Hit { index, score: 0 }).collect();
        }
        let names: Vec<&str> = names.collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = names.len().div_ceil(cores).max(WORTH_A_THREAD);
        let pattern = &self.pattern;
        let mut keys = std::thread::scope(|threads| {
            let mut shares = (0u32..).step_by(share).zip(names.chunks(share));
            let first = shares.next();
            let others: Vec<_> = shares
                .map(|(start, share)| {
                    threads.spawn(move || {
                        score(pattern, &mut Matcher::new(Config::DEFAULT), &mut Vec::new(), start, share)
                    })
                })
                .collect();
            let mut keys = first.map_or_else(Vec::new, |(start, share)| {
                score(pattern, &mut self.matcher, &mut self.buffer, start, share)
            });
            others.into_iter().for_each(|other| keys.append(&mut other.join().unwrap_or_default()));
            keys
        });
        keys.sort_unstable();
        let low = u64::from(u32::MAX);
        keys.into_iter()
            .map(|key| Hit { index: (key & low) as usize, score: u32::MAX - (key >> 32) as u32 })
            .collect()
    }

    /// The character positions of a name that matched, ascending, for highlighting; empty if it did not match.
    pub fn positions(&mut self, name: &str) -> Vec<u32> {
        let mut positions = Vec::new();
        let text = Utf32Str::new(name, &mut self.buffer);
        if self.pattern.indices(text, &mut self.matcher, &mut positions).is_none() {
            return Vec::new();
        }
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

/// Fewer names than this are ranked on the caller's thread alone.
const WORTH_A_THREAD: usize = 10_000;

/// One integer per hit, which sorts several times faster than a struct: inverted score above, index below.
fn score(
    pattern: &Pattern,
    matcher: &mut Matcher,
    buffer: &mut Vec<char>,
    start: u32,
    names: &[&str],
) -> Vec<u64> {
    let scored = (start..).zip(names).filter_map(|(index, name)| {
        let score = pattern.score(Utf32Str::new(name, buffer), matcher)?;
        Some(u64::from(u32::MAX - score) << 32 | u64::from(index))
    });
    scored.collect()
}

/// The candidate nearest to a name that was not found: at most a third of the name's length away, counted in
/// insertions, deletions, replacements and swaps of neighbours, letters in either case. The first of equals wins.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_ascii_uppercase().chars().take(256).collect();
    let mut limit = (wanted.len() / 3).max(1);
    let mut best = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_ascii_uppercase().chars().take(256).collect();
        if other.len().abs_diff(wanted.len()) > limit {
            continue;
        }
        let found = distance(&wanted, &other);
        if found < limit || (found == limit && best.is_none()) {
            (limit, best) = (found, Some(candidate));
        }
        if limit == 0 {
            break;
        }
    }
    best
}

/// Optimal string alignment: edit distance in which a swap of two neighbours counts once. Three rows of memory.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        let mut left = i + 1;
        row.push(left);
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut cell = (at(&above, j) + usize::from(ca != cb)).min(at(&above, j + 1) + 1).min(left + 1);
            if let (Some(pi), Some(pj)) = (i.checked_sub(1), j.checked_sub(1))
                && a.get(pi) == Some(cb)
                && b.get(pj) == Some(ca)
            {
                cell = cell.min(at(&before, pj) + 1);
            }
            row.push(cell);
            left = cell;
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] =
        ["AWS_ACCESS_KEY", "STRIPE_SECRET_KEY", "DATABASE_URL", "SMTP_PASSWORD", "STRIPE_ID"];

    fn ranked(query: &str) -> Vec<&'static str> {
        Filter::new(query).rank(NAMES.into_iter()).iter().map(|hit| NAMES[hit.index]).collect()
    }

    #[test]
    fn an_empty_query_keeps_everything_in_order() {
        assert_eq!(ranked(""), NAMES);
        assert_eq!(ranked("  "), NAMES);
        assert!(Filter::new("").positions("ABC").is_empty());
    }

    #[test]
    fn letters_match_in_either_case_and_gaps_are_allowed() {
        assert_eq!(ranked("stripekey"), ["STRIPE_SECRET_KEY"]);
        assert_eq!(ranked("STRIPE"), ["STRIPE_SECRET_KEY", "STRIPE_ID"]);
        assert_eq!(ranked("dburl"), ["DATABASE_URL"]);
        assert_eq!(ranked("key stripe"), ["STRIPE_SECRET_KEY"]);
        assert!(ranked("xyz").is_empty());
    }

    #[test]
    fn positions_point_at_the_matched_characters() {
        let mut filter = Filter::new("sk");
        assert_eq!(filter.positions("STRIPE_KEY"), [0, 7]);
        assert!(filter.positions("ABC").is_empty());
    }

    #[test]
    fn equal_scores_keep_the_order_of_the_list() {
        let names = ["KEY_A", "KEY_B", "KEY_C"];
        let hits = Filter::new("key").rank(names.into_iter());
        assert_eq!(hits.iter().map(|hit| hit.index).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }

    #[test]
    fn did_you_mean_finds_small_slips_only() {
        for (typed, want) in [
            ("STRIPE_SECRT_KEY", Some("STRIPE_SECRET_KEY")),
            ("DATABSAE_URL", Some("DATABASE_URL")),
            ("stripe_id", Some("STRIPE_ID")),
            ("SMTP_PASWORDS", Some("SMTP_PASSWORD")),
            ("ZZZZZZ", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, NAMES), want, "{typed}");
        }
        assert_eq!(nearest("lsit", ["set", "list", "get"]), Some("list"));
    }

    #[test]
    fn distance_counts_each_slip_once() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, want) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("abc", "abd", 1),
            ("abc", "acb", 1),
            ("ab", "xaby", 2),
        ] {
            assert_eq!(d(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn many_names_are_ranked_as_few_are() {
        let names: Vec<String> =
            (0..3 * WORTH_A_THREAD).map(|n| format!("SERVICE_{}_KEY_{n}", n % 7)).collect();
        let (mut filter, mut want) = (Filter::new("sv3k1"), Vec::new());
        for (start, share) in names.chunks(1000).enumerate() {
            let hits = filter.rank(share.iter().map(String::as_str));
            want.extend(hits.into_iter().map(|hit| Hit { index: start * 1000 + hit.index, ..hit }));
        }
        want.sort_by_key(|hit| (u32::MAX - hit.score, hit.index));
        assert_eq!(filter.rank(names.iter().map(String::as_str)), want);
    }
}
