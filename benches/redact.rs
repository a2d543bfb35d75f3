//! The figures of redaction and of templates. Wired into the harness by `figures.rs`; alone: `cargo bench --bench redact`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use sealbox::domain::{SecretName, SecretValue};
use sealbox::resolve::{Redaction, Redactor};
use std::sync::Arc;
use std::time::Instant;

fn main() {
    redaction(1000);
}

/// So many values, each like what people keep: keys, passwords, connection strings.
fn values(count: usize) -> Vec<(SecretName, SecretValue)> {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let value = |n: usize| match n % 4 {
        0 => format!("sk_live_{:016x}{:016x}", next(), next()),
        1 => format!("{:x}!p@ss/{:x}", next(), next() % 65_536),
        2 => format!("postgres://app:{:016x}@db{n}.internal:5432/main?sslmode=verify-full", next()),
        _ => format!("{:016x}{:016x}{:016x}{:016x}", next(), next(), next(), next()),
    };
    let mut value = value;
    (0..count)
        .map(|n| {
            let name = SecretName::parse(&format!("SECRET_{n:04}")).unwrap();
            (name, SecretValue::new(value(n).into_bytes()).unwrap())
        })
        .collect()
}

/// A log as programs write it, some of its lines with what values look like.
fn log(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 200);
    let mut n = 0_u64;
    while text.len() < bytes {
        n += 1;
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let line = match n % 5 {
            0 => format!(
                "2026-11-21T12:00:{:02}Z INFO request id={mixed:016x} path=/v1/items/{n} status=200 took=12ms\n",
                n % 60
            ),
            1 => format!("\u{1b}[32m ok \u{1b}[0m test {n} passed in {}ms\n", mixed % 1000),
            2 => format!(
                "{{\"level\":\"debug\",\"url\":\"https://api.example.com/v1/{n}?token={mixed:x}\"}}\n"
            ),
            3 => format!("sk_test_{mixed:016x} postgres://app@db.internal:5432/main\n"),
            _ => format!("   Compiling some-crate v1.{n}.0 (/home/someone/src/project/crates/some-crate)\n"),
        };
        text.extend_from_slice(line.as_bytes());
    }
    text.truncate(bytes);
    text
}

/// MB/s of one stream on one core, in pieces as a pipe gives them.
pub fn redaction(secrets: usize) {
    let start = Instant::now();
    let redaction = Arc::new(Redaction::new(values(secrets)));
    println!(
        "{:<58} {:>9.1} ms",
        format!("redaction: prepare {secrets} secrets"),
        start.elapsed().as_secs_f64() * 1e3
    );
    let text = log(64 << 20);
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (mut redactor, mut out) = (Redactor::new(Arc::clone(&redaction)), Vec::with_capacity(1 << 20));
        let start = Instant::now();
        for piece in text.chunks(64 << 10) {
            out.clear();
            redactor.push(piece, &mut out);
        }
        redactor.finish(&mut out);
        best = best.max(text.len() as f64 / 1e6 / start.elapsed().as_secs_f64());
    }
    println!("{:<58} {best:>9.0} MB/s  300 MB/s", format!("redaction with {secrets} secrets, one core"));
}
