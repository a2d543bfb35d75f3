//! The keys of one scope and generation (SPEC 1.2, 1.5).
//!
//! `K` is random. `V = HKDF(K,"sc1/value")` opens values, `M = HKDF(K,"sc1/meta")` opens names and labels; there is no way
//! from `M` back to `K`, which is what the role `read` rests on. Commitments let every recipient check the key it was
//! handed; wraps let a holder of a newer key walk back to the older ones.

use super::{CryptoError, SecretKey, aead, format, kdf, random, secret_key::Exposed};
use crate::domain::SecretValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a sealed name or label.
pub const SEALED_NAME: usize = PADDED_NAME + aead::OVERHEAD;
/// Bytes of a wrapped key.
pub const WRAP: usize = 32 + aead::OVERHEAD;
const PADDED_NAME: usize = 128;

/// A name or label, padded to 128 bytes and sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedName(pub [u8; SEALED_NAME]);

/// An older key sealed under the next one of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrap(pub [u8; WRAP]);

/// What a sealed name or label belongs to; goes into the AAD so that it cannot be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The name of a secret.
    Secret(&'a [u8; 16]),
    /// The label of a member, by signing key.
    Member(&'a [u8; 32]),
    /// The name of the scope itself.
    Scope,
}

/// `K`: opens everything of one generation.
pub struct FullKey(SecretKey);

/// `M`: opens names and labels of one generation. Keeps the derived `M' = HKDF(M,"sc1/name")` at hand, because a list
/// opens many names.
pub struct MetaKey {
    meta: SecretKey,
    name: SecretKey,
}

/// What a value's ciphertext is bound to.
#[derive(Debug, Clone, Copy)]
pub struct BlobContext<'a> {
    /// The scope's id.
    pub scope: &'a [u8; 32],
    /// The secret's id.
    pub secret: &'a [u8; 16],
    /// The version.
    pub version: u32,
    /// The key's generation.
    pub generation: u32,
}

impl BlobContext<'_> {
    fn aad(&self) -> Vec<u8> {
        [
            b"sc1/blob".as_slice(),
            self.scope,
            self.secret,
            &self.version.to_be_bytes(),
            &self.generation.to_be_bytes(),
        ]
        .concat()
    }
}

impl FullKey {
    /// A fresh random key.
    pub fn generate() -> Result<Self, CryptoError> {
        random::key().map(Self)
    }

    /// Takes a key that came out of a box or a wrap.
    pub fn from_key(key: SecretKey) -> Self {
        Self(key)
    }

    /// The key itself, to be sealed into a box.
    pub fn expose(&self) -> Exposed<'_> {
        self.0.expose()
    }

    /// The public commitment `HKDF(K,"sc1/commit")`.
    pub fn commitment(&self) -> Result<[u8; 32], CryptoError> {
        commitment(&self.0.expose())
    }

    /// The key for names and labels of the same generation.
    pub fn meta(&self) -> Result<MetaKey, CryptoError> {
        MetaKey::from_key(kdf::derive(&self.0.expose(), "sc1/meta")?)
    }

    /// Seals a value: `nonce | XChaCha20Poly1305(V, pad(value), "sc1/blob"|scope|sid|ver|g)`.
    pub fn seal_value(&self, context: BlobContext<'_>, value: &SecretValue) -> Result<Vec<u8>, CryptoError> {
        let key = kdf::derive_brief(&self.0.expose(), "sc1/value")?;
        aead::seal(&key, &format::pad(value.expose())?, &context.aad())
    }

    /// Opens what [`Self::seal_value`] made.
    pub fn open_value(&self, context: BlobContext<'_>, blob: &[u8]) -> Result<SecretValue, CryptoError> {
        let key = kdf::derive_brief(&self.0.expose(), "sc1/value")?;
        let padded = aead::open(&key, blob, &context.aad())?;
        SecretValue::new(format::unpad(&padded)?.to_vec()).map_err(|_| CryptoError::Malformed)
    }

    /// Seals the key of the generation before, so that new members can walk back.
    pub fn wrap(&self, scope: &[u8; 32], generation: u32, older: &Self) -> Result<Wrap, CryptoError> {
        wrap(&self.0.expose(), b'K', scope, generation, &older.0.expose())
    }

    /// Opens the wrap that the entry of `generation` carries.
    pub fn unwrap(&self, scope: &[u8; 32], generation: u32, sealed: &Wrap) -> Result<Self, CryptoError> {
        unwrap(&self.0.expose(), b'K', scope, generation, sealed).map(Self)
    }
}

