//! The agent: the service of this crate behind a unix socket, so that a vault is unlocked once and used many times.
//!
//! * [`protocol`]: frames, the handshake, the caps.
//! * [`socket`]: the folder and file rules, the lock that makes it the only one, who is at the other end.
//! * `server`, `idle`, `journal`: the agent's own process.
//! * [`spawn`]: how a front end starts it and how it ends.
//! * [`client`]: the service as reached through the socket.
//! * [`front`]: what front ends hold: the agent if there is one, this process if not.
//!
//! It never hands out the identity's seed, a scope key or the recovery key: requests whose answers hold one, and those that
//! replace a vault, are carried out in the asking process only.

pub mod client;
pub mod error;
pub mod front;
mod idle;
mod journal;
pub mod protocol;
mod server;
pub mod socket;
pub mod spawn;
mod wipe;

pub use client::{Client, Contact};
pub use error::AgentError;
pub use front::{Front, Use};
pub use server::{Serve, carries, serve};
