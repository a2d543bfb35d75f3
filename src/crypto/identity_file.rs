//! The identity file: a seed, the roots it trusts and where the store is, sealed under a passphrase (SPEC 1.4).
//!
//! ```text
//! "SC1I" | memory_kib:u32 passes:u32 lanes:u32 | salt16 | commit32 | nonce24 | AEAD(payload), AAD = all before the nonce
//! payload = seed32 | n:u16 root32*n | len:u16 store-url | zeros up to a multiple of 512
//! Argon2id(NFKC(passphrase), salt) -> HKDF "sc1/identity" (AEAD key) and "sc1/commit" (compared first)
//! ```
//! The commitment is compared before the AEAD is tried, because XChaCha20-Poly1305 does not commit to its key. A wrong
//! passphrase and a changed file give one and the same error.

use super::{
    CryptoError, Identity, KdfCost, KdfPolicy, SecretKey, aead, format, format::Reader, kdf, random,
};
use crate::domain::{Passphrase, ScopeId};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

const MAGIC: &[u8; 4] = b"SC1I";
const HEADER: usize = 4 + 12 + 16 + 32;
const STEP: usize = 512;
/// The longest identity file, in bytes.
pub const MAX_FILE: u64 = 64 << 10;

/// What an identity file holds.
pub struct IdentityFile {
    /// The secret half.
    pub identity: Identity,
    /// Scopes whose id came over a trusted channel: created here, or named by a link. The first one is the home.
    pub roots: Vec<ScopeId>,
    /// Where the store is; empty for the vault's own `store.db`. May hold a password, hence sealed.
    pub store_url: Zeroizing<String>,
}

impl IdentityFile {
    /// A deliberate second copy, in locked memory of its own.
    pub fn duplicate(&self) -> Result<Self, CryptoError> {
        let seed = SecretKey::copy_of(&self.identity.seed().expose());
        Ok(Self {
            identity: Identity::from_seed(seed)?,
            roots: self.roots.clone(),
            store_url: self.store_url.clone(),
        })
    }

    /// Seals with a fresh salt and nonce.
    pub fn seal(&self, passphrase: &Passphrase, cost: KdfCost) -> Result<Vec<u8>, CryptoError> {
        let salt = random::array::<16>()?;
        let keys = Keys::derive(passphrase, &salt, cost)?;
        let mut out = Vec::with_capacity(HEADER + STEP + aead::OVERHEAD);
        out.extend_from_slice(MAGIC);
        for number in [cost.memory_kib, cost.passes, cost.lanes] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&salt);
        out.extend_from_slice(&*keys.commit);
        let sealed = aead::seal(&keys.seal, &self.payload()?, &out)?;
        out.extend_from_slice(&sealed);
        // What could not be read back must not be written.
        if out.len() as u64 > MAX_FILE { Err(CryptoError::Malformed) } else { Ok(out) }
    }

    /// Opens a file. [`CryptoError::Unauthentic`] for a wrong passphrase *and* for changed bytes; `Newer` for another
    /// magic of ours; `KdfBounds` before any work if the cost is outside the policy. Also says the file's cost.
    pub fn open(
        bytes: &[u8],
        passphrase: &Passphrase,
        policy: &KdfPolicy,
    ) -> Result<(Self, KdfCost), CryptoError> {
        let (cost, salt) = header(bytes, policy)?;
        let keys = Keys::derive(passphrase, &salt, cost)?;
        let (head, sealed) = bytes.split_at_checked(HEADER).ok_or(CryptoError::Malformed)?;
        let commit = head.get(HEADER - 32..).unwrap_or_default();
        if !bool::from(commit.ct_eq(keys.commit.as_slice())) {
            return Err(CryptoError::Unauthentic);
        }
        let payload = aead::open(&keys.seal, sealed, head)?;
        Ok((Self::from_payload(&payload)?, cost))
    }

    /// Looks, without a passphrase, whether this can be an identity file at all; says its cost. Errors as [`Self::open`].
    pub fn inspect(bytes: &[u8], policy: &KdfPolicy) -> Result<KdfCost, CryptoError> {
        let (cost, _) = header(bytes, policy)?;
        if bytes.len() < HEADER + aead::OVERHEAD { Err(CryptoError::Malformed) } else { Ok(cost) }
    }

    fn payload(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        // All the room at once: a vector that grows leaves copies of the seed behind.
        let need = 32 + 2 + 32 * self.roots.len() + 2 + self.store_url.len();
        let mut out = Zeroizing::new(Vec::with_capacity(need.div_ceil(STEP) * STEP));
        out.extend_from_slice(self.identity.seed().expose().as_slice());
        format::count(&mut out, self.roots.len())?;
        self.roots.iter().for_each(|root| out.extend_from_slice(&root.0));
        format::count(&mut out, self.store_url.len())?;
        out.extend_from_slice(self.store_url.as_bytes());
        let padded = out.len().div_ceil(STEP) * STEP;
        out.resize(padded, 0);
        Ok(out)
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CryptoError> {
        let mut reader = Reader::new(payload);
        let mut seed: [u8; 32] = reader.array()?;
        let key = SecretKey::copy_of(&seed);
        seed.zeroize();
        let roots = (0..reader.u16()?).map(|_| reader.array().map(ScopeId)).collect::<Result<_, _>>()?;
        let length = usize::from(reader.u16()?);
        let url = std::str::from_utf8(reader.bytes(length)?).map_err(|_| CryptoError::Malformed)?;
        Ok(Self { identity: Identity::from_seed(key)?, roots, store_url: Zeroizing::new(url.to_owned()) })
    }
}

