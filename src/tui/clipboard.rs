//! The real copier: `platform::clipboard`, with its outcome put in words that say only what is known.

use super::msg::{Copier, CopyReport};
use crate::config::{Settings, settings::ClipboardMode};
use crate::domain::SecretValue;
use crate::platform::clipboard::{self, CopyOutcome, Holding, Mode, Ways};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The copier of a program on a real terminal.
pub(crate) fn real(settings: &Settings) -> Arc<dyn Copier> {
    let mode = match settings.clipboard_mode {
        ClipboardMode::Auto => Mode::Auto,
        ClipboardMode::System => Mode::System,
        ClipboardMode::Osc52 => Mode::Osc52,
    };
    Arc::new(Real { mode, clear_after: settings.clipboard_clear_after, held: Mutex::new(None) })
}

struct Real {
    mode: Mode,
    clear_after: Option<Duration>,
    /// Owns the selection; dropping it (a newer copy, or leaving) clears the clipboard if it is still ours.
    held: Mutex<Option<Holding>>,
}

impl Copier for Real {
    fn copy(&self, value: &SecretValue, terminal: &mut dyn Write) -> CopyReport {
        // The former selection goes first, or it would clear the new one.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        let env = |name: &str| std::env::var_os(name);
        let ways =
            Ways { mode: self.mode, env: &env, terminal: Some(terminal), clear_after: self.clear_after };
        match clipboard::copy(value, ways) {
            CopyOutcome::Copied { holding, clears_after } => {
                *held = Some(holding);
                let text = match clears_after {
                    Some(time) => format!("copied; clears itself in {} s", time.as_secs()),
                    None => "copied; it stays on the clipboard until you leave".to_owned(),
                };
                CopyReport { ok: true, text }
            }
            CopyOutcome::SentToTerminal { hint } => {
                let text = "sent to your terminal's clipboard (it does not confirm)".to_owned();
                let text = hint.map_or_else(|| text.clone(), |hint| format!("{text}: {hint}"));
                CopyReport { ok: true, text }
            }
            CopyOutcome::Refused { why, next } => {
                CopyReport { ok: false, text: format!("not copied: {why}; {next}") }
            }
        }
    }
}
