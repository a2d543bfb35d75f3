//! One-fault vectors for `apply` (SPEC 1.6): each breaks exactly one rule, must be refused for exactly that reason,
//! must change nothing, and must leave a chain that goes on.

use super::builder::{
    ChainBuilder, id, no_box, no_name, no_wrap, person, raw, sid, sign, with_non_canonical_s,
};
use sealbox::chain::{Body, BoxFor, Entry, MemberBody, PutBody, Rejection, RotateBody, ScheduleBody};
use sealbox::crypto::{FullKey, PublicId, SealedName};
use sealbox::domain::{KeyClass, Role, ScopeId};

fn standard() -> ChainBuilder {
    ChainBuilder::standard()
}

/// Breaks a member entry that is honest otherwise; by owner ada.
#[track_caller]
fn member_refused(body: impl FnOnce(&mut ChainBuilder) -> MemberBody, why: Rejection) {
    let mut chain = standard();
    let body = body(&mut chain);
    let bytes = chain.entry("ada", Body::Member(body));
    chain.refused(&bytes, why);
}

#[track_caller]
fn rotate_refused(bend: impl FnOnce(&mut RotateBody), why: Rejection) {
    let mut chain = standard();
    let (mut body, _) = chain.rotation();
    bend(&mut body);
    let bytes = chain.entry("ada", Body::Rotate(body));
    chain.refused(&bytes, why);
}

#[track_caller]
fn put_refused(body: impl FnOnce(&ChainBuilder) -> PutBody, why: Rejection) {
    let mut chain = standard();
    let bytes = chain.entry("wil", Body::Put(body(&chain)));
    chain.refused(&bytes, why);
}

#[test]
fn the_standard_chain_is_accepted_whole() {
    let chain = standard();
    assert_eq!((chain.state.generation(), chain.state.dirty), (2, false));
    assert_eq!(chain.state.secrets[&sid(1)].versions.len(), 2);
    assert_eq!(chain.state.secrets[&sid(1)].versions[0].generation, 1);
    assert!(chain.state.deleted.contains(&sid(2)) && !chain.state.secrets.contains_key(&sid(2)));
    assert_eq!(chain.state.role_of(&id("fay").sign), None);
    assert!(chain.state.last_key_loss.is_some());
}

// position

#[test]
fn an_entry_of_another_scope_is_misplaced() {
    let mut chain = standard();
    let put = chain.first_put(3);
    let bytes = chain.bent("wil", Body::Put(put), |header| header.scope = ScopeId([1; 32]));
    chain.refused(&bytes, Rejection::Misplaced);
}

#[test]
fn an_entry_at_or_below_the_head_is_misplaced() {
    for back in [1, 2] {
        let mut chain = standard();
        let put = chain.first_put(3);
        let bytes = chain.bent("wil", Body::Put(put), |header| header.seq -= back);
        chain.refused(&bytes, Rejection::Misplaced);
    }
}

#[test]
fn an_entry_may_step_over_junk_but_not_to_the_end_of_all_positions() {
    let mut chain = standard();
    let put = chain.first_put(3);
    for seq in [i64::MAX as u64, 1 << 62, chain.state.seq + sealbox::chain::state::MAX_STEP + 1] {
        let bytes = chain.bent("wil", Body::Put(put.clone()), |header| header.seq = seq);
        chain.refused(&bytes, Rejection::Misplaced);
    }
    let bytes = chain.bent("wil", Body::Put(put), |header| header.seq += 1000);
    chain.accept(bytes);
}

#[test]
fn an_entry_that_does_not_follow_the_head_is_unchained() {
    for prev in [[0; 32], [1; 32]] {
        let mut chain = standard();
        let put = chain.first_put(3);
        let bytes = chain.bent("wil", Body::Put(put), |header| header.prev = prev);
        chain.refused(&bytes, Rejection::Unchained);
    }
    let mut chain = standard();
    let before = chain.state.hash;
    let put = chain.first_put(3);
    chain.push("wil", Body::Put(put));
    let put = chain.first_put(4);
    let bytes = chain.bent("wil", Body::Put(put), |header| header.prev = before);
    chain.refused(&bytes, Rejection::Unchained);
}

