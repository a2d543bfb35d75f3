//! The integration tests, linked into one binary: the real program and the real library, hermetically.

#![allow(unreachable_pub, reason = "this binary has no outside")]

mod agent;
mod chain;
mod cli;
mod copy;
mod crash;
mod crypto;
mod env;
mod layers;
mod leak;
mod mended;
mod people;
mod readme;
mod resolve;
mod run;
mod scan;
mod service;
mod store;
mod tui;
mod vault;
