//! Chains made by hand: named people with fixed keys, and every body as a value that a test may bend before it is signed.
//!
//! `ChainBuilder::standard` is the chain that most one-fault vectors start from. `push` insists that an entry is accepted;
//! `refused` insists that it is refused for exactly one reason, that nothing changed, and that the chain goes on.

use sealbox::chain::{
    Body, BoxFor, Draft, Entry, EntryHash, GenesisBody, Header, MemberBody, OwnerIn, PutBody, Rejection,
    RotateBody, ScheduleBody, SecretId, State,
};
use sealbox::crypto::{
    FullKey, Identity, PublicId, SealedBox, SealedName, SecretKey, Subject, boxes, scope_keys::Wrap, sha256,
};
use sealbox::domain::{KeyClass, Role, ScopeId};

/// The identity of a name: the seed is the hash of it.
pub(crate) fn person(name: &str) -> Identity {
    Identity::from_seed(SecretKey::copy_of(&sha256(name.as_bytes()))).unwrap()
}

/// The public keys of a name.
pub(crate) fn id(name: &str) -> PublicId {
    *person(name).public()
}

/// One chain, with the keys of every generation.
pub(crate) struct ChainBuilder {
    pub(crate) scope: ScopeId,
    pub(crate) rows: Vec<(u64, Vec<u8>)>,
    pub(crate) state: State,
    pub(crate) keys: Vec<FullKey>,
    pub(crate) time_ms: u64,
}

impl ChainBuilder {
    /// A chain with these owners; the first one founds it.
    pub(crate) fn found(owners: &[&str], parent: ScopeId) -> Self {
        let key = FullKey::generate().unwrap();
        let bytes = genesis_entry(owners[0], genesis_body(owners, parent, &key));
        let scope = ScopeId(sha256(&bytes));
        let state = State::found(scope, &Entry::parse(&bytes).unwrap()).unwrap();
        Self { scope, rows: vec![(0, bytes)], state, keys: vec![key], time_ms: 1_700_000_000_000 }
    }

    /// Owners ada and olga, writer wil, runner rune, reader rea, and fay, who was a writer. Generation 2. Secret 1 has
    /// version 1 of generation 1 and version 2 of generation 2, and an interval of generation 1; secret 2 was deleted. One project, [7; 32].
    pub(crate) fn standard() -> Self {
        let mut chain = Self::found(&["ada", "olga"], ScopeId::NONE);
        chain.admit("wil", Role::Write);
        chain.admit("rune", Role::Run);
        chain.admit("rea", Role::Read);
        chain.admit("fay", Role::Write);
        let put = chain.first_put(1);
        chain.push("fay", Body::Put(put));
        let put = chain.first_put(2);
        chain.push("wil", Body::Put(put));
        chain.push("wil", Body::Delete(sid(2)));
        let schedule = chain.schedule(1, 90 * 86_400);
        chain.push("fay", Body::Schedule(schedule));
        chain.remove("fay");
        let put = chain.put(1, 2, 1);
        chain.push("wil", Body::Put(put));
        chain.push("ada", Body::Child(ScopeId([7; 32])));
        chain
    }

    pub(crate) fn generation(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap()
    }

    fn key(&self) -> &FullKey {
        self.keys.last().unwrap()
    }

    /// The header that an honest author would write now.
    pub(crate) fn header(&self, author: &str) -> Header {
        Header {
            scope: self.scope,
            seq: self.state.seq + 1,
            prev: self.state.hash,
            author: id(author).sign,
            time_ms: self.time_ms,
        }
    }

    /// An honest entry with this body.
    pub(crate) fn entry(&self, author: &str, body: Body) -> Vec<u8> {
        sign(author, self.header(author), body)
    }

    /// An entry whose header was bent.
    pub(crate) fn bent(&self, author: &str, body: Body, bend: impl FnOnce(&mut Header)) -> Vec<u8> {
        let mut header = self.header(author);
        bend(&mut header);
        sign(author, header, body)
    }

    /// Appends an honest entry, which must be accepted.
    #[track_caller]
    pub(crate) fn push(&mut self, author: &str, body: Body) -> EntryHash {
        let bytes = self.entry(author, body);
        self.accept(bytes)
    }

