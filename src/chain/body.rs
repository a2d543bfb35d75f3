//! The bodies of the entry kinds, byte by byte (SPEC 1.5).
//!
//! ```text
//! 0 genesis  parent:32 n:u16 {sign:32 box:32 label:168} g:u32=1 commitK:32 commitM:32 boxes label:168
//! 1 member   sign:32 box:32 role:u8 machine:u8 g:u32 flag:u8 [label:168] class:u8 [box:80]
//! 2 rotate   g:u32 commitK:32 commitM:32 wrapK:72 wrapM:72 boxes
//! 3 put      sid:16 ver:u32 g:u32 floor:u32 flag:u8 [name:168] blob_hash:32
//! 4 del      sid:16
//! 5 child    scope:32
//! 7 schedule sid:16 g:u32 sealed:48                     how often the secret must be changed; see `crypto::records`
//! boxes      n:u16 {recipient:32 class:u8 box:80}       class 1 = M, 2 = K; 0 = no box
//! ```
//! Parsing and writing are inverse: there is exactly one encoding of each body. Kind 7 came after SPEC 1.5 was written:
//! the latest one of a secret counts, one size says nothing of the interval, and 6 stays reserved for `upgrade`.

use crate::crypto::{
    CryptoError, PublicId, SealedBox, SealedName,
    boxes::BOX,
    format::{self, Reader},
    records::SealedInterval,
    scope_keys::{SEALED_NAME, WRAP, Wrap},
};
use crate::domain::{KeyClass, ScopeId};

/// The most boxes or owners that one entry may carry.
pub const MAX_BOXES: usize = 1024;

/// A secret's identity: 16 random bytes, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(pub [u8; 16]);

/// A scope key sealed to one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxFor {
    /// The member's signing key.
    pub recipient: [u8; 32],
    /// Which key is inside.
    pub class: KeyClass,
    /// The box.
    pub sealed: SealedBox,
}

/// A founding owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerIn {
    /// Public keys.
    pub id: PublicId,
    /// Sealed label.
    pub label: SealedName,
}

/// Kind 0: founds a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisBody {
    /// The organization, for a project; zeros for an organization.
    pub parent: ScopeId,
    /// At least one.
    pub owners: Vec<OwnerIn>,
    /// Commitment to `K` of generation 1.
    pub commit_full: [u8; 32],
    /// Commitment to `M` of generation 1.
    pub commit_meta: [u8; 32],
    /// `K` for every owner.
    pub boxes: Vec<BoxFor>,
    /// The scope's own sealed name.
    pub label: SealedName,
}

/// Kind 1: admits, changes or removes a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberBody {
    /// Public keys.
    pub id: PublicId,
    /// 0 to remove, else a role's byte.
    pub role: u8,
    /// True for a worker's token.
    pub machine: bool,
    /// The generation of the key in the box and of the label.
    pub generation: u32,
    /// Sealed label; required for a new member, absent to keep the present one.
    pub label: Option<SealedName>,
    /// The key of this generation; present exactly if `role` is not 0.
    pub sealed: Option<(KeyClass, SealedBox)>,
}

/// Kind 2: new keys for everybody who is still a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateBody {
    /// The new generation.
    pub generation: u32,
    /// Commitment to the new `K`.
    pub commit_full: [u8; 32],
    /// Commitment to the new `M`.
    pub commit_meta: [u8; 32],
    /// The previous `K` under the new one.
    pub wrap_full: Wrap,
    /// The previous `M` under the new one.
    pub wrap_meta: Wrap,
    /// One for each present member.
    pub boxes: Vec<BoxFor>,
}

/// Kind 3: a version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBody {
    /// Which secret.
    pub secret: SecretId,
    /// Which version, from 1.
    pub version: u32,
    /// The generation of the key that sealed the blob and the name.
    pub generation: u32,
    /// Versions below this have no ciphertext any more.
    pub floor: u32,
    /// Sealed name, in the first put of a secret only.
    pub name: Option<SealedName>,
    /// SHA-256 of the blob.
    pub blob: [u8; 32],
}

