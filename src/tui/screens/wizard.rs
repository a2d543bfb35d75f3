//! The first run: make a vault, or make an identity and join one.
//!
//! Nothing is written before the recovery key has been shown and its last group typed back. What was typed lives in
//! wiping storage and goes when the wizard does.

mod draw;

use crate::crypto::strength::strength;
use crate::domain::{Passphrase, SecretValue, printable};
use crate::service::{Answer, CreateIdentity, InitCommit, InitPrepare, Join, Request};
use crate::tui::keymap::Press;
use crate::tui::model::Model;
use crate::tui::panel::{Incoming, Panel, Step, Tone};
use crate::tui::widgets::{Edit, Entry, Kind, Paint};
use crossterm::event::KeyCode;
use zeroize::Zeroizing;

/// Where the wizard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Create or join.
    Choose,
    /// Organization, name, passphrase twice.
    Create,
    /// The recovery key, once.
    Recovery,
    /// Passphrase twice, for somebody who joins.
    Identity,
    /// The ID to send, and the link that comes back.
    Link,
}

/// The gate.
pub(crate) struct Wizard {
    page: Page,
    joining: bool,
    organization: Entry,
    name: Entry,
    passphrase: Entry,
    again: Entry,
    /// The last group of the recovery key, typed back.
    proof: Entry,
    link: Entry,
    focus: usize,
    score: Option<u8>,
    weak_meant: bool,
    recovery: Option<SecretValue>,
    qr: Zeroizing<Vec<bool>>,
    id: Option<String>,
    waiting: Option<&'static str>,
    note: Option<(Tone, String)>,
}

impl Wizard {
    pub(crate) fn new() -> Self {
        Self {
            page: Page::Choose,
            joining: false,
            organization: Entry::new(Kind::Line),
            name: Entry::new(Kind::Line),
            passphrase: Entry::new(Kind::Passphrase),
            again: Entry::new(Kind::Passphrase),
            proof: Entry::new(Kind::Line),
            link: Entry::new(Kind::Line),
            focus: 0,
            score: None,
            weak_meant: false,
            recovery: None,
            qr: Zeroizing::new(Vec::new()),
            id: None,
            waiting: None,
            note: None,
        }
    }

    fn fields(&self) -> usize {
        match self.page {
            Page::Create => 4,
            Page::Identity => 2,
            _ => 1,
        }
    }

    fn field(&mut self) -> Option<&mut Entry> {
        match (self.page, self.focus) {
            (Page::Create, 0) => Some(&mut self.organization),
            (Page::Create, 1) => Some(&mut self.name),
            (Page::Create, 2) | (Page::Identity, 0) => Some(&mut self.passphrase),
            (Page::Create, _) | (Page::Identity, _) => Some(&mut self.again),
            (Page::Recovery, _) => Some(&mut self.proof),
            (Page::Link, _) => Some(&mut self.link),
            (Page::Choose, _) => None,
        }
    }

    fn on_passphrase(&self) -> bool {
        matches!((self.page, self.focus), (Page::Create, 2) | (Page::Identity, 0))
    }

