//! Streams: redaction of what a program prints, and templates with references in them. One core, in memory.

use super::random;
use sealbox::domain::{Reference, SecretName, SecretValue, Template};
use sealbox::resolve::{Redaction, Redactor};
use std::{sync::Arc, time::Instant};

/// Redaction with a thousand secrets, and the text of `inject`.
pub(crate) fn figures() {
    redaction(1000);
    inject();
}

/// So many values, each like what people keep: keys, passwords, connection strings.
fn values(count: usize) -> Vec<(SecretName, SecretValue)> {
    let mut next = random(88_172_645_463_325_252);
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

/// The best of several runs over so many bytes.
fn speed(figure: &str, bytes: usize, reach: &str, mut run: impl FnMut()) {
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let start = Instant::now();
        run();
        best = best.max(bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
    }
    println!("{figure:<62} {best:>9.0} MB/s {reach}");
}

fn redaction(secrets: usize) {
    let list = values(secrets);
    let (time, redaction) = super::timed(|| Arc::new(Redaction::new(list)));
    super::report(&format!("redaction: prepare {secrets} secrets"), time, "");
    let text = log(64 << 20);
    let mut out = Vec::with_capacity(1 << 20);
    speed(
        &format!("redaction with {secrets} secrets, a log in pieces of 64 KiB"),
        text.len(),
        "300 MB/s",
        || {
            let mut redactor = Redactor::new(Arc::clone(&redaction));
            for piece in text.chunks(64 << 10) {
                out.clear();
                redactor.push(piece, &mut out);
            }
            redactor.finish(&mut out);
        },
    );
}

/// A text of 64 MiB with a reference in each line of 100 bytes or so, and one with few.
fn inject() {
    for (every, what) in [(1, "each line"), (1000, "one line in 1000")] {
        let mut text = Vec::with_capacity(65 << 20);
        let mut line = 0_usize;
        while text.len() < 60 << 20 {
            line += 1;
            let value = if line.is_multiple_of(every) {
                format!("{{{{$secret.NAME_{}}}}}", line % 1000)
            } else {
                "plain".to_owned()
            };
            let name = format!("services.backend.settings.{line:08}");
            text.extend_from_slice(
                format!("{name}.url = \"https://example.com/{value}/and/some/more?x=1\"\n").as_bytes(),
            );
        }
        let value = b"0123456789abcdef";
        let mut out = Vec::with_capacity(96 << 20);
        speed(&format!("inject: 60 MiB of text, a reference in {what}"), text.len(), "200 MB/s", || {
            out.clear();
            let template = Template::parse(&text).unwrap();
            template.render(|_: &Reference| Some(value.as_slice()), &mut out).unwrap();
        });
    }
}
