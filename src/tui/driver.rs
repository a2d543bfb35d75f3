//! The real update loop without a terminal: for tests, pictures and benches.
//!
//! Effects run at once, time passes only when told to, and every frame goes through the real backend into a counter,
//! so that what is measured is what a terminal would be sent.

use super::effects::{Outside, Slow};
use super::keymap::{Keymap, Press};
use super::lean::Lean;
use super::model::{Model, Timing};
use super::msg::{Copier, Effect, Msg, Now};
use super::theme::{Theme, ThemeName};
use super::{TuiError, update, view};
use crate::domain::ScopeRef;
use crate::scan::places::Registered;
use crate::service::Service;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// How long a key press takes.
const KEY_MS: u64 = 40;

/// Counts what a terminal would be sent.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Vec<u8>>>);

impl Counter {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The TUI, driven step by step.
pub struct Driver {
    model: Model,
    theme: Theme,
    outside: Outside,
    terminal: Terminal<Lean<Counter>>,
    counter: Counter,
    frame: Buffer,
    sent: usize,
    /// Bytes that a copy wrote for the terminal.
    to_terminal: Vec<u8>,
    quit: bool,
}

impl Driver {
    /// Starts on `service` with a screen of `size` columns and rows and the look without colour, at `wall_ms`
    /// milliseconds since 1970, and lets it settle.
    ///
    /// # Errors
    /// [`TuiError::Io`] if the screen cannot be made.
    pub fn new(
        service: Arc<dyn Service>,
        copier: Arc<dyn Copier>,
        size: (u16, u16),
        wall_ms: u64,
    ) -> Result<Self, TuiError> {
        Self::with_look(service, copier, size, wall_ms, Theme::named(ThemeName::None, true), None)
    }

    /// As [`Driver::new`], with a theme and a scope to begin with.
    ///
    /// # Errors
    /// [`TuiError::Io`] if the screen cannot be made.
    pub fn with_look(
        service: Arc<dyn Service>,
        copier: Arc<dyn Copier>,
        size: (u16, u16),
        wall_ms: u64,
        theme: Theme,
        scope: Option<ScopeRef>,
    ) -> Result<Self, TuiError> {
        let keymap = Keymap::new(&BTreeMap::new()).map_err(TuiError::Keys)?;
        let now = Now { wall: wall_ms, mono: 1_000_000 };
        let model = Model::new(keymap, Timing { hide_ms: Some(30_000) }, scope, size, now);
        let counter = Counter::default();
        let terminal = screen(&counter, size)?;
        let mut driver = Self {
            model,
            theme,
            outside: Outside { service, copier },
            terminal,
            counter,
            frame: Buffer::empty(Rect::new(0, 0, size.0, size.1)),
            sent: 0,
            to_terminal: Vec::new(),
            quit: false,
        };
        let effects = update::start(&mut driver.model);
        driver.carry_out(effects);
        driver.draw()?;
        Ok(driver)
    }

    /// Registers folders in which references are looked for.
    pub fn register(&mut self, registered: Registered) {
        self.model.registered = Arc::new(registered);
    }

    fn send(&mut self, msg: Msg) {
        let now = self.model.now;
        let effects = update::update(&mut self.model, now, msg);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut queue: VecDeque<Effect> = effects.into();
        while let Some(effect) = queue.pop_front() {
            match Slow::of(effect) {
                Ok(slow) => {
                    let done = slow.run(&self.outside);
                    self.to_terminal.extend_from_slice(&done.terminal);
                    let now = self.model.now;
                    queue.extend(update::update(&mut self.model, now, done.msg));
                }
                Err(Effect::Quit) => self.quit = true,
                Err(_) => {}
            }
        }
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        if !std::mem::take(&mut self.model.dirty) {
            return Ok(());
        }
        self.counter.take();
        let done = self.terminal.draw(|frame| view::view(&self.model, &self.theme, frame))?;
        self.frame = done.buffer.clone();
        self.sent = self.counter.take().len();
        Ok(())
    }

    fn advance(&mut self, ms: u64) {
        self.model.now.mono = self.model.now.mono.saturating_add(ms);
        self.model.now.wall = self.model.now.wall.saturating_add(ms);
    }

