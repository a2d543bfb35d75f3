//! A filtered list: what is typed into the filter, which rows are left, and where the cursor is.
//!
//! Owns the order of rows and nothing of their meaning. When the query grows, only the previous hits are ranked again,
//! so that typing stays quick in 100,000 names.

use super::keymap::Press;
use super::widgets::{Edit, Entry, Kind, Scroll};
use crate::domain::filter::Filter;
use crossterm::event::KeyCode;

/// The state of one list.
pub(crate) struct Listing {
    pub query: Entry,
    /// The filter line takes the keys.
    pub typing: bool,
    /// Indices into the list that is shown, in the order of the screen.
    pub hits: Vec<u32>,
    pub scroll: Scroll,
    /// The query that `hits` belongs to, if narrowing from it is sound.
    ranked: Option<String>,
}

impl Listing {
    pub(crate) fn new() -> Self {
        Self {
            query: Entry::new(Kind::Line),
            typing: false,
            hits: Vec::new(),
            scroll: Scroll::default(),
            ranked: None,
        }
    }

    /// The index under the cursor.
    pub(crate) fn current(&self) -> Option<usize> {
        self.hits.get(self.scroll.at).map(|index| *index as usize)
    }

    /// The list itself has changed: ranks everything. `order` is how rows stand when nothing is typed.
    pub(crate) fn rebuild<'a>(&mut self, name: impl Fn(u32) -> &'a str, order: Vec<u32>, page: usize) {
        self.ranked = None;
        self.hits = order;
        self.rank(name, page);
    }

    fn rank<'a>(&mut self, name: impl Fn(u32) -> &'a str, page: usize) {
        let query = self.query.text().trim().to_owned();
        if !query.is_empty() {
            let from = std::mem::take(&mut self.hits);
            let found = Filter::new(&query).rank(from.iter().map(|index| name(*index)));
            self.hits = found.into_iter().filter_map(|hit| from.get(hit.index).copied()).collect();
        }
        // Only plain words narrow: an operator such as `!` can let more through as it grows.
        let plain = query.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.ranked = (plain && !query.is_empty()).then_some(query);
        self.scroll.fit(self.hits.len(), page);
    }

    /// The query has changed: narrows what is there, or starts again from `order`; `natural` says that `order` is that
    /// of the list itself.
    pub(crate) fn refine<'a>(
        &mut self,
        name: impl Fn(u32) -> &'a str,
        order: impl Fn() -> Vec<u32>,
        natural: bool,
        page: usize,
    ) {
        let query = self.query.text().trim();
        let plain = query.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let narrows =
            natural && plain && self.ranked.as_deref().is_some_and(|before| query.starts_with(before));
        if narrows {
            // Ties are broken by position: back to list order first, so that the result is that of a fresh ranking.
            self.hits.sort_unstable();
        } else {
            self.hits = order();
        }
        self.scroll = Scroll::default();
        self.rank(name, page);
    }

    /// A key while the filter line is open: true if the query changed.
    pub(crate) fn key(&mut self, press: Press) -> bool {
        match press.code {
            KeyCode::Enter => {
                self.typing = false;
                false
            }
            KeyCode::Esc => {
                self.typing = false;
                let changed = !self.query.is_empty();
                self.query.clear();
                changed
            }
            _ => self.query.key(press) == Edit::Changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_gives_what_a_fresh_ranking_gives() {
        let names: Vec<String> =
            (0..500).map(|n| format!("KEY_{n}_{}", ["DB", "API", "TOKEN"][n % 3])).collect();
        let name = |index: u32| names[index as usize].as_str();
        let order = || (0..500u32).collect::<Vec<_>>();
        let mut typed = Listing::new();
        typed.rebuild(name, order(), 10);
        for c in "k1tok".chars() {
            typed.query.key(Press::plain(KeyCode::Char(c)));
            typed.refine(name, order, true, 10);
        }
        let mut fresh = Listing::new();
        fresh.query.set("k1tok");
        fresh.rebuild(name, order(), 10);
        assert!(!fresh.hits.is_empty());
        assert_eq!(typed.hits, fresh.hits);
    }
}
