//! Rows in, state out: junk, forks, newer kinds, pins, and the short cut behind a pin (SPEC 1.6, 1.8; R10, R11, R13).

use super::builder::{ChainBuilder, Dice, id, no_box, raw, sid, sign};
use sealbox::chain::{Body, ChainFault, Head, PutBody, Rejection, Replay};
use sealbox::domain::scope::hex;

const LAST: u64 = i64::MAX as u64;

fn replay(chain: &ChainBuilder, pin: Option<Head>, trust: bool, rows: &[(u64, Vec<u8>)]) -> Replay {
    let mut replay = Replay::new(chain.scope, pin, trust);
    for (seq, bytes) in rows {
        let _ = replay.feed(*seq, bytes);
    }
    replay
}

fn plain(chain: &ChainBuilder) -> Replay {
    replay(chain, None, false, &chain.rows)
}

fn head_of(chain: &ChainBuilder, row: usize) -> Head {
    let (seq, bytes) = &chain.rows[row];
    Head { seq: *seq, hash: sealbox::crypto::sha256(bytes) }
}

#[test]
fn an_empty_store_has_no_genesis() {
    let chain = ChainBuilder::standard();
    assert_eq!(replay(&chain, None, false, &[]).state().err(), Some(ChainFault::NoGenesis));
    let later = &chain.rows[1..];
    assert_eq!(replay(&chain, None, false, later).state().err(), Some(ChainFault::NoGenesis));
}

#[test]
fn a_genesis_in_another_row_does_not_count() {
    let chain = ChainBuilder::standard();
    let moved = [(1, chain.rows[0].1.clone())];
    let replay = replay(&chain, None, false, &moved);
    assert_eq!((replay.state().err(), replay.ignored()), (Some(ChainFault::NoGenesis), 1));
}

#[test]
fn junk_is_ignored_counted_and_stepped_over() {
    let mut chain = ChainBuilder::standard();
    let n = chain.state.seq + 1;
    let forged = sign("wil", chain.header("ada"), Body::Delete(sid(1)));
    for junk in [b"".to_vec(), b"junk".to_vec(), vec![0xff; 2000], forged, chain.rows[3].1.clone()] {
        let mut rows = chain.rows.clone();
        rows.push((n, junk.clone()));
        rows.push((n + 1, junk.clone()));
        rows.push((LAST, junk));
        let replay = replay(&chain, None, false, &rows);
        assert_eq!(replay.state().unwrap().hash, chain.state.hash);
        assert_eq!((replay.ignored(), replay.next_seq()), (3, n + 2));
        assert_eq!(replay.next_free(LAST), LAST + 1);
    }
    let put = chain.first_put(3);
    let bytes = chain.bent("wil", Body::Put(put), |header| header.seq += 2);
    chain.rows.push((n, b"junk".to_vec()));
    chain.accept(bytes);
    assert_eq!(plain(&chain).state().unwrap().hash, chain.state.hash, "a writer went on past the junk");
}

#[test]
fn junk_far_above_does_not_hide_what_is_written_below_it() {
    let mut chain = ChainBuilder::standard();
    let mut rows = chain.rows.clone();
    rows.push((LAST, b"junk".to_vec()));
    let mut live = replay(&chain, None, false, &rows);
    let put = chain.first_put(3);
    chain.push("wil", Body::Put(put));
    let after = live.resume_after();
    let more: Vec<_> = chain.rows.iter().filter(|(seq, _)| Some(*seq) > after).cloned().collect();
    assert!(!more.is_empty(), "a session that has seen the junk still asks for what comes below it");
    for (seq, bytes) in more.into_iter().chain([(LAST, b"junk".to_vec())]) {
        let _ = live.feed(seq, &bytes);
    }
    assert_eq!(live.state().unwrap().hash, chain.state.hash);
    assert_eq!(live.ignored(), 1, "junk that is read again is counted once");
}

#[test]
fn a_signed_entry_at_the_end_of_all_positions_neither_counts_nor_stops_anybody() {
    let chain = ChainBuilder::standard();
    let put = Body::Put(chain.first_put(3));
    for prev in [chain.state.hash, [1; 32]] {
        let mut rows = chain.rows.clone();
        let bytes = chain.bent("wil", put.clone(), |header| (header.seq, header.prev) = (LAST, prev));
        rows.push((LAST, bytes));
        let replay = replay(&chain, None, false, &rows);
        assert_eq!(replay.state().unwrap().hash, chain.state.hash);
        assert_eq!(replay.next_seq(), chain.state.seq + 1);
    }
}

