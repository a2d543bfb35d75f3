//! The search for leaked values in memory, on one core: what is left of a scan when nothing has to be read from a disk.

use super::random;
use sealbox::crypto::fingerprint::{FingerprintSet, Matcher};
use sealbox::domain::SecretValue;
use std::time::Instant;

/// How fast text is searched for so many values, each in every shape.
pub(crate) fn figures() {
    let text = source(128 << 20);
    for count in [1_000, 10_000] {
        let matcher = Matcher::new(set(count));
        let best = (0..3).map(|_| {
            let start = Instant::now();
            let mut hits = 0;
            matcher.search(&text, 0, |_| hits += 1);
            assert_eq!(hits, 0, "nothing leaked into this text");
            start.elapsed()
        });
        let rate = text.len() as f64 / 1e6 / best.min().unwrap().as_secs_f64();
        println!(
            "{:<62} {rate:>7.0} MB/s   500 MB/s",
            format!("search for {count} values and their spellings, one core")
        );
    }
}

fn set(count: u32) -> FingerprintSet {
    let mut set = FingerprintSet::new().unwrap();
    let mut next = random(88_172_645_463_325_252);
    for owner in 0..count {
        let value = match owner % 3 {
            0 => format!("sk_live_{:016x}{:016x}", next(), next()),
            1 => format!("postgres://app:{:016x}@db{owner}.internal:5432/main", next()),
            _ => format!("{:x}!p@ss/{:x}", next(), next()),
        };
        set.add(owner, &SecretValue::new(value.into_bytes()).unwrap()).unwrap();
    }
    set
}

/// Text as in a repository, no line of it twice.
fn source(length: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(length + 128);
    let mut n = 1_u64;
    while text.len() < length {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let line = format!(
            "    let value_{} = compute(&{n:x}, other.field)?; // https://example.org/{}\n",
            n >> 50,
            n >> 40
        );
        text.extend_from_slice(line.as_bytes());
    }
    text
}