    /// Appends these bytes, which must be accepted.
    #[track_caller]
    pub(crate) fn accept(&mut self, bytes: Vec<u8>) -> EntryHash {
        let entry = Entry::parse(&bytes).unwrap();
        assert_eq!(self.state.apply(&entry, false), Ok(()), "an honest entry was refused");
        assert_eq!((self.state.seq, self.state.hash), (entry.header.seq, sha256(&bytes)));
        self.rows.push((self.state.seq, bytes));
        self.state.hash
    }

    /// These bytes must be refused for this reason, change nothing, and leave a chain that can go on.
    #[track_caller]
    pub(crate) fn refused(&mut self, bytes: &[u8], why: Rejection) {
        let entry = Entry::parse(bytes).unwrap();
        let before = format!("{:?}", self.state);
        assert_eq!(self.state.apply(&entry, false), Err(why));
        assert!(format!("{:?}", self.state) == before, "a refused entry changed the state");
        let mut later = self.state.clone();
        let rotate = self.rotation();
        let honest = self.entry("ada", Body::Rotate(rotate.0));
        assert_eq!(later.apply(&Entry::parse(&honest).unwrap(), false), Ok(()), "the chain cannot go on");
    }

    pub(crate) fn admit(&mut self, name: &str, role: Role) {
        let body = self.member(name, role);
        self.push("ada", Body::Member(body));
    }

    /// Removes a member and rotates, as a client does in one transaction.
    pub(crate) fn remove(&mut self, name: &str) {
        let body = self.removal(name);
        self.push("ada", Body::Member(body));
        self.rotate();
    }

    pub(crate) fn rotate(&mut self) {
        let (body, key) = self.rotation();
        self.push("ada", Body::Rotate(body));
        self.keys.push(key);
    }

    /// The entry that admits `name`, with a label and a real box.
    pub(crate) fn member(&self, name: &str, role: Role) -> MemberBody {
        let id = id(name);
        let meta = self.key().meta().unwrap();
        let label = meta.seal_name(&self.scope.0, Subject::Member(&id.sign), name).unwrap();
        MemberBody {
            id,
            role: role as u8,
            machine: false,
            generation: self.generation(),
            label: Some(label),
            sealed: Some((role.key_class(), self.sealed(&id, role.key_class()))),
        }
    }

    pub(crate) fn removal(&self, name: &str) -> MemberBody {
        MemberBody {
            id: id(name),
            role: 0,
            machine: false,
            generation: self.generation(),
            label: None,
            sealed: None,
        }
    }

    pub(crate) fn sealed(&self, to: &PublicId, class: KeyClass) -> SealedBox {
        seal(to, &self.scope, self.generation(), class, self.key())
    }

    /// An honest rotation to all present members.
    pub(crate) fn rotation(&self) -> (RotateBody, FullKey) {
        let generation = self.generation() + 1;
        let (key, old) = (FullKey::generate().unwrap(), self.key());
        let meta = key.meta().unwrap();
        let boxes = self.state.present().map(|(member, role)| BoxFor {
            recipient: member.id.sign,
            class: role.key_class(),
            sealed: seal(&member.id, &self.scope, generation, role.key_class(), &key),
        });
        let body = RotateBody {
            generation,
            commit_full: key.commitment().unwrap(),
            commit_meta: meta.commitment().unwrap(),
            wrap_full: key.wrap(&self.scope.0, generation, old).unwrap(),
            wrap_meta: meta.wrap(&self.scope.0, generation, &old.meta().unwrap()).unwrap(),
            boxes: boxes.collect(),
        };
        (body, key)
    }

    /// Version 1 of secret `n`, named `S<n>`.
    pub(crate) fn first_put(&self, n: u8) -> PutBody {
        let name =
            self.key().meta().unwrap().seal_name(&self.scope.0, Subject::Secret(&sid(n).0), &format!("S{n}"));
        PutBody { name: Some(name.unwrap()), ..self.put(n, 1, 1) }
    }

    /// Says that secret `n` must be changed every so many seconds.
    pub(crate) fn schedule(&self, n: u8, seconds: u64) -> ScheduleBody {
        let meta = self.key().meta().unwrap();
        let sealed = meta.seal_interval(&self.scope.0, &sid(n).0, self.generation(), seconds).unwrap();
        ScheduleBody { secret: sid(n), generation: self.generation(), sealed }
    }

