//! The words of the product, as types that cannot hold nonsense.
//!
//! Owns the rules of names, values, roles and scopes, and what a front end may know of a secret. Nothing here reads
//! a file, a clock or a key, so every rule is testable by calling it.

pub mod date;
pub mod event;
pub mod filter;
pub mod label;
pub mod leak;
pub mod lint;
pub mod member;
pub mod name;
pub mod printable;
pub mod reading;
pub mod reference;
pub mod role;
pub mod scope;
pub mod secret;
pub mod shape;
pub mod span;
pub mod template;
pub mod value;

pub use event::{LogEvent, LogKind, LogPick, ReadFacts};
pub use label::Label;
pub use member::{MemberChanged, MemberInfo};
pub use name::{NameError, SecretName};
pub use reading::{ReadAction, ReadCode, ReadRecord};
pub use reference::{Alias, ProviderKey, Reference};
pub use role::{KeyClass, Role};
pub use scope::{ProjectName, ScopeId, ScopeInfo, ScopeRef};
pub use secret::{ImportReport, OnExisting, Rotation, SecretMeta, SetMode, VersionMeta};
pub use template::{Mention, Template, TemplateError};
pub use value::{Passphrase, SecretValue, ValueError};
