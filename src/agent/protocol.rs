//! Frames and the handshake. A frame is its length (four bytes, big endian) and so many bytes of JSON.
//!
//! The first frame each way is a [`Hello`] or [`Welcome`], whose shape is fixed for ever: a program of any version can tell
//! what is there and can stop it. After it, a client sends `Request`s and gets `Result<Answer, ServiceError>`s, one at a
//! time. Invariants: a length is checked before anything is allocated, memory grows only as bytes arrive, and every buffer
//! wipes itself and whatever it outgrows.

use super::error::AgentError;
use serde::{Deserialize, Serialize};
use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use zeroize::{Zeroize, Zeroizing};

/// What follows the handshake. Goes up when a request or answer changes its meaning.
pub const PROTOCOL: u32 = 1;
/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest request or answer, in bytes.
pub const MAX_FRAME: usize = 64 << 20;
/// The longest handshake, in bytes.
pub const MAX_HELLO: usize = 64 << 10;
/// How long a frame may take, from its first byte to its last.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The magic number of both handshakes.
const MAGIC: u32 = 1;
const FIRST_PIECE: usize = 16 << 10;

/// What a client says first. Fields may be added; none is ever removed or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always 1.
    pub sealbox: u32,
    /// The client's version.
    pub version: String,
    /// What it would speak after the handshake.
    pub protocol: u32,
    /// The data folder of the vault that it means, absolute.
    pub vault: String,
    /// True to end the agent: honoured whatever the versions and vaults are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
    /// How this client wants the vault to be kept. An agent outlives the settings that it was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// How an open vault is kept, as the settings of a client say. The times hold from the next unlocking on; that readings
/// must be written down holds at once, and until somebody whose settings say otherwise unlocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Lock after this long without activity.
    pub idle_ms: Option<u64>,
    /// Lock after this long in any case.
    pub max_ms: Option<u64>,
    /// Refuse to read a value when that cannot be written into the read log.
    pub audit_required: bool,
}

/// What the agent answers. Fields may be added; none is ever removed or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Always 1.
    pub sealbox: u32,
    /// The agent's version.
    pub version: String,
    /// What it speaks after the handshake.
    pub protocol: u32,
    /// The data folder of the vault that it holds.
    pub vault: String,
    /// Its process.
    pub pid: u32,
}

impl Hello {
    /// From this program, about the vault with this data folder.
    pub fn new(data: &Path, stop: bool) -> Self {
        Self {
            sealbox: MAGIC,
            version: VERSION.to_owned(),
            protocol: PROTOCOL,
            vault: vault_text(data),
            stop,
            limits: None,
        }
    }

    /// Reads one; `None` if it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|hello: &Self| hello.sealbox == MAGIC)
    }
}

impl Welcome {
    /// From this process, which holds the vault with this data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            sealbox: MAGIC,
            version: VERSION.to_owned(),
            protocol: PROTOCOL,
            vault: vault_text(data),
            pid: std::process::id(),
        }
    }

    /// Reads one; `None` if it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|welcome: &Self| welcome.sealbox == MAGIC)
    }
}

/// A folder as text that names no other folder, also if it is not UTF-8.
pub fn vault_text(data: &Path) -> String {
    match data.to_str() {
        Some(text) => text.to_owned(),
        None => format!("bytes:{}", crate::domain::scope::hex(data.as_os_str().as_encoded_bytes())),
    }
}

/// Bytes that are written to and leave nothing behind: what they outgrow is wiped.
pub struct Wiping {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Wiping {
    /// At most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::new()), limit }
    }

    fn grow_to(&mut self, room: usize) {
        if room > self.bytes.capacity() {
            let mut bigger = Vec::with_capacity(room);
            bigger.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            *self.bytes = bigger;
        }
    }
}