// authors

#[test]
fn a_stranger_is_refused_whatever_they_sign() {
    let mut chain = standard();
    let put = chain.first_put(3);
    let bytes = chain.entry("mallory", Body::Put(put));
    chain.refused(&bytes, Rejection::Stranger);
    let member = chain.member("mallory", Role::Owner);
    let bytes = chain.entry("mallory", Body::Member(member));
    chain.refused(&bytes, Rejection::Stranger);
}

#[test]
fn a_removed_member_is_a_stranger() {
    let mut chain = standard();
    let put = chain.first_put(3);
    let bytes = chain.entry("fay", Body::Put(put));
    chain.refused(&bytes, Rejection::Stranger);
    let bytes = chain.entry("fay", Body::Delete(sid(1)));
    chain.refused(&bytes, Rejection::Stranger);
}

#[test]
fn readers_and_runners_may_sign_nothing() {
    for author in ["rea", "rune"] {
        let mut chain = standard();
        let (put, later) = (chain.first_put(3), chain.put(1, 3, 1));
        let (member, rotate) = (chain.member("nina", Role::Read), chain.rotation().0);
        let schedule = chain.schedule(1, 86_400);
        for body in [
            Body::Put(put),
            Body::Put(later),
            Body::Delete(sid(1)),
            Body::Schedule(schedule),
            Body::Member(member),
            Body::Rotate(rotate),
            Body::Child(ScopeId([8; 32])),
        ] {
            let bytes = chain.entry(author, body);
            chain.refused(&bytes, Rejection::Role);
        }
        let bytes = raw(author, 6, chain.header(author), b"");
        chain.refused(&bytes, Rejection::Role);
    }
}

#[test]
fn a_writer_may_not_sign_what_owners_sign() {
    let mut chain = standard();
    let genesis = super::builder::genesis_body(&["wil"], ScopeId::NONE, &FullKey::generate().unwrap());
    let (admit, promote) = (chain.member("nina", Role::Read), chain.member("wil", Role::Owner));
    let (remove, rotate) = (chain.removal("rea"), chain.rotation().0);
    for body in [
        Body::Member(admit),
        Body::Member(promote),
        Body::Member(remove),
        Body::Rotate(rotate),
        Body::Child(ScopeId([8; 32])),
        Body::Genesis(genesis),
    ] {
        let bytes = chain.entry("wil", body);
        chain.refused(&bytes, Rejection::Role);
    }
}

#[test]
fn a_role_counts_from_its_position_on() {
    let mut chain = standard();
    let body = MemberBody { label: None, ..chain.member("wil", Role::Run) };
    chain.push("ada", Body::Member(body));
    let put = chain.put(1, 3, 1);
    let bytes = chain.entry("wil", Body::Put(put));
    chain.refused(&bytes, Rejection::Role);
    let body = MemberBody { label: None, ..chain.member("wil", Role::Write) };
    chain.push("ada", Body::Member(body));
    let put = chain.put(1, 3, 1);
    chain.push("wil", Body::Put(put));
}

// signatures

#[test]
fn a_forged_signature_is_refused() {
    let mut chain = standard();
    let put = Body::Put(chain.first_put(3));
    let by_another = sign("wil", chain.header("ada"), put.clone());
    chain.refused(&by_another, Rejection::Signature);
    let honest = chain.entry("wil", put);
    chain.refused(&with_non_canonical_s(honest.clone()), Rejection::Signature);
    // every byte that is signed, and every byte of the signature, except where a change makes it another's or misplaced
    let body_start = 3 + 1 + 32 + 8 + 32 + 32 + 8 + 4;
    for at in (body_start - 12..body_start - 4).chain(body_start + 1..honest.len()) {
        let mut flipped = honest.clone();
        flipped[at] ^= 1;
        if let Ok(entry) = Entry::parse(&flipped) {
            assert_eq!(chain.state.clone().apply(&entry, false), Err(Rejection::Signature), "byte {at}");
        }
    }
    let mut empty = honest;
    let from = empty.len() - 64;
    empty[from..].fill(0);
    chain.refused(&empty, Rejection::Signature);
}

