//! The macOS clipboard, through arboard: the system keeps the text, so that it is compared before it is cleared.
//!
//! Known limits: a helper that is killed leaves the text, and a paste cannot be seen, so that `--once` is only a time.

use super::deadline::Deadline;
use super::holder::HELD;
use arboard::{Clipboard, SetExtApple};
use zeroize::Zeroizing;

/// Puts the text there, marked so that clipboard histories leave it out, and clears it when the time has come.
pub(super) fn own(
    text: &[u8],
    deadline: &Deadline,
    report: &mut dyn FnMut(&str) -> bool,
) -> Result<(), String> {
    let told = |e: arboard::Error| format!("the system clipboard: {e}");
    let text = std::str::from_utf8(text).map_err(|_| "the value is not text")?;
    let mut board = Clipboard::new().map_err(told)?;
    board.set().exclude_from_history().text(text).map_err(told)?;
    let _ = report(HELD);
    let _ = deadline.wait(None);
    let now = board.get_text().map(Zeroizing::new);
    if now.is_ok_and(|now| now.as_str() == text) {
        board.clear().map_err(told)?;
    }
    Ok(())
}
