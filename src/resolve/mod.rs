//! From references to values: which secret of which scope a name stands for, the walk that reads them, and the
//! redaction that keeps them out of what a program prints.
//!
//! [`plan`] decides and is pure, [`mod@execute`] walks, [`redact`] hides. Owns no command and no file format: `domain` knows how a
//! reference is spelled, `service` who may ask, the front ends what is done with the values.

pub mod execute;
pub mod plan;
pub mod redact;

pub use execute::{Item, NoProviders, ProviderSource, ResolveError, execute, prepare, rehearse};
pub use plan::{Plan, Problems, Source, Wanted};
pub use redact::{Redaction, Redactor};
