//! Asking tmux itself, which works with its default settings: a paste buffer of ours, and its own way to the terminal.
//!
//! Owns the name of the buffer and its end. tmux 3.2 or newer is needed; an older one, or one that cannot be reached, is
//! an error, and the escape sequences of `osc52` are the next way. The value goes to tmux on stdin.

use super::helper::Outside;
use super::osc52::MAX_BYTES;
use super::ticket::token;
use super::tool::Tool;
use crate::domain::SecretValue;
use std::ffi::OsString;

/// All buffers of ours begin with this; a newer copy replaces the older ones, as on any clipboard.
const PREFIX: &str = "sealbox-";
/// One question for everything: the setting, what the terminal in front of us can do, and the buffers, newest first.
const ASK: [&str; 7] = [
    "display-message",
    "-p",
    "set=#{set-clipboard} client=#{client_name} can=#{client_termfeatures}",
    ";",
    "list-buffers",
    "-F",
    "buffer=#{buffer_name}",
];

/// A value that is in tmux.
pub(super) struct Loaded {
    pub(super) buffer: String,
    /// It was sent on to the terminal as well.
    pub(super) passed_on: bool,
    /// The setting that keeps it from the terminal's clipboard.
    pub(super) note: Option<String>,
}

/// What tmux says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    set_clipboard: String,
    client: String,
    can: String,
    buffers: Vec<String>,
}

fn read(answer: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(answer);
    let mut read = Answer::default();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("buffer=") {
            read.buffers.push(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("set=")
            && let Some((set, rest)) = rest.split_once(" client=")
            && let Some((client, can)) = rest.split_once(" can=")
        {
            read.set_clipboard = set.to_owned();
            read.client = client.to_owned();
            read.can = can.to_owned();
        }
    }
    read
}

fn ask(outside: &dyn Outside, args: &[&str], input: &[u8], keep_output: bool) -> Result<Vec<u8>, String> {
    outside.tool(Tool { program: "tmux", args, input, keep_output }).map_err(|failure| failure.to_string())
}

/// Puts the value into a buffer of its own, and where tmux may, on the terminal's clipboard.
pub(super) fn load(
    value: &SecretValue,
    env: &dyn Fn(&str) -> Option<OsString>,
    outside: &dyn Outside,
) -> Result<Loaded, String> {
    if env("TMUX").is_none_or(|socket| socket.is_empty()) {
        return Err("this is not tmux".to_owned());
    }
    if value.is_empty() {
        return Err("tmux does not take an empty value".to_owned());
    }
    let told = read(&ask(outside, &ASK, b"", true)?);
    let off = told.set_clipboard == "off"; // the person's wish, which `load-buffer -w` would not ask about
    let buffer = format!("{PREFIX}{}", token());
    // tmux would send any length; a terminal cuts it off or drops it, and neither is seen from here
    let long = value.len() > MAX_BYTES;
    let args: &[&str] = if off || long {
        &["load-buffer", "-b", &buffer, "-"]
    } else {
        &["load-buffer", "-w", "-b", &buffer, "-"]
    };
    ask(outside, args, value.expose(), false)?;
    for older in told.buffers.iter().filter(|name| name.starts_with(PREFIX)) {
        let _ = ask(outside, &["delete-buffer", "-b", older], b"", false); // its own helper may have been faster
    }
    let can = told.can.split(',').any(|feature| feature == "clipboard");
    let note = if long {
        let length = value.len();
        Some(format!("the value has {length} bytes and terminals take at most {MAX_BYTES}"))
    } else if off {
        Some("it needs: tmux set -s set-clipboard external".to_owned())
    } else if told.client.is_empty() {
        Some("no terminal is attached to this tmux session".to_owned())
    } else if !can {
        let set = "tmux set -as terminal-features ',*:clipboard'";
        Some(format!("if your terminal has a clipboard: {set}, and attach again"))
    } else {
        None
    };
    Ok(Loaded { buffer, passed_on: note.is_none(), note })
}

/// Deletes the buffer, if it is still there. The terminal's clipboard is overwritten with a blank (tmux cannot empty it)
/// unless something newer was copied in tmux; what was copied elsewhere meanwhile cannot be seen.
pub(super) fn forget(buffer: &str, passed_on: bool, outside: &dyn Outside) {
    let Ok(answer) = ask(outside, &["list-buffers", "-F", "buffer=#{buffer_name}"], b"", true) else {
        return;
    };
    let buffers = read(&answer).buffers;
    if !buffers.iter().any(|name| name == buffer) {
        return; // pasted and deleted by hand, or replaced by a newer copy
    }
    if passed_on && buffers.first().is_some_and(|newest| newest == buffer) {
        let _ = ask(outside, &["set-buffer", "-w", "-b", buffer, " "], b"", false);
    }
    let _ = ask(outside, &["delete-buffer", "-b", buffer], b"", false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tmux_answers_is_read_and_strange_lines_are_passed_over() {
        let answer = b"set=external client=/dev/pts/1 can=bpaste,clipboard,title\nbuffer=sealbox-1\nwhat?\nbuffer=buffer0\n";
        let told = read(answer);
        assert_eq!(told.set_clipboard, "external");
        assert_eq!((told.client.as_str(), told.can.as_str()), ("/dev/pts/1", "bpaste,clipboard,title"));
        assert_eq!(told.buffers, ["sealbox-1", "buffer0"]);
        assert_eq!(read(b"\xff\n"), Answer::default());
    }
}
