//! What effects do outside: ask the service, make a value, put one on a clipboard. Blocking; no screen, no model.

use super::msg::{Copier, Effect, Msg, Recipe, Search, Ticket};
use crate::crypto::generate::{self, Sets};
use crate::domain::SecretValue;
use crate::service::{ErrorKind, Request, Service, ServiceError};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The world outside of the model.
#[derive(Clone)]
pub(crate) struct Outside {
    pub service: Arc<dyn Service>,
    pub copier: Arc<dyn Copier>,
}

/// What came of an effect.
pub(crate) struct Done {
    pub msg: Msg,
    /// Bytes for the terminal (a copy by OSC 52), to be written between two frames.
    pub terminal: Zeroizing<Vec<u8>>,
}

/// An effect that takes time.
pub(crate) enum Slow {
    Ask(Ticket, Request),
    Generate(Ticket, Recipe),
    Search(Ticket, Search),
    Copy(Ticket, String, SecretValue),
    LookAtClipboard(Ticket),
}

impl Slow {
    /// Splits the slow effects from those that the loop does itself.
    pub(crate) fn of(effect: Effect) -> Result<Self, Effect> {
        match effect {
            Effect::Ask(ticket, request) => Ok(Self::Ask(ticket, request)),
            Effect::Generate(ticket, recipe) => Ok(Self::Generate(ticket, recipe)),
            Effect::Search(ticket, search) => Ok(Self::Search(ticket, search)),
            Effect::Copy(ticket, name, value) => Ok(Self::Copy(ticket, name, value)),
            Effect::LookAtClipboard(ticket) => Ok(Self::LookAtClipboard(ticket)),
            other => Err(other),
        }
    }

    /// The answer in place of one that never came because the worker panicked.
    pub(crate) fn lost(&self) -> Msg {
        let bug = "sealbox met a bug while doing this";
        match self {
            Self::Ask(ticket, _) => Msg::Answered(*ticket, Err(ServiceError::new(ErrorKind::Failure, bug))),
            Self::Generate(ticket, _) => Msg::Generated(*ticket, Err(bug.to_owned())),
            Self::Search(ticket, _) => Msg::Places(*ticket, Default::default()),
            Self::Copy(ticket, ..) => {
                let report = super::msg::CopyReport { ok: false, text: bug.to_owned(), countdown: None };
                Msg::Copied(*ticket, report)
            }
            Self::LookAtClipboard(_) => Msg::Nothing,
        }
    }

    /// Does it.
    pub(crate) fn run(self, outside: &Outside) -> Done {
        // Room for the longest OSC 52 text, so that no outgrown copy is left behind.
        let room = if matches!(self, Self::Copy(..)) { 256 * 1024 } else { 0 };
        let mut terminal = Zeroizing::new(Vec::with_capacity(room));
        let msg = match self {
            Self::Ask(ticket, request) => Msg::Answered(ticket, outside.service.handle(request)),
            Self::Generate(ticket, recipe) => {
                let made = generate::generate_from_system(&in_full(recipe));
                Msg::Generated(ticket, made.map_err(|error| error.to_string()))
            }
            Self::Search(ticket, search) => {
                Msg::Places(ticket, search.registered.places(&search.names, &search.progress))
            }
            Self::Copy(ticket, name, value) => {
                Msg::Copied(ticket, outside.copier.copy(&name, &value, &mut *terminal))
            }
            Self::LookAtClipboard(ticket) if outside.copier.is_over() => Msg::ClipboardOver(ticket),
            Self::LookAtClipboard(_) => Msg::Nothing,
        };
        Done { msg, terminal }
    }
}

fn in_full(recipe: Recipe) -> generate::Recipe {
    match recipe {
        Recipe::Characters { length, symbols } => generate::Recipe::Characters {
            length: usize::from(length),
            sets: Sets { symbols, ..Sets::ALL },
            avoid_look_alikes: false,
        },
        Recipe::Words { count } => {
            generate::Recipe::Words { count: usize::from(count), separator: "-".to_owned() }
        }
        Recipe::Hex { bytes } => generate::Recipe::Hex { bytes: usize::from(bytes) },
        Recipe::Base64Url { bytes } => generate::Recipe::Base64Url { bytes: usize::from(bytes) },
        Recipe::Uuid => generate::Recipe::Uuid,
    }
}
