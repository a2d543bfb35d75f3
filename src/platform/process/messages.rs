//! What the processes of the terminal case say to each other over socket pairs.
//!
//! Owns the bytes: orders to the monitor and reports from it (five bytes each), descriptors that travel beside a byte,
//! and the parcel that the launcher turns into a program. The values are in the parcel and nowhere else; its memory is
//! wiped on both sides.

use crate::domain::SecretValue;
use crate::platform::process::{Launch, Variable};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use rustix::process::Signal;
use std::ffi::OsString;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use zeroize::Zeroizing;

/// Descriptors that travel together, at most.
const MAX_FDS: usize = 3;
/// A parcel is bounded by what an environment can hold; this is far above it.
const MAX_PARCEL: u32 = 64 << 20;

/// To the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Let the program go on; as the terminal's foreground group or not.
    Continue { foreground: bool },
    /// Send this to the program alone.
    Signal(Signal),
    /// Send this to the foreground group, as the terminal would.
    SignalGroup(Signal),
    /// The caller's terminal is raw from now on, or no longer: what the monitor must undo if we are killed.
    Raw(bool),
}

/// From the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// The launcher waits for its parcel.
    Ready,
    /// The session or the launcher could not be made; the system's error number.
    Failed(i32),
    /// The program was stopped by this signal.
    Stopped(i32),
    /// The program ended with this code.
    Exited(i32),
    /// The program was ended by this signal.
    Killed(i32),
}

/// The length of an order or a report.
pub(super) const LEN: usize = 5;

fn frame(kind: u8, number: i32) -> [u8; LEN] {
    let [a, b, c, d] = number.to_be_bytes();
    [kind, a, b, c, d]
}

impl Order {
    pub(super) fn to_bytes(self) -> [u8; LEN] {
        match self {
            Self::Continue { foreground } => frame(b'c', i32::from(foreground)),
            Self::Signal(signal) => frame(b's', signal.as_raw()),
            Self::SignalGroup(signal) => frame(b'g', signal.as_raw()),
            Self::Raw(raw) => frame(b'r', i32::from(raw)),
        }
    }

    pub(super) fn from_bytes([kind, a, b, c, d]: [u8; LEN]) -> Option<Self> {
        let number = i32::from_be_bytes([a, b, c, d]);
        match kind {
            b'c' => Some(Self::Continue { foreground: number != 0 }),
            b's' => Signal::from_named_raw(number).map(Self::Signal),
            b'g' => Signal::from_named_raw(number).map(Self::SignalGroup),
            b'r' => Some(Self::Raw(number != 0)),
            _ => None,
        }
    }
}

impl Report {
    pub(super) fn to_bytes(self) -> [u8; LEN] {
        match self {
            Self::Ready => frame(b'r', 0),
            Self::Failed(number) => frame(b'f', number),
            Self::Stopped(signal) => frame(b's', signal),
            Self::Exited(code) => frame(b'e', code),
            Self::Killed(signal) => frame(b'k', signal),
        }
    }

    pub(super) fn from_bytes([kind, a, b, c, d]: [u8; LEN]) -> Option<Self> {
        let number = i32::from_be_bytes([a, b, c, d]);
        match kind {
            b'r' => Some(Self::Ready),
            b'f' => Some(Self::Failed(number)),
            b's' => Some(Self::Stopped(number)),
            b'e' => Some(Self::Exited(number)),
            b'k' => Some(Self::Killed(number)),
            _ => None,
        }
    }
}

/// Sends one byte with descriptors beside it.
pub(super) fn send_fds(to: &UnixStream, byte: u8, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut beside = SendAncillaryBuffer::new(&mut room);
    if !beside.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(ErrorKind::InvalidInput.into());
    }
    let sent = sendmsg(to, &[IoSlice::new(&[byte])], &mut beside, SendFlags::empty())?;
    if sent == 1 { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
}

/// Receives what [`send_fds`] sent. The descriptors are closed on `exec`.
pub(super) fn receive_fds(from: &UnixStream) -> io::Result<(u8, Vec<OwnedFd>)> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut beside = RecvAncillaryBuffer::new(&mut room);
    let mut byte = [0_u8];
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let flags = RecvFlags::empty();
    let got = recvmsg(from, &mut [IoSliceMut::new(&mut byte)], &mut beside, flags)?;
    if got.bytes != 1 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let mut fds = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    for fd in &fds {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((byte[0], fds))
}

