//! What `M` seals besides names and labels: rotation intervals, and the details of read-log records.
//!
//! Both have a key of their own below `M`, so that neither can be passed off as the other or as a name:
//! `HKDF(M,"sc1/schedule")` and `HKDF(M,"sc1/access")`. Every reader opens them; the store learns neither. An interval
//! has one size for every interval, and details are padded as values are.

use super::{CryptoError, MetaKey, aead, format, kdf};
use zeroize::Zeroizing;

/// Bytes of a sealed interval.
pub const SEALED_INTERVAL: usize = 8 + aead::OVERHEAD;
/// The most bytes of details in one record, before padding.
pub const MAX_DETAILS: usize = 48 << 10;

/// A rotation interval, sealed: one size whatever it is, also for "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedInterval(pub [u8; SEALED_INTERVAL]);

/// What a record of the read log is bound to.
#[derive(Debug, Clone, Copy)]
pub struct RecordContext<'a> {
    /// The scope's id.
    pub scope: &'a [u8; 32],
    /// Signing key of whoever read.
    pub author: &'a [u8; 32],
    /// Position in that author's chain.
    pub seq: u64,
    /// The key's generation.
    pub generation: u32,
}

impl RecordContext<'_> {
    fn aad(&self) -> Vec<u8> {
        [
            b"sc1/access".as_slice(),
            self.scope,
            self.author,
            &self.seq.to_be_bytes(),
            &self.generation.to_be_bytes(),
        ]
        .concat()
    }
}

impl MetaKey {
    /// Seals how often a secret must be changed, in seconds; 0 for "no interval".
    pub fn seal_interval(
        &self,
        scope: &[u8; 32],
        secret: &[u8; 16],
        generation: u32,
        seconds: u64,
    ) -> Result<SealedInterval, CryptoError> {
        let key = kdf::derive_brief(&self.expose(), "sc1/schedule")?;
        let sealed = aead::seal(&key, &seconds.to_be_bytes(), &interval_aad(scope, secret, generation))?;
        sealed.try_into().map(SealedInterval).map_err(|_| CryptoError::Malformed)
    }

    /// Opens what [`Self::seal_interval`] made.
    pub fn open_interval(
        &self,
        scope: &[u8; 32],
        secret: &[u8; 16],
        generation: u32,
        sealed: &SealedInterval,
    ) -> Result<u64, CryptoError> {
        let key = kdf::derive_brief(&self.expose(), "sc1/schedule")?;
        let plain = aead::open(&key, &sealed.0, &interval_aad(scope, secret, generation))?;
        let bytes: [u8; 8] = plain.as_slice().try_into().map_err(|_| CryptoError::Malformed)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Seals the details of one record, at most [`MAX_DETAILS`] bytes.
    pub fn seal_details(&self, context: RecordContext<'_>, details: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if details.len() > MAX_DETAILS {
            return Err(CryptoError::Malformed);
        }
        let key = kdf::derive_brief(&self.expose(), "sc1/access")?;
        aead::seal(&key, &format::pad(details)?, &context.aad())
    }

    /// Opens what [`Self::seal_details`] made.
    pub fn open_details(
        &self,
        context: RecordContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = kdf::derive_brief(&self.expose(), "sc1/access")?;
        let padded = aead::open(&key, sealed, &context.aad())?;
        Ok(Zeroizing::new(format::unpad(&padded)?.to_vec()))
    }
}

fn interval_aad(scope: &[u8; 32], secret: &[u8; 16], generation: u32) -> Vec<u8> {
    [b"sc1/schedule".as_slice(), scope, secret, &generation.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::FullKey;

    #[test]
    fn an_interval_cannot_be_moved_and_shows_nothing_by_its_size() {
        let meta = FullKey::generate().unwrap().meta().unwrap();
        let (scope, secret) = ([1; 32], [2; 16]);
        let sealed = meta.seal_interval(&scope, &secret, 3, 7_776_000).unwrap();
        assert_eq!(meta.open_interval(&scope, &secret, 3, &sealed).unwrap(), 7_776_000);
        assert!(meta.open_interval(&[9; 32], &secret, 3, &sealed).is_err());
        assert!(meta.open_interval(&scope, &[9; 16], 3, &sealed).is_err());
        assert!(meta.open_interval(&scope, &secret, 4, &sealed).is_err());
        let other = FullKey::generate().unwrap().meta().unwrap();
        assert!(other.open_interval(&scope, &secret, 3, &sealed).is_err());
        for seconds in [0, 1, u64::MAX] {
            assert_eq!(meta.seal_interval(&scope, &secret, 3, seconds).unwrap().0.len(), SEALED_INTERVAL);
        }
    }

    #[test]
    fn details_cannot_be_moved_and_show_a_size_bucket_only() {
        let meta = FullKey::generate().unwrap().meta().unwrap();
        let right = RecordContext { scope: &[1; 32], author: &[2; 32], seq: 3, generation: 4 };
        let sealed = meta.seal_details(right, b"details").unwrap();
        assert_eq!(meta.open_details(right, &sealed).unwrap().as_slice(), b"details");
        for wrong in [
            RecordContext { scope: &[9; 32], ..right },
            RecordContext { author: &[9; 32], ..right },
            RecordContext { seq: 4, ..right },
            RecordContext { generation: 5, ..right },
        ] {
            assert!(meta.open_details(wrong, &sealed).is_err());
        }
        assert_eq!(sealed.len(), meta.seal_details(right, &[7; 200]).unwrap().len());
        assert!(meta.seal_details(right, &vec![0; MAX_DETAILS]).is_ok());
        assert!(meta.seal_details(right, &vec![0; MAX_DETAILS + 1]).is_err());
    }
}
