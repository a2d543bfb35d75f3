//! Identities: a 32-byte seed is a person, a machine or a paper recovery key, all the same thing (SPEC 1.1).
//!
//! `Ed25519 = HKDF(seed,"sc1/sign")`, `X25519 = HKDF(seed,"sc1/box")`: never one key for both uses. The public half
//! travels as a bech32m string that owners paste.

use super::{CryptoError, SecretKey, VerifyKey, boxes, format::Reader, kdf, random, sign::SignKey};
use crate::domain::{ScopeId, SecretValue};
use bech32::{Bech32m, Hrp};
use zeroize::{Zeroize, Zeroizing};

const ID_PREFIX: &str = "sbid";
const RECOVERY_PREFIX: &str = "sbkey";

/// The secret half.
pub struct Identity {
    seed: SecretKey,
    public: PublicId,
}

/// The public half: what a member entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId {
    /// Ed25519 public key.
    pub sign: [u8; 32],
    /// X25519 public key.
    pub boxed: [u8; 32],
}

impl Identity {
    /// A fresh random identity.
    pub fn generate() -> Result<Self, CryptoError> {
        Self::from_seed(random::key()?)
    }

    /// The identity of a seed.
    pub fn from_seed(seed: SecretKey) -> Result<Self, CryptoError> {
        let sign = signer_of(&seed)?.public();
        let boxed = boxes::public_of(&*kdf::derive_brief(&seed.expose(), "sc1/box")?)?;
        Ok(Self { seed, public: PublicId { sign, boxed } })
    }

    /// The seed, to be sealed into an identity file or printed on paper.
    pub fn seed(&self) -> &SecretKey {
        &self.seed
    }

    /// The public half.
    pub fn public(&self) -> &PublicId {
        &self.public
    }

    /// A key to sign with, for a run of signatures.
    pub fn signer(&self) -> Result<SignKey, CryptoError> {
        signer_of(&self.seed)
    }

    /// Opens a box that was sealed to this identity.
    pub fn open_box(
        &self,
        context: boxes::BoxContext<'_>,
        sealed: &boxes::SealedBox,
    ) -> Result<SecretKey, CryptoError> {
        boxes::open(&*kdf::derive_brief(&self.seed.expose(), "sc1/box")?, context, sealed)
    }
}

fn signer_of(seed: &SecretKey) -> Result<SignKey, CryptoError> {
    Ok(SignKey::from_seed(&*kdf::derive_brief(&seed.expose(), "sc1/sign")?))
}

impl PublicId {
    /// The string that people send to an owner, about 114 characters.
    pub fn to_text(&self) -> String {
        let bytes = [self.sign, self.boxed].concat();
        Hrp::parse(ID_PREFIX)
            .ok()
            .and_then(|hrp| bech32::encode::<Bech32m>(hrp, &bytes).ok())
            .unwrap_or_default()
    }

    /// Reads [`Self::to_text`]; a typing error, a foreign string and a weak key are refused.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let bytes = decode(text, ID_PREFIX)?;
        let mut reader = Reader::new(&bytes);
        let id = Self { sign: reader.array()?, boxed: reader.array()? };
        reader.end()?;
        VerifyKey::parse(&id.sign)?;
        Ok(id)
    }
}

/// A recovery key as it is printed: the seed of a second owner, and enough of the organization's id (16 bytes) to
/// recognise the right vault.
pub struct RecoveryKey {
    /// The second owner.
    pub identity: Identity,
    /// First 16 bytes of the organization's scope id.
    pub scope_prefix: [u8; 16],
}

impl RecoveryKey {
    /// The printed form: lower-case bech32m in groups of six, separated by spaces.
    pub fn to_text(identity: &Identity, organization: &ScopeId) -> Result<SecretValue, CryptoError> {
        let prefix = organization.0.get(..16).unwrap_or_default();
        let bytes = Zeroizing::new([identity.seed.expose().as_slice(), prefix].concat());
        let hrp = Hrp::parse(RECOVERY_PREFIX).map_err(|_| CryptoError::Malformed)?;
        let mut text = Zeroizing::new(String::with_capacity(128));
        bech32::encode_lower_to_fmt::<Bech32m, _>(&mut *text, hrp, &bytes)
            .map_err(|_| CryptoError::Malformed)?;
        let mut grouped = Vec::with_capacity(text.len() * 7 / 6 + 1);
        for (at, byte) in text.bytes().enumerate() {
            if at > 0 && at % 6 == 0 {
                grouped.push(b' ');
            }
            grouped.push(byte);
        }
        SecretValue::new(grouped).map_err(|_| CryptoError::Malformed)
    }

    /// Reads what a person typed: case, spaces, line breaks and dashes do not matter.
    pub fn parse(text: &SecretValue) -> Result<Self, CryptoError> {
        let text = text.expose_text().ok_or(CryptoError::Malformed)?;
        let mut compact = Zeroizing::new(String::with_capacity(text.len()));
        compact
            .extend(text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()));
        let mut bytes = decode(&compact, RECOVERY_PREFIX)?;
        let parsed = (|| {
            let mut reader = Reader::new(&bytes);
            let mut seed: [u8; 32] = reader.array()?;
            let key = SecretKey::copy_of(&seed);
            seed.zeroize();
            let scope_prefix = reader.array()?;
            reader.end()?;
            Ok(Self { identity: Identity::from_seed(key)?, scope_prefix })
        })();
        bytes.zeroize();
        parsed
    }
}

/// Decodes bech32m (never the older bech32) with the expected prefix.
fn decode(text: &str, prefix: &str) -> Result<Vec<u8>, CryptoError> {
    let parsed = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text)
        .map_err(|_| CryptoError::Malformed)?;
    if parsed.hrp().to_lowercase() != prefix {
        return Err(CryptoError::Malformed);
    }
    Ok(parsed.byte_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_a_typing_error_does_not() {
        let identity = Identity::from_seed(SecretKey::copy_of(&[7; 32])).unwrap();
        let text = identity.public().to_text();
        assert!(text.starts_with("sbid1") && text.len() < 120, "{text}");
        assert_eq!(PublicId::parse(&text).unwrap(), *identity.public());
        for at in 5..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'q' { b'p' } else { b'q' };
            assert!(PublicId::parse(std::str::from_utf8(&wrong).unwrap()).is_err(), "character {at}");
        }
    }

    #[test]
    fn an_id_with_a_low_order_key_is_refused() {
        let mut weak = [0; 32];
        weak[0] = 1;
        assert!(PublicId::parse(&PublicId { sign: weak, boxed: [5; 32] }.to_text()).is_err());
    }

    #[test]
    fn a_recovery_key_is_read_back_however_it_was_typed() {
        let identity = Identity::from_seed(SecretKey::copy_of(&[8; 32])).unwrap();
        let text = RecoveryKey::to_text(&identity, &ScopeId([4; 32])).unwrap();
        let typed = text.expose_text().unwrap().to_uppercase().replace(' ', "-\n ");
        let read = RecoveryKey::parse(&SecretValue::new(typed.into_bytes()).unwrap()).unwrap();
        assert_eq!(read.identity.public(), identity.public());
        assert_eq!(read.scope_prefix, [4; 16]);
        let id_text = SecretValue::new(identity.public().to_text().into_bytes()).unwrap();
        assert!(RecoveryKey::parse(&id_text).is_err());
    }
}
