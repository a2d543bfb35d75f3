//! `run`, through the real binary: what a program gets, what others see of it, signals, streams, and the terminal.
//!
//! Each run of the binary derives a real key (64 MiB), so one run holds as many cases as it can.

mod gets;
mod signals;
mod streams;
mod terminal;