impl Write for Wiping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let need = self.bytes.len().saturating_add(bytes.len());
        if need > self.limit {
            return Err(ErrorKind::FileTooLarge.into());
        }
        if need > self.bytes.capacity() {
            self.grow_to(need.max(self.bytes.capacity().saturating_mul(2)).max(512));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A message as it travels, length and all, in memory that wipes itself.
///
/// # Errors
/// [`AgentError::TooLong`] if it has more than [`MAX_FRAME`] bytes.
pub fn frame<T: Serialize>(message: &T) -> Result<Zeroizing<Vec<u8>>, AgentError> {
    let mut whole = Wiping::new(MAX_FRAME + 4);
    whole.write_all(&[0; 4]).map_err(AgentError::Broken)?;
    serde_json::to_writer(&mut whole, message).map_err(|_| AgentError::TooLong)?;
    let length = u32::try_from(whole.bytes.len().saturating_sub(4)).map_err(|_| AgentError::TooLong)?;
    if let Some(head) = whole.bytes.first_chunk_mut::<4>() {
        *head = length.to_be_bytes();
    }
    Ok(whole.bytes)
}

/// Sends a frame that was made by [`frame`], within [`PATIENCE`].
pub fn send(stream: &UnixStream, whole: &[u8]) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut rest = whole;
    while !rest.is_empty() {
        stream.set_write_timeout(Some(left(until)?))?;
        match (&mut &*stream).write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Receives a frame of at most `limit` bytes: `None` if the other side closed instead. The first byte may take `wait`, the
/// whole frame [`PATIENCE`] from then on. Bytes over the first piece are taken from `budget`, if there is one.
///
/// # Errors
/// [`AgentError::TooLong`], [`AgentError::Silent`] if it took too long, [`AgentError::Broken`].
pub fn receive(
    stream: &UnixStream,
    limit: usize,
    wait: Duration,
    budget: Option<&Budget>,
) -> Result<Option<Zeroizing<Vec<u8>>>, AgentError> {
    let mut head = [0; 4];
    let mut until = Instant::now() + wait;
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read(stream, rest, until)? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(AgentError::closed()),
            n => {
                if filled == 0 {
                    until = Instant::now() + PATIENCE;
                }
                filled += n;
            }
        }
    }
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(AgentError::TooLong);
    }
    let mut share = budget.map(|budget| Share { budget, taken: 0 });
    let mut body = Wiping::new(limit);
    let mut filled = 0;
    while filled < length {
        if filled == body.bytes.len() {
            let room = body.bytes.len().saturating_mul(2).max(FIRST_PIECE).min(length);
            if let Some(share) = &mut share {
                share.raise_to(room)?;
            }
            body.grow_to(room);
            body.bytes.resize(room, 0); // never more than there is room for
        }
        let Some(rest) = body.bytes.get_mut(filled..) else { break };
        match read(stream, rest, until)? {
            0 => return Err(AgentError::closed()),
            n => filled += n,
        }
    }
    Ok(Some(body.bytes))
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn read(stream: &UnixStream, into: &mut [u8], until: Instant) -> Result<usize, AgentError> {
    loop {
        let left = left(until).map_err(|_| AgentError::Silent)?;
        stream.set_read_timeout(Some(left)).map_err(AgentError::Broken)?;
        match (&mut &*stream).read(into) {
            Ok(n) => return Ok(n),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(AgentError::Broken(error)),
        }
    }
}

/// How much all connections together may hold in half-received frames: many big ones at once must not fill the memory.
pub struct Budget {
    limit: usize,
    taken: AtomicUsize,
}

impl Budget {
    /// So many bytes.
    pub const fn new(limit: usize) -> Self {
        Self { limit, taken: AtomicUsize::new(0) }
    }
}

/// What one frame took of the budget; given back when it has been received or given up.
struct Share<'a> {
    budget: &'a Budget,
    taken: usize,
}