impl MetaKey {
    /// Takes a key that came out of a box, a wrap or a derivation.
    pub fn from_key(meta: SecretKey) -> Result<Self, CryptoError> {
        let name = kdf::derive(&meta.expose(), "sc1/name")?;
        Ok(Self { meta, name })
    }

    /// The key itself, to be sealed into a box.
    pub fn expose(&self) -> Exposed<'_> {
        self.meta.expose()
    }

    /// The public commitment `HKDF(M,"sc1/commit")`.
    pub fn commitment(&self) -> Result<[u8; 32], CryptoError> {
        commitment(&self.meta.expose())
    }

    /// Seals a name or label of 1 to 128 bytes of UTF-8 without NUL.
    pub fn seal_name(
        &self,
        scope: &[u8; 32],
        subject: Subject<'_>,
        text: &str,
    ) -> Result<SealedName, CryptoError> {
        if text.is_empty() || text.len() > PADDED_NAME || text.contains('\0') {
            return Err(CryptoError::Malformed);
        }
        let mut padded = Zeroizing::new(text.as_bytes().to_vec());
        padded.resize(PADDED_NAME, 0);
        let sealed = aead::seal(&self.name.expose(), &padded, &name_aad(scope, subject))?;
        sealed.try_into().map(SealedName).map_err(|_| CryptoError::Malformed)
    }

    /// Opens what [`Self::seal_name`] made.
    pub fn open_name(
        &self,
        scope: &[u8; 32],
        subject: Subject<'_>,
        sealed: &SealedName,
    ) -> Result<String, CryptoError> {
        let padded = aead::open(&self.name.expose(), &sealed.0, &name_aad(scope, subject))?;
        let end = padded.iter().rposition(|byte| *byte != 0).ok_or(CryptoError::Malformed)?;
        let text = padded
            .get(..=end)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or(CryptoError::Malformed)?;
        if text.contains('\0') { Err(CryptoError::Malformed) } else { Ok(text.to_owned()) }
    }

    /// Seals the key of the generation before.
    pub fn wrap(&self, scope: &[u8; 32], generation: u32, older: &Self) -> Result<Wrap, CryptoError> {
        wrap(&self.meta.expose(), b'M', scope, generation, &older.meta.expose())
    }

    /// Opens the wrap that the entry of `generation` carries.
    pub fn unwrap(&self, scope: &[u8; 32], generation: u32, sealed: &Wrap) -> Result<Self, CryptoError> {
        Self::from_key(unwrap(&self.meta.expose(), b'M', scope, generation, sealed)?)
    }
}

/// True if two commitments are equal, in constant time.
pub fn same_commitment(one: &[u8; 32], two: &[u8; 32]) -> bool {
    one.ct_eq(two).into()
}

fn commitment(key: &[u8; 32]) -> Result<[u8; 32], CryptoError> {
    Ok(*kdf::derive_brief(key, "sc1/commit")?)
}

fn name_aad(scope: &[u8; 32], subject: Subject<'_>) -> Vec<u8> {
    match subject {
        Subject::Secret(id) => [b"sc1/name".as_slice(), scope, id].concat(),
        Subject::Member(key) => [b"sc1/label".as_slice(), scope, key].concat(),
        Subject::Scope => [b"sc1/scope".as_slice(), scope].concat(),
    }
}

