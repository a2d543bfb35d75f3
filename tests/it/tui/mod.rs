//! The screen: flows over the real service without a terminal, screens as snapshots, the real binary in a pty.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod copying;
mod flows;
mod gates;
mod hostile;
mod people;
mod pty;
mod references;
mod rig;
mod screens;
mod speed;