impl Share<'_> {
    fn raise_to(&mut self, room: usize) -> Result<(), AgentError> {
        let more = room.saturating_sub(self.taken);
        let fits = |taken: usize| taken.checked_add(more).filter(|sum| *sum <= self.budget.limit);
        let asked = self.budget.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits);
        asked.map_err(|_| AgentError::Broken(ErrorKind::OutOfMemory.into()))?;
        self.taken = self.taken.max(room);
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.taken, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn through(bytes: &[u8], limit: usize) -> Result<Option<Vec<u8>>, AgentError> {
        let (one, two) = UnixStream::pair().unwrap();
        let bytes = bytes.to_vec();
        let writer = std::thread::spawn(move || {
            let _ = (&one).write_all(&bytes);
        });
        let got = receive(&two, limit, PATIENCE, None);
        drop(two);
        writer.join().unwrap();
        got.map(|body| body.map(|body| body.to_vec()))
    }

    #[test]
    fn what_is_sent_arrives() {
        for length in [0, 1, 511, 512, FIRST_PIECE, FIRST_PIECE + 1, 300_000] {
            let text = "x".repeat(length);
            let whole = frame(&text).unwrap();
            let body = through(&whole, MAX_FRAME).unwrap().unwrap();
            assert_eq!(serde_json::from_slice::<String>(&body).unwrap(), text);
        }
        assert!(through(&[], MAX_FRAME).unwrap().is_none(), "closed instead");
    }

    #[test]
    fn a_header_alone_allocates_nothing_of_what_it_promises() {
        assert!(matches!(through(&[0xff; 4], MAX_FRAME), Err(AgentError::TooLong)));
        assert!(matches!(through(&[0, 1, 0, 0, b'x'], 65_535), Err(AgentError::TooLong)));
        let (one, two) = UnixStream::pair().unwrap();
        let budget = Budget::new(FIRST_PIECE);
        (&one).write_all(&u32::try_from(MAX_FRAME).unwrap().to_be_bytes()).unwrap();
        drop(one);
        assert!(matches!(receive(&two, MAX_FRAME, PATIENCE, Some(&budget)), Err(AgentError::Broken(_))));
        assert_eq!(budget.taken.load(Ordering::Acquire), 0, "what was taken was given back");
    }

    #[test]
    fn all_frames_together_stay_within_the_budget() {
        let budget = Budget::new(100_000);
        let (one, two) = UnixStream::pair().unwrap();
        let whole = frame(&"x".repeat(200_000)).unwrap().to_vec();
        let writer = std::thread::spawn(move || (&one).write_all(&whole).map_err(drop));
        assert!(matches!(receive(&two, MAX_FRAME, PATIENCE, Some(&budget)), Err(AgentError::Broken(_))));
        drop(two);
        let _ = writer.join().unwrap();
        assert_eq!(budget.taken.load(Ordering::Acquire), 0);
    }

    #[test]
    fn a_slow_frame_is_given_up() {
        let (one, two) = UnixStream::pair().unwrap();
        let start = Instant::now();
        assert!(matches!(receive(&two, 100, Duration::from_millis(50), None), Err(AgentError::Silent)));
        assert!(start.elapsed() < Duration::from_secs(5));
        drop(one);
    }

    #[test]
    fn handshakes_of_any_version_are_read_and_others_are_not() {
        let later = br#"{"sealbox":1,"version":"9.9","protocol":77,"vault":"/v","stop":true,"colour":"red"}"#;
        assert!(Hello::parse(later).unwrap().stop);
        let first = br#"{"sealbox":1,"version":"0.1.0","protocol":1,"vault":"/v"}"#;
        assert!(!Hello::parse(first).unwrap().stop);
        for bad in
            [&b"{}"[..], b"", b"{\"sealbox\":2,\"version\":\"\",\"protocol\":1,\"vault\":\"\"}", b"\xff"]
        {
            assert!(Hello::parse(bad).is_none());
            assert!(Welcome::parse(bad).is_none());
        }
    }

    #[test]
    fn a_folder_that_is_not_utf8_names_no_other() {
        use std::os::unix::ffi::OsStrExt;
        let odd = std::ffi::OsStr::from_bytes(b"/v\xff");
        assert_ne!(vault_text(Path::new(odd)), vault_text(Path::new("/v\u{fffd}")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = through(&bytes, 1 << 16);
            let _ = (Hello::parse(&bytes), Welcome::parse(&bytes));
        }
    }
}
