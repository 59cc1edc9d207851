//! The shapes of the console's JSON, which the page, `trace` and the MCP server read.
//!
//! Names are in camel case in JSON. Times are RFC 3339 by the platform's clock; durations are
//! milliseconds. A value that is not known is `null`. Every text was redacted before it got here:
//! no password, token or secret is in any of these values.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The nine stages of a request, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// 1. Finding the function for method and path.
    Routing,
    /// 2. Finding out who the caller is.
    Authentication,
    /// 3. Deciding whether the caller may do this: before and after the facts are known.
    Authorization,
    /// 4. Reading the input.
    Deserialization,
    /// 5. Checking each value of the input.
    Validation,
    /// 6. Reading the facts.
    Retrieval,
    /// 7. The business rules.
    Rules,
    /// 8. The commit of the side effects.
    Effects,
    /// 9. The response.
    Response,
}

/// The state of a stage of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StageState {
    /// It ended, and the next one began.
    Passed,
    /// The request was refused, or failed, here.
    Refused,
    /// The process ended here: it was killed, crashed or exceeded its time.
    Interrupted,
    /// It is running.
    Running,
    /// It never began.
    NotReached,
    /// The function does not report stages.
    Unknown,
}

/// One box of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageBox {
    pub stage: Stage,
    pub state: StageState,
    /// The time in this stage, over all its runs.
    pub took_ms: Option<f64>,
    /// One sentence for people: why it was refused here, or what it did.
    pub note: Option<String>,
}

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
    /// The stage that refused it.
    pub refused_at: Option<Stage>,
    /// The number of attempts to commit; 0 if there was none.
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
    /// The method, path, query, headers and body as one `curl` command with placeholders for secrets.
    pub curl: String,
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

/// The commit of the durable effects, with all attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitView {
    pub attempts: Vec<CommitAttempt>,
    /// What had changed when an attempt found stale facts, as the lifecycle reports it.
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

/// What a write is for.
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

/// The way of a request and of its effects, as a graph. It may be shown while it grows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    /// The request where it began; `null` for one that a schedule or a message began.
    pub id: Option<String>,
    pub nodes: Vec<JourneyNode>,
    pub edges: Vec<JourneyEdge>,
    /// Whether nothing of it is waiting or working.
    pub at_rest: bool,
    /// Whether nodes were left out to bound the answer.
    pub truncated: bool,
}

/// A place on the way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JourneyNode {
    pub id: String,
    pub kind: NodeKind,
    /// `POST /orders`, `OrderCreated`, `EmailQueue`, `send_email`.
    pub title: String,
    /// A second line: an id, a key, a subject.
    pub subtitle: Option<String>,
    pub state: NodeState,
    /// When it came into being.
    pub at: Timestamp,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub waited_ms: Option<f64>,
    pub worked_ms: Option<f64>,
    /// Each delivery: when, with which invocation, and its outcome.
    pub deliveries: Vec<Delivery>,
    /// The time of the next delivery.
    pub next_try_at: Option<Timestamp>,
    /// Whether it undoes an earlier step.
    pub compensates: bool,
    /// A short explanation of a failure.
    pub error: Option<String>,
    /// The id to open: of the request, or of the invocation.
    pub link: Option<String>,
}

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NodeKind {
    Request,
    Authorizer,
    Invocation,
    /// An item whose change the stream delivers, such as an outbox row.
    Row,
    Message,
    DeadLetter,
    Mail,
    Upstream,
    Schedule,
}

/// The state of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NodeState {
    /// Nobody works on it yet: in a queue, in a stream, delayed.
    Waiting,
    Working,
    Done,
    /// It failed and will be tried again.
    Retrying,
    /// It failed for good, or is in a dead-letter queue.
    Failed,
}

/// One delivery of a message or a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub at: Timestamp,
    pub invocation: Option<String>,
    pub succeeded: Option<bool>,
    pub error: Option<String>,
}

/// A cause and its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JourneyEdge {
    pub from: String,
    pub to: String,
    /// `wrote`, `sent`, `delivered`, `mailed`, `called`, `moved`.
    pub label: String,
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
    /// The stage that refused it.
    pub refused_at: Option<Stage>,
    /// Only requests with a smaller `number`.
    pub before: Option<u64>,
    /// At most this many; 100 by default, 1,000 at most.
    pub limit: Option<usize>,
}
