//! The request: its row in the list, and everything about it.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::CommitView;
use super::invocation::{CallView, InvocationView, LogView, PermissionView};
use super::stage::{Stage, StageBox};

/// A request in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRow {
    /// The id that API Gateway gave it; the key of every address of the console.
    pub id: String,
    /// A number that grows with each request, for pages and for the order of the list.
    pub number: u64,
    /// The request id of the response's `x-request-id`, which logs and events carry.
    pub request_id: Option<String>,
    pub at: Timestamp,
    /// The logical id of the API.
    pub api: String,
    pub method: String,
    /// The path with its query, values of secret parameters replaced.
    pub path: String,
    /// The route's template (`GET /orders/{orderId}`), if one fits.
    pub route: Option<String>,
    pub function: Option<String>,
    /// `null` while it runs.
    pub status: Option<u16>,
    /// The error code of the response's body.
    pub code: Option<String>,
    pub took_ms: Option<f64>,
    /// Who called: role and subject of the claims (`customer 01a0…`).
    pub caller: Option<String>,
    /// The client: the name that the console sent (`x-console-client`), or else the user agent.
    pub client: String,
    pub cold_start: bool,
    /// Whether the response was a stored one, by its idempotency key.
    pub replayed: bool,
    /// The stage that refused it, or in which its function was interrupted.
    pub refused_at: Option<Stage>,
    /// The number of attempts to decide and to commit; 0 if the request did not come so far.
    pub attempts: u32,
}

/// A page of requests, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestPage {
    pub requests: Vec<RequestRow>,
    /// The number in memory that match.
    pub total: usize,
    /// The number that memory no longer holds.
    pub dropped: u64,
}

/// A header or a query parameter, redacted.
pub type Pair = (String, String);

/// Everything about one request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestDetail {
    #[serde(flatten)]
    pub row: RequestRow,
    /// The nine boxes, always in order.
    pub stages: Vec<StageBox>,
    pub received: Received,
    /// The command that the input was read into, as Rust prints it (`{:#?}`).
    pub input: Option<String>,
    pub field_errors: Vec<FieldErrorView>,
    pub verdicts: Vec<Verdict>,
    pub facts: Vec<Fact>,
    pub caches: Vec<CacheLookup>,
    pub rule: Option<Rule>,
    pub commit: Option<CommitView>,
    pub answer: Option<AnswerView>,
    pub deferred: Vec<DeferredView>,
    pub logs: Vec<LogView>,
    pub permissions: Vec<PermissionView>,
    pub invocation: Option<InvocationView>,
    /// All calls of the invocation to services, in order.
    pub calls: Vec<CallView>,
    /// Whether older detail, such as bodies, was dropped to bound the memory.
    pub detail_dropped: bool,
}

/// The request as the gateway received it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    pub query: Vec<Pair>,
    pub headers: Vec<Pair>,
    /// The body as text, pretty-printed if it is JSON; `null` if there is none.
    pub body: Option<String>,
    /// The size of the body in bytes.
    pub body_bytes: usize,
}

/// One field error, as the response has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldErrorView {
    /// A JSON Pointer into the body (`/items/0/quantity`), or the place of another part
    /// (`query.limit`, `header.idempotency-key`, `path.orderId`).
    pub field: String,
    pub message: String,
}

/// One decision about who the caller is or may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub stage: Stage,
    /// Who decided: the authorizer's name, `access`, `facts` or `limit`.
    pub by: String,
    pub allowed: bool,
    /// Whether the gateway had the authorizer's decision in its cache.
    pub cached: bool,
    /// One sentence.
    pub reason: String,
    pub took_ms: Option<f64>,
}

/// An item or a list that the request read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// The table, or the secret or upstream, by logical id.
    pub source: String,
    /// The key, for people: `pk = USER#1, sk = PROFILE`, or the query's condition.
    pub key: String,
    /// The call: `GetItem`, `BatchGetItem`, `Query`.
    pub operation: String,
    /// The number of items; 0 if there is none.
    pub found: Option<usize>,
    pub read_units: Option<f64>,
    pub took_ms: f64,
    /// The service's error, if it returned one.
    pub error: Option<String>,
    /// The place of the call in `calls`.
    pub call: usize,
}

/// A look-up in a cache of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheLookup {
    pub cache: String,
    pub hit: bool,
}

/// The rule or check that refused the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub stage: Stage,
    pub code: String,
    pub message: String,
    /// The chain of causes, for failures that are not the client's.
    pub cause: Option<String>,
}

/// The response.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerView {
    pub status: u16,
    pub headers: Vec<Pair>,
    pub body: Option<String>,
    pub body_bytes: usize,
    /// Who made it: `function` or `gateway`.
    pub by: String,
}

/// Work after the response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeferredView {
    /// `message to EmailQueue`, `mail`, `post to …`, `exchange of counts`.
    pub what: String,
    pub failed: Option<String>,
    pub took_ms: Option<f64>,
}

/// The filter of the list. All given parts have to match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestFilter {
    /// A part of method, path, route, function, code, caller or request id, in any case.
    pub text: Option<String>,
    /// `2xx`, `4xx`, `5xx` or an exact status.
    pub status: Option<String>,
    pub function: Option<String>,
    /// The client, exactly.
    pub client: Option<String>,
    /// The stage that refused it, or in which its function was interrupted.
    pub refused_at: Option<Stage>,
    /// Only requests with a smaller `number`.
    pub before: Option<u64>,
    /// At most this many; 100 by default, 1,000 at most.
    pub limit: Option<usize>,
}

/// A request as it was received, unredacted, for sending it again. It is never serialized.
#[derive(Debug, Clone)]
pub struct OriginalRequest {
    /// The logical id of the API.
    pub api: String,
    pub method: String,
    /// The path with its query, as the gateway's port received it: with the prefix of the API.
    pub path: String,
    pub headers: Vec<Pair>,
    pub body: Bytes,
}

/// An answered request, for charts.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The time of the response.
    pub at: Timestamp,
    /// The route's template, if one fits.
    pub route: Option<String>,
    pub status: u16,
    pub took_ms: f64,
    pub cold_start: bool,
}
