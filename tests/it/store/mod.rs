//! Stores: one promise for all of them, and what SQLite and its file must stand up to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod concurrency;
mod conformance;
mod damage;
mod sqlite;
pub(crate) mod wrappers;
