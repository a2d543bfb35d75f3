//! Canonical bytes: a writer, and a reader that refuses everything the writer would not have written.
//!
//! Integers are big-endian. Nothing is optional, nothing may trail, and lengths are checked before anything is
//! allocated (SPEC 1.5, R20).

use super::CryptoError;

/// Reads from the front of a byte string.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], CryptoError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(CryptoError::Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CryptoError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(CryptoError::Malformed)?;
        self.0 = tail;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CryptoError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, CryptoError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, CryptoError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, CryptoError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A byte that must be 0 or 1.
    pub fn flag(&mut self) -> Result<bool, CryptoError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CryptoError::Malformed),
        }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// Ok if everything was read.
    pub fn end(self) -> Result<(), CryptoError> {
        if self.0.is_empty() { Ok(()) } else { Err(CryptoError::Malformed) }
    }
}

/// Appends a big-endian `u16` count; `None` if there are more than 65535.
pub fn count(out: &mut Vec<u8>, n: usize) -> Result<(), CryptoError> {
    out.extend_from_slice(&u16::try_from(n).map_err(|_| CryptoError::Malformed)?.to_be_bytes());
    Ok(())
}

/// The padded size of a value of `len` bytes: `len:u32 | value | zeros` to 256 B * 2^n up to 4 KiB, then in 4 KiB steps.
pub fn padded_size(len: usize) -> usize {
    let need = len.saturating_add(4);
    if need <= 4096 { need.next_power_of_two().max(256) } else { need.div_ceil(4096).saturating_mul(4096) }
}

/// Pads a value so that its ciphertext tells only a size bucket.
pub fn pad(value: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, CryptoError> {
    let len = u32::try_from(value.len()).map_err(|_| CryptoError::Malformed)?;
    let mut out = zeroize::Zeroizing::new(Vec::with_capacity(padded_size(value.len())));
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
    out.resize(padded_size(value.len()), 0);
    Ok(out)
}

/// The value inside a padded plaintext; refuses any padding that [`pad`] would not have made.
pub fn unpad(padded: &[u8]) -> Result<&[u8], CryptoError> {
    let mut reader = Reader::new(padded);
    let len = usize::try_from(reader.u32()?).map_err(|_| CryptoError::Malformed)?;
    let value = reader.bytes(len)?;
    let canonical = padded.len() == padded_size(len) && reader.0.iter().all(|byte| *byte == 0);
    if canonical { Ok(value) } else { Err(CryptoError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_has_the_buckets_of_the_specification() {
        for (len, size) in
            [(0, 256), (252, 256), (253, 512), (4092, 4096), (4093, 8192), (1 << 20, (1 << 20) + 4096)]
        {
            assert_eq!(padded_size(len), size, "{len}");
        }
    }

    #[test]
    fn only_canonical_padding_is_read() {
        let padded = pad(b"abc").unwrap();
        assert_eq!(unpad(&padded).unwrap(), b"abc");
        let mut dirty = padded.clone();
        dirty[200] = 1;
        assert!(unpad(&dirty).is_err());
        assert!(unpad(&padded[..255]).is_err());
        let mut longer = padded.to_vec();
        longer.resize(512, 0);
        assert!(unpad(&longer).is_err());
        assert!(unpad(&[0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