    /// Presses a key (`n`, `ctrl-l`, `enter`) and draws. Panics never; an unreadable key is an error.
    ///
    /// # Errors
    /// [`TuiError::Keys`] for a name that is no key, [`TuiError::Io`] if drawing fails.
    pub fn key(&mut self, key: &str) -> Result<&mut Self, TuiError> {
        let press = Press::parse(key).ok_or_else(|| TuiError::Keys(vec![format!("{key} is not a key")]))?;
        self.advance(KEY_MS);
        self.send(Msg::Key(press));
        self.draw()?;
        Ok(self)
    }

    /// Presses a key for each character; a line break is Enter, a tab is Tab.
    ///
    /// # Errors
    /// [`TuiError::Io`] if drawing fails.
    pub fn type_text(&mut self, text: &str) -> Result<&mut Self, TuiError> {
        use crossterm::event::KeyCode;
        for c in text.chars() {
            self.advance(KEY_MS);
            let code = match c {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                c => KeyCode::Char(c),
            };
            self.send(Msg::Key(Press::plain(code)));
        }
        self.draw()?;
        Ok(self)
    }

    /// Pastes text, as a terminal does between its paste markers.
    ///
    /// # Errors
    /// [`TuiError::Io`] if drawing fails.
    pub fn paste(&mut self, text: &str) -> Result<&mut Self, TuiError> {
        self.advance(KEY_MS);
        self.send(Msg::Paste(Zeroizing::new(text.to_owned())));
        self.draw()?;
        Ok(self)
    }

    /// Changes the size of the screen.
    ///
    /// # Errors
    /// [`TuiError::Io`] if drawing fails.
    pub fn resize(&mut self, columns: u16, rows: u16) -> Result<&mut Self, TuiError> {
        self.terminal = screen(&self.counter, (columns, rows))?;
        self.send(Msg::Resize(columns, rows));
        self.draw()?;
        Ok(self)
    }

    /// The terminal loses (`false`) or gains the focus.
    ///
    /// # Errors
    /// [`TuiError::Io`] if drawing fails.
    pub fn focus(&mut self, on: bool) -> Result<&mut Self, TuiError> {
        self.send(if on { Msg::FocusGained } else { Msg::FocusLost });
        self.draw()?;
        Ok(self)
    }

    /// Lets time pass; whatever is due on the way happens.
    ///
    /// # Errors
    /// [`TuiError::Io`] if drawing fails.
    pub fn pass(&mut self, ms: u64) -> Result<&mut Self, TuiError> {
        let end = self.model.now.mono.saturating_add(ms);
        while let Some(due) = update::next_due(&self.model).filter(|due| *due <= end) {
            // A timer that is due already fires now; at least a millisecond passes, so that this ends.
            self.advance(due.saturating_sub(self.model.now.mono).max(1));
            self.send(Msg::Tick);
            self.draw()?;
        }
        self.advance(end.saturating_sub(self.model.now.mono));
        Ok(self)
    }

    /// The screen as text, one line a row, without trailing blanks.
    pub fn screen(&self) -> String {
        let area = self.frame.area;
        let mut text = String::new();
        for y in area.top()..area.bottom() {
            let mut line = String::new();
            let mut skip = 0u16;
            for x in area.left()..area.right() {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = self.frame.cell(Position::new(x, y)).map_or(" ", |cell| cell.symbol());
                skip = super::widgets::paint::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The screen as an SVG picture.
    pub fn svg(&self) -> String {
        super::screenshot::svg(&self.frame, &self.theme)
    }

    /// Bytes that the last frame sent to the terminal.
    pub fn bytes_sent(&self) -> usize {
        self.sent
    }

    /// Bytes that copying wrote for the terminal.
    pub fn copied_to_terminal(&self) -> &[u8] {
        &self.to_terminal
    }

    /// True once the program would have ended.
    pub fn has_quit(&self) -> bool {
        self.quit
    }

    /// Milliseconds until something is timed; `None` if nothing is.
    pub fn due_in(&self) -> Option<u64> {
        update::next_due(&self.model).map(|due| due.saturating_sub(self.model.now.mono))
    }
}

fn screen(counter: &Counter, (columns, rows): (u16, u16)) -> Result<Terminal<Lean<Counter>>, TuiError> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    Ok(Terminal::with_options(Lean::new(counter.clone(), true), TerminalOptions { viewport })?)
}
