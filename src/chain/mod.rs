//! The signed log of one scope, and the pure rule that turns it into state (SPEC 1.5, 1.6).
//!
//! Everything sealbox knows (members, keys, secrets, versions, projects) is derived from these entries. Nothing here
//! holds a secret key, reads a clock or touches a store, so anybody can verify a chain, even without being a member.
//!
//! * [`access`]: the read log: chains of their own, one for each member, that decide nothing.
//! * [`entry`]: the bytes of one entry, parsed strictly and never re-serialized.
//! * [`state`]: what a chain says, and `apply`, the one function that changes it.
//! * [`replay`]: rows in, state out: junk is ignored and counted, a fork stops everything.

pub mod access;
pub mod body;
pub mod entry;
pub mod replay;
pub mod state;

pub use access::{ReadChain, ReadDraft, ReadEntry, ReadHeader};
pub use body::{Body, BoxFor, GenesisBody, MemberBody, OwnerIn, PutBody, RotateBody, ScheduleBody, SecretId};
pub use entry::{Draft, Entry, EntryHash, Header};
pub use replay::{ChainFault, Head, Replay};
pub use state::{Generation, Member, Received, Rejection, Schedule, SealedLabel, Secret, State, Version};
