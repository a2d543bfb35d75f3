//! The figures of sealbox, measured in one run: `cargo bench --bench figures`.
//!
//! Prints each figure beside what it should reach, and beside peers where one is installed. Nothing here is a test: a slow
//! machine prints larger numbers and still succeeds. Everything runs in a throw-away folder, on real files, with the
//! real store. In process the key derivation is cheap, because its cost is a policy and not a figure; whole processes are
//! the real binary, unlocked once.
//!
//! `-- 10000` measures the vault and the screen at that size only; `-- use` measures whole processes only, `-- streams`
//! redaction and templates only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

mod redact;
mod scan;
mod screen;
mod usage;
mod vault;

use sealbox::crypto::{KdfCost, KdfPolicy};
use std::time::{Duration, Instant};

/// As in the binary: wiping what is given back is part of the price.
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

const CHEAP: KdfPolicy = KdfPolicy { cost: KdfCost { memory_kib: 8, passes: 1, lanes: 1 }, floor_kib: 8 };

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let only_use = arguments.iter().any(|argument| argument == "use");
    let only_sizes = !sizes.is_empty();
    let only_streams = arguments.iter().any(|argument| argument == "streams");
    if !only_use && !only_sizes && !only_streams {
        sizes = vec![10_000, 100_000];
    }
    println!("{:<62} {:>12}   reach", "figure", "measured");
    if !only_use && !only_sizes {
        redact::figures();
        scan::figures();
    }
    for count in sizes {
        vault::figures(count);
        screen::figures(count);
    }
    if !only_sizes && !only_streams {
        usage::figures();
    }
}

fn report(figure: &str, measured: Duration, reach: &str) {
    println!("{figure:<62} {:>9.1} ms   {reach}", measured.as_secs_f64() * 1e3);
}

/// The middle one of several runs.
fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..runs).map(|_| run()).collect();
    times.sort();
    times[runs / 2]
}

/// The 99th percentile of so many runs.
fn worst(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..runs).map(|_| run()).collect();
    times.sort();
    times[runs * 99 / 100]
}

/// The same numbers in every run that look like chance (xorshift with the shifts 13, 7, 17 of Marsaglia, 2003).
fn random(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = run();
    (start.elapsed(), result)
}
