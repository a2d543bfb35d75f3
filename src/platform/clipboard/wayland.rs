//! The Wayland clipboard, owned by us, where the compositor lets programs without a window do that (data control: KDE,
//! wlroots, COSMIC, newer GNOME). Elsewhere `take` fails and X11 (Xwayland) is the next way.
//!
//! The compositor says when somebody else copies; nothing is ever read. Known limit: the library's copy is not wiped.

use super::deadline::{Deadline, Woken};
use std::os::fd::AsFd;
use wl_clipboard_rs::copy::{
    ClipboardType, MimeType, Options, PreparedCopy, Seat, ServeRequests, Source, clear,
};

/// The selection, which is ours until this process ends or somebody else takes it.
pub(super) struct Selection(PreparedCopy);

impl Selection {
    /// Becomes the owner.
    pub(super) fn take(text: &[u8], once: bool) -> Result<Self, String> {
        let mut options = Options::new();
        options.clipboard(ClipboardType::Regular).seat(Seat::All).foreground(true).sensitive(true);
        options.serve_requests(if once { ServeRequests::Only(1) } else { ServeRequests::Unlimited });
        options
            .prepare_copy(Source::Bytes(text.into()), MimeType::Text)
            .map(Self)
            .map_err(|e| format!("the system clipboard: {e}"))
    }

    /// Answers whoever pastes, until the time is over, the text was pasted once (if that was asked for), or somebody
    /// else has copied.
    pub(super) fn keep(self, deadline: &Deadline) {
        let Ok((over, ends_with_it)) = std::io::pipe() else { return };
        let serving = std::thread::Builder::new().name("clipboard".to_owned()).spawn(move || {
            let _ends_with_it = ends_with_it;
            let _ = self.0.serve();
        });
        if serving.is_ok() && !matches!(deadline.wait(Some(over.as_fd())), Ok(Woken::Ready)) {
            // Still ours. The end of this process would do it too; some compositors keep what a dead owner left.
            let _ = clear(ClipboardType::Regular, Seat::All);
        }
    }
}
