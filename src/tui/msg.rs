//! What comes in (`Msg`) and what goes out (`Effect`): plain data on both sides of the pure `update`.
//!
//! Every effect that has an answer carries a ticket; an answer whose ticket is no longer waited for is dropped (and a
//! value in it wiped). Time comes in with each message: `update` reads no clock.

use super::keymap::Press;
use crate::domain::{SecretName, SecretValue};
use crate::scan::Progress;
use crate::scan::places::{Places, Registered};
use crate::service::{Answer, Request, ServiceError};
use std::io::Write;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Names one waiting question.
pub(crate) type Ticket = u64;

/// The time, twice: for showing and for measuring.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Now {
    /// Milliseconds since 1970.
    pub wall: u64,
    /// Milliseconds since boot.
    pub mono: u64,
}

/// Something that happened.
pub(crate) enum Msg {
    Key(Press),
    Paste(Zeroizing<String>),
    Resize(u16, u16),
    FocusLost,
    FocusGained,
    /// Wheel: rows to move, negative is up.
    Wheel(i8),
    /// Button pressed at column and row.
    Click(u16, u16),
    /// An instant that was waited for has come.
    Tick,
    Answered(Ticket, Result<Answer, ServiceError>),
    Generated(Ticket, Result<SecretValue, String>),
    Copied(Ticket, CopyReport),
    Places(Ticket, Places),
    /// What this copy put on the clipboard is no longer there.
    ClipboardOver(Ticket),
    /// Nothing came of an effect that asks for no answer.
    Nothing,
}

/// Something to do outside of `update`.
pub(crate) enum Effect {
    Ask(Ticket, Request),
    Generate(Ticket, Recipe),
    Search(Ticket, Search),
    /// Copy a value; the text is what it is called.
    Copy(Ticket, String, SecretValue),
    /// See whether the copy with this ticket is still on the clipboard.
    LookAtClipboard(Ticket),
    Suspend,
    /// Draw every cell again.
    Redraw,
    Quit,
}

/// Where to look for references, to what, and the handle by which it is stopped.
pub(crate) struct Search {
    pub registered: Arc<Registered>,
    pub names: Vec<SecretName>,
    pub progress: Arc<Progress>,
}

/// What can be generated. The words of the screen; the runtime turns them into the generator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipe {
    Characters { length: u16, symbols: bool },
    Words { count: u8 },
    Hex { bytes: u16 },
    Base64Url { bytes: u16 },
    Uuid,
}

/// How a copy ended, in true words: it says only what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReport {
    /// False if the value is certainly not on any clipboard.
    pub ok: bool,
    /// One sentence without the value: "copied, clears in 30 s", or why not and what to do.
    pub text: String,
    /// What to count down, if it will be cleared.
    pub countdown: Option<Countdown>,
}

/// Something of ours on a clipboard, for so long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countdown {
    /// Where, in words that follow the name: "on the clipboard".
    pub place: &'static str,
    /// How long still.
    pub left: std::time::Duration,
}

/// Puts a value on a clipboard.
pub trait Copier: Send + Sync {
    /// Copies a value that is called `name`. Bytes that must reach the terminal (OSC 52) are written to `terminal`, whose owner passes them on between
    /// two frames, so that they never tear a frame apart. Blocking; called on a worker thread.
    fn copy(&self, name: &str, value: &SecretValue, terminal: &mut dyn Write) -> CopyReport;

    /// True if the last copy is known to be gone from the clipboard: replaced, or cleared already.
    fn is_over(&self) -> bool {
        false
    }
}