/// Reads the cost and salt; the cost is bounded before anyone allocates for it.
fn header(bytes: &[u8], policy: &KdfPolicy) -> Result<(KdfCost, [u8; 16]), CryptoError> {
    let mut reader = Reader::new(bytes);
    let magic: [u8; 4] = reader.array()?;
    if &magic != MAGIC {
        let ours = magic.starts_with(b"SC") && magic.ends_with(b"I");
        return Err(if ours { CryptoError::Newer } else { CryptoError::Malformed });
    }
    let cost = KdfCost { memory_kib: reader.u32()?, passes: reader.u32()?, lanes: reader.u32()? };
    policy.accept(cost)?;
    Ok((cost, reader.array()?))
}

struct Keys {
    seal: Zeroizing<[u8; 32]>,
    commit: Zeroizing<[u8; 32]>,
}

impl Keys {
    fn derive(passphrase: &Passphrase, salt: &[u8; 16], cost: KdfCost) -> Result<Self, CryptoError> {
        let root = kdf::from_passphrase(passphrase, salt, cost)?;
        Ok(Self {
            seal: kdf::derive_brief(&root.expose(), "sc1/identity")?,
            commit: kdf::derive_brief(&root.expose(), "sc1/commit")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: KdfPolicy = KdfPolicy { cost: KdfCost { memory_kib: 8, passes: 1, lanes: 1 }, floor_kib: 8 };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    fn sample() -> IdentityFile {
        IdentityFile {
            identity: Identity::from_seed(SecretKey::copy_of(&[5; 32])).unwrap(),
            roots: vec![ScopeId([1; 32]), ScopeId([2; 32])],
            store_url: Zeroizing::new("sqlite:/srv/team.db".to_owned()),
        }
    }

    #[test]
    fn opens_with_its_passphrase_only() {
        let bytes = sample().seal(&passphrase("right"), CHEAP.cost).unwrap();
        let (file, cost) = IdentityFile::open(&bytes, &passphrase("right"), &CHEAP).unwrap();
        assert_eq!(file.identity.public(), sample().identity.public());
        assert_eq!((file.roots.len(), file.store_url.as_str(), cost), (2, "sqlite:/srv/team.db", CHEAP.cost));
        assert_eq!(
            IdentityFile::open(&bytes, &passphrase("wrong"), &CHEAP).err(),
            Some(CryptoError::Unauthentic)
        );
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let bytes = sample().seal(&passphrase("p"), CHEAP.cost).unwrap();
        for at in 16..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(IdentityFile::open(&flipped, &passphrase("p"), &CHEAP).is_err(), "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(
                IdentityFile::open(&bytes[..length], &passphrase("p"), &CHEAP).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn a_memory_bomb_is_refused_before_any_memory_is_taken() {
        let mut bytes = sample().seal(&passphrase("p"), CHEAP.cost).unwrap();
        bytes[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(IdentityFile::open(&bytes, &passphrase("p"), &CHEAP).err(), Some(CryptoError::KdfBounds));
    }

    #[test]
    fn a_newer_magic_says_newer_and_a_foreign_file_malformed() {
        let mut bytes = sample().seal(&passphrase("p"), CHEAP.cost).unwrap();
        bytes[2] = b'2';
        assert_eq!(IdentityFile::open(&bytes, &passphrase("p"), &CHEAP).err(), Some(CryptoError::Newer));
        assert_eq!(
            IdentityFile::open(b"PK\x03\x04....", &passphrase("p"), &CHEAP).err(),
            Some(CryptoError::Malformed)
        );
    }
}
