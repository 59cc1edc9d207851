//! Errors of the stores.

use std::path::PathBuf;

use dynoxide::DynoxideError;
use sam_template::Unresolved;
use serde_json::json;

/// The reason why the stores cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No loopback port could be bound.
    #[error("cannot bind a port for the stores: {0}")]
    Port(std::io::Error),
    /// The data directory cannot be used.
    #[error("the data cannot be kept in {path}: {source}")]
    Data {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Another platform uses the directory.
    #[error(
        "another platform keeps its tables in {}; name another directory with --data", .0.display()
    )]
    DataInUse(PathBuf),
    /// A table of an earlier run differs from the template's.
    #[error(
        "the table {table} was kept with {part} other than the template's; name another directory \
         with --data, or delete this one"
    )]
    DataDiffers {
        /// The table's logical id.
        table: String,
        /// The part that differs.
        part: &'static str,
    },
    /// The tables cannot be opened.
    #[error("the tables cannot be opened: {0}")]
    Tables(DynoxideError),
    /// A table of the template is invalid.
    #[error("the table {table} cannot be set up: {source}")]
    Table {
        /// The table's logical id.
        table: String,
        /// The cause.
        source: DynoxideError,
    },
    /// The system has no thread for the queues.
    #[error("no thread for the queues: {0}")]
    Thread(std::io::Error),
    /// A queue of the template is invalid.
    #[error("the queues cannot be set up: {0}")]
    Queues(QueueError),
    /// A secret of the template is invalid.
    #[error("the secrets cannot be set up: {0}")]
    Secrets(SecretError),
    /// The template refers to a resource that the platform does not have.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

/// The data directory can no longer be written to. The platform must end, since it can keep no more
/// calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be written: {reason}", .path.display())]
#[non_exhaustive]
pub struct DataError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub reason: String,
}

/// The template has no such table, queue or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template has no {kind} {name}")]
#[non_exhaustive]
pub struct NoSuch {
    /// The kind: `table`, `queue`, `secret`.
    pub kind: &'static str,
    /// The logical id.
    pub name: String,
}

/// The reason why an item or a secret cannot be written, or a table cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The template has no such resource.
    #[error(transparent)]
    NoSuch(#[from] NoSuch),
    /// `DynamoDB` returned an error.
    #[error("DynamoDB: {0}")]
    Tables(#[from] DynoxideError),
    /// Secrets Manager returned an error.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// SQS returned an error.
    #[error(transparent)]
    Queues(#[from] QueueError),
}

/// SQS rejected the platform's own call.
#[derive(Debug, thiserror::Error)]
#[error("SQS rejected {operation}: {answer}")]
pub struct QueueError {
    pub(super) operation: &'static str,
    pub(super) answer: String,
}

/// Secrets Manager returned an error.
#[derive(Debug, thiserror::Error)]
#[error("Secrets Manager rejected {operation}: {answer}")]
pub struct SecretError {
    pub(super) operation: &'static str,
    pub(super) answer: String,
}

impl NoSuch {
    pub(super) fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}

impl SecretError {
    pub(super) fn new(operation: &'static str, code: &str, why: &str) -> Self {
        Self { operation, answer: json!({"__type": code, "Message": why}).to_string() }
    }
}
