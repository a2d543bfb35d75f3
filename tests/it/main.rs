//! The integration tests, linked into one binary: the real program and the real library, hermetically.

#![allow(unreachable_pub, reason = "this binary has no outside")]

mod cli;
mod env;
mod tui;
