//! The integration tests, linked into one binary: the real program and the real library, hermetically.

mod cli;
mod env;
mod tui;
