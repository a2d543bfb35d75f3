//! One entry: a signed link (SPEC 1.5).
//!
//! ```text
//! entry = "SC1" kind:u8 scope:32 seq:u64 prev:32 author:32 time_ms:u64 len:u32 body sig:64      at most 1 MiB
//! sig   = Ed25519("sc1/entry\0" | all before sig)          hash = SHA-256(entry)
//! ```
//! The bytes as stored are what is signed and hashed; nothing is ever re-serialized to be checked.

use super::body::Body;
use crate::crypto::{CryptoError, Signature, VerifyKey, format::Reader, sha256, sign::SignKey};
use crate::domain::ScopeId;

/// The longest entry, in bytes.
pub const MAX_ENTRY: usize = 1 << 20;
const MAGIC: &[u8; 3] = b"SC1";
const CONTEXT: &[u8] = b"sc1/entry\0";
const SIGNATURE: usize = 64;

/// SHA-256 of an entry's bytes.
pub type EntryHash = [u8; 32];

/// The fixed part of every entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The chain it belongs to; zeros in a genesis.
    pub scope: ScopeId,
    /// Its position, from 0.
    pub seq: u64,
    /// Hash of the valid entry before it; zeros in a genesis.
    pub prev: EntryHash,
    /// Signing key of the author.
    pub author: [u8; 32],
    /// When the author says it was written, milliseconds since 1970. Shown, never decided upon.
    pub time_ms: u64,
}

/// A parsed entry, not yet verified. Borrows the stored bytes.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The fixed part.
    pub header: Header,
    /// What it says.
    pub body: Body,
    signature: Signature,
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Reads an entry strictly: magic, caps, counts, no trailing byte. `Newer` for another magic of ours.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        if bytes.len() > MAX_ENTRY {
            return Err(CryptoError::Malformed);
        }
        let mut reader = Reader::new(bytes);
        let magic: [u8; 3] = reader.array()?;
        if &magic != MAGIC {
            return Err(if magic.starts_with(b"SC") { CryptoError::Newer } else { CryptoError::Malformed });
        }
        let kind = reader.u8()?;
        let header = Header {
            scope: ScopeId(reader.array()?),
            seq: reader.u64()?,
            prev: reader.array()?,
            author: reader.array()?,
            time_ms: reader.u64()?,
        };
        let length = usize::try_from(reader.u32()?).map_err(|_| CryptoError::Malformed)?;
        let body = Body::parse(kind, reader.bytes(length)?)?;
        let signature = Signature(reader.array()?);
        reader.end()?;
        Ok(Self { header, body, signature, bytes })
    }

    /// SHA-256 of the stored bytes.
    pub fn hash(&self) -> EntryHash {
        sha256(self.bytes)
    }

    /// True if `key` signed these bytes.
    pub fn is_signed_by(&self, key: &VerifyKey) -> bool {
        let signed = self.bytes.len().saturating_sub(SIGNATURE);
        let message = [CONTEXT, self.bytes.get(..signed).unwrap_or_default()].concat();
        key.verifies(&message, &self.signature)
    }
}

/// An entry to be written.
pub struct Draft {
    /// The fixed part.
    pub header: Header,
    /// What it says.
    pub body: Body,
}

impl Draft {
    /// Writes and signs the entry. The header's author must be the signer.
    pub fn sign(&self, key: &SignKey) -> Result<Vec<u8>, CryptoError> {
        let mut body = Vec::with_capacity(512);
        self.body.write(&mut body)?;
        let length = u32::try_from(body.len()).map_err(|_| CryptoError::Malformed)?;
        let mut message = Vec::with_capacity(CONTEXT.len() + 256 + body.len());
        message.extend_from_slice(CONTEXT);
        message.extend_from_slice(MAGIC);
        message.push(self.body.kind());
        message.extend_from_slice(&self.header.scope.0);
        message.extend_from_slice(&self.header.seq.to_be_bytes());
        message.extend_from_slice(&self.header.prev);
        message.extend_from_slice(&self.header.author);
        message.extend_from_slice(&self.header.time_ms.to_be_bytes());
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&body);
        let signature = key.sign(&message);
        let mut entry = message.split_off(CONTEXT.len());
        entry.extend_from_slice(&signature.0);
        if entry.len() > MAX_ENTRY { Err(CryptoError::Malformed) } else { Ok(entry) }
    }
}
