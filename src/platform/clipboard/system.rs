//! The system clipboard, through arboard: CLIPBOARD only, never PRIMARY, marked so that clipboard histories leave it out.

use super::Board;
use zeroize::Zeroizing;

struct System(arboard::Clipboard);

/// Connects to the display server.
pub(super) fn open() -> Result<Box<dyn Board>, String> {
    match arboard::Clipboard::new() {
        Ok(board) => Ok(Box::new(System(board))),
        Err(e) => Err(told(&e)),
    }
}

impl Board for System {
    fn set(&mut self, text: &str) -> Result<(), String> {
        let set = self.0.set();
        #[cfg(all(unix, not(any(target_os = "macos", target_os = "android", target_os = "emscripten"))))]
        let set = arboard::SetExtLinux::exclude_from_history(set);
        #[cfg(target_os = "macos")]
        let set = arboard::SetExtApple::exclude_from_history(set);
        set.text(text).map_err(|e| told(&e))
    }

    fn get(&mut self) -> Option<Zeroizing<String>> {
        self.0.get_text().ok().map(Zeroizing::new)
    }

    fn clear(&mut self) -> Result<(), String> {
        self.0.clear().map_err(|e| told(&e))
    }
}

fn told(e: &arboard::Error) -> String {
    crate::domain::printable::line(&format!("the system clipboard: {e}"))
}
