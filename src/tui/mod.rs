//! The terminal UI: key, action, `update`, effects, `view`.
//!
//! A key becomes an `action` (see `keymap`), the pure `update` turns messages into model changes and effects, `runtime` runs
//! the effects (requests to the service, nothing else) and `view` draws the model. Dialogs are panels on a stack.
//! Nothing here holds a key; values live in wiping storage and only in the panel that shows or takes them.

mod action;
mod clipboard;
mod dialogs;
mod driver;
mod effects;
mod keymap;
mod layout;
mod lean;
mod listing;
mod model;
mod msg;
mod panel;
mod runtime;
mod screens;
mod screenshot;
mod terminal;
mod theme;
mod update;
mod view;
mod widgets;

pub use driver::Driver;
pub use keymap::markdown;
pub use msg::{Copier, CopyReport, Countdown};
pub use runtime::run;
pub use theme::{Theme, ThemeName, utf8_locale};

use crate::config::Settings;
use crate::domain::{ScopeRef, SecretValue};
use crate::platform::clock::{Clock, SystemClock};
use crate::scan::places::Registered;
use crate::service::Service;
use std::io::Write;
use std::sync::Arc;

/// How the TUI is opened.
pub struct TuiOptions {
    /// Theme, keys, times, mouse, clipboard.
    pub settings: Settings,
    /// Where to begin; `None` is the organization.
    pub scope: Option<ScopeRef>,
    /// No colour, whatever the settings say.
    pub no_color: bool,
    /// A throw-away vault.
    pub demo: bool,
    /// The folders of the nearest `.sealbox.toml`, for the dialog that deletes.
    pub registered: Registered,
    /// Wall clock and boot clock.
    pub now: Arc<dyn Clock>,
}

/// Why the TUI could not be opened or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal failed.
    #[error("the terminal failed")]
    Io(#[from] std::io::Error),
    /// Keys that cannot be used, one sentence each.
    #[error("{}", .0.join("; "))]
    Keys(Vec<String>),
}

/// Draws the browser of an unlocked service as an SVG picture of so many columns and rows, by the real update loop and
/// the real view.
///
/// # Errors
/// [`TuiError::Io`] if drawing fails.
pub fn picture(service: Arc<dyn Service>, columns: u16, rows: u16) -> Result<String, TuiError> {
    struct Nowhere;
    impl Copier for Nowhere {
        fn copy(&self, _: &str, _: &SecretValue, _: &mut dyn Write) -> CopyReport {
            CopyReport { ok: false, text: String::new(), countdown: None }
        }
    }
    let look = Theme::named(ThemeName::Dark, true);
    let wall = SystemClock.wall_ms();
    let mut driver = Driver::with_look(service, Arc::new(Nowhere), (columns, rows), wall, look, None)?;
    // A project, if there is one, and a row that has a history.
    driver.key("2")?;
    for _ in 0..4 {
        driver.key("j")?;
    }
    driver.pass(1_000)?;
    Ok(driver.svg())
}
