//! The run of a function: its calls, records, log lines and permissions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::commit::{CommitOutcomeView, WriteView};

/// A log line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    pub at: Timestamp,
    pub level: String,
    pub message: String,
    /// The other members of a line in JSON.
    pub fields: BTreeMap<String, Value>,
}

/// An IAM action on a resource, with the decision of the function's policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionView {
    pub action: String,
    pub resource: String,
    pub allowed: bool,
    /// The number of calls that used it.
    pub count: usize,
}

/// A run of a function.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationView {
    /// The AWS request id.
    pub id: String,
    pub function: String,
    pub environment: Option<String>,
    pub cold_start: bool,
    pub queued_at: Timestamp,
    /// The time until a process took it.
    pub waited_ms: Option<f64>,
    /// The time until its response.
    pub took_ms: Option<f64>,
    /// The time from its response until the environment was free.
    pub after_response_ms: Option<f64>,
    pub error: Option<String>,
    /// The cause, for people: `POST /orders`, `2 messages of EmailQueue`, `schedule`.
    pub cause: String,
    /// The records of a consumer's batch, as the lifecycle reports them.
    pub records: Vec<RecordView>,
}

/// One record of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordView {
    pub record_id: String,
    pub request_id: Option<String>,
    pub deliveries: u32,
    /// `processed`, `duplicate`, `deadLettered` or `failed`.
    pub outcome: String,
    pub error: Option<String>,
    pub stages: Vec<(String, f64)>,
}

/// A call of a function to a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    /// `dynamodb`, `sqs`, `secretsmanager` or `ses`.
    pub service: String,
    pub operation: String,
    /// The resources by logical id.
    pub resources: Vec<String>,
    pub status: u16,
    pub error: Option<String>,
    /// The fault of `PUT /faults` that made it fail or wait.
    pub fault: Option<String>,
    /// Milliseconds since the invocation began.
    pub at_ms: f64,
    pub took_ms: Option<f64>,
    /// Whether it came after the response.
    pub deferred: bool,
    pub request: Value,
    pub response: Value,
}

/// A run of a function with everything that belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationDetail {
    pub invocation: InvocationView,
    /// All calls to services, in order.
    pub calls: Vec<CallView>,
    pub logs: Vec<LogView>,
    pub permissions: Vec<PermissionView>,
    /// The id of its journey: of the request that caused it, or its own.
    pub journey: String,
    /// Whether older detail was dropped to bound the memory.
    pub detail_dropped: bool,
}

/// A write to an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemWrite {
    pub at: Timestamp,
    /// The invocation that wrote it.
    pub invocation: String,
    pub function: String,
    /// The request that caused it.
    pub request: Option<String>,
    pub outcome: CommitOutcomeView,
    pub write: WriteView,
}