/// Kind 7: how often a secret must be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleBody {
    /// Which secret.
    pub secret: SecretId,
    /// The generation of the key that sealed the interval.
    pub generation: u32,
    /// The interval.
    pub sealed: SealedInterval,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Kind 0.
    Genesis(GenesisBody),
    /// Kind 1.
    Member(MemberBody),
    /// Kind 2.
    Rotate(RotateBody),
    /// Kind 3.
    Put(PutBody),
    /// Kind 4: deletes a secret for good.
    Delete(SecretId),
    /// Kind 5: a project belongs to this organization.
    Child(ScopeId),
    /// Kind 7.
    Schedule(ScheduleBody),
    /// A kind that this version does not know (6, `upgrade`, is reserved).
    Unknown(u8),
}

impl Body {
    /// The kind byte.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Genesis(_) => 0,
            Self::Member(_) => 1,
            Self::Rotate(_) => 2,
            Self::Put(_) => 3,
            Self::Delete(_) => 4,
            Self::Child(_) => 5,
            Self::Schedule(_) => 7,
            Self::Unknown(kind) => *kind,
        }
    }

    /// Reads the body of `kind`; unknown kinds are kept as such, their bytes are not looked at.
    pub fn parse(kind: u8, bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut reader = Reader::new(bytes);
        let from = &mut reader;
        let body = match kind {
            0 => Self::Genesis(parse_genesis(from)?),
            1 => Self::Member(parse_member(from)?),
            2 => Self::Rotate(parse_rotate(from)?),
            3 => Self::Put(parse_put(from)?),
            4 => Self::Delete(SecretId(from.array()?)),
            5 => Self::Child(ScopeId(from.array()?)),
            7 => Self::Schedule(ScheduleBody {
                secret: SecretId(from.array()?),
                generation: from.u32()?,
                sealed: SealedInterval(from.array()?),
            }),
            other => return Ok(Self::Unknown(other)),
        };
        reader.end()?;
        Ok(body)
    }

    /// Appends the bytes that [`Self::parse`] reads.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), CryptoError> {
        match self {
            Self::Genesis(body) => write_genesis(body, out),
            Self::Member(body) => {
                write_member(body, out);
                Ok(())
            }
            Self::Rotate(body) => write_rotate(body, out),
            Self::Put(body) => {
                write_put(body, out);
                Ok(())
            }
            Self::Delete(secret) => {
                out.extend_from_slice(&secret.0);
                Ok(())
            }
            Self::Child(scope) => {
                out.extend_from_slice(&scope.0);
                Ok(())
            }
            Self::Schedule(body) => {
                out.extend_from_slice(&body.secret.0);
                out.extend_from_slice(&body.generation.to_be_bytes());
                out.extend_from_slice(&body.sealed.0);
                Ok(())
            }
            Self::Unknown(_) => Err(CryptoError::Newer),
        }
    }
}

fn parse_genesis(from: &mut Reader<'_>) -> Result<GenesisBody, CryptoError> {
    let parent = ScopeId(from.array()?);
    let owners = many(from, 64 + SEALED_NAME, |from| {
        Ok(OwnerIn { id: parse_id(from)?, label: SealedName(from.array()?) })
    })?;
    if from.u32()? != 1 {
        return Err(CryptoError::Malformed);
    }
    Ok(GenesisBody {
        parent,
        owners,
        commit_full: from.array()?,
        commit_meta: from.array()?,
        boxes: parse_boxes(from)?,
        label: SealedName(from.array()?),
    })
}

fn write_genesis(body: &GenesisBody, out: &mut Vec<u8>) -> Result<(), CryptoError> {
    out.extend_from_slice(&body.parent.0);
    format::count(out, body.owners.len())?;
    for owner in &body.owners {
        write_id(&owner.id, out);
        out.extend_from_slice(&owner.label.0);
    }
    out.extend_from_slice(&1u32.to_be_bytes());
    out.extend_from_slice(&body.commit_full);
    out.extend_from_slice(&body.commit_meta);
    write_boxes(&body.boxes, out)?;
    out.extend_from_slice(&body.label.0);
    Ok(())
}

fn parse_member(from: &mut Reader<'_>) -> Result<MemberBody, CryptoError> {
    Ok(MemberBody {
        id: parse_id(from)?,
        role: from.u8()?,
        machine: from.flag()?,
        generation: from.u32()?,
        label: parse_name(from)?,
        sealed: match from.u8()? {
            0 => None,
            class => Some((parse_class(class)?, SealedBox(from.array()?))),
        },
    })
}

