//! From references to values: which secret of which scope a name stands for, the walk that reads them, and the
//! redaction that keeps them out of what a program prints.
//!
//! Owns no command and no file format: `domain` knows how a reference is spelled, `service` who may ask, the front ends
//! what is done with the values.

pub mod redact;

pub use redact::{Redaction, Redactor};
