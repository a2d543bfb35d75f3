//! The real copier: `platform::clipboard`, with its outcome as a report for the screen.
//!
//! What was copied lives on in a helper process, so that leaving (or losing) the TUI neither takes the value from the
//! clipboard nor leaves it there for ever. Here is only the way to see whether the newest one is still in place.

use super::msg::{Copier, CopyReport, Countdown};
use crate::config::{Settings, settings::ClipboardMode};
use crate::domain::SecretValue;
use crate::platform::clipboard::{self, CopyOutcome, Held, Mode, Ways};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The copier of a program on a real terminal.
pub(crate) fn real(settings: &Settings) -> Arc<dyn Copier> {
    let mode = match settings.clipboard_mode {
        ClipboardMode::Auto => Mode::Auto,
        ClipboardMode::System => Mode::System,
        ClipboardMode::Osc52 => Mode::Osc52,
        ClipboardMode::Command => Mode::Command,
    };
    Arc::new(Real {
        mode,
        command: settings.clipboard_command.clone(),
        clear_after: settings.clipboard_clear_after,
        held: Mutex::new(None),
        advised: AtomicBool::new(false),
    })
}

struct Real {
    mode: Mode,
    command: Vec<String>,
    clear_after: Option<Duration>,
    /// The helper that owns the selection.
    held: Mutex<Option<Held>>,
    /// What to do without a clipboard has been said once.
    advised: AtomicBool,
}

impl Copier for Real {
    fn copy(&self, name: &str, value: &SecretValue, terminal: &mut dyn Write) -> CopyReport {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let env = |name: &str| std::env::var_os(name);
        let ways = Ways {
            mode: self.mode,
            command: &self.command,
            env: &env,
            terminal: Some(terminal),
            clear_after: self.clear_after,
            once: false,
        };
        match clipboard::copy(value, ways) {
            CopyOutcome::Copied(mut copied) => {
                *held = copied.held.take();
                // the countdown tells the rest, if there is one
                let mut text = match copied.clears_after {
                    Some(_) => copied.short(name),
                    None => copied.sentence(name),
                };
                for note in &copied.notes {
                    text.push_str(" · ");
                    text.push_str(note);
                }
                let place = copied.place_words();
                let countdown = copied.clears_after.map(|left| Countdown { place, left });
                CopyReport { ok: true, text, countdown }
            }
            CopyOutcome::Refused { why, next } => {
                let text = if self.advised.swap(true, Ordering::Relaxed) {
                    format!("not copied: {why}")
                } else {
                    format!("not copied: {why}; {next}")
                };
                CopyReport { ok: false, text, countdown: None }
            }
        }
    }

    fn is_over(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().is_some_and(Held::is_over)
    }
}
