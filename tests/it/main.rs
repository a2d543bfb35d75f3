//! The integration tests, linked into one binary: the real program and the real library, hermetically.

mod chain;
mod cli;
mod crypto;
mod env;
mod people;
mod readme;
mod store;
mod tui;
