//! Holding the system clipboard: on X11 and Wayland a selection lives only as long as its owner.
//!
//! One thread owns the selection, waits, and clears it if it still holds what we put there; what somebody else copied
//! meanwhile is left alone. It is the only reader of the clipboard here, and reads it once, at the end.

use super::Board;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use zeroize::Zeroizing;

/// A display server that does not answer for this long is treated as absent.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How holding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleared {
    /// The clipboard held our value and is empty now.
    Cleared,
    /// Somebody copied something else; it was left alone.
    Replaced,
    /// The system did not let us clear it.
    Failed,
    /// It was never to be cleared.
    Left,
}

/// Owns the selection. Dropping it clears at once, unless it was to stay for ever.
pub struct Holding {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Cleared>>,
}

impl Holding {
    /// Puts the text on the clipboard and holds it for `clear_after`. Returns once the text is there, or the reason why
    /// it is not.
    pub(super) fn start(
        text: Zeroizing<String>,
        clear_after: Option<Duration>,
        open: impl FnOnce() -> Result<Box<dyn Board>, String> + Send + 'static,
    ) -> Result<Self, String> {
        let (stop, stopped) = channel();
        let (ready, is_ready) = channel();
        let hold = move || {
            let opened = open().and_then(|mut board| board.set(&text).map(|()| board));
            match opened {
                Ok(board) => {
                    let _ = ready.send(Ok(()));
                    hold(board, &text, clear_after, &stopped)
                }
                Err(why) => {
                    let _ = ready.send(Err(why));
                    Cleared::Failed
                }
            }
        };
        let thread = std::thread::Builder::new().name("clipboard".to_owned()).spawn(hold);
        let thread = thread.map_err(|e| format!("no thread for the clipboard: {e}"))?;
        match is_ready.recv_timeout(ANSWER_WITHIN) {
            Ok(Ok(())) => Ok(Self { stop: Some(stop), thread: Some(thread) }),
            Ok(Err(why)) => Err(why),
            Err(_) => Err("the system clipboard does not answer".to_owned()),
        }
    }

    /// Blocks until the time is over and the clipboard is cleared. Without a time it blocks until the process ends.
    pub fn wait(mut self) -> Cleared {
        let stop = self.stop.take(); // kept alive: a dropped sender means "now"
        let ended = self.join();
        drop(stop);
        ended
    }

    /// Clears at once.
    pub fn clear(mut self) -> Cleared {
        self.stop = None;
        self.join()
    }

    /// True once the clipboard has been cleared or left.
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn join(&mut self) -> Cleared {
        self.thread.take().map_or(Cleared::Left, |thread| thread.join().unwrap_or(Cleared::Failed))
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.stop = None;
        self.join();
    }
}

fn hold(
    mut board: Box<dyn Board>,
    text: &str,
    clear_after: Option<Duration>,
    stopped: &Receiver<()>,
) -> Cleared {
    match clear_after {
        Some(time) => {
            let _: Result<(), RecvTimeoutError> = stopped.recv_timeout(time);
        }
        None => {
            let _ = stopped.recv();
            return Cleared::Left;
        }
    }
    match board.get() {
        Some(now) if now.as_str() == text => board.clear().map_or(Cleared::Failed, |()| Cleared::Cleared),
        Some(_) => Cleared::Replaced,
        None => Cleared::Replaced, // empty, or not text: not ours in either case
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A clipboard that the test can look at and write to, as another program would.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Option<String>>>);

    impl Board for Shared {
        fn set(&mut self, text: &str) -> Result<(), String> {
            *self.0.lock().unwrap() = Some(text.to_owned());
            Ok(())
        }
        fn get(&mut self) -> Option<Zeroizing<String>> {
            self.0.lock().unwrap().clone().map(Zeroizing::new)
        }
        fn clear(&mut self) -> Result<(), String> {
            *self.0.lock().unwrap() = None;
            Ok(())
        }
    }

    fn start(board: &Shared, clear_after: Option<Duration>) -> Holding {
        let board = board.clone();
        let text = Zeroizing::new("s3cret".to_owned());
        Holding::start(text, clear_after, move || Ok(Box::new(board) as Box<dyn Board>)).unwrap()
    }

    const LONG: Option<Duration> = Some(Duration::from_secs(3600));
    const SHORT: Option<Duration> = Some(Duration::from_millis(20));

    #[test]
    fn the_value_is_there_until_the_time_is_over() {
        let board = Shared::default();
        let holding = start(&board, SHORT);
        assert_eq!(board.0.lock().unwrap().as_deref(), Some("s3cret"));
        assert_eq!(holding.wait(), Cleared::Cleared);
        assert_eq!(*board.0.lock().unwrap(), None);
    }

    #[test]
    fn what_somebody_else_copied_is_left_alone() {
        let board = Shared::default();
        let holding = start(&board, LONG);
        *board.0.lock().unwrap() = Some("other".to_owned());
        assert_eq!(holding.clear(), Cleared::Replaced);
        assert_eq!(board.0.lock().unwrap().as_deref(), Some("other"));
    }

    #[test]
    fn dropping_clears_at_once() {
        let board = Shared::default();
        let holding = start(&board, LONG);
        assert!(!holding.is_over());
        drop(holding);
        assert_eq!(*board.0.lock().unwrap(), None);
    }

    #[test]
    fn a_value_that_was_to_stay_stays() {
        let board = Shared::default();
        assert_eq!(start(&board, None).clear(), Cleared::Left);
        assert_eq!(board.0.lock().unwrap().as_deref(), Some("s3cret"));
    }

    #[test]
    fn a_clipboard_that_cannot_be_opened_is_an_error() {
        let text = Zeroizing::new("s3cret".to_owned());
        assert_eq!(
            Holding::start(text, None, || Err("no display".to_owned())).err().as_deref(),
            Some("no display")
        );
    }
}
