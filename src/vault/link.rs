//! The link that an owner sends to a new member, over a channel that is not the store (SPEC 1.7).
//!
//! ```text
//! link = "scj1_" base58({scope:32 seq:u64 hash:32} for each granted scope | crc32) "@" store-url-without-password
//! ```
//! It carries the roots of trust: the ids of the scopes, and a pin in each. The checksum catches typing errors offline.

use super::error::VaultError;
use crate::chain::Head;
use crate::crypto::format::Reader;
use crate::domain::ScopeId;

const PREFIX: &str = "scj1_";

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Granted scopes, each with an entry that the owner has verified.
    pub scopes: Vec<(ScopeId, Head)>,
    /// `sqlite:/absolute/path`.
    pub store_url: String,
}

impl Link {
    /// The text to send.
    pub fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(self.scopes.len() * 72 + 4);
        for (scope, pin) in &self.scopes {
            bytes.extend_from_slice(&scope.0);
            bytes.extend_from_slice(&pin.seq.to_be_bytes());
            bytes.extend_from_slice(&pin.hash);
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        format!("{PREFIX}{}@{}", bs58::encode(bytes).into_string(), self.store_url)
    }

    /// Reads [`Self::to_text`]; refuses typing errors.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let malformed = || {
            VaultError::Invalid(
                "this is not a complete sealbox link (scj1_…@…): copy the whole of it".to_owned(),
            )
        };
        let rest = text.trim().strip_prefix(PREFIX).ok_or_else(malformed)?;
        let (code, store_url) = rest.split_once('@').ok_or_else(malformed)?;
        if code.len() > 64 << 10 {
            return Err(malformed());
        }
        let bytes = bs58::decode(code).into_vec().map_err(|_| malformed())?;
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or_else(malformed)?;
        if crc32fast::hash(body).to_be_bytes() != *sum || body.is_empty() || body.len() % 72 != 0 {
            return Err(malformed());
        }
        let mut reader = Reader::new(body);
        let scopes = (0..body.len() / 72)
            .map(|_| {
                let scope = ScopeId(reader.array()?);
                Ok((scope, Head { seq: reader.u64()?, hash: reader.array()? }))
            })
            .collect::<Result<_, crate::crypto::CryptoError>>()?;
        Ok(Self { scopes, store_url: store_url.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_survives_its_text_and_a_typing_error_does_not() {
        let link = Link {
            scopes: vec![
                (ScopeId([1; 32]), Head { seq: 7, hash: [2; 32] }),
                (ScopeId([3; 32]), Head { seq: 0, hash: [4; 32] }),
            ],
            store_url: "sqlite:/srv/a@b/store.db".to_owned(),
        };
        let text = link.to_text();
        assert_eq!(Link::parse(&format!(" {text}\n")).unwrap(), link);
        for at in 5..text.find('@').unwrap() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'2' { b'3' } else { b'2' };
            assert!(Link::parse(std::str::from_utf8(&wrong).unwrap()).is_err(), "character {at}");
        }
        assert!(Link::parse("scj1_").is_err());
        assert!(Link::parse(&text[..40]).is_err());
    }
}
