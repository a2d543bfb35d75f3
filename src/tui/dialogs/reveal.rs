//! A value on the screen: escaped, scrollable, and gone again by itself.
//!
//! Hides after the set time, on focus loss, resize, lock and leaving. Hiding drops the text, which wipes it; the next
//! frame overwrites the cells.

use super::boxed::{Boxed, Mood};
use super::delete::plural;
use crate::domain::{ScopeRef, SecretName, printable};
use crate::service::{Answer, GetSecret, Purpose, Request};
use crate::tui::action::Action;
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::update::PROGRAM;
use crate::tui::widgets::paint::width;
use crate::tui::widgets::{Paint, Scroll};
use std::ops::Range;
use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

/// The dialog.
pub(crate) struct Reveal {
    scope: ScopeRef,
    name: SecretName,
    version: Option<u32>,
    shown: Option<Shown>,
    scroll: Scroll,
    hide_at: Option<u64>,
}

struct Shown {
    text: Zeroizing<String>,
    lines: Vec<Range<usize>>,
    /// Columns of the longest line.
    widest: u16,
    bytes: usize,
    version: u32,
}

impl Reveal {
    /// `version` of `None` is the current one.
    pub(crate) fn new(scope: ScopeRef, name: SecretName, version: Option<u32>) -> Self {
        Self { scope, name, version, shown: None, scroll: Scroll::default(), hide_at: None }
    }

    fn size(model: &Model) -> (u16, u16) {
        (model.size.0.saturating_sub(4).clamp(20, 96), model.size.1.saturating_sub(2))
    }

    fn page(&self, model: &Model) -> usize {
        usize::from(Self::size(model).1.saturating_sub(3)).min(self.lines()).max(1)
    }

    fn lines(&self) -> usize {
        self.shown.as_ref().map_or(1, |shown| shown.lines.len())
    }
}

/// Cuts text into lines of at most `max` columns, at line breaks and wherever a line is full.
fn cut_lines(text: &str, max: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, c) in text.char_indices() {
        if c == '\n' {
            lines.push(start..at);
            (start, used) = (at + 1, 0);
            continue;
        }
        let wide = c.width().unwrap_or(0);
        if used + wide > max && at > start {
            lines.push(start..at);
            (start, used) = (at, 0);
        }
        used += wide;
    }
    if start < text.len() || lines.is_empty() {
        lines.push(start..text.len());
    }
    lines
}

impl Panel for Reveal {
    fn opened(&mut self, _model: &Model) -> Vec<Step> {
        vec![Step::Ask(Request::GetSecret(GetSecret {
            scope: self.scope.clone(),
            name: self.name.clone(),
            version: self.version,
            purpose: Purpose::Reveal,
            program: PROGRAM.to_owned(),
        }))]
    }

    fn key(&mut self, press: Press, model: &Model) -> Vec<Step> {
        let (lines, page) = (self.lines(), self.page(model));
        match model.keymap.action(press) {
            Some(Action::Back | Action::Reveal | Action::Quit | Action::Open) => vec![Step::Close],
            Some(Action::Copy) => vec![Step::Copy(self.name.clone(), self.version)],
            Some(action) => {
                self.scroll.pan(action, lines, page);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn incoming(&mut self, what: Incoming, model: &Model) -> Vec<Step> {
        match what {
            Incoming::Answer(Ok(Answer::GetSecret(revealed))) => {
                let safe = Zeroizing::new(printable::bytes_multiline(revealed.value.expose()));
                let tabs = safe.matches('\t').count();
                let mut text = Zeroizing::new(String::with_capacity(safe.len() + tabs * 4));
                for c in safe.chars() {
                    if c == '\t' { text.push_str("    ") } else { text.push(c) }
                }
                let max = usize::from(Self::size(model).0.saturating_sub(4)).max(1);
                let lines = cut_lines(&text, max);
                let bytes = revealed.value.len();
                let wide = |range: &Range<usize>| text.get(range.clone()).map_or(0, width);
                let widest = lines.iter().map(wide).max().unwrap_or(0);
                self.shown = Some(Shown { text, lines, widest, bytes, version: revealed.version });
                self.hide_at = model.timing.hide_ms.map(|ms| model.now.mono.saturating_add(ms));
                if model.focused { Vec::new() } else { vec![Step::Close] }
            }
            Incoming::Answer(Err(error)) => {
                vec![Step::Close, Step::Say(Tone::Bad, crate::tui::update::sentence(&error))]
            }
            _ => Vec::new(),
        }
    }

    fn due(&self, model: &Model) -> Option<u64> {
        let hide_at = self.hide_at?;
        let left = hide_at.saturating_sub(model.now.mono);
        // The countdown shows whole seconds: wake when the shown number changes.
        Some(hide_at.saturating_sub(left.saturating_sub(1) / 1000 * 1000))
    }

    fn tick(&mut self, model: &Model) -> Vec<Step> {
        if self.hide_at.is_some_and(|at| at <= model.now.mono) {
            return vec![Step::Close, Step::Say(Tone::Info, "hidden again".to_owned())];
        }
        Vec::new()
    }

    fn veil(&mut self) -> Vec<Step> {
        self.shown = None;
        vec![Step::Close]
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        let theme = paint.theme;
        let (widest, most) = Self::size(model);
        let content = self.shown.as_ref().map_or(0, |shown| shown.widest).max(width(self.name.as_str()) + 20);
        let columns = content.saturating_add(4).clamp(44.min(widest), widest);
        let height = u16::try_from(self.lines()).unwrap_or(u16::MAX).saturating_add(3).max(5).min(most);
        let title = match &self.shown {
            Some(shown) => format!("{} v{}", self.name, shown.version),
            None => self.name.to_string(),
        };
        let mut keys = vec![
            (model.keymap.key(Action::Copy), "copy".to_owned()),
            (model.keymap.key(Action::Back), "hide".to_owned()),
        ];
        if self.lines() > usize::from(height.saturating_sub(3)) {
            keys.push((model.keymap.key(Action::PageDown), "more".to_owned()));
        }
        let dialog = Boxed::open(paint, (columns, height), &title, Mood::Plain, &keys);
        let Some(shown) = &self.shown else {
            paint.put(
                dialog.rest.x,
                dialog.rest.y,
                dialog.rest.width,
                crate::tui::view::spinner(model, theme),
                theme.accent,
            );
            return;
        };
        if let Some(at) = self.hide_at {
            let left = at.saturating_sub(model.now.mono).div_ceil(1000);
            dialog.corner(paint, &format!("hides in {left} s"), theme.warning);
        }
        let size = format!("{}, {}", plural(shown.lines.len(), "line"), plural(shown.bytes, "byte"));
        paint.right(dialog.rest.right(), dialog.rest.bottom(), columns / 2, &size, theme.faint);
        if shown.bytes == 0 {
            paint.put(dialog.rest.x, dialog.rest.y, dialog.rest.width, "(empty)", theme.muted);
        }
        for (range, y) in
            shown.lines.iter().skip(self.scroll.top).zip(dialog.rest.top()..dialog.rest.bottom())
        {
            let line = shown.text.get(range.clone()).unwrap_or_default();
            paint.put(dialog.rest.x, y, dialog.rest.width, line, theme.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_breaks_and_at_the_width() {
        let text = "abcdef\n\nxyz\n";
        let lines: Vec<&str> = cut_lines(text, 4).into_iter().map(|range| &text[range]).collect();
        assert_eq!(lines, ["abcd", "ef", "", "xyz"]);
        assert!(cut_lines("", 4) == vec![0..0; 1]);
        assert_eq!(cut_lines("日本", 1).len(), 2);
    }
}
