//! sealbox keeps secrets for people who live in terminals: one binary, a terminal UI and a command line.
//!
//! # The map
//!
//! Data flows one way: a front end builds a request, the service answers it from the vault, the vault derives
//! everything from the signed chain, and the store holds sealed bytes only. A room imports only from rooms of a
//! **lower** level; `tests/layers.rs` reads the sources and holds this table to be true.
//!
//! | level | room | what it owns |
//! |---|---|---|
//! | 0 | [`domain`] | pure words of the product: name, value, scope, role, secret, reference, template, filter. No I/O, no clock, no keys |
//! | 1 | [`crypto`] | KDF, AEAD, identity, boxes, byte formats, fingerprints, generation: bytes in, bytes out; the only door to primitives |
//! | 1 | [`platform`] | the operating system: clipboard, child processes and their terminal, files, paths, hardening, clocks |
//! | 1 | [`config`] | typed settings, their load order, and the project file that is found upward |
//! | 2 | [`chain`] | the signed log and the pure `apply` that turns entries into state |
//! | 2 | [`store`] | the `Store` trait over tables of sealed bytes, and SQLite |
//! | 3 | [`vault`] | use cases on our own secrets: unlock, secrets, members, history, read log, rotation, lint, verify, transfer |
//! | 4 | [`resolve`] | references become a plan, the plan becomes values; redaction of what programs print |
//! | 4 | [`scan`] | reading files for references and leaked values, by fingerprints |
//! | 5 | [`service`] | the one door that front ends see: typed requests in, answers out |
//! | 6 | [`agent`] | the same service behind a unix socket, held by a process of its own |
//! | 7 | [`cli`] | arguments, one file per command, output, prompts, exit codes |
//! | 7 | [`tui`] | action, msg, model, pure update, view, keymap, theme, effects, runtime |
//!
//! Three rules hold everywhere: only front ends print, prompt or exit; a secret lives in a type that wipes itself
//! and has no `Debug`, `Display`, `Clone` or `Serialize`; and every write is atomic.

pub mod agent;
pub mod chain;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod platform;
pub mod resolve;
pub mod scan;
pub mod service;
pub mod store;
pub mod tui;
pub mod vault;