/// Sends what is to be run, and the three standard streams that it gets.
pub(super) fn send_parcel(to: &UnixStream, launch: &Launch, streams: &[BorrowedFd<'_>; 3]) -> io::Result<()> {
    send_fds(to, b'p', streams)?;
    let parts = || {
        let program = std::iter::once(launch.program.as_bytes());
        let set = launch.set.iter().flat_map(|v| [v.name.as_bytes(), v.value.expose()]);
        program
            .chain(launch.args.iter().map(|arg| arg.as_bytes()))
            .chain(launch.unset.iter().map(|name| name.as_bytes()))
            .chain(set)
    };
    let too_long = |_| io::Error::from(ErrorKind::FileTooLarge);
    let length = |bytes: usize| u32::try_from(bytes).map(u32::to_be_bytes).map_err(too_long);
    let size = 8 + parts().map(|part| part.len() + 4).sum::<usize>();
    let mut parcel = Zeroizing::new(Vec::with_capacity(4 + size));
    parcel.extend_from_slice(&length(size)?);
    parcel.extend_from_slice(&length(launch.args.len())?);
    parcel.extend_from_slice(&length(launch.unset.len())?);
    for part in parts() {
        parcel.extend_from_slice(&length(part.len())?);
        parcel.extend_from_slice(part);
    }
    (&mut &*to).write_all(&parcel)
}

/// Receives what [`send_parcel`] sent.
pub(super) fn receive_parcel(from: &UnixStream) -> io::Result<(Launch, [OwnedFd; 3])> {
    let invalid = || io::Error::from(ErrorKind::InvalidData);
    let (kind, fds) = receive_fds(from)?;
    let streams: [OwnedFd; 3] = fds.try_into().map_err(|_| invalid())?;
    let mut size = [0; 4];
    (&mut &*from).read_exact(&mut size)?;
    let size = u32::from_be_bytes(size);
    if kind != b'p' || size > MAX_PARCEL {
        return Err(invalid());
    }
    let mut parcel = Zeroizing::new(vec![0; usize::try_from(size).map_err(|_| invalid())?]);
    (&mut &*from).read_exact(&mut parcel)?;
    let launch = unpack(&parcel).ok_or_else(invalid)?;
    Ok((launch, streams))
}

fn unpack(mut rest: &[u8]) -> Option<Launch> {
    fn number(rest: &mut &[u8]) -> Option<usize> {
        let (number, after) = rest.split_first_chunk::<4>()?;
        *rest = after;
        usize::try_from(u32::from_be_bytes(*number)).ok()
    }
    fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = number(rest)?;
        let (part, after) = rest.split_at_checked(length)?;
        *rest = after;
        Some(part)
    }
    let (args, unset) = (number(&mut rest)?, number(&mut rest)?);
    let text = |rest: &mut &[u8]| part(rest).map(|part| OsString::from_vec(part.to_vec()));
    let mut launch =
        Launch { program: text(&mut rest)?, args: Vec::new(), set: Vec::new(), unset: Vec::new() };
    for _ in 0..args {
        launch.args.push(text(&mut rest)?);
    }
    for _ in 0..unset {
        launch.unset.push(text(&mut rest)?);
    }
    while !rest.is_empty() {
        let name = String::from_utf8(part(&mut rest)?.to_vec()).ok()?;
        let value = SecretValue::new(part(&mut rest)?.to_vec()).ok()?;
        launch.set.push(Variable { name, value });
    }
    Some(launch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn orders_and_reports_are_read_back() {
        for order in [
            Order::Continue { foreground: true },
            Order::Continue { foreground: false },
            Order::Signal(Signal::TERM),
            Order::SignalGroup(Signal::INT),
            Order::Raw(true),
            Order::Raw(false),
        ] {
            assert_eq!(Order::from_bytes(order.to_bytes()), Some(order));
        }
        for report in
            [Report::Ready, Report::Failed(2), Report::Stopped(20), Report::Exited(255), Report::Killed(9)]
        {
            assert_eq!(Report::from_bytes(report.to_bytes()), Some(report));
        }
        assert_eq!(Order::from_bytes(*b"s\0\0\x7f\x7f"), None);
        assert_eq!(Report::from_bytes(*b"x\0\0\0\0"), None);
    }

    #[test]
    fn a_parcel_arrives_with_its_streams() {
        let (here, there) = UnixStream::pair().unwrap();
        let launch = Launch {
            program: OsString::from_vec(b"pro\xffgram".to_vec()),
            args: vec!["-c".into(), "".into()],
            set: vec![Variable { name: "A".into(), value: SecretValue::new(vec![0xfe, b'=', 1]).unwrap() }],
            unset: vec!["SEALBOX_TOKEN".into()],
        };
        let (mut read, write) = std::io::pipe().unwrap();
        let sender = std::thread::spawn(move || {
            send_parcel(&here, &launch, &[write.as_fd(), write.as_fd(), write.as_fd()]).unwrap();
        });
        let (launch, streams) = receive_parcel(&there).unwrap();
        sender.join().unwrap();
        assert_eq!(launch.program.as_bytes(), b"pro\xffgram");
        assert_eq!((launch.args.len(), launch.unset.len(), launch.set.len()), (2, 1, 1));
        assert_eq!((launch.set[0].name.as_str(), launch.set[0].value.expose()), ("A", &[0xfe, b'=', 1][..]));
        let [_, out, _] = streams;
        rustix::io::write(&out, b"x").unwrap();
        let mut byte = [0];
        read.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }

    #[test]
    fn a_cut_parcel_is_refused() {
        let whole = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, b'p', 0, 0, 0, 1, b'a'];
        assert_eq!(unpack(&whole).unwrap().args, ["a"]);
        for cut in 0..whole.len() {
            assert!(unpack(&whole[..cut]).is_none(), "{cut}");
        }
    }
}