#[test]
fn a_signature_of_another_purpose_is_refused() {
    let mut chain = standard();
    let put = Body::Put(chain.first_put(3));
    let mut bytes = chain.entry("wil", put);
    let from = bytes.len() - 64;
    // the same message without the context in front
    let plain = person("wil").signer().unwrap().sign(&bytes[..from]);
    bytes[from..].copy_from_slice(&plain.0);
    chain.refused(&bytes, Rejection::Signature);
}

// kinds

#[test]
fn kinds_of_a_newer_version_are_refused() {
    for kind in [6, 8, 255] {
        for (author, why) in [("ada", Rejection::UnknownKind), ("wil", Rejection::Role)] {
            let mut chain = standard();
            let bytes = raw(author, kind, chain.header(author), b"anything");
            chain.refused(&bytes, why);
        }
    }
}

#[test]
fn a_second_genesis_is_refused() {
    let mut chain = standard();
    let body = super::builder::genesis_body(&["ada"], ScopeId::NONE, &FullKey::generate().unwrap());
    let bytes = chain.entry("ada", Body::Genesis(body));
    chain.refused(&bytes, Rejection::Genesis);
}

// members

#[test]
fn a_member_entry_with_an_unknown_role_is_refused() {
    member_refused(|chain| MemberBody { role: 5, ..chain.member("nina", Role::Owner) }, Rejection::Member);
    member_refused(|chain| MemberBody { role: 255, ..chain.member("nina", Role::Owner) }, Rejection::Member);
}

#[test]
fn removing_somebody_who_is_not_there_is_refused() {
    member_refused(|chain| chain.removal("mallory"), Rejection::Member);
    member_refused(|chain| chain.removal("fay"), Rejection::Member);
}

#[test]
fn a_new_member_without_a_label_is_refused() {
    member_refused(|chain| MemberBody { label: None, ..chain.member("nina", Role::Read) }, Rejection::Member);
}

#[test]
fn a_member_keeps_its_keys_and_its_nature() {
    member_refused(
        |chain| {
            let body = chain.member("wil", Role::Owner);
            MemberBody { id: PublicId { boxed: id("mallory").boxed, ..body.id }, ..body }
        },
        Rejection::Member,
    );
    member_refused(
        |chain| MemberBody { machine: true, ..chain.member("wil", Role::Owner) },
        Rejection::Member,
    );
    member_refused(|chain| MemberBody { machine: true, ..chain.removal("wil") }, Rejection::Member);
    member_refused(|chain| MemberBody { machine: true, ..chain.member("fay", Role::Run) }, Rejection::Member);
}

#[test]
fn a_low_order_or_non_canonical_signing_key_cannot_become_a_member() {
    let mut identity_point = [0u8; 32];
    identity_point[0] = 1;
    let mut order_two = [0xff; 32]; // y = -1
    order_two[0] = 0xec;
    order_two[31] = 0x7f;
    let mut non_canonical = [0xff; 32]; // y = p + 3, which decodes, but is not how 3 is written
    non_canonical[0] = 0xf0;
    non_canonical[31] = 0x7f;
    for sign in [identity_point, [0; 32], order_two, non_canonical, [0xff; 32]] {
        member_refused(
            |chain| MemberBody { id: PublicId { sign, boxed: [5; 32] }, ..chain.member("nina", Role::Read) },
            Rejection::Member,
        );
    }
}

