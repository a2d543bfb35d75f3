//! The bytes that come from outside: parsers that never panic and never accept two forms of one thing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod parsers;
