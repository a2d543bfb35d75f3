//! R20: no parser panics, on random bytes or on valid ones that were changed; parsing and writing are inverse; every
//! truncation and every trailing byte is refused; a count that the bytes cannot hold is refused before anything is allocated.

use crate::chain::builder::{ChainBuilder, id, person, raw};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use sealbox::chain::{Body, Entry, Head, ReadDraft, ReadEntry, ReadHeader};
use sealbox::crypto::identity_file::IdentityFile;
use sealbox::crypto::{CryptoError, KdfCost, KdfPolicy, PublicId, RecoveryKey, format};
use sealbox::domain::{Passphrase, ScopeId, SecretValue};
use sealbox::vault::link::Link;
use std::sync::LazyLock;
use zeroize::Zeroizing;

const CHEAP: KdfPolicy = KdfPolicy { cost: KdfCost { memory_kib: 8, passes: 1, lanes: 1 }, floor_kib: 8 };
/// Header bytes before a body.
const BODY: usize = 3 + 1 + 32 + 8 + 32 + 32 + 8 + 4;

static ENTRIES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| ChainBuilder::standard().rows.into_iter().map(|(_, bytes)| bytes).collect());
static IDENTITY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = IdentityFile {
        identity: person("ada"),
        roots: vec![ScopeId([1; 32])],
        store_url: Zeroizing::new("sqlite:/srv/x.db".to_owned()),
    };
    file.seal(&secret("p"), CHEAP.cost).unwrap()
});

fn secret(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::new(bytes.to_vec()).unwrap()
}

fn link() -> Link {
    let scopes = [1u8, 2].map(|n| (ScopeId([n; 32]), Head { seq: u64::from(n), hash: [n; 32] }));
    Link { scopes: scopes.into(), store_url: "sqlite:/srv/a@b.db".to_owned() }
}

/// The same run every time, and no file is written beside the sources.
fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(20), ..Config::default() }
}

/// Valid bytes with some of them changed, dropped or added.
fn changed(mut bytes: Vec<u8>, edits: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (at, what, byte) in edits {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match what % 4 {
            0 => bytes[at] ^= byte | 1,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, *byte),
            _ => bytes[at] = *byte,
        }
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..5)
}

/// What a parser accepts must be exactly what a writer writes.
fn body_is_canonical(bytes: &[u8]) {
    if let Ok(entry) = Entry::parse(bytes)
        && !matches!(entry.body, Body::Unknown(_))
    {
        let mut again = Vec::new();
        entry.body.write(&mut again).unwrap();
        assert_eq!(&bytes[BODY..bytes.len() - 64], again.as_slice());
    }
}