#[test]
fn a_member_box_is_there_exactly_when_there_is_a_role_and_has_its_class() {
    member_refused(|chain| MemberBody { sealed: None, ..chain.member("nina", Role::Read) }, Rejection::Boxes);
    member_refused(
        |chain| MemberBody { sealed: Some((KeyClass::Meta, no_box())), ..chain.removal("rea") },
        Rejection::Boxes,
    );
    member_refused(
        |chain| MemberBody { sealed: Some((KeyClass::Full, no_box())), ..chain.member("nina", Role::Read) },
        Rejection::Boxes,
    );
    for role in [Role::Run, Role::Write, Role::Owner] {
        member_refused(
            |chain| MemberBody { sealed: Some((KeyClass::Meta, no_box())), ..chain.member("nina", role) },
            Rejection::Boxes,
        );
    }
}

#[test]
fn a_member_entry_of_another_generation_is_refused() {
    for generation in [0, 1, 3] {
        member_refused(
            |chain| MemberBody { generation, ..chain.member("nina", Role::Read) },
            Rejection::Generation,
        );
        member_refused(|chain| MemberBody { generation, ..chain.removal("rea") }, Rejection::Generation);
    }
}

#[test]
fn the_last_owner_can_neither_leave_nor_be_lowered() {
    let mut chain = ChainBuilder::found(&["ada"], ScopeId::NONE);
    chain.admit("wil", Role::Write);
    let removal = chain.removal("ada");
    let bytes = chain.entry("ada", Body::Member(removal));
    chain.refused(&bytes, Rejection::LastOwner);
    for role in [Role::Read, Role::Run, Role::Write] {
        let body = chain.member("ada", role);
        let bytes = chain.entry("ada", Body::Member(body));
        chain.refused(&bytes, Rejection::LastOwner);
    }
    chain.admit("olga", Role::Owner);
    let removal = chain.removal("ada");
    chain.push("olga", Body::Member(removal));
    let removal = chain.removal("olga");
    let entry = chain.entry("olga", Body::Member(removal));
    let entry = Entry::parse(&entry).unwrap();
    assert_eq!(chain.state.clone().apply(&entry, false), Err(Rejection::LastOwner));
}

#[test]
fn a_former_member_may_come_back_with_the_same_keys() {
    let mut chain = standard();
    chain.admit("fay", Role::Read);
    assert_eq!(chain.state.role_of(&id("fay").sign), Some(Role::Read));
}

// dirty

#[test]
fn after_a_loss_of_access_nothing_is_put_before_a_rotation() {
    let losses: [(&str, Option<Role>); 5] = [
        ("wil", None),
        ("wil", Some(Role::Read)),
        ("rune", Some(Role::Read)),
        ("rea", None),
        ("olga", Some(Role::Read)),
    ];
    for (who, role) in losses {
        let mut chain = standard();
        let body = match role {
            Some(role) => chain.member(who, role),
            None => chain.removal(who),
        };
        chain.push("ada", Body::Member(body));
        assert!(chain.state.dirty, "{who} {role:?}");
        for put in [chain.first_put(3), chain.put(1, 3, 1), chain.put(1, 1, 1)] {
            let bytes = chain.entry("ada", Body::Put(put));
            chain.refused(&bytes, Rejection::Dirty);
        }
        // an old key is no way around it
        let old = PutBody { generation: 1, ..chain.put(1, 3, 1) };
        let bytes = chain.entry("ada", Body::Put(old));
        chain.refused(&bytes, Rejection::Generation);
        chain.rotate();
        assert!(!chain.state.dirty);
        let put = chain.first_put(3);
        chain.push("ada", Body::Put(put));
    }
}

