//! The shapes in which a value turns up in a file, and which values are too vague to look for.
//!
//! Owns the encodings. Base64 is taken at its three alignments, so that a value is found inside a longer encoded text
//! (`user:password`); of each only the characters that depend on nothing but the value. All buffers are wiped.

use super::{MAX_NEEDLE, WINDOW};
use crate::domain::leak::TooVague;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// How a value was written where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Shape {
    /// Byte for byte.
    Raw = 0,
    /// Base64 or base64url, at any alignment.
    Base64 = 1,
    /// Hexadecimal.
    Hex = 2,
    /// Percent-encoded.
    Url = 3,
    /// With the escapes of a JSON text.
    Json = 4,
    /// A line out of the middle of a private key.
    Line = 5,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 6] = [Self::Raw, Self::Base64, Self::Hex, Self::Url, Self::Json, Self::Line];

    /// The word for people and for `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Url => "url-escaped",
            Self::Json => "json-escaped",
            Self::Line => "one line of it",
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| *shape as u8 == byte)
    }
}

type Needle = (Shape, Zeroizing<Vec<u8>>);

/// Every shape of a value, each text once.
pub(super) fn of(value: &[u8]) -> Result<Vec<Needle>, TooVague> {
    let value = value.trim_ascii();
    vague(value)?;
    let part = value.get(..MAX_NEEDLE).unwrap_or(value);
    let mut needles: Vec<Needle> = vec![(Shape::Raw, Zeroizing::new(part.to_vec()))];
    for alignment in 0..3 {
        needles.push((Shape::Base64, base64(part, alignment, &STANDARD_NO_PAD)));
        needles.push((Shape::Base64, base64(part, alignment, &URL_SAFE_NO_PAD)));
    }
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        needles.push((Shape::Hex, hex(part, digits)));
    }
    needles.push((Shape::Url, url(part)));
    needles.extend(json(part).map(|text| (Shape::Json, text)));
    needles.extend(key_line(value).map(|line| (Shape::Line, Zeroizing::new(line.to_vec()))));
    let mut kept: Vec<Needle> = Vec::with_capacity(needles.len());
    for (shape, mut needle) in needles {
        needle.truncate(MAX_NEEDLE);
        if needle.len() >= WINDOW && !kept.iter().any(|(_, other)| **other == *needle) {
            kept.push((shape, needle));
        }
    }
    Ok(kept)
}

/// What would be found everywhere: fewer than eight bytes, fewer than four different ones, a short number, or a short
/// text that could be a word or a host (`production`, `db.internal`).
fn vague(value: &[u8]) -> Result<(), TooVague> {
    if value.len() < WINDOW {
        return Err(TooVague::Short);
    }
    let different = value.iter().collect::<BTreeSet<_>>().len();
    let joins = |b: &u8| b"-_./: ".contains(b);
    let lower = value.iter().all(|b| b.is_ascii_lowercase() || joins(b));
    let upper = value.iter().all(|b| b.is_ascii_uppercase() || joins(b));
    let number = value.iter().all(|b| b.is_ascii_digit() || joins(b));
    if different < 4 || (value.len() < 16 && (lower || upper)) || (value.len() < 12 && number) {
        return Err(TooVague::Plain);
    }
    Ok(())
}

/// How many of lower case, upper case, digits and others occur.
pub(super) fn kinds(bytes: &[u8]) -> usize {
    let has = |kind: fn(&u8) -> bool| usize::from(bytes.iter().any(kind));
    has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(|b| !b.is_ascii_alphanumeric())
}

/// The base64 characters that `value` alone decides when it begins `alignment` bytes into a group of three.
fn base64(value: &[u8], alignment: usize, engine: &impl Engine) -> Zeroizing<Vec<u8>> {
    let mut input = Zeroizing::new(vec![0; alignment]);
    input.reserve_exact(value.len());
    input.extend_from_slice(value);
    let mut text = Zeroizing::new(engine.encode(&*input).into_bytes());
    // A character holds 6 bits: those that also hold bits of what stands before or behind are left out.
    text.truncate(input.len() * 8 / 6);
    let before = (alignment * 8).div_ceil(6);
    text.rotate_left(before);
    let len = text.len().saturating_sub(before);
    text.truncate(len);
    text
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 2));
    for byte in value {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(digits.get(usize::from(nibble)));
        }
    }
    text
}

/// Everything but the unreserved characters of RFC 3986 escaped.
fn url(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(*byte);
        } else {
            text.push(b'%');
            text.extend_from_slice(&hex(&[*byte], b"0123456789ABCDEF"));
        }
    }
    text
}

/// As between the quotes of a JSON text; `None` if the value is not UTF-8.
fn json(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(value).ok()?;
    let mut quoted = Zeroizing::new(Vec::with_capacity(value.len() * 6 + 2));
    serde_json::to_writer(&mut *quoted, text).ok()?;
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    Some(Zeroizing::new(inner.to_vec()))
}

/// A private key is pasted with other line breaks and indents than it was stored with: a line from the middle of its body
/// gives it away all the same.
fn key_line(value: &[u8]) -> Option<&[u8]> {
    let holds = |text: &[u8]| memchr::memmem::find(value, text).is_some();
    if !value.starts_with(b"-----BEGIN ") || !holds(b"PRIVATE KEY") {
        return None;
    }
    let body = |line: &&[u8]| line.len() >= 32 && !line.contains(&b'-') && !line.contains(&b':');
    let lines: Vec<&[u8]> = value.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(body).collect();
    lines.get(lines.len() / 2).copied()
}
