//! vault

pub mod transfer;