#[test]
fn a_change_that_takes_no_key_away_does_not_ask_for_a_rotation() {
    let changes = [
        ("wil", Role::Run),
        ("wil", Role::Owner),
        ("olga", Role::Write),
        ("rea", Role::Write),
        ("nina", Role::Read),
    ];
    for (who, role) in changes {
        let mut chain = standard();
        chain.admit(who, role);
        assert!(!chain.state.dirty, "{who} {role}");
        let put = chain.first_put(3);
        chain.push("ada", Body::Put(put));
    }
}

#[test]
fn deleting_is_possible_while_dirty_and_admitting_does_not_clean() {
    let mut chain = standard();
    let removal = chain.removal("wil");
    chain.push("ada", Body::Member(removal));
    chain.admit("nina", Role::Write);
    assert!(chain.state.dirty);
    chain.push("ada", Body::Delete(sid(1)));
    assert!(chain.state.dirty);
}

#[test]
fn only_a_loss_of_the_full_key_exposes_values() {
    let mut chain = standard();
    assert!(!chain.state.is_exposed(&chain.state.secrets[&sid(1)]), "version 2 came after fay left");
    chain.remove("rea");
    assert!(!chain.state.is_exposed(&chain.state.secrets[&sid(1)]), "a reader never held a value");
    chain.remove("wil");
    assert!(chain.state.is_exposed(&chain.state.secrets[&sid(1)]));
    let rewrap = chain.put(1, 2, 1);
    chain.push("ada", Body::Put(rewrap));
    assert!(chain.state.is_exposed(&chain.state.secrets[&sid(1)]), "another wrapping is the same value");
    let put = chain.put(1, 3, 1);
    chain.push("ada", Body::Put(put));
    assert!(!chain.state.is_exposed(&chain.state.secrets[&sid(1)]));
}

// rotate

#[test]
fn a_rotation_of_another_generation_is_refused() {
    for generation in [0, 1, 2, 4, u32::MAX] {
        rotate_refused(|body| body.generation = generation, Rejection::Generation);
    }
}

#[test]
fn a_rotation_has_exactly_one_box_of_the_right_class_for_each_present_member() {
    let at = |body: &RotateBody, name: &str| {
        body.boxes.iter().position(|one| one.recipient == id(name).sign).unwrap()
    };
    let for_whom = |name: &str, class| BoxFor { recipient: id(name).sign, class, sealed: no_box() };
    for name in ["ada", "olga", "wil", "rune", "rea"] {
        rotate_refused(
            |body| {
                body.boxes.remove(at(body, name));
            },
            Rejection::Boxes,
        );
        rotate_refused(|body| body.boxes.push(body.boxes[at(body, name)].clone()), Rejection::Boxes);
        rotate_refused(
            |body| {
                let at = at(body, name);
                let one = &mut body.boxes[at];
                one.class = if one.class == KeyClass::Full { KeyClass::Meta } else { KeyClass::Full };
            },
            Rejection::Boxes,
        );
    }
    for name in ["mallory", "fay"] {
        for class in [KeyClass::Full, KeyClass::Meta] {
            rotate_refused(|body| body.boxes.push(for_whom(name, class)), Rejection::Boxes);
        }
        rotate_refused(
            |body| {
                let at = at(body, "rea");
                body.boxes[at] = for_whom(name, KeyClass::Meta);
            },
            Rejection::Boxes,
        );
    }
    rotate_refused(|body| body.boxes.clear(), Rejection::Boxes);
    rotate_refused(
        |body| {
            // a second box for the same reader, with the key that readers must not have
            let mut extra = body.boxes[at(body, "rea")].clone();
            extra.class = KeyClass::Full;
            body.boxes.push(extra);
        },
        Rejection::Boxes,
    );
}

#[test]
fn wraps_and_commitments_are_opaque_to_apply() {
    let mut chain = standard();
    let (mut body, _) = chain.rotation();
    (body.wrap_full, body.wrap_meta, body.commit_full) = (no_wrap(), no_wrap(), [0; 32]);
    let bytes = chain.entry("ada", Body::Rotate(body));
    chain.accept(bytes); // recipients find out, and name the owner: see the vault's tests
}

