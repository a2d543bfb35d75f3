//! The store of an identity that has not joined a vault yet: there is nothing in it, and nothing can be put there.

use super::{Batch, BlobHash, Care, Committed, EachBlob, EachRead, NewReads, Store, StoreError};
use crate::domain::ScopeId;
use std::{ops::ControlFlow, path::Path};

/// Nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoStore;

impl NoStore {
    fn missing<T>() -> Result<T, StoreError> {
        Err(StoreError::Missing { location: "(no vault joined yet)".to_owned() })
    }
}

impl Store for NoStore {
    fn location(&self) -> String {
        "(no vault joined yet)".to_owned()
    }

    fn entries(
        &self,
        _: &ScopeId,
        _: Option<u64>,
        _: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&self, _: &Batch) -> Result<Committed, StoreError> {
        Self::missing()
    }

    fn blob(&self, _: &ScopeId, _: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn blobs(&self, _: &ScopeId, _: EachBlob<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn scopes(&self) -> Result<Vec<ScopeId>, StoreError> {
        Ok(Vec::new())
    }

    fn change_counter(&self) -> Result<i64, StoreError> {
        Ok(0)
    }

    fn backup(&self, _: &Path) -> Result<(), StoreError> {
        Self::missing()
    }

    fn append_reads(&self, _: &NewReads, _: Care) -> Result<Committed, StoreError> {
        Self::missing()
    }

    fn reads(&self, _: &ScopeId, _: &[u8; 32], _: EachRead<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn newest_reads(&self, _: &ScopeId, _: &[u8; 32], _: EachRead<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn count_reads(&self, _: &ScopeId) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