#[test]
fn rows_that_were_dropped_reordered_or_moved_are_noticed_or_harmless() {
    let chain = ChainBuilder::standard();
    let rows = chain.rows.len();
    for dropped in 0..rows {
        let mut left = chain.rows.clone();
        left.remove(dropped);
        let outcome = replay(&chain, None, false, &left);
        match dropped {
            0 => assert_eq!(outcome.state().err(), Some(ChainFault::NoGenesis)),
            last if last == rows - 1 => assert_eq!(outcome.state().unwrap().seq, chain.state.seq - 1),
            // the entry after the hole does not chain; if a stranger or junk came first, a later one does not
            _ => assert!(matches!(outcome.state(), Err(ChainFault::Forked { .. })), "row {dropped}"),
        }
        let pinned = replay(&chain, Some(head_of(&chain, rows - 1)), true, &left);
        assert!(pinned.state().is_err(), "row {dropped} behind a pin");
    }
    for (one, two) in (0..rows).flat_map(|one| (0..rows).map(move |two| (one, two))).filter(|(a, b)| a != b) {
        let mut swapped = chain.rows.clone();
        let bytes = swapped[one].1.clone();
        swapped[one].1 = std::mem::replace(&mut swapped[two].1, bytes);
        let outcome = replay(&chain, None, false, &swapped);
        let fine = outcome.state().is_ok_and(|state| state.hash == chain.state.hash);
        assert!(!fine, "rows {one} and {two} changed places and nobody noticed");
    }
}

#[test]
fn an_entry_that_a_writer_really_signed_but_does_not_chain_stops_everything_and_names_the_signer() {
    for author in ["wil", "ada"] {
        let mut chain = ChainBuilder::standard();
        let put = Body::Put(chain.first_put(3));
        let fork = chain.bent(author, put, |header| header.prev = [1; 32]);
        let seq = chain.state.seq + 1;
        chain.rows.push((seq, fork));
        let replay = plain(&chain);
        let signer = hex(&id(author).sign[..8]);
        assert_eq!(replay.state().err(), Some(ChainFault::Forked { seq, signer }));
    }
}

#[test]
fn a_fork_by_somebody_without_the_right_to_write_is_only_junk() {
    for author in ["rea", "rune", "fay", "mallory"] {
        let mut chain = ChainBuilder::standard();
        let put = Body::Put(chain.first_put(3));
        let fork = chain.bent(author, put, |header| header.prev = [1; 32]);
        chain.rows.push((chain.state.seq + 1, fork));
        let replay = plain(&chain);
        assert_eq!(replay.state().unwrap().hash, chain.state.hash, "{author}");
        assert_eq!(replay.ignored(), 1);
    }
}

#[test]
fn a_forged_fork_is_only_junk() {
    let mut chain = ChainBuilder::standard();
    let mut header = chain.header("ada");
    header.prev = [1; 32];
    chain.rows.push((chain.state.seq + 1, sign("wil", header, Body::Delete(sid(1)))));
    assert_eq!(plain(&chain).state().unwrap().hash, chain.state.hash);
}

#[test]
fn only_an_owner_who_goes_on_from_the_head_settles_a_fork() {
    let mut chain = ChainBuilder::standard();
    let put = Body::Put(chain.first_put(3));
    let fork = chain.bent("wil", put.clone(), |header| header.prev = [1; 32]);
    let seq = chain.state.seq + 1;
    chain.rows.push((seq, fork));
    let next = |author: &str, prev| {
        chain.bent(author, put.clone(), |header| {
            header.seq = seq + 1;
            header.prev = prev;
        })
    };
    let forged = sign("wil", sealbox::chain::Header { seq: seq + 1, ..chain.header("ada") }, put.clone());
    for unsettling in
        [next("wil", chain.state.hash), next("ada", [1; 32]), next("rea", chain.state.hash), forged]
    {
        let mut rows = chain.rows.clone();
        rows.push((seq + 1, unsettling));
        let replay = replay(&chain, None, false, &rows);
        assert!(matches!(replay.state(), Err(ChainFault::Forked { seq: at, .. }) if at == seq));
    }
    let settled = next("ada", chain.state.hash);
    chain.accept(settled);
    let replay = plain(&chain);
    assert_eq!(replay.state().unwrap().hash, chain.state.hash);
    assert!(replay.state().unwrap().secrets.contains_key(&sid(3)));
    let put = chain.put(3, 2, 1);
    chain.push("wil", Body::Put(put));
    assert_eq!(plain(&chain).state().unwrap().hash, chain.state.hash, "and writers go on");
}