fn write_member(body: &MemberBody, out: &mut Vec<u8>) {
    write_id(&body.id, out);
    out.push(body.role);
    out.push(u8::from(body.machine));
    out.extend_from_slice(&body.generation.to_be_bytes());
    write_name(body.label.as_ref(), out);
    match &body.sealed {
        None => out.push(0),
        Some((class, sealed)) => {
            out.push(class_byte(*class));
            out.extend_from_slice(&sealed.0);
        }
    }
}

fn parse_rotate(from: &mut Reader<'_>) -> Result<RotateBody, CryptoError> {
    Ok(RotateBody {
        generation: from.u32()?,
        commit_full: from.array()?,
        commit_meta: from.array()?,
        wrap_full: Wrap(from.array::<WRAP>()?),
        wrap_meta: Wrap(from.array::<WRAP>()?),
        boxes: parse_boxes(from)?,
    })
}

fn write_rotate(body: &RotateBody, out: &mut Vec<u8>) -> Result<(), CryptoError> {
    out.extend_from_slice(&body.generation.to_be_bytes());
    out.extend_from_slice(&body.commit_full);
    out.extend_from_slice(&body.commit_meta);
    out.extend_from_slice(&body.wrap_full.0);
    out.extend_from_slice(&body.wrap_meta.0);
    write_boxes(&body.boxes, out)
}

fn parse_put(from: &mut Reader<'_>) -> Result<PutBody, CryptoError> {
    Ok(PutBody {
        secret: SecretId(from.array()?),
        version: from.u32()?,
        generation: from.u32()?,
        floor: from.u32()?,
        name: parse_name(from)?,
        blob: from.array()?,
    })
}

fn write_put(body: &PutBody, out: &mut Vec<u8>) {
    out.extend_from_slice(&body.secret.0);
    for number in [body.version, body.generation, body.floor] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    write_name(body.name.as_ref(), out);
    out.extend_from_slice(&body.blob);
}

fn parse_id(from: &mut Reader<'_>) -> Result<PublicId, CryptoError> {
    Ok(PublicId { sign: from.array()?, boxed: from.array()? })
}

fn write_id(id: &PublicId, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.sign);
    out.extend_from_slice(&id.boxed);
}

fn parse_name(from: &mut Reader<'_>) -> Result<Option<SealedName>, CryptoError> {
    if from.flag()? { Ok(Some(SealedName(from.array()?))) } else { Ok(None) }
}

fn write_name(name: Option<&SealedName>, out: &mut Vec<u8>) {
    out.push(u8::from(name.is_some()));
    if let Some(name) = name {
        out.extend_from_slice(&name.0);
    }
}

fn parse_class(byte: u8) -> Result<KeyClass, CryptoError> {
    match byte {
        1 => Ok(KeyClass::Meta),
        2 => Ok(KeyClass::Full),
        _ => Err(CryptoError::Malformed),
    }
}

fn class_byte(class: KeyClass) -> u8 {
    match class {
        KeyClass::Meta => 1,
        KeyClass::Full => 2,
    }
}

fn parse_boxes(from: &mut Reader<'_>) -> Result<Vec<BoxFor>, CryptoError> {
    many(from, 32 + 1 + BOX, |from| {
        Ok(BoxFor {
            recipient: from.array()?,
            class: parse_class(from.u8()?)?,
            sealed: SealedBox(from.array()?),
        })
    })
}

fn write_boxes(boxes: &[BoxFor], out: &mut Vec<u8>) -> Result<(), CryptoError> {
    format::count(out, boxes.len())?;
    for one in boxes {
        out.extend_from_slice(&one.recipient);
        out.push(class_byte(one.class));
        out.extend_from_slice(&one.sealed.0);
    }
    Ok(())
}

/// Reads a counted list; the count is checked against the cap and the bytes left before anything is allocated.
fn many<'a, T>(
    from: &mut Reader<'a>,
    size: usize,
    mut one: impl FnMut(&mut Reader<'a>) -> Result<T, CryptoError>,
) -> Result<Vec<T>, CryptoError> {
    let count = usize::from(from.u16()?);
    if count > MAX_BOXES || count * size > from.left() {
        return Err(CryptoError::Malformed);
    }
    (0..count).map(|_| one(from)).collect()
}
