//! The screens behind the dialogs: the browser's tables, and the two gates (wizard, unlock).

pub(crate) mod browser;
pub(crate) mod log;
pub(crate) mod members;
pub(crate) mod table;
mod unlock;
mod wizard;

pub(crate) use unlock::Unlock;
pub(crate) use wizard::Wizard;
