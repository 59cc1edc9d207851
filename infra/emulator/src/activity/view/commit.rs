//! The commit of the durable effects.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The commit of the durable effects, with all attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitView {
    pub attempts: Vec<CommitAttempt>,
    /// The changes that made facts stale, in the lifecycle's words.
    pub stale: Vec<String>,
}

/// One transaction or write.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitAttempt {
    /// `TransactWriteItems`, `PutItem`, `UpdateItem` or `DeleteItem`.
    pub operation: String,
    pub outcome: CommitOutcomeView,
    pub writes: Vec<WriteView>,
    pub write_units: Option<f64>,
    pub took_ms: f64,
    /// The place of the call in `calls`.
    pub call: usize,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommitOutcomeView {
    Committed,
    /// A condition did not hold.
    ConditionFailed,
    /// Another transaction used the same items.
    Conflict,
    /// The service refused or did not answer.
    Failed,
    Running,
}

/// One write of a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteView {
    pub table: String,
    pub kind: WriteKind,
    /// `put`, `update`, `delete` or `check`.
    pub action: String,
    pub key: String,
    /// The condition with names and values put in: `version = 3`.
    pub condition: Option<String>,
    /// Whether it held; `null` if it is not known.
    pub held: Option<bool>,
    /// The item or the changes, as plain JSON.
    pub content: Value,
    /// The item that the service compared, if the condition failed and the service returned it.
    pub found: Option<Value>,
    /// The event type of an outbox row.
    pub event: Option<String>,
}

/// The purpose of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteKind {
    /// State of the service.
    State,
    /// The idempotency record of a request.
    IdempotencyRecord,
    /// The inbox entry of a consumed record.
    InboxEntry,
    /// An event that the relay will publish.
    OutboxRow,
    /// A counter of a rate limit.
    Counter,
}
