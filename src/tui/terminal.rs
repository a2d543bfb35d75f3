//! The terminal, taken and given back: one guard, one panic hook, suspend and resume.
//!
//! Invariant: however the program ends, the cells are overwritten before the alternate screen is left, raw mode is off
//! and the cursor is shown. The guard's drop cannot panic. A panic says where, never what: its text might hold a value.

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{cursor, queue, style};
use std::fs::File;
use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroize;

/// Where frames go: collected, written at once by `flush`, and wiped, because a frame may show a value.
pub(crate) struct Out {
    terminal: File,
    frame: Vec<u8>,
}

impl Out {
    /// Writes past the standard library's own buffer, which nobody could wipe.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn new() -> io::Result<Self> {
        let terminal = File::from(rustix::io::dup(rustix::stdio::stdout())?);
        Ok(Self { terminal, frame: Vec::with_capacity(256 * 1024) })
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.terminal.write_all(&self.frame);
        self.frame.zeroize();
        written
    }
}

type Hook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static>;

/// Holds the terminal.
pub(crate) struct Guard {
    mouse: bool,
    /// Shared with the panic hook, so that the screen is given back once: a second time would erase the shell's.
    held: Arc<AtomicBool>,
    before: Option<Arc<Hook>>,
}

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the terminal said; whatever had been changed is changed back.
    pub(crate) fn take(mouse: bool) -> io::Result<Self> {
        let before: Arc<Hook> = Arc::new(panic::take_hook());
        let held = Arc::new(AtomicBool::new(false));
        let mut guard = Self { mouse, held: Arc::clone(&held), before: Some(before) };
        let screen = std::thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // A worker's panic is answered as an error; printing here would tear the screen.
            if std::thread::current().id() != screen {
                return;
            }
            if held.swap(false, Ordering::SeqCst) {
                let _ = give_back();
            }
            let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
            let _ = writeln!(
                io::stderr(),
                "sealbox stopped because of a bug at {place}. Nothing was lost; please report it."
            );
        }));
        guard.enter()?;
        Ok(guard)
    }

    /// Enters raw mode and the alternate screen (again).
    ///
    /// # Errors
    /// What the terminal said.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        self.held.store(true, Ordering::SeqCst);
        let _ = disable_raw_mode(); // after a stop the shell may have changed the modes behind our back
        enable_raw_mode()?;
        let mut out = io::stdout();
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
        if self.mouse {
            queue!(out, EnableMouseCapture)?;
        }
        out.flush()
    }

    /// Overwrites the screen and gives the terminal back.
    ///
    /// # Errors
    /// What the terminal said.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        if !self.held.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        give_back()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.leave();
        if let Some(before) = self.before.take() {
            // Setting a hook while unwinding would abort.
            if !std::thread::panicking() {
                panic::set_hook(Box::new(move |info| before(info)));
            }
        }
    }
}

/// Erases line by line: clearing the whole screen at once makes some terminals keep it in their history.
fn give_back() -> io::Result<()> {
    let mut out = io::stdout();
    let rows = size().map_or(200, |(_, rows)| rows);
    queue!(out, style::ResetColor, style::SetAttribute(style::Attribute::Reset))?;
    for row in 0..rows {
        queue!(out, cursor::MoveTo(0, row), style::Print("\u{1b}[2K"))?;
    }
    queue!(
        out,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    )?;
    let flushed = out.flush();
    disable_raw_mode()?;
    flushed
}
