//! A value is found in every shape, at every alignment and across every border; and nothing else is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{leaks_of, matcher};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sealbox::crypto::fingerprint::{FingerprintSet, Hit, Matcher, Shape};
use sealbox::domain::{SecretValue, leak::TooVague};
use sealbox::scan::{Progress, What, stream};
use std::io::Read;

const PIECE: usize = 1 << 20;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

fn hits(matcher: &Matcher, data: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    matcher.search(data, 0, |hit| hits.push(hit));
    hits
}

/// Values of 8 to 120 bytes of which none is too vague: half text, half any bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = proptest::collection::vec(proptest::char::range('!', '~').prop_map(|c| c as u8), 8..120);
    let bytes = proptest::collection::vec(any::<u8>(), 8..120);
    prop_oneof![text, bytes].prop_filter("scannable", |value| {
        let value = SecretValue::new(value.clone()).unwrap();
        FingerprintSet::new().unwrap().add(0, &value).is_ok() && value.expose().trim_ascii() == value.expose()
    })
}

#[test]
fn a_value_is_found_raw_and_in_base64_at_every_alignment() {
    let around = || proptest::collection::vec(any::<u8>(), 0..40);
    let case = (value(), around(), around(), any::<bool>());
    runner(300)
        .run(&case, |(value, before, after, url)| {
            let matcher = matcher(&[&value]);
            let text = [&before[..], &value, &after].concat();
            let raw = hits(&matcher, &text);
            let hit =
                Hit { start: before.len(), end: before.len() + value.len(), owner: 0, shape: Shape::Raw };
            prop_assert!(raw.contains(&hit));
            let encoded = if url { URL_SAFE.encode(&text) } else { STANDARD.encode(&text) };
            let found = hits(&matcher, encoded.as_bytes());
            prop_assert!(found.iter().any(|hit| hit.shape == Shape::Base64), "{encoded}");
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_found_is_what_a_plain_search_finds() {
    // Few letters, so that windows repeat and almost-values abound.
    let letters = |len| proptest::collection::vec(proptest::sample::select(b"aB3_".to_vec()), len);
    let case = (proptest::collection::vec(letters(8..14), 1..6), letters(0..4000));
    runner(200)
        .run(&case, |(values, text)| {
            let scannable: Vec<&[u8]> = values
                .iter()
                .map(Vec::as_slice)
                .filter(|value| {
                    let value = SecretValue::new(value.to_vec()).unwrap();
                    FingerprintSet::new().unwrap().add(0, &value).is_ok()
                })
                .collect();
            let matcher = matcher(&scannable);
            let mut found: Vec<(usize, usize, u32)> = hits(&matcher, &text)
                .into_iter()
                .filter(|hit| hit.shape == Shape::Raw)
                .map(|hit| (hit.start, hit.end, hit.owner))
                .collect();
            let mut expected = Vec::new();
            for (owner, value) in scannable.iter().enumerate() {
                for (start, window) in text.windows(value.len()).enumerate() {
                    if window == *value {
                        expected.push((start, start + value.len(), owner as u32));
                    }
                }
            }
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
            Ok(())
        })
        .unwrap();
}

/// Gives a stream in reads of odd sizes.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let len = self.1.min(to.len()).min(self.0.len());
        to[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

#[test]
fn a_value_across_the_border_of_two_pieces_is_found_once_and_at_its_line() {
    let case = (value(), PIECE - 200..PIECE + 2600, 1_usize..100_000, any::<bool>());
    runner(40)
        .run(&case, |(value, at, read, encoded)| {
            let wanted = leaks_of(&[&value]);
            let needle = if encoded { STANDARD.encode(&value).into_bytes() } else { value };
            let mut data = vec![b'-'; at];
            for end in (79..at).step_by(80) {
                data[end] = b'\n';
            }
            let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64;
            let column = (at - data.iter().rposition(|byte| *byte == b'\n').unwrap()) as u64;
            data.extend_from_slice(&needle);
            data.extend_from_slice(&vec![b'-'; 2 * PIECE]);
            let report =
                stream(&mut Dribble(&data, read), "x".into(), &wanted, &Progress::default()).unwrap();
            let findings = &report.files[0].findings;
            prop_assert_eq!(findings.len(), 1, "{:?}", findings);
            prop_assert_eq!(findings[0].offset, at as u64);
            prop_assert_eq!(findings[0].place, Some((lines + 1, column)));
            prop_assert_eq!(report.bytes, data.len() as u64);
            Ok(())
        })
        .unwrap();
}

#[test]
fn other_spellings_of_a_value_are_found_by_their_shape() {
    let value = b"p\"ss w\\rd/\xc3\xa9+=&1Z";
    let matcher = matcher(&[value]);
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let url = "p%22ss%20w%5Crd%2F%C3%A9%2B%3D%261Z";
    let json = serde_json::to_string(std::str::from_utf8(value).unwrap()).unwrap();
    for (text, shape) in [
        (format!("x={hex};"), Shape::Hex),
        (hex.to_uppercase(), Shape::Hex),
        (format!("postgres://u:{url}@h/d"), Shape::Url),
        (format!("{{\"a\":{json}}}"), Shape::Json),
    ] {
        let shapes: Vec<Shape> = hits(&matcher, text.as_bytes()).iter().map(|hit| hit.shape).collect();
        assert_eq!(shapes, [shape], "{text}");
    }
}

#[test]
fn a_private_key_that_was_pasted_with_an_indent_is_found_by_a_line_of_it() {
    let body: Vec<String> = (0..20).map(|n| STANDARD.encode([n; 48])).collect();
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.join("\n"));
    let matcher = matcher(&[key.as_bytes()]);
    let pasted = key.replace('\n', "\n    ");
    assert_eq!(
        hits(&matcher, pasted.as_bytes()).iter().map(|hit| hit.shape).collect::<Vec<_>>(),
        [Shape::Line]
    );
    assert!(hits(&matcher, b"-----BEGIN PRIVATE KEY-----\n").is_empty());
    let public = key.replace("PRIVATE", "PUBLIC");
    assert!(hits(&super::matcher(&[public.as_bytes()]), pasted.as_bytes()).is_empty());
}

#[test]
fn white_space_around_a_value_does_not_hide_it() {
    let matcher = matcher(&[b"  s3cr3t-Value-77\n"]);
    assert_eq!(hits(&matcher, b"KEY=s3cr3t-Value-77;").len(), 1);
}

#[test]
fn values_that_would_be_found_everywhere_are_named_instead() {
    let add = |text: &str| {
        let value = SecretValue::new(text.as_bytes().to_vec()).unwrap();
        FingerprintSet::new().unwrap().add(0, &value)
    };
    for short in ["", "5432", "true", "hunter2", "  abc1234  "] {
        assert_eq!(add(short), Err(TooVague::Short), "{short:?}");
    }
    for plain in
        ["production", "db.internal", "localhost", "CHANGE_ME", "20261121", "127.0.0.1", "xxxxxxxxxxxxxxxxxx"]
    {
        assert_eq!(add(plain), Err(TooVague::Plain), "{plain:?}");
    }
    for fine in ["hunter22", "correct horse battery", "sk_live_1", "847302918465", "Xk7!p2Qz"] {
        assert_eq!(add(fine), Ok(()), "{fine:?}");
    }
}

#[test]
fn a_long_value_is_found_by_its_beginning() {
    let long: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let wanted = leaks_of(&[&long]);
    let data = [vec![b' '; 900_000], long.clone()].concat();
    let report = stream(&mut &data[..], "x".into(), &wanted, &Progress::default()).unwrap();
    assert_eq!(report.files[0].findings[0].offset, 900_000);
    assert!(matches!(report.files[0].findings[0].what, What::Leak { owner: 0, shape: Shape::Raw }));
    let encoded = STANDARD.encode(&long);
    let report = stream(&mut encoded.as_bytes(), "x".into(), &wanted, &Progress::default()).unwrap();
    assert_eq!(report.files[0].findings.len(), 1);
}

#[test]
fn a_set_that_crossed_the_door_finds_the_same_and_holds_no_value() {
    let values: Vec<Vec<u8>> = (0..500).map(|n| format!("value-{n:04}-Xy").into_bytes()).collect();
    let mut set = FingerprintSet::new().unwrap();
    for (owner, value) in values.iter().enumerate() {
        set.add(owner as u32, &SecretValue::new(value.clone()).unwrap()).unwrap();
    }
    let bytes = set.to_bytes();
    for value in &values {
        assert!(!crate::env::holds(&bytes, &value[..8]));
    }
    let matcher = Matcher::new(FingerprintSet::from_bytes(&bytes).unwrap());
    let text = values.join(&b' ');
    let mut owners: Vec<u32> = hits(&matcher, &text).iter().map(|hit| hit.owner).collect();
    owners.sort_unstable();
    assert_eq!(owners, (0..500).collect::<Vec<u32>>());
}

#[test]
fn bytes_that_are_no_set_are_refused() {
    let mut set = FingerprintSet::new().unwrap();
    set.add(0, &SecretValue::new(b"a-Value-of-7".to_vec()).unwrap()).unwrap();
    let bytes = set.to_bytes();
    assert!(FingerprintSet::from_bytes(&bytes).is_ok());
    assert!(FingerprintSet::from_bytes(&[]).is_err());
    assert!(FingerprintSet::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    for (at, byte) in [(51, 1), (52, 255), (56, 7), (58, 255), (64, 9)] {
        let mut bad = bytes.to_vec();
        bad[at] = byte;
        assert!(FingerprintSet::from_bytes(&bad).is_err(), "byte {at} = {byte}");
    }
}

#[test]
fn two_sets_of_one_value_share_nothing() {
    let set = || {
        let mut set = FingerprintSet::new().unwrap();
        set.add(0, &SecretValue::new(b"a-Value-of-7".to_vec()).unwrap()).unwrap();
        set.to_bytes()
    };
    let (one, two) = (set(), set());
    assert_ne!(one[..48], two[..48]);
    assert_ne!(one[one.len() - 16..], two[two.len() - 16..]);
}
