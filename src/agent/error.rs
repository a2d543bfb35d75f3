//! Why there is no agent to talk to. Never a value; the texts of the other side are shown only through `printable`.

use std::path::PathBuf;

/// Why an agent cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody listens.
    #[error("no agent is running")]
    Absent,
    /// The folder of the socket is not safe to use.
    #[error("the folder {} {why}", crate::domain::printable::line(&.folder.to_string_lossy()))]
    Folder {
        /// Which one.
        folder: PathBuf,
        /// What is wrong, after the folder's name.
        why: &'static str,
    },
    /// Somebody else is at the other end.
    #[error("the process at the agent's socket belongs to another user")]
    Stranger,
    /// The agent there holds another vault.
    #[error("the agent at this socket holds another vault ({})", crate::domain::printable::line(.0))]
    OtherVault(String),
    /// The agent there is of another version.
    #[error("the agent is of another version ({})", crate::domain::printable::line(.version))]
    OtherVersion {
        /// Its version.
        version: String,
        /// Its process.
        pid: u32,
    },
    /// What is there does not speak like an agent.
    #[error("what answers at the agent's socket is no agent of sealbox")]
    NotAnAgent,
    /// It did not answer in time.
    #[error("the agent does not answer")]
    Silent,
    /// Another one runs: this one is not needed.
    #[error("another agent is running")]
    Taken,
    /// It did not start.
    #[error("the agent did not start: {0}")]
    NotStarted(String),
    /// A message over the limit.
    #[error("a message of more than {} MiB does not go through the agent", super::protocol::MAX_FRAME >> 20)]
    TooLong,
    /// The connection broke.
    #[error("the connection to the agent broke")]
    Broken(#[source] std::io::Error),
    /// Systems without a way to see who is at the other end of a socket.
    #[error("there is no agent on this system")]
    Unsupported,
}

impl AgentError {
    /// The other side closed instead of saying something: it is just ending, as if the connection had broken.
    pub(super) fn closed() -> Self {
        Self::Broken(std::io::ErrorKind::UnexpectedEof.into())
    }
}
