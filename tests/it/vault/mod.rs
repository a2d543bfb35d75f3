//! The vault against hostile stores, hostile members, faults and mistakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attic;
mod faults;
mod files;
mod golden;
mod hostile;
mod lint;
mod members;
mod moves;
mod reads;
mod rogue;
