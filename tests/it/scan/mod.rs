//! Scanning: the fingerprints, the walk over folders and git's index, and the commands that stand on them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod command;
mod declared;
mod delete;
mod fingerprints;
mod staged;
mod trees;

use sealbox::crypto::fingerprint::{FingerprintSet, Matcher};
use sealbox::domain::SecretValue;
use sealbox::scan::Wanted;
use std::sync::Arc;

/// A matcher for these values; their owners are their places.
fn matcher(values: &[&[u8]]) -> Matcher {
    let mut set = FingerprintSet::new().unwrap();
    for (owner, value) in values.iter().enumerate() {
        let value = SecretValue::new(value.to_vec()).unwrap();
        set.add(u32::try_from(owner).unwrap(), &value).unwrap();
    }
    Matcher::new(set)
}

fn leaks_of(values: &[&[u8]]) -> Wanted {
    Wanted { references: false, leaks: Some(Arc::new(matcher(values))) }
}
