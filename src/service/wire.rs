//! How secrets cross the door when the door is a socket: as base64 text inside the request or answer.
//!
//! [`SecretValue`] has no `Serialize` on purpose. A field that may travel says so with `#[serde(with = "wire::value")]`,
//! so that each such place is visible where the message is defined.

use crate::domain::{Passphrase, SecretName, SecretValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serializer, de::Error};
use zeroize::Zeroizing;

fn decode<E: Error>(text: String) -> Result<SecretValue, E> {
    let text = Zeroizing::new(text);
    let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| E::custom("not base64"))?;
    SecretValue::new(bytes).map_err(E::custom)
}

fn encode(value: &SecretValue) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(value.expose()))
}

/// A [`SecretValue`] field.
pub mod value {
    use super::*;
    /// Writes the value as base64.
    pub fn serialize<S: Serializer>(value: &SecretValue, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&encode(value))
    }
    /// Reads base64; at most 1 MiB of value.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretValue, D::Error> {
        decode(String::deserialize(from)?)
    }
}

/// A [`SecretValue`] field that may be empty-handed.
pub mod optional {
    use super::*;
    /// Writes the value as base64, or null.
    pub fn serialize<S: Serializer>(value: &Option<SecretValue>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.serialize_some(encode(value).as_str()),
            None => to.serialize_none(),
        }
    }
    /// Reads base64 or null; at most 1 MiB of value.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretValue>, D::Error> {
        Option::<String>::deserialize(from)?.map(decode).transpose()
    }
}

/// A [`Passphrase`] field.
pub mod passphrase {
    use super::*;
    /// Writes the passphrase as base64 of its UTF-8 bytes.
    pub fn serialize<S: Serializer>(value: &Passphrase, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(STANDARD.encode(value.expose())))
    }
    /// Reads base64 of UTF-8.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Passphrase, D::Error> {
        let value = decode::<D::Error>(String::deserialize(from)?)?;
        let text = value.expose_text().ok_or_else(|| D::Error::custom("not UTF-8"))?;
        Ok(Passphrase::new(text.to_owned()))
    }
}

/// A list of names with their values.
pub mod entries {
    use super::*;
    use serde::ser::SerializeSeq;
    /// Writes a sequence of `[name, base64]` pairs.
    pub fn serialize<S: Serializer>(list: &[(SecretName, SecretValue)], to: S) -> Result<S::Ok, S::Error> {
        let mut sequence = to.serialize_seq(Some(list.len()))?;
        for (name, value) in list {
            sequence.serialize_element(&(name, encode(value).as_str()))?;
        }
        sequence.end()
    }
    /// Reads a sequence of `[name, base64]` pairs.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(SecretName, SecretValue)>, D::Error> {
        let pairs = Vec::<(SecretName, String)>::deserialize(from)?;
        pairs.into_iter().map(|(name, text)| Ok((name, decode(text)?))).collect()
    }
}

/// A set of fingerprints: wiped like a value, and as compact as base64 allows.
pub mod fingerprints {
    use super::*;
    use crate::crypto::fingerprint::FingerprintSet;
    /// Writes base64.
    pub fn serialize<S: Serializer>(set: &FingerprintSet, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(STANDARD.encode(&*set.to_bytes())))
    }
    /// Reads base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FingerprintSet, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let bytes = STANDARD.decode(text.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| D::Error::custom("not base64"))?;
        FingerprintSet::from_bytes(&bytes).map_err(D::Error::custom)
    }
}