fn wrap_aad(class: u8, scope: &[u8; 32], generation: u32) -> Vec<u8> {
    [b"sc1/wrap".as_slice(), &[class], scope, &generation.to_be_bytes()].concat()
}

fn wrap(
    key: &[u8; 32],
    class: u8,
    scope: &[u8; 32],
    generation: u32,
    older: &[u8; 32],
) -> Result<Wrap, CryptoError> {
    let key = kdf::derive_brief(key, "sc1/wrap")?;
    let sealed = aead::seal(&key, older, &wrap_aad(class, scope, generation))?;
    sealed.try_into().map(Wrap).map_err(|_| CryptoError::Malformed)
}

fn unwrap(
    key: &[u8; 32],
    class: u8,
    scope: &[u8; 32],
    generation: u32,
    sealed: &Wrap,
) -> Result<SecretKey, CryptoError> {
    let key = kdf::derive_brief(key, "sc1/wrap")?;
    let older = aead::open(&key, &sealed.0, &wrap_aad(class, scope, generation))?;
    let older: &[u8; 32] = older.as_slice().try_into().map_err(|_| CryptoError::Malformed)?;
    Ok(SecretKey::copy_of(older))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context<'a>(scope: &'a [u8; 32], secret: &'a [u8; 16]) -> BlobContext<'a> {
        BlobContext { scope, secret, version: 1, generation: 1 }
    }

    #[test]
    fn a_value_cannot_be_moved() {
        let key = FullKey::generate().unwrap();
        let (scope, secret) = ([1; 32], [2; 16]);
        let value = SecretValue::new(b"v".to_vec()).unwrap();
        let blob = key.seal_value(context(&scope, &secret), &value).unwrap();
        assert_eq!(key.open_value(context(&scope, &secret), &blob).unwrap().expose(), b"v");
        assert!(key.open_value(context(&[9; 32], &secret), &blob).is_err());
        assert!(key.open_value(context(&scope, &[9; 16]), &blob).is_err());
        assert!(key.open_value(BlobContext { version: 2, ..context(&scope, &secret) }, &blob).is_err());
        assert!(key.open_value(BlobContext { generation: 2, ..context(&scope, &secret) }, &blob).is_err());
    }

    #[test]
    fn a_name_cannot_be_moved_or_turned_into_a_label() {
        let meta = FullKey::generate().unwrap().meta().unwrap();
        let sealed = meta.seal_name(&[1; 32], Subject::Secret(&[2; 16]), "API_KEY").unwrap();
        assert_eq!(meta.open_name(&[1; 32], Subject::Secret(&[2; 16]), &sealed).unwrap(), "API_KEY");
        assert!(meta.open_name(&[1; 32], Subject::Secret(&[3; 16]), &sealed).is_err());
        assert!(meta.open_name(&[2; 32], Subject::Secret(&[2; 16]), &sealed).is_err());
        assert!(meta.open_name(&[1; 32], Subject::Member(&[2; 32]), &sealed).is_err());
        assert!(meta.open_name(&[1; 32], Subject::Scope, &sealed).is_err());
    }

    #[test]
    fn the_meta_key_opens_no_value_and_no_full_wrap() {
        let (old, new) = (FullKey::generate().unwrap(), FullKey::generate().unwrap());
        let wrap = new.wrap(&[1; 32], 2, &old).unwrap();
        assert!(*new.unwrap(&[1; 32], 2, &wrap).unwrap().expose() == *old.expose());
        assert!(new.meta().unwrap().unwrap(&[1; 32], 2, &wrap).is_err());
        let value = SecretValue::new(b"v".to_vec()).unwrap();
        let blob = new.seal_value(context(&[1; 32], &[2; 16]), &value).unwrap();
        let as_if_full = FullKey::from_key(SecretKey::copy_of(&new.meta().unwrap().expose()));
        assert!(as_if_full.open_value(context(&[1; 32], &[2; 16]), &blob).is_err());
    }
}