#[test]
fn a_settling_entry_that_breaks_a_rule_does_not_settle() {
    let mut chain = ChainBuilder::standard();
    let put = Body::Put(chain.first_put(3));
    let seq = chain.state.seq + 1;
    chain.rows.push((seq, chain.bent("wil", put, |header| header.prev = [1; 32])));
    let broken = Body::Put(PutBody { generation: 1, ..chain.first_put(4) });
    chain.rows.push((seq + 1, chain.bent("ada", broken, |header| header.seq += 1)));
    assert!(matches!(plain(&chain).state(), Err(ChainFault::Forked { .. })));
}

#[test]
fn a_newer_kind_stops_everything_and_nobody_settles_it() {
    for (author, kind) in [("olga", 6), ("ada", 6), ("ada", 200)] {
        let mut chain = ChainBuilder::standard();
        let seq = chain.state.seq + 1;
        chain.rows.push((seq, raw(author, kind, chain.header(author), b"whatever it says")));
        assert_eq!(plain(&chain).state().err(), Some(ChainFault::Newer { seq }));
        let put = Body::Put(chain.first_put(3));
        for by in ["ada", "wil"] {
            let mut rows = chain.rows.clone();
            rows.push((seq + 1, chain.bent(by, put.clone(), |header| header.seq += 1)));
            assert_eq!(replay(&chain, None, false, &rows).state().err(), Some(ChainFault::Newer { seq }));
        }
    }
}

#[test]
fn a_newer_kind_by_somebody_who_is_no_owner_is_only_junk() {
    for author in ["wil", "rea", "rune", "fay", "mallory"] {
        let mut chain = ChainBuilder::standard();
        chain.rows.push((chain.state.seq + 1, raw(author, 6, chain.header(author), b"")));
        assert_eq!(plain(&chain).state().unwrap().hash, chain.state.hash);
    }
}

#[test]
fn a_first_row_of_a_newer_format_says_newer() {
    let chain = ChainBuilder::standard();
    let mut bytes = chain.rows[0].1.clone();
    bytes[2] = b'2';
    let replay = replay(&chain, None, false, &[(0, bytes)]);
    assert_eq!(replay.state().err(), Some(ChainFault::Newer { seq: 0 }));
}

// pins

#[test]
fn a_store_that_ends_before_the_pin_is_stale() {
    let chain = ChainBuilder::standard();
    let last = chain.rows.len() - 1;
    let pin = Some(head_of(&chain, last));
    for trust in [true, false] {
        let outcome = replay(&chain, pin, trust, &chain.rows[..last]);
        let (head, pin) = (chain.state.seq - 1, chain.state.seq);
        assert_eq!(outcome.state().err(), Some(ChainFault::Stale { head, pin }));
        assert!(outcome.state_despite_rollback().is_ok(), "a person may accept it");
    }
}

#[test]
fn another_entry_at_the_pin_is_a_hard_stop() {
    let chain = ChainBuilder::standard();
    for row in 0..chain.rows.len() {
        let pin = Head { hash: [1; 32], ..head_of(&chain, row) };
        for trust in [true, false] {
            let outcome = replay(&chain, Some(pin), trust, &chain.rows);
            assert_eq!(outcome.state().err(), Some(ChainFault::PinMismatch { seq: pin.seq }));
        }
    }
}

