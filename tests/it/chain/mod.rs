//! The signed log: one fault at a time, whole histories, and random ones against a naive model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod apply;
pub(crate) mod builder;
mod genesis;
mod golden;
mod model;
mod replay;
