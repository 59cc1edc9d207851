//! Why the stores do not start, or do not do what they are asked.

use std::path::PathBuf;

use dynoxide::DynoxideError;

use super::{queues::QueueError, secrets::SecretError};
use crate::template::Unresolved;

/// Why the stores cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No loopback port can be had.
    #[error("no port for the stores: {0}")]
    Port(std::io::Error),
    /// The directory for the tables cannot be used.
    #[error("the tables cannot be kept in {path}: {source}")]
    Data {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A table of the template is refused.
    #[error("the tables cannot be set up: {0}")]
    Tables(DynoxideError),
    /// A queue of the template is refused.
    #[error("the queues cannot be set up: {0}")]
    Queues(QueueError),
    /// A secret of the template is refused.
    #[error("the secrets cannot be set up: {0}")]
    Secrets(SecretError),
    /// The template mentions what the platform does not have.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

/// The template has no such table, queue or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template has no {kind} {name}")]
pub struct NoSuch {
    /// What was looked for: `table`, `queue`, `secret`.
    pub kind: &'static str,
    /// By which logical id.
    pub name: String,
}

/// Why an item or a secret cannot be written, or a table not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The template has no such thing.
    #[error(transparent)]
    NoSuch(#[from] NoSuch),
    /// `DynamoDB` refuses.
    #[error("DynamoDB: {0}")]
    Tables(#[from] DynoxideError),
    /// Secrets Manager refuses.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// SQS refuses.
    #[error(transparent)]
    Queues(#[from] QueueError),
}

impl NoSuch {
    pub(super) fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}