// put

#[test]
fn a_put_of_another_generation_is_refused() {
    for generation in [0, 1, 3] {
        put_refused(|chain| PutBody { generation, ..chain.first_put(3) }, Rejection::Generation);
        put_refused(|chain| PutBody { generation, ..chain.put(1, 3, 1) }, Rejection::Generation);
        put_refused(|chain| PutBody { generation, ..chain.put(1, 1, 1) }, Rejection::Generation);
    }
}

#[test]
fn versions_follow_each_other() {
    put_refused(|chain| PutBody { version: 2, ..chain.first_put(3) }, Rejection::Version);
    put_refused(|chain| PutBody { version: u32::MAX, ..chain.first_put(3) }, Rejection::Version);
    for version in [4, 5, u32::MAX] {
        put_refused(|chain| chain.put(1, version, 1), Rejection::Version);
    }
    put_refused(|chain| chain.put(1, 2, 1), Rejection::Version); // version 2 is of this generation already
}

#[test]
fn a_rewrap_is_for_an_older_generation_only_and_once() {
    let mut chain = standard();
    let old = chain.state.secrets[&sid(1)].versions[0];
    let rewrap = PutBody { blob: [42; 32], ..chain.put(1, 1, 1) };
    chain.push("wil", Body::Put(rewrap));
    let new = chain.state.secrets[&sid(1)].versions[0];
    assert_eq!((new.generation, new.blob), (2, [42; 32]));
    assert_eq!(
        (new.author, new.seq, new.time_ms),
        (old.author, old.seq, old.time_ms),
        "the value is as old as before"
    );
    assert_eq!(chain.state.secrets[&sid(1)].current(), 2);
    let again = chain.put(1, 1, 1);
    let bytes = chain.entry("wil", Body::Put(again));
    chain.refused(&bytes, Rejection::Version);
}

#[test]
fn floors_stay_within_the_versions_and_never_sink() {
    put_refused(|chain| PutBody { floor: 0, ..chain.first_put(3) }, Rejection::Floor);
    put_refused(|chain| PutBody { floor: 2, ..chain.first_put(3) }, Rejection::Floor);
    put_refused(|chain| chain.put(1, 3, 0), Rejection::Floor);
    put_refused(|chain| chain.put(1, 3, 4), Rejection::Floor);
    put_refused(|chain| PutBody { version: 0, ..chain.first_put(3) }, Rejection::Floor);
    let mut chain = standard();
    let put = chain.put(1, 3, 3);
    chain.push("wil", Body::Put(put));
    for floor in [1, 2] {
        let put = chain.put(1, 4, floor);
        let bytes = chain.entry("wil", Body::Put(put));
        chain.refused(&bytes, Rejection::Floor);
    }
    // a version below the floor has no ciphertext any more, so it cannot be wrapped anew
    let put = chain.put(1, 1, 1);
    let bytes = chain.entry("wil", Body::Put(put));
    chain.refused(&bytes, Rejection::Floor);
}

#[test]
fn the_name_stands_in_the_first_put_and_nowhere_else() {
    put_refused(|chain| PutBody { name: None, ..chain.first_put(3) }, Rejection::Name);
    put_refused(|chain| PutBody { name: Some(no_name()), ..chain.put(1, 3, 1) }, Rejection::Name);
    put_refused(|chain| PutBody { name: Some(no_name()), ..chain.put(1, 1, 1) }, Rejection::Name);
}

#[test]
fn the_id_of_a_deleted_secret_is_never_used_again() {
    put_refused(|chain| chain.first_put(2), Rejection::Secret);
    put_refused(|chain| chain.put(2, 2, 1), Rejection::Secret);
}

// schedules