proptest! {
    #![proptest_config(config(800))]

    #[test]
    fn random_bytes_panic_no_parser(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0u8..9) {
        let _ = ReadEntry::parse(&bytes);
        let _ = Entry::parse(&bytes);
        let _ = Body::parse(kind, &bytes);
        let _ = IdentityFile::open(&bytes, &secret("p"), &CHEAP);
        let _ = format::unpad(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = Link::parse(&text);
        let _ = Link::parse(&format!("scj1_{text}"));
        let _ = PublicId::parse(&text);
        let _ = RecoveryKey::parse(&value(&bytes));
    }

    #[test]
    fn random_bodies_behind_a_valid_head_are_refused_or_canonical(
        body in prop::collection::vec(any::<u8>(), 0..400), kind in 0u8..8
    ) {
        let head = sealbox::chain::Header {
            scope: ScopeId([1; 32]), seq: 1, prev: [2; 32], author: id("ada").sign, time_ms: 3,
        };
        body_is_canonical(&raw("ada", kind, head, &body));
    }

    #[test]
    fn changed_entries_are_refused_or_canonical(which in any::<prop::sample::Index>(), edits in edits()) {
        body_is_canonical(&changed(which.get(ENTRIES.as_slice()).clone(), &edits));
    }

    #[test]
    fn changed_records_of_readings_are_refused_or_not_signed(edits in edits()) {
        let record = reading();
        let changed = changed(record.clone(), &edits);
        let key = sealbox::crypto::VerifyKey::parse(&id("ada").sign).unwrap();
        if let Ok(entry) = ReadEntry::parse(&changed) {
            prop_assert_eq!(entry.is_signed_by(&key), changed == record);
        }
    }

    #[test]
    fn changed_links_ids_and_recovery_keys_are_refused_or_the_same(edits in edits()) {
        let text = |bytes: String| String::from_utf8_lossy(&changed(bytes.into_bytes(), &edits)).into_owned();
        let changed = text(link().to_text());
        if let Ok(read) = Link::parse(&changed) {
            prop_assert_eq!(read.to_text(), changed.trim());
            prop_assert_eq!(read.scopes, link().scopes);
        }
        let changed = text(id("ada").to_text());
        if let Ok(read) = PublicId::parse(&changed) {
            prop_assert_eq!(read.to_text(), changed.to_lowercase());
        }
        let key = RecoveryKey::to_text(&person("ada"), &ScopeId([4; 32])).unwrap();
        let changed = text(key.expose_text().unwrap().to_owned());
        if let Ok(read) = RecoveryKey::parse(&value(changed.as_bytes())) {
            prop_assert_eq!(read.identity.public(), &id("ada"));
        }
    }

    #[test]
    fn links_survive_their_text(scopes in prop::collection::vec(any::<([u8; 32], u64, [u8; 32])>(), 1..8), url in "sqlite:/[a-z@/ ]{0,20}[a-z]") {
        let scopes = scopes.into_iter().map(|(id, seq, hash)| (ScopeId(id), Head { seq, hash })).collect();
        let link = Link { scopes, store_url: url };
        prop_assert_eq!(Link::parse(&link.to_text()).unwrap(), link);
    }

    #[test]
    fn values_survive_their_padding(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        let padded = format::pad(&bytes).unwrap();
        prop_assert_eq!(padded.len(), format::padded_size(bytes.len()));
        prop_assert_eq!(format::unpad(&padded).unwrap(), bytes.as_slice());
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn changed_identity_files_are_refused(edits in edits()) {
        let changed = changed(IDENTITY.clone(), &edits);
        if changed != *IDENTITY {
            prop_assert!(IdentityFile::open(&changed, &secret("p"), &CHEAP).is_err());
        }
    }
}

#[test]
fn every_truncation_and_every_trailing_byte_is_refused() {
    for entry in ENTRIES.iter() {
        assert!(Entry::parse(entry).is_ok());
        for end in 0..entry.len() {
            assert!(Entry::parse(&entry[..end]).is_err(), "{end} of {}", entry.len());
        }
        for byte in [0, 1, 0xff] {
            assert!(Entry::parse(&[entry.as_slice(), &[byte]].concat()).is_err());
        }
        // the same inside the declared length of the body
        let (kind, body) = (entry[3], &entry[BODY..entry.len() - 64]);
        for end in 0..body.len() {
            assert!(Body::parse(kind, &body[..end]).is_err());
        }
        assert!(Body::parse(kind, &[body, &[0]].concat()).is_err());
    }
    let file = &*IDENTITY;
    for end in 0..file.len() {
        assert!(IdentityFile::open(&file[..end], &secret("p"), &CHEAP).is_err());
    }
    assert!(IdentityFile::open(&[file.as_slice(), &[0]].concat(), &secret("p"), &CHEAP).is_err());
    for text in [link().to_text(), id("ada").to_text()] {
        let code_end = text.find('@').unwrap_or(text.len());
        for end in 0..code_end {
            assert!(Link::parse(&text[..end]).is_err() && PublicId::parse(&text[..end]).is_err());
        }
    }
}

/// A record of a reading by ada.
fn reading() -> Vec<u8> {
    let header = ReadHeader {
        scope: ScopeId([1; 32]),
        seq: 7,
        prev: [2; 32],
        author: id("ada").sign,
        time_ms: 3,
        oldest: 5,
        generation: 1,
    };
    ReadDraft { header, details: vec![9; 300] }.sign(&person("ada").signer().unwrap()).unwrap()
}

#[test]
fn a_record_of_a_reading_has_one_form() {
    let record = reading();
    let entry = ReadEntry::parse(&record).unwrap();
    assert_eq!((entry.header.seq, entry.header.oldest, entry.details), (7, 5, [9; 300].as_slice()));
    for end in 0..record.len() {
        assert!(ReadEntry::parse(&record[..end]).is_err());
    }
    assert!(ReadEntry::parse(&[record.as_slice(), &[0]].concat()).is_err());
    let (seq, oldest) = (4 + 32, 4 + 32 + 8 + 32 + 32 + 8);
    for (at, bad) in [(seq, 0u64), (seq, 4), (oldest, 0), (oldest, 8)] {
        let mut bytes = record.clone();
        bytes[at..at + 8].copy_from_slice(&bad.to_be_bytes());
        assert!(ReadEntry::parse(&bytes).is_err(), "{bad} at {at}");
    }
    let mut newer = record;
    newer[3] = b'S';
    assert!(matches!(ReadEntry::parse(&newer), Err(CryptoError::Newer)));
    // nothing of the chain is taken for a record, nor the other way round
    assert!(ENTRIES.iter().all(|entry| ReadEntry::parse(entry).is_err()));
    assert!(Entry::parse(&reading()).is_err());
    let long = ReadDraft { header: entry_header(), details: vec![0; 64 << 10] };
    assert!(long.sign(&person("ada").signer().unwrap()).is_err());
}

fn entry_header() -> ReadHeader {
    ReadEntry::parse(&reading()).unwrap().header
}

#[test]
fn bytes_become_an_entry_and_the_same_bytes_again() {
    for entry in ENTRIES.iter() {
        body_is_canonical(entry);
    }
}

#[test]
fn counts_that_the_bytes_cannot_hold_are_refused_before_anything_is_allocated() {
    // genesis: owners at 32; rotate: boxes at the end of the fixed part
    let rotate_fixed = 4 + 32 + 32 + 72 + 72;
    for count in [1u16, 2, 1024, 1025, u16::MAX] {
        let genesis = [[0u8; 32].as_slice(), &count.to_be_bytes()].concat();
        assert_eq!(Body::parse(0, &genesis), Err(CryptoError::Malformed));
        let rotate = [vec![0u8; rotate_fixed], count.to_be_bytes().to_vec()].concat();
        assert_eq!(Body::parse(2, &rotate), Err(CryptoError::Malformed));
    }
    // more boxes than the cap, with every byte there
    let boxes = |n: u16| {
        [
            vec![0u8; rotate_fixed],
            n.to_be_bytes().to_vec(),
            [vec![1u8; 32], vec![1], vec![1; 80]].concat().repeat(n.into()),
        ]
        .concat()
    };
    assert!(Body::parse(2, &boxes(1024)).is_ok());
    assert_eq!(Body::parse(2, &boxes(1025)), Err(CryptoError::Malformed));
    let mut entry = ENTRIES[1].clone();
    entry[BODY - 4..BODY].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(Entry::parse(&entry).is_err());
    assert!(Entry::parse(&vec![b'S'; (1 << 20) + 1]).is_err());
    assert!(Link::parse(&format!("scj1_{}@x", "2".repeat(1 << 20))).is_err());
}

#[test]
fn bytes_that_mean_a_choice_have_no_other_values() {
    let chain = ChainBuilder::standard();
    let member = chain.rows.iter().find(|(_, bytes)| bytes[3] == 1).unwrap().1.clone();
    let (machine, label) = (BODY + 65, BODY + 70);
    let class = label + 1 + 168;
    for (at, good) in [(machine, 0), (label, 1), (class, 2)] {
        assert_eq!(member[at], good, "the layout moved");
        for bad in [3, 0x80, 0xff] {
            let mut entry = member.clone();
            entry[at] = bad;
            assert!(Entry::parse(&entry).is_err(), "byte {at} = {bad}");
        }
    }
}
