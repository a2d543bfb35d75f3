//! Values and keys that must not come out: by an argument list, a panic, or a trait that somebody derives one day.
//!
//! What the commands print and write is held by the command line's own tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod memory;
mod processes;
mod types;
