//! The X11 clipboard, owned by us: CLIPBOARD only, never PRIMARY (SPEC R35).
//!
//! An owner is told when somebody else takes the selection and sees each request for the text; so nothing is ever read
//! to find out whether it is still ours, and "after the first paste" is exact. Nothing is handed to a clipboard manager
//! at the end, and `x-kde-passwordManagerHint` asks those that listen to leave it out of their history.

use super::deadline::{Deadline, Woken};
use std::os::fd::AsFd;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, NONE};
use zeroize::Zeroizing;

x11rb::atom_manager! {
    /// The names that the selection protocol uses.
    Atoms: AtomsCookie {
        CLIPBOARD,
        TARGETS,
        TIMESTAMP,
        UTF8_STRING,
        TEXT,
        MIME_UTF8: b"text/plain;charset=utf-8",
        MIME: b"text/plain",
        HINT: b"x-kde-passwordManagerHint",
    }
}

/// What a request for the text, or for something about it, came to.
#[derive(PartialEq, Eq)]
enum Answered {
    Text,
    Other,
}

/// The selection, which is ours until this is dropped or somebody else takes it.
pub(super) struct Selection {
    display: RustConnection,
    window: Window,
    atoms: Atoms,
    since: Timestamp,
    text: Zeroizing<Vec<u8>>,
    once: bool,
}

fn told(e: impl std::fmt::Display) -> String {
    format!("the system clipboard: {e}")
}

impl Selection {
    /// Becomes the owner.
    pub(super) fn take(text: Zeroizing<Vec<u8>>, once: bool) -> Result<Self, String> {
        let (display, screen) = RustConnection::connect(None).map_err(told)?;
        if text.len() + 64 > display.maximum_request_bytes() {
            return Err("the value is too long for this display".to_owned());
        }
        let root = display.setup().roots.get(screen).ok_or_else(|| told("no screen"))?.root;
        let window = display.generate_id().map_err(told)?;
        let listen = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let (class, visual) = (WindowClass::COPY_FROM_PARENT, COPY_FROM_PARENT);
        display
            .create_window(COPY_DEPTH_FROM_PARENT, window, root, 0, 0, 1, 1, 0, class, visual, &listen)
            .map_err(told)?;
        let atoms = Atoms::new(&display).map_err(told)?.reply().map_err(told)?;
        // The protocol wants the time of an event, not "now": an appending of nothing makes one.
        display
            .change_property8(PropMode::APPEND, window, atoms.CLIPBOARD, AtomEnum::STRING, &[])
            .map_err(told)?;
        display.flush().map_err(told)?;
        let since = loop {
            if let Event::PropertyNotify(event) = display.wait_for_event().map_err(told)? {
                break event.time;
            }
        };
        display.set_selection_owner(window, atoms.CLIPBOARD, since).map_err(told)?;
        let owner = display.get_selection_owner(atoms.CLIPBOARD).map_err(told)?.reply().map_err(told)?.owner;
        if owner != window {
            return Err(told("somebody else keeps it"));
        }
        Ok(Self { display, window, atoms, since, text, once })
    }

    /// Answers whoever pastes, until the time is over, the text was pasted once (if that was asked for), or somebody
    /// else has taken the selection. Then the selection is given up; whatever ends this process does that too.
    pub(super) fn keep(&self, deadline: &Deadline) {
        self.serve(deadline);
        let _ = self.give_up();
    }

    /// Whoever has asked meanwhile gets a no: without an answer some programs would wait for ever.
    fn give_up(&self) -> Result<(), ReplyError> {
        self.display.set_selection_owner(NONE, self.atoms.CLIPBOARD, self.since)?;
        self.display.sync()?;
        while let Some(event) = self.display.poll_for_event()? {
            if let Event::SelectionRequest(request) = event {
                let _ = self.notify(&request, NONE);
            }
        }
        self.display.sync()
    }

    fn serve(&self, deadline: &Deadline) {
        loop {
            loop {
                match self.display.poll_for_event() {
                    Ok(Some(Event::SelectionClear(event))) if event.selection == self.atoms.CLIPBOARD => {
                        return;
                    }
                    Ok(Some(Event::SelectionRequest(request))) => {
                        let answered = self.answer(&request);
                        if self.once && answered.is_ok_and(|answered| answered == Answered::Text) {
                            return;
                        }
                    }
                    Ok(Some(_)) => {} // a window that asked and has gone reports as an error event
                    Ok(None) => break,
                    Err(_) => return, // the display is gone, and the selection with it
                }
            }
            if self.display.flush().is_err() {
                return;
            }
            match deadline.wait(Some(self.display.stream().as_fd())) {
                Ok(Woken::Ready) => {}
                Ok(Woken::Time) | Err(_) => return,
            }
        }
    }

    fn answer(&self, request: &SelectionRequestEvent) -> Result<Answered, ReplyError> {
        let atoms = &self.atoms;
        // an old client names no property and means the target
        let property = if request.property == NONE { request.target } else { request.property };
        let to = request.requestor;
        let mut answered = Answered::Other;
        let mut given = property;
        let ours = request.owner == self.window && request.selection == atoms.CLIPBOARD;
        if ours && request.target == atoms.TARGETS {
            let targets = self.targets();
            self.display
                .change_property32(PropMode::REPLACE, to, property, AtomEnum::ATOM, &targets)?
                .check()?;
        } else if ours && request.target == atoms.TIMESTAMP {
            let since = [self.since];
            self.display
                .change_property32(PropMode::REPLACE, to, property, AtomEnum::INTEGER, &since)?
                .check()?;
        } else if ours && request.target == atoms.HINT {
            self.display.change_property8(PropMode::REPLACE, to, property, atoms.HINT, b"secret")?.check()?;
        } else if ours && self.targets().contains(&request.target) {
            // TEXT means "in an encoding of your choice"
            let kind = if request.target == atoms.TEXT { atoms.UTF8_STRING } else { request.target };
            self.display.change_property8(PropMode::REPLACE, to, property, kind, &self.text)?.check()?;
            answered = Answered::Text;
        } else {
            given = NONE;
        }
        self.notify(request, given)?;
        Ok(answered)
    }

    /// Tells who asked where the answer is; `NONE`: nowhere.
    fn notify(&self, request: &SelectionRequestEvent, property: Atom) -> Result<(), ReplyError> {
        let notice = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.display.send_event(false, request.requestor, EventMask::NO_EVENT, notice)?.check()
    }

    fn targets(&self) -> Vec<Atom> {
        let atoms = &self.atoms;
        let mut targets = vec![
            atoms.TARGETS,
            atoms.TIMESTAMP,
            atoms.UTF8_STRING,
            atoms.MIME_UTF8,
            atoms.TEXT,
            atoms.MIME,
            atoms.HINT,
        ];
        if self.text.is_ascii() {
            targets.push(AtomEnum::STRING.into()); // Latin-1 by definition
        }
        targets
    }
}
