//! What stands on top of the browser: dialogs, and the gate (wizard, unlock) that stands in front of it.
//!
//! A panel owns its state, its keys and its drawing; it changes nothing else, but answers with `Step`s that `update`
//! carries out. So a dialog is one file, and the stack has one rule: the top one gets the keys, Esc closes it.

use super::action::Action;
use super::keymap::Press;
use super::model::Model;
use super::msg::{Recipe, Search};
use super::widgets::Paint;
use crate::domain::{ScopeRef, SecretName, SecretValue};
use crate::scan::places::Places;
use crate::service::{Answer, Request, ServiceError};
use zeroize::Zeroizing;

/// How a notice is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Info,
    Warning,
    Bad,
}

/// What a panel wants to happen.
pub(crate) enum Step {
    /// Close this panel.
    Close,
    Open(Box<dyn Panel>),
    /// The answer comes back to this panel.
    Ask(Request),
    Generate(Recipe),
    /// Look for references; [`Incoming::Places`] comes back.
    Search(Search),
    /// Copy a secret's value; never shows it.
    Copy(SecretName, Option<u32>),
    /// Copy text that is on the screen anyway (an ID, a link).
    CopyText(Zeroizing<String>),
    Say(Tone, String),
    /// Read lists and status again.
    Refresh,
    /// Put the cursor on this name once the list is here.
    Select(SecretName),
    /// Drop all marks.
    Unmark,
    /// Show this scope's secrets.
    Go(ScopeRef),
    /// Hand a value to the panel below.
    Deliver(Zeroizing<String>),
    Do(Action),
    /// The gate has done its work: ask for the status anew.
    Enter,
    Quit,
}

/// What comes back to a panel.
pub(crate) enum Incoming {
    Answer(Result<Answer, ServiceError>),
    Generated(Result<SecretValue, String>),
    Delivered(Zeroizing<String>),
    Places(Places),
}

/// A dialog or a gate.
pub(crate) trait Panel {
    /// It has just been put on the stack: what it needs to know first.
    fn opened(&mut self, _model: &Model) -> Vec<Step> {
        Vec::new()
    }

    /// A key. Esc arrives here too; a panel that does not want it closed on Esc does nothing.
    fn key(&mut self, press: Press, model: &Model) -> Vec<Step>;

    /// Pasted text; ignored unless there is a field.
    fn paste(&mut self, _text: &str, _model: &Model) -> Vec<Step> {
        Vec::new()
    }

    /// An answer to something this panel asked for.
    fn incoming(&mut self, _what: Incoming, _model: &Model) -> Vec<Step> {
        Vec::new()
    }

    /// The lists below have been read again (or could not be).
    fn refreshed(&mut self, _model: &Model) -> Vec<Step> {
        Vec::new()
    }

    /// When this panel next needs a `tick`, in milliseconds since boot.
    fn due(&self, _model: &Model) -> Option<u64> {
        None
    }

    /// Its time has come.
    fn tick(&mut self, _model: &Model) -> Vec<Step> {
        Vec::new()
    }

    /// The vault was found open: somebody unlocked it from elsewhere. A gate that waits for that steps aside.
    fn found_open(&mut self) -> Vec<Step> {
        Vec::new()
    }

    /// Hide whatever shows a value: focus was lost, the size changed, or the program is leaving.
    fn veil(&mut self) -> Vec<Step> {
        Vec::new()
    }

    /// Paints the panel over the screen.
    fn draw(&self, model: &Model, paint: &mut Paint<'_>);
}

/// A panel on the stack.
pub(crate) struct Layer {
    pub id: u32,
    pub panel: Box<dyn Panel>,
}