#[test]
fn a_history_rewritten_by_a_removed_owner_is_noticed_behind_a_pin() {
    let mut chain = ChainBuilder::standard();
    let branch_at = chain.rows.len();
    let mut rewritten = (chain.state.clone(), chain.rows.clone());
    chain.remove("olga");
    let put = chain.first_put(3);
    chain.push("ada", Body::Put(put));
    let pin = head_of(&chain, chain.rows.len() - 1);
    // olga signs another continuation from before she was removed, as long as the true one
    for n in 0..(chain.rows.len() - branch_at) {
        let put = PutBody { version: 3 + u32::try_from(n).unwrap(), generation: 2, ..chain.put(1, 3, 1) };
        let header = sealbox::chain::Header {
            scope: chain.scope,
            seq: rewritten.0.seq + 1,
            prev: rewritten.0.hash,
            author: id("olga").sign,
            time_ms: 1,
        };
        let bytes = sign("olga", header, Body::Put(put));
        let entry = sealbox::chain::Entry::parse(&bytes).unwrap();
        rewritten.0.apply(&entry, false).unwrap();
        rewritten.1.push((header.seq, bytes));
    }
    assert!(replay(&chain, None, false, &rewritten.1).state().is_ok(), "without a pin it looks sound");
    for trust in [true, false] {
        let outcome = replay(&chain, Some(pin), trust, &rewritten.1);
        assert_eq!(outcome.state().err(), Some(ChainFault::PinMismatch { seq: pin.seq }));
    }
}

#[test]
fn every_pin_of_an_honest_chain_is_met_with_and_without_signatures() {
    let chain = ChainBuilder::standard();
    for row in 0..chain.rows.len() {
        for trust in [true, false] {
            let replay = replay(&chain, Some(head_of(&chain, row)), trust, &chain.rows);
            assert!(!replay.must_check_signatures());
            assert_eq!(replay.state().unwrap().hash, chain.state.hash);
        }
    }
}

/// What a client does: trust the pin, and start again with every signature if it was not met.
fn as_a_client(chain: &ChainBuilder, pin: Head, rows: &[(u64, Vec<u8>)]) -> Result<[u8; 32], ChainFault> {
    let mut outcome = replay(chain, Some(pin), true, rows);
    if outcome.must_check_signatures() {
        outcome = replay(chain, Some(pin), false, rows);
    }
    outcome.state().map(|state| state.hash)
}

#[test]
fn trusting_a_pin_gives_what_checking_every_signature_gives_whatever_junk_is_in_between() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut chain = ChainBuilder::standard();
        for _ in 0..6 {
            // junk in the rows between valid entries: forged, of strangers, of members without the right
            let gap = dice.below(3);
            let at = chain.state.seq;
            for n in 1..=gap {
                let mut header = chain.header(dice.pick(&["ada", "wil", "rea", "mallory"]));
                header.seq = at + n;
                if dice.below(3) == 0 {
                    header.prev = [1; 32];
                }
                let signer = "mallory";
                let junk = match dice.below(3) {
                    0 => raw(signer, 6, header, b""),
                    1 => sign(signer, header, Body::Delete(sid(1))),
                    _ => sign(
                        signer,
                        header,
                        Body::Put(chain.put(1, chain.state.secrets[&sid(1)].current() + 1, 1)),
                    ),
                };
                chain.rows.push((header.seq, junk));
            }
            let put = chain.put(1, chain.state.secrets[&sid(1)].current() + 1, 1);
            let author = dice.pick(&["ada", "wil"]);
            let bytes = chain.bent(author, Body::Put(put), |header| header.seq += gap);
            chain.accept(bytes);
        }
        let valid: Vec<Head> = {
            let mut all = Replay::new(chain.scope, None, false);
            chain
                .rows
                .iter()
                .filter(|(seq, bytes)| all.feed(*seq, bytes).is_ok())
                .map(|(seq, bytes)| Head { seq: *seq, hash: sealbox::crypto::sha256(bytes) })
                .collect()
        };
        let pin = valid[usize::try_from(dice.below(valid.len() as u64)).unwrap()];
        assert_eq!(as_a_client(&chain, pin, &chain.rows), Ok(chain.state.hash), "seed {seed}");
    }
}

#[test]
fn what_we_have_just_written_ourselves_is_held_to_the_rules_as_well() {
    let chain = ChainBuilder::standard();
    let mut replay = plain(&chain);
    let bad = chain.entry("wil", Body::Put(chain.put(1, 9, 1)));
    assert_eq!(replay.append_own(&bad), Err(Rejection::Version));
    let removal = chain.entry(
        "wil",
        Body::Member(sealbox::chain::MemberBody {
            sealed: Some((sealbox::domain::KeyClass::Full, no_box())),
            ..chain.member("mallory", sealbox::domain::Role::Owner)
        }),
    );
    assert_eq!(replay.append_own(&removal), Err(Rejection::Role));
    let good = chain.entry("wil", Body::Put(chain.put(1, 3, 1)));
    assert_eq!(replay.append_own(&good), Ok(()));
}