    /// A later version of secret `n`; the blob hash is made up.
    pub(crate) fn put(&self, n: u8, version: u32, floor: u32) -> PutBody {
        PutBody { secret: sid(n), version, generation: self.generation(), floor, name: None, blob: [n; 32] }
    }
}

/// The id of secret `n`.
pub(crate) fn sid(n: u8) -> SecretId {
    SecretId([n; 16])
}

pub(crate) fn seal(
    to: &PublicId,
    scope: &ScopeId,
    generation: u32,
    class: KeyClass,
    key: &FullKey,
) -> SealedBox {
    let context = boxes::BoxContext { scope: &scope.0, generation, recipient: &to.sign, class };
    let meta = key.meta().unwrap();
    let bytes = if class == KeyClass::Full { key.expose() } else { meta.expose() };
    boxes::seal(&to.boxed, context, &bytes).unwrap()
}

/// An honest genesis body.
pub(crate) fn genesis_body(owners: &[&str], parent: ScopeId, key: &FullKey) -> GenesisBody {
    let meta = key.meta().unwrap();
    let none = ScopeId::NONE;
    let label = |subject: Subject<'_>, text: &str| meta.seal_name(&none.0, subject, text).unwrap();
    GenesisBody {
        parent,
        owners: owners
            .iter()
            .map(|name| OwnerIn { id: id(name), label: label(Subject::Member(&id(name).sign), name) })
            .collect(),
        commit_full: key.commitment().unwrap(),
        commit_meta: meta.commitment().unwrap(),
        boxes: owners
            .iter()
            .map(|name| BoxFor {
                recipient: id(name).sign,
                class: KeyClass::Full,
                sealed: seal(&id(name), &none, 1, KeyClass::Full, key),
            })
            .collect(),
        label: label(Subject::Scope, "acme"),
    }
}

/// A genesis entry by `author`.
pub(crate) fn genesis_entry(author: &str, body: GenesisBody) -> Vec<u8> {
    let header = Header {
        scope: ScopeId::NONE,
        seq: 0,
        prev: [0; 32],
        author: id(author).sign,
        time_ms: 1_700_000_000_000,
    };
    sign(author, header, Body::Genesis(body))
}

/// Signs with the key of `signer`, whoever the header names.
pub(crate) fn sign(signer: &str, header: Header, body: Body) -> Vec<u8> {
    Draft { header, body }.sign(&person(signer).signer().unwrap()).unwrap()
}

/// An entry of any kind with any body bytes, really signed.
pub(crate) fn raw(signer: &str, kind: u8, header: Header, body: &[u8]) -> Vec<u8> {
    let mut entry = b"SC1".to_vec();
    entry.push(kind);
    entry.extend_from_slice(&header.scope.0);
    entry.extend_from_slice(&header.seq.to_be_bytes());
    entry.extend_from_slice(&header.prev);
    entry.extend_from_slice(&header.author);
    entry.extend_from_slice(&header.time_ms.to_be_bytes());
    entry.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
    entry.extend_from_slice(body);
    let message = [b"sc1/entry\0".as_slice(), &entry].concat();
    entry.extend_from_slice(&person(signer).signer().unwrap().sign(&message).0);
    entry
}

/// The second encoding of a signature: S plus the order of the group.
pub(crate) fn with_non_canonical_s(mut entry: Vec<u8>) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let start = entry.len() - 32;
    let mut carry = 0u16;
    for (at, byte) in ORDER.iter().enumerate() {
        let sum = u16::from(entry[start + at]) + u16::from(*byte) + carry;
        entry[start + at] = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    entry
}

/// Sealed text that no key opens; good enough where nothing is opened.
pub(crate) fn no_name() -> SealedName {
    SealedName([9; 168])
}

/// A wrap that no key opens.
pub(crate) fn no_wrap() -> Wrap {
    Wrap([9; 72])
}

/// A box that no key opens.
pub(crate) fn no_box() -> SealedBox {
    SealedBox([9; 80])
}

/// A small deterministic source of choices.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}
