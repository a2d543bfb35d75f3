//! The operating system, behind small safe functions: files, paths, clocks, hardening, clipboard, the user's editor,
//! other programs.
//!
//! Nothing here knows what a vault is; secrets pass through as bytes and are wiped.

pub mod clipboard;
pub mod clock;
pub mod editor;
pub mod failpoint;
pub mod files;
pub mod harden;
pub mod host;
pub mod ourselves;
pub mod paths;
pub mod process;
pub mod tty;
