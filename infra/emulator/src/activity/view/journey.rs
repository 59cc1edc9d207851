//! The way of a request and of its effects.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

impl JourneyNode {
    /// A waiting node without anything but its name.
    pub(crate) fn new(id: String, kind: NodeKind, title: String, at: Timestamp) -> Self {
        Self {
            id,
            kind,
            title,
            subtitle: None,
            state: NodeState::Waiting,
            at,
            started_at: None,
            ended_at: None,
            waited_ms: None,
            worked_ms: None,
            deliveries: Vec::new(),
            next_try_at: None,
            compensates: false,
            error: None,
            link: None,
        }
    }
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
    /// It waits in a queue or a stream, or is delayed.
    Waiting,
    Working,
    Done,
    /// It failed and will be tried again.
    Retrying,
    /// It failed and is not tried again, or is in a dead-letter queue.
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

/// Where a message comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageOrigin {
    /// The request that caused it; `null` if a schedule or an operator did.
    pub request: Option<String>,
    /// The id of its journey.
    pub journey: String,
}
