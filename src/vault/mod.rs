//! Use cases on our own secrets. Everything is derived from signed chains; nothing from the store is trusted.
//!
//! * [`home`]: the files of a vault on this machine: init, unlock, passphrase, join.
//! * `upkeep`: backup, restore, recovery, reset.
//! * [`session`]: an unlocked vault: following and writing chains.
//! * `space`, `keyring`: one scope opened, and the keys we hold for it.
//! * `secrets`, `bulk`, `projects`, `members`, `rotation`, `log`: what a user does.
//! * [`prints`]: fingerprints of values, to search files for leaks.
//! * `reads`: the read log: writing down what was read, and showing it beside the changes.
//! * `lint`: good practice as checks.
//! * [`verify`]: what anybody can check without a key.
//! * [`transfer`]: file formats for import and export.

mod bulk;
pub mod error;
mod founding;
pub mod home;
mod keyring;
pub mod link;
mod lint;
mod log;
mod members;
pub mod prints;
mod projects;
mod reads;
mod rotation;
mod secrets;
pub mod session;
mod space;
pub mod transfer;
mod upkeep;
pub mod verify;

pub use error::VaultError;
pub use home::{Home, Prepared};
pub use secrets::{Names, Reading};
pub use session::Vault;
