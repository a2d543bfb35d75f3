//! A cursor in a list that is longer than the screen: which row is current and which is on top.
//!
//! Invariant: the cursor is inside the list (0 if it is empty) and, after `fit`, inside the window.

use crate::tui::action::Action;

/// Cursor and first visible row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scroll {
    pub at: usize,
    pub top: usize,
}

impl Scroll {
    /// Carries out a movement; false if the action is none.
    pub(crate) fn act(&mut self, action: Action, len: usize, page: usize) -> bool {
        let last = len.saturating_sub(1);
        let step = page.saturating_sub(1).max(1);
        self.at = match action {
            Action::Up => self.at.saturating_sub(1),
            Action::Down => self.at.saturating_add(1),
            Action::PageUp => self.at.saturating_sub(step),
            Action::PageDown => self.at.saturating_add(step),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        };
        self.fit(len, page);
        true
    }

    /// Brings the cursor into the list and the window to the cursor.
    pub(crate) fn fit(&mut self, len: usize, page: usize) {
        let page = page.max(1);
        self.at = self.at.min(len.saturating_sub(1));
        self.top = self.top.min(self.at).min(len.saturating_sub(page));
        if self.at >= self.top.saturating_add(page) {
            self.top = self.at.saturating_add(1).saturating_sub(page);
        }
    }

    /// For text without a cursor: moves the window itself.
    pub(crate) fn pan(&mut self, action: Action, len: usize, page: usize) -> bool {
        let last = len.saturating_sub(page);
        let step = page.saturating_sub(1).max(1);
        self.top = match action {
            Action::Up => self.top.saturating_sub(1),
            Action::Down => self.top.saturating_add(1),
            Action::PageUp => self.top.saturating_sub(step),
            Action::PageDown => self.top.saturating_add(step),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        }
        .min(last);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_never_leaves_the_list_or_the_window() {
        let mut scroll = Scroll::default();
        for (action, at, top) in [
            (Action::Up, 0, 0),
            (Action::Bottom, 9, 6),
            (Action::Down, 9, 6),
            (Action::PageUp, 6, 6),
            (Action::Up, 5, 5),
            (Action::Top, 0, 0),
            (Action::PageDown, 3, 0),
            (Action::Down, 4, 1),
        ] {
            scroll.act(action, 10, 4);
            assert_eq!((scroll.at, scroll.top), (at, top), "{action:?}");
        }
        scroll.fit(0, 0);
        assert_eq!((scroll.at, scroll.top), (0, 0));
    }
}
