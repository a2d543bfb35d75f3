//! Random chains against a naive model that shares no code with `apply`: the same verdict for every entry, the same
//! members, versions and `dirty` afterwards; and the same from a second client that reads the stored rows (R9, R16).

use super::builder::{ChainBuilder, Dice, id, no_box, no_name, no_wrap, raw, sid};
use sealbox::chain::{Body, BoxFor, Entry, MemberBody, PutBody, Replay, RotateBody, ScheduleBody};
use sealbox::domain::{KeyClass, Role, ScopeId};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: [&str; 6] = ["ada", "olga", "wil", "rune", "rea", "mallory"];
const CHAINS: u64 = 400;
const STEPS: usize = 20;

/// What the rules say, written down a second time. Roles are 0 (former) to 4.
#[derive(Default)]
struct Model {
    role: BTreeMap<&'static str, u8>,
    secrets: BTreeMap<u8, (Vec<u32>, u32)>,
    /// The generation of each interval.
    schedules: BTreeMap<u8, u32>,
    gone: BTreeSet<u8>,
    children: BTreeSet<u8>,
    generation: u32,
    dirty: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Member { who: &'static str, role: u8, generation: u32, label: bool, class: u8 },
    Rotate { generation: u32, boxes: Vec<(&'static str, u8)> },
    Put { n: u8, version: u32, generation: u32, floor: u32, name: bool },
    Delete { n: u8 },
    Schedule { n: u8, generation: u32 },
    Child { n: u8 },
    Newer,
}

/// Which key a role holds: 0 none, 1 M, 2 K.
fn class(role: u8) -> u8 {
    [0, 1, 2, 2, 2][usize::from(role)]
}

impl Model {
    fn new() -> Self {
        Self { role: BTreeMap::from([("ada", 4)]), generation: 1, ..Self::default() }
    }

    /// True, and the effect, if the rules allow it.
    fn take(&mut self, author: &str, step: &Step) -> bool {
        let have = self.role.get(author).copied().unwrap_or(0);
        let write = matches!(step, Step::Put { .. } | Step::Delete { .. } | Step::Schedule { .. });
        let need = if write { 3 } else { 4 };
        have >= need && self.effect(step)
    }

    fn effect(&mut self, step: &Step) -> bool {
        match step {
            Step::Member { who, role, generation, label, class: given } => {
                let old = self.role.get(who).copied();
                let owners = self.role.iter().filter(|(name, role)| **role == 4 && *name != who).count();
                let fine = *role <= 4
                    && *generation == self.generation
                    && *given == class(*role)
                    && (old.is_some() || (*role > 0 && *label))
                    && (old != Some(0) || *role > 0)
                    && (*role == 4 || owners > 0);
                if fine {
                    self.dirty |= class(*role) < class(old.unwrap_or(0));
                    self.role.insert(who, *role);
                }
                fine
            }
            Step::Rotate { generation, boxes } => {
                let want: Vec<_> = self
                    .role
                    .iter()
                    .filter(|(_, role)| **role > 0)
                    .map(|(who, role)| (*who, class(*role)))
                    .collect();
                let mut have = boxes.clone();
                have.sort_unstable();
                let fine = *generation == self.generation + 1 && have == want;
                if fine {
                    self.generation += 1;
                    self.dirty = false;
                }
                fine
            }
            Step::Put { n, version, generation, floor, name } => {
                if *generation != self.generation || self.dirty || *floor == 0 || floor > version {
                    return false;
                }
                let Some((versions, least)) = self.secrets.get_mut(n) else {
                    let fine = !self.gone.contains(n) && *version == 1 && *name;
                    if fine {
                        self.secrets.insert(*n, (vec![*generation], *floor));
                    }
                    return fine;
                };
                let at = *version as usize - 1;
                let fine = !name
                    && *floor >= *least
                    && (at == versions.len() || versions.get(at).is_some_and(|old| old < generation));
                if fine {
                    versions.resize(versions.len().max(at + 1), 0);
                    versions[at] = *generation;
                    *least = *floor;
                }
                fine
            }
            Step::Schedule { n, generation } => {
                let fine = *generation == self.generation && !self.dirty && self.secrets.contains_key(n);
                if fine {
                    self.schedules.insert(*n, *generation);
                }
                fine
            }
            Step::Delete { n } => {
                self.schedules.remove(n);
                self.secrets.remove(n).is_some() && self.gone.insert(*n)
            }
            Step::Child { n } => self.children.insert(*n),
            Step::Newer => false,
        }
    }
}

/// Mostly sensible, often wrong in one place.
fn random_step(dice: &mut Dice, model: &Model) -> Step {
    let wrong = |dice: &mut Dice| dice.below(6) == 0;
    let generation =
        |dice: &mut Dice, right: u32| if wrong(dice) { right + 1 - dice.below(3) as u32 } else { right };
    match dice.below(13) {
        0..=3 => {
            let roles = if wrong(dice) { 6 } else { 5 };
            let role = dice.below(roles) as u8;
            let right = if role <= 4 { class(role) } else { 2 };
            Step::Member {
                who: dice.pick(&PEOPLE),
                role,
                generation: generation(dice, model.generation),
                label: dice.below(4) > 0,
                class: if wrong(dice) { dice.below(3) as u8 } else { right },
            }
        }
        4 | 5 => {
            let mut boxes: Vec<_> = model
                .role
                .iter()
                .filter(|(_, role)| **role > 0)
                .map(|(who, role)| (*who, class(*role)))
                .collect();
            match dice.below(8) {
                0 => drop(boxes.pop()),
                1 => boxes.push((dice.pick(&PEOPLE), 1 + dice.below(2) as u8)),
                2 => boxes[0].1 = 1 + dice.below(2) as u8,
                _ => {}
            }
            Step::Rotate { generation: generation(dice, model.generation + 1), boxes }
        }
        6..=9 => {
            let n = dice.below(4) as u8;
            let (current, least) =
                model.secrets.get(&n).map_or((0, 1), |(versions, floor)| (versions.len() as u32, *floor));
            let version = match dice.below(5) {
                0 => dice.below(u64::from(current) + 3) as u32,
                _ => current + 1,
            };
            Step::Put {
                n,
                version,
                generation: generation(dice, model.generation),
                floor: if wrong(dice) { dice.below(5) as u32 } else { least },
                name: (current == 0) ^ wrong(dice),
            }
        }
        12 => Step::Schedule { n: dice.below(4) as u8, generation: generation(dice, model.generation) },
        10 => Step::Delete { n: dice.below(4) as u8 },
        _ if wrong(dice) => Step::Newer,
        _ => Step::Child { n: dice.below(3) as u8 },
    }
}

fn key_class(byte: u8) -> KeyClass {
    if byte == 1 { KeyClass::Meta } else { KeyClass::Full }
}

/// The bytes of a step.
fn entry(chain: &ChainBuilder, author: &str, step: &Step) -> Vec<u8> {
    let body = match step.clone() {
        Step::Member { who, role, generation, label, class } => Body::Member(MemberBody {
            id: id(who),
            role,
            machine: false,
            generation,
            label: label.then(no_name),
            sealed: (class > 0).then(|| (key_class(class), no_box())),
        }),
        Step::Rotate { generation, boxes } => Body::Rotate(RotateBody {
            generation,
            commit_full: [1; 32],
            commit_meta: [2; 32],
            wrap_full: no_wrap(),
            wrap_meta: no_wrap(),
            boxes: boxes
                .into_iter()
                .map(|(who, class)| BoxFor {
                    recipient: id(who).sign,
                    class: key_class(class),
                    sealed: no_box(),
                })
                .collect(),
        }),
        Step::Put { n, version, generation, floor, name } => Body::Put(PutBody {
            secret: sid(n),
            version,
            generation,
            floor,
            name: name.then(no_name),
            blob: [n; 32],
        }),
        Step::Schedule { n, generation } => Body::Schedule(ScheduleBody {
            secret: sid(n),
            generation,
            sealed: sealbox::crypto::SealedInterval([n; 48]),
        }),
        Step::Delete { n } => Body::Delete(sid(n)),
        Step::Child { n } => Body::Child(ScopeId([n + 1; 32])),
        Step::Newer => return raw(author, 77, chain.header(author), b""),
    };
    chain.entry(author, body)
}

fn roles(state: &sealbox::chain::State) -> BTreeMap<[u8; 32], u8> {
    state
        .members
        .iter()
        .map(|(sign, member)| (*sign, member.role.map_or(0, |role: Role| role as u8)))
        .collect()
}

#[test]
fn random_chains_get_the_verdicts_of_the_naive_model_and_a_second_client_agrees() {
    let mut accepted = 0;
    for seed in 0..CHAINS {
        let mut dice = Dice::new(seed);
        let mut chain = ChainBuilder::found(&["ada"], ScopeId::NONE);
        let mut model = Model::new();
        for at in 0..STEPS {
            let step = random_step(&mut dice, &model);
            let author = if dice.below(4) > 0 { "ada" } else { dice.pick(&PEOPLE) };
            chain.time_ms = dice.below(u64::MAX);
            let bytes = entry(&chain, author, &step);
            let verdict = chain.state.apply(&Entry::parse(&bytes).unwrap(), false);
            let expected = model.take(author, &step);
            assert_eq!(verdict.is_ok(), expected, "seed {seed} step {at}: {step:?} by {author}: {verdict:?}");
            if expected {
                chain.rows.push((chain.state.seq, bytes));
                accepted += 1;
            }
            assert_eq!((chain.state.dirty, chain.state.generation()), (model.dirty, model.generation));
        }
        compare(&chain, &model, seed);
    }
    assert!(accepted > CHAINS * 5, "the steps are too wild to prove anything: {accepted} accepted");
}

fn compare(chain: &ChainBuilder, model: &Model, seed: u64) {
    let state = &chain.state;
    let expected: BTreeMap<_, _> = model.role.iter().map(|(who, role)| (id(who).sign, *role)).collect();
    assert_eq!(roles(state), expected, "seed {seed}");
    for n in 0..4 {
        let have = state.secrets.get(&sid(n)).map(|secret| {
            (secret.versions.iter().map(|version| version.generation).collect::<Vec<_>>(), secret.floor)
        });
        assert_eq!(have, model.secrets.get(&n).cloned(), "seed {seed} secret {n}");
        let schedule =
            state.secrets.get(&sid(n)).and_then(|secret| Some(secret.schedule.as_ref()?.generation));
        assert_eq!(schedule, model.schedules.get(&n).copied(), "seed {seed} secret {n}");
        assert_eq!(state.deleted.contains(&sid(n)), model.gone.contains(&n));
    }
    let mut other = Replay::new(chain.scope, None, false);
    for (seq, bytes) in &chain.rows {
        other.feed(*seq, bytes).unwrap();
    }
    let other = other.state().unwrap();
    assert_eq!((other.hash, roles(other)), (state.hash, roles(state)), "seed {seed}");
}

#[test]
fn the_same_chain_with_other_times_gives_the_same_state() {
    // Times are signed, so hashes differ; everything that is decided must not.
    let facts = |times: &[u64]| {
        let mut chain = ChainBuilder::found(&["ada"], ScopeId::NONE);
        let mut verdicts = Vec::new();
        let mut dice = Dice::new(7);
        let mut model = Model::new();
        for time in times {
            let step = random_step(&mut dice, &model);
            let author = dice.pick(&PEOPLE);
            chain.time_ms = *time;
            let bytes = entry(&chain, author, &step);
            let verdict = chain.state.apply(&Entry::parse(&bytes).unwrap(), false);
            verdicts.push(verdict);
            model.take(author, &step);
        }
        (verdicts, roles(&chain.state), chain.state.dirty, chain.state.generation())
    };
    let steady: Vec<u64> = (0..300).map(|n| 1_700_000_000_000 + n).collect();
    let mut dice = Dice::new(1);
    let wild: Vec<u64> =
        (0..300).map(|_| dice.pick(&[0, 1, u64::MAX, 4_291_747_200_000, 1_700_000_000_000])).collect();
    assert_eq!(facts(&steady), facts(&wild));
}
