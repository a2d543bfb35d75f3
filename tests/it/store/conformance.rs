//! The promise of `Store`, for every implementation: a new one adds one `Place` and one line at the end.

use sealbox::domain::ScopeId;
use sealbox::store::{Batch, Care, Committed, NewEntry, NewReads, SqliteStore, Store};
use std::ops::ControlFlow;

/// Where stores of one kind live; each call of `open` is a connection of its own to the same rows.
pub(super) trait Place {
    fn open(&self) -> Box<dyn Store>;
}

pub(super) struct SqlitePlace(tempfile::TempDir);

impl SqlitePlace {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for SqlitePlace {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::create(&self.0.path().join("store.db")).unwrap())
    }
}

const A: ScopeId = ScopeId([1; 32]);
const B: ScopeId = ScopeId([2; 32]);

pub(super) fn entry(scope: ScopeId, seq: u64, body: &[u8]) -> NewEntry {
    NewEntry { scope, seq, body: body.to_vec() }
}

pub(super) fn entries(entries: Vec<NewEntry>) -> Batch {
    Batch { entries, ..Batch::default() }
}

/// All rows of a scope after a position.
pub(super) fn rows(store: &dyn Store, scope: &ScopeId, after: Option<u64>) -> Vec<(u64, Vec<u8>)> {
    let mut rows = Vec::new();
    store
        .entries(scope, after, &mut |seq, body| {
            rows.push((seq, body.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

fn written(store: &dyn Store, batch: &Batch) {
    assert_eq!(store.commit(batch).unwrap(), Committed::Yes);
}

fn an_empty_store_has_nothing(place: &dyn Place) {
    let store = place.open();
    assert!(rows(&*store, &A, None).is_empty() && store.scopes().unwrap().is_empty());
    assert_eq!(store.blob(&A, &[1; 32]).unwrap(), None);
    assert!(store.check().unwrap().is_empty());
}

fn rows_come_in_order_from_after_a_position(place: &dyn Place) {
    let store = place.open();
    let batch = [5, 0, 300, 1, i64::MAX as u64].map(|seq| entry(A, seq, &[seq as u8]));
    written(&*store, &entries(batch.into()));
    let seqs = |after| rows(&*store, &A, after).into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    assert_eq!(seqs(None), [0, 1, 5, 300, i64::MAX as u64]);
    assert_eq!(seqs(Some(0)), [1, 5, 300, i64::MAX as u64]);
    assert_eq!(seqs(Some(5)), [300, i64::MAX as u64]);
    assert!(seqs(Some(i64::MAX as u64)).is_empty() && seqs(Some(u64::MAX)).is_empty());
    assert!(rows(&*store, &B, None).is_empty());
}

fn reading_stops_when_told(place: &dyn Place) {
    let store = place.open();
    written(&*store, &entries((0..10).map(|seq| entry(A, seq, b"x")).collect()));
    let mut seen = 0;
    let stop = &mut |_: u64, _: &[u8]| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.entries(&A, None, stop).unwrap();
    assert_eq!(seen, 3);
}

fn a_taken_position_is_a_conflict_and_nothing_of_the_batch_is_written(place: &dyn Place) {
    let store = place.open();
    written(
        &*store,
        &Batch {
            entries: vec![entry(A, 0, b"first")],
            blobs: vec![(A, [9; 32], b"kept".to_vec())],
            ..Batch::default()
        },
    );
    let late = Batch {
        entries: vec![entry(B, 0, b"of another scope"), entry(A, 1, b"free"), entry(A, 0, b"taken")],
        blobs: vec![(A, [8; 32], b"blob".to_vec())],
        delete_blobs: vec![(A, [9; 32])],
        ..Batch::default()
    };
    assert_eq!(store.commit(&late).unwrap(), Committed::Conflict);
    assert_eq!(rows(&*store, &A, None), [(0, b"first".to_vec())]);
    assert!(rows(&*store, &B, None).is_empty());
    assert_eq!(store.blob(&A, &[8; 32]).unwrap(), None);
    assert_eq!(store.blob(&A, &[9; 32]).unwrap().as_deref(), Some(b"kept".as_slice()));
    // what an entry was built on must still be there, to the byte
    let hash = sealbox::crypto::sha256(b"first");
    for (seq, hash) in [(0, [0; 32]), (7, hash)] {
        let late = Batch { builds_on: vec![(A, seq, hash)], ..entries(vec![entry(A, 1, b"late")]) };
        assert_eq!(store.commit(&late).unwrap(), Committed::Conflict);
    }
    assert_eq!(rows(&*store, &A, None).len(), 1);
    // a position that does not exist is a conflict too, never another position
    assert_eq!(store.commit(&entries(vec![entry(A, u64::MAX, b"x")])).unwrap(), Committed::Conflict);
    assert_eq!(rows(&*store, &A, None).len(), 1);
}

fn a_batch_over_several_scopes_is_seen_whole_by_another_connection(place: &dyn Place) {
    let (one, two) = (place.open(), place.open());
    written(
        &*one,
        &Batch {
            entries: vec![entry(A, 0, b"a"), entry(B, 0, b"b")],
            blobs: vec![(B, [3; 32], b"c".to_vec())],
            ..Batch::default()
        },
    );
    assert_eq!((rows(&*two, &A, None).len(), rows(&*two, &B, None).len()), (1, 1));
    assert!(two.blob(&B, &[3; 32]).unwrap().is_some());
    let mut scopes = two.scopes().unwrap();
    scopes.sort();
    assert_eq!(scopes, [A, B]);
}

fn of_two_writers_to_one_position_one_wins(place: &dyn Place) {
    let (one, two) = (place.open(), place.open());
    written(&*one, &entries(vec![entry(A, 0, b"one")]));
    assert_eq!(two.commit(&entries(vec![entry(A, 0, b"two")])).unwrap(), Committed::Conflict);
    assert_eq!(rows(&*two, &A, None), [(0, b"one".to_vec())]);
}

fn blobs_belong_to_their_scope_and_go_when_told(place: &dyn Place) {
    let store = place.open();
    let blobs = vec![(A, [1; 32], b"a".to_vec()), (B, [1; 32], b"b".to_vec()), (A, [2; 32], Vec::new())];
    written(&*store, &Batch { blobs, ..Batch::default() });
    assert_eq!(store.blob(&A, &[1; 32]).unwrap().unwrap(), b"a");
    assert_eq!(store.blob(&B, &[1; 32]).unwrap().unwrap(), b"b");
    assert_eq!(store.blob(&A, &[2; 32]).unwrap().unwrap(), b"");
    written(&*store, &Batch { delete_blobs: vec![(A, [1; 32]), (A, [77; 32])], ..Batch::default() });
    assert_eq!(store.blob(&A, &[1; 32]).unwrap(), None);
    assert!(store.blob(&B, &[1; 32]).unwrap().is_some(), "the same hash in another scope stays");
    let mut seen = Vec::new();
    store
        .blobs(&A, &mut |hash, data| {
            seen.push((hash.to_vec(), data.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, [(vec![2; 32], Vec::new())]);
}

fn a_blob_that_is_there_already_is_left_alone(place: &dyn Place) {
    let store = place.open();
    for data in [b"one".to_vec(), b"two".to_vec()] {
        written(&*store, &Batch { blobs: vec![(A, [1; 32], data)], ..Batch::default() });
    }
    assert_eq!(store.blob(&A, &[1; 32]).unwrap().unwrap(), b"one");
}

fn the_change_counter_moves_when_another_connection_writes(place: &dyn Place) {
    let (one, two) = (place.open(), place.open());
    let before = one.change_counter().unwrap();
    assert_eq!(one.change_counter().unwrap(), before);
    written(&*two, &entries(vec![entry(A, 0, b"x")]));
    assert_ne!(one.change_counter().unwrap(), before);
}

fn large_bodies_and_blobs_come_back_byte_for_byte(place: &dyn Place) {
    let store = place.open();
    // the longest that a client writes: an entry of 1 MiB, and a value of 1 MiB with its padding
    let bytes = |length: u32| (0..length).map(|n| (n % 251) as u8).collect::<Vec<u8>>();
    let (long, big) = (bytes(1 << 20), bytes((1 << 20) + 8192));
    written(
        &*store,
        &Batch {
            entries: vec![entry(A, 0, &long)],
            blobs: vec![(A, [1; 32], big.clone())],
            ..Batch::default()
        },
    );
    assert!(rows(&*store, &A, None) == [(0, long)]);
    assert!(store.blob(&A, &[1; 32]).unwrap().unwrap() == big);
}

fn a_backup_holds_every_row_and_never_overwrites(place: &dyn Place) {
    let store = place.open();
    written(
        &*store,
        &Batch {
            entries: vec![entry(A, 0, b"a"), entry(B, 7, b"b")],
            blobs: vec![(A, [1; 32], b"c".to_vec())],
            ..Batch::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    store.backup(&to).unwrap();
    assert!(store.backup(&to).is_err());
    written(&*store, &entries(vec![entry(A, 1, b"later")]));
    let copy = SqliteStore::inspect(&to).unwrap();
    assert_eq!(
        (rows(&copy, &A, None), rows(&copy, &B, None)),
        (vec![(0, b"a".to_vec())], vec![(7, b"b".to_vec())])
    );
    assert_eq!(copy.blob(&A, &[1; 32]).unwrap().unwrap(), b"c");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a backup is one file");
}

fn read_log(store: &dyn Store, scope: &ScopeId, author: u8) -> Vec<(u64, Vec<u8>)> {
    let mut rows = Vec::new();
    store
        .reads(scope, &[author; 32], &mut |seq, body| {
            rows.push((seq, body.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

fn readings(scope: ScopeId, author: u8, seqs: &[u64], drop_through: Option<u64>) -> NewReads {
    let records = seqs.iter().map(|seq| (*seq, vec![author, *seq as u8])).collect();
    NewReads { scope, author: [author; 32], records, drop_through }
}

fn a_read_log_belongs_to_its_scope_and_author_and_comes_in_order_from_either_end(place: &dyn Place) {
    let (one, two) = (place.open(), place.open());
    assert!(read_log(&*one, &A, 7).is_empty());
    for (reads, care) in [
        (readings(A, 7, &[2, 1, 300], None), Care::Brief),
        (readings(A, 8, &[1], None), Care::Durable),
        (readings(B, 7, &[9], None), Care::Brief),
    ] {
        assert_eq!(one.append_reads(&reads, care).unwrap(), Committed::Yes);
    }
    assert_eq!(read_log(&*two, &A, 7), [(1, vec![7, 1]), (2, vec![7, 2]), (300, vec![7, 44])]);
    assert_eq!((read_log(&*two, &A, 8).len(), read_log(&*two, &B, 7).len()), (1, 1));
    assert!(read_log(&*two, &B, 8).is_empty());
    assert_eq!((two.count_reads(&A).unwrap(), two.count_reads(&B).unwrap()), (4, 1));
    let mut newest = Vec::new();
    two.newest_reads(&A, &[7; 32], &mut |seq, _| {
        newest.push(seq);
        if newest.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(newest, [300, 2]);
    assert!(one.scopes().unwrap().is_empty(), "a read log makes no scope");
    assert!(rows(&*one, &A, None).is_empty());
}

fn a_taken_position_of_a_read_log_is_a_conflict_and_nothing_is_written(place: &dyn Place) {
    let (one, two) = (place.open(), place.open());
    assert_eq!(one.append_reads(&readings(A, 7, &[1, 2], None), Care::Brief).unwrap(), Committed::Yes);
    for care in [Care::Brief, Care::Durable] {
        let late = readings(A, 7, &[3, 2], Some(1));
        assert_eq!(two.append_reads(&late, care).unwrap(), Committed::Conflict);
        let nowhere = readings(A, 7, &[u64::MAX], None);
        assert_eq!(two.append_reads(&nowhere, care).unwrap(), Committed::Conflict);
    }
    assert_eq!(read_log(&*one, &A, 7).len(), 2);
}

fn old_readings_of_one_author_go_when_told(place: &dyn Place) {
    let store = place.open();
    for author in [7, 8] {
        let _ = store.append_reads(&readings(A, author, &[1, 2, 3, 4], None), Care::Brief).unwrap();
    }
    let _ = store.append_reads(&readings(A, 7, &[5], Some(3)), Care::Brief).unwrap();
    let seqs = |author| read_log(&*store, &A, author).into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    assert_eq!((seqs(7), seqs(8)), (vec![4, 5], vec![1, 2, 3, 4]));
}

/// Everything above, each on a fresh place.
pub(super) fn suite<P: Place>(make: impl Fn() -> P) {
    let checks: [fn(&dyn Place); 14] = [
        an_empty_store_has_nothing,
        rows_come_in_order_from_after_a_position,
        reading_stops_when_told,
        a_taken_position_is_a_conflict_and_nothing_of_the_batch_is_written,
        a_batch_over_several_scopes_is_seen_whole_by_another_connection,
        of_two_writers_to_one_position_one_wins,
        blobs_belong_to_their_scope_and_go_when_told,
        a_blob_that_is_there_already_is_left_alone,
        the_change_counter_moves_when_another_connection_writes,
        large_bodies_and_blobs_come_back_byte_for_byte,
        a_backup_holds_every_row_and_never_overwrites,
        a_read_log_belongs_to_its_scope_and_author_and_comes_in_order_from_either_end,
        a_taken_position_of_a_read_log_is_a_conflict_and_nothing_is_written,
        old_readings_of_one_author_go_when_told,
    ];
    for check in checks {
        check(&make());
    }
}

#[test]
fn sqlite_keeps_the_promise() {
    suite(SqlitePlace::new);
}