#[track_caller]
fn schedule_refused(body: impl FnOnce(&ChainBuilder) -> ScheduleBody, why: Rejection) {
    let mut chain = standard();
    let bytes = chain.entry("wil", Body::Schedule(body(&chain)));
    chain.refused(&bytes, why);
}

#[test]
fn a_writer_sets_an_interval_and_the_latest_one_counts() {
    let mut chain = standard();
    let of = |chain: &ChainBuilder| *chain.state.secrets[&sid(1)].schedule.clone().unwrap();
    assert_eq!(of(&chain).generation, 1, "the one of the standard chain");
    for (author, seconds) in [("wil", 3_600), ("ada", 0), ("wil", 3_600)] {
        let body = chain.schedule(1, seconds);
        chain.push(author, Body::Schedule(body.clone()));
        assert_eq!((of(&chain).generation, of(&chain).sealed), (2, body.sealed));
    }
    assert_eq!(chain.state.secrets[&sid(1)].versions.len(), 2, "an interval is no version");
}

#[test]
fn an_interval_belongs_to_a_living_secret() {
    schedule_refused(|chain| chain.schedule(2, 3_600), Rejection::Secret);
    schedule_refused(|chain| chain.schedule(3, 3_600), Rejection::Secret);
    let mut chain = standard();
    chain.push("wil", Body::Delete(sid(1)));
    let again = chain.schedule(1, 3_600);
    let bytes = chain.entry("wil", Body::Schedule(again));
    chain.refused(&bytes, Rejection::Secret);
}

#[test]
fn an_interval_of_another_generation_is_refused() {
    for generation in [0, 1, 3] {
        schedule_refused(
            |chain| ScheduleBody { generation, ..chain.schedule(1, 3_600) },
            Rejection::Generation,
        );
    }
}

#[test]
fn no_interval_is_sealed_while_keys_are_due() {
    let mut chain = standard();
    let removal = chain.removal("rea");
    chain.push("ada", Body::Member(removal));
    let body = chain.schedule(1, 3_600);
    let bytes = chain.entry("wil", Body::Schedule(body));
    chain.refused(&bytes, Rejection::Dirty);
    chain.rotate();
    let body = chain.schedule(1, 3_600);
    chain.push("wil", Body::Schedule(body));
}

#[test]
fn a_removed_writer_sets_no_interval() {
    let mut chain = standard();
    let body = chain.schedule(1, 3_600);
    for author in ["fay", "mallory"] {
        let bytes = chain.entry(author, Body::Schedule(body.clone()));
        chain.refused(&bytes, Rejection::Stranger);
    }
}

// delete and child

#[test]
fn deleting_what_is_not_there_is_refused() {
    for n in [2, 3] {
        let mut chain = standard();
        let bytes = chain.entry("wil", Body::Delete(sid(n)));
        chain.refused(&bytes, Rejection::Secret);
    }
}

#[test]
fn projects_belong_to_organizations_once() {
    let mut chain = standard();
    let scope = chain.scope;
    for child in [ScopeId([7; 32]), scope] {
        let bytes = chain.entry("ada", Body::Child(child));
        chain.refused(&bytes, Rejection::Child);
    }
    let mut project = ChainBuilder::found(&["ada"], scope);
    let bytes = project.entry("ada", Body::Child(ScopeId([8; 32])));
    project.refused(&bytes, Rejection::Child);
}

// time

#[test]
fn what_an_entry_claims_as_its_time_decides_nothing() {
    let mut chain = standard();
    let times =
        [0, 1, 4_291_747_200_000, u64::MAX, 1_700_000_000_000 - 86_400_000, 1_700_000_000_000 + 86_400_000];
    for (n, time) in (10u8..).zip(times) {
        let put = PutBody { name: Some(SealedName([n; 168])), ..chain.first_put(n) };
        chain.time_ms = time;
        chain.push("wil", Body::Put(put));
        assert_eq!(chain.state.time_ms, time, "it is shown");
    }
}