    fn edited(&mut self, edit: Option<Edit>) {
        match edit {
            Some(Edit::Refused(reason)) => self.note = Some((Tone::Warning, reason)),
            Some(Edit::Changed) => {
                self.note = None;
                if self.on_passphrase() {
                    self.weak_meant = false;
                    let verdict = strength(&Passphrase::new(self.passphrase.text().to_owned()));
                    self.score = (!self.passphrase.is_empty()).then_some(verdict.score);
                    if verdict.score < 3 && !verdict.advice.is_empty() && !self.passphrase.is_empty() {
                        self.note = Some((Tone::Info, verdict.advice.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }

    fn go(&mut self, page: Page) {
        self.page = page;
        self.focus = 0;
        self.note = None;
    }

    fn refuse(&mut self, focus: usize, text: &str) -> Vec<Step> {
        self.focus = focus;
        self.note = Some((Tone::Warning, text.to_owned()));
        Vec::new()
    }

    /// Enter on the last field of a page.
    fn submit(&mut self) -> Vec<Step> {
        match self.page {
            Page::Choose => {
                self.go(if self.joining { Page::Identity } else { Page::Create });
                Vec::new()
            }
            Page::Create | Page::Identity => {
                let first = if self.page == Page::Create { 2 } else { 0 };
                if self.page == Page::Create {
                    if self.organization.text().trim().is_empty() {
                        return self.refuse(0, "give the organization a name; a team's, or your own");
                    }
                    if self.name.text().trim().is_empty() {
                        return self.refuse(1, "what others shall see when you change something");
                    }
                }
                if self.passphrase.is_empty() {
                    return self.refuse(first, "a passphrase is needed: four or more random words are good");
                }
                if self.passphrase.text() != self.again.text() {
                    let text = if self.again.is_empty() {
                        "type it once more"
                    } else {
                        "the two passphrases differ"
                    };
                    return self.refuse(first + 1, text);
                }
                if self.score.is_none_or(|score| score < 3) && !self.weak_meant {
                    self.weak_meant = true;
                    let text = "whoever copies the file can try passphrases: this one is weak. Enter once more takes it";
                    self.note = Some((Tone::Warning, text.to_owned()));
                    return Vec::new();
                }
                let passphrase = Passphrase::new(self.passphrase.text().to_owned());
                self.note = None;
                if self.page == Page::Identity {
                    self.waiting = Some("making your identity");
                    return vec![Step::Ask(Request::CreateIdentity(CreateIdentity { passphrase }))];
                }
                self.waiting = Some("deriving keys");
                vec![Step::Ask(Request::InitPrepare(InitPrepare {
                    organization: self.organization.text().trim().to_owned(),
                    name: self.name.text().trim().to_owned(),
                    passphrase,
                }))]
            }
            Page::Recovery => {
                if !self.proven() {
                    self.proof.clear();
                    return self.refuse(0, "that is not the last group of the key above");
                }
                self.waiting = Some("writing the vault");
                self.note = None;
                vec![Step::Ask(Request::InitCommit(InitCommit {}))]
            }
            Page::Link => {
                let link = self.link.text().trim().to_owned();
                if link.is_empty() {
                    return self.refuse(0, "paste the link that the owner sent back");
                }
                self.waiting = Some("opening");
                self.note = None;
                let passphrase = Passphrase::new(self.passphrase.text().to_owned());
                vec![Step::Ask(Request::Join(Join { link, store: None, passphrase }))]
            }
        }
    }

    /// True if the last group of the recovery key was typed.
    fn proven(&self) -> bool {
        let Some(key) = self.recovery.as_ref().and_then(SecretValue::expose_text) else { return false };
        let last = key.split_whitespace().next_back().unwrap_or_default();
        !last.is_empty() && self.proof.text().trim().eq_ignore_ascii_case(last)
    }
}

impl Panel for Wizard {
    fn key(&mut self, press: Press, _model: &Model) -> Vec<Step> {
        if self.waiting.is_some() {
            return Vec::new();
        }
        let fields = self.fields();
        match (self.page, press.code) {
            (Page::Choose, KeyCode::Up | KeyCode::Down | KeyCode::Tab | KeyCode::BackTab)
            | (Page::Choose, KeyCode::Char('j' | 'k')) => self.joining = !self.joining,
            (Page::Choose, KeyCode::Char('q')) => return vec![Step::Quit],
            (Page::Choose, KeyCode::Enter) => return self.submit(),
            (Page::Choose, _) => {}
            (Page::Create | Page::Identity, KeyCode::Esc) => self.go(Page::Choose),
            // The key that was shown is dropped with the prepared vault: nothing was written.
            (Page::Recovery, KeyCode::Esc) => {
                self.recovery = None;
                self.qr = Zeroizing::new(Vec::new());
                self.proof.clear();
                self.go(Page::Create);
            }
            (_, KeyCode::Esc) => {}
            (_, KeyCode::Tab | KeyCode::Down) => self.focus = (self.focus + 1) % fields,
            (_, KeyCode::BackTab | KeyCode::Up) => self.focus = (self.focus + fields - 1) % fields,
            (_, KeyCode::Enter) if self.focus + 1 < fields => {
                self.focus += 1;
                self.note = None;
            }
            (_, KeyCode::Enter) => return self.submit(),
            (Page::Link, KeyCode::Char('y')) if press.ctrl => {
                return self.id.iter().map(|id| Step::CopyText(Zeroizing::new(id.clone()))).collect();
            }
            _ => {
                let edit = self.field().map(|field| field.key(press));
                self.edited(edit);
            }
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Step> {
        if self.waiting.is_none() {
            let edit = self.field().map(|field| field.paste(text));
            self.edited(edit);
        }
        Vec::new()
    }

    fn incoming(&mut self, what: Incoming, _model: &Model) -> Vec<Step> {
        self.waiting = None;
        match what {
            Incoming::Answer(Ok(Answer::InitPrepare(prepared))) => {
                self.go(Page::Recovery);
                self.qr = prepared.key.expose_text().map(qr).unwrap_or_default();
                self.recovery = Some(prepared.key);
            }
            Incoming::Answer(Ok(Answer::InitCommit(()))) => {
                return vec![Step::Enter, Step::Say(Tone::Good, "your vault is ready".to_owned())];
            }
            Incoming::Answer(Ok(Answer::CreateIdentity(id))) => {
                self.go(Page::Link);
                self.id = Some(printable::line(&id));
            }
            Incoming::Answer(Ok(Answer::Join(_))) => {
                return vec![Step::Enter, Step::Say(Tone::Good, "joined".to_owned())];
            }
            Incoming::Answer(Err(error)) => {
                self.note = Some((Tone::Bad, crate::tui::update::sentence(&error)));
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, paint: &mut Paint<'_>) {
        draw::draw(self, model, paint);
    }
}

/// The key as a square of dark and light; empty if it does not fit one.
fn qr(key: &str) -> Zeroizing<Vec<bool>> {
    let compact = Zeroizing::new(key.split_whitespace().collect::<String>());
    let dark = qrcode::QrCode::with_error_correction_level(compact.as_bytes(), qrcode::EcLevel::L)
        .map(|code| code.into_colors().into_iter().map(|color| color == qrcode::Color::Dark).collect());
    Zeroizing::new(dark.unwrap_or_default())
}
