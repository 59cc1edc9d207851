//! The events of a run.

use serde::Serialize;
use serde_json::Value as Json;

use crate::Millis;
use crate::world::faults::Fault;

/// Something that happened in the world.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Its number in the run, from 0.
    pub number: u64,
    /// When it happened.
    pub at: Millis,
    /// The kind of event, with its members.
    #[serde(flatten)]
    pub what: Happened,
}

/// The kinds of events.
///
/// Ids are texts: `request` is the gateway's id of a request, `invocation` Lambda's id of an
/// invocation, and `environment` a name such as `GetUserFunction#3`.
#[expect(missing_docs, reason = "the members are explained by their names and their event")]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Happened {
    /// An operation of a workload began.
    OperationBegan { operation: usize, text: String },
    /// It ended.
    OperationEnded { operation: usize },
    /// A workload noted something for the oracles.
    Noted { operation: usize, name: String, value: Json },
    /// A client sent a request.
    Requested {
        request: String,
        operation: usize,
        /// The IP address of the client.
        address: String,
        method: String,
        path: String,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// The request reached a route.
    Routed { request: String, route: String, function: String },
    /// The API answered. The client has the answer unless `Unanswered` follows.
    Answered {
        request: String,
        operation: usize,
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
        /// Whether the function made it, and not the gateway.
        by_function: bool,
    },
    /// The client has no answer.
    Unanswered { request: String, operation: usize, reason: &'static str },
    /// An execution environment started.
    EnvironmentStarted { environment: String, function: String, version: usize },
    /// An execution environment ended.
    EnvironmentEnded { environment: String, reason: String },
    /// A function was invoked.
    Invoked { invocation: String, environment: String, function: String, cause: Cause },
    /// An invocation returned a payload.
    Returned { invocation: String, payload: Json },
    /// An invocation failed.
    Failed { invocation: String, reason: String },
    /// An invocation did not begin.
    Refused { function: String, cause: Cause, reason: String },
    /// The work after the response ended, or never did.
    Deferred { invocation: String, is_done: bool },
    /// A function wrote a line to its log.
    Line { environment: String, invocation: Option<String>, line: Json },
    /// A function sent a request to a service or an upstream.
    Called {
        call: u64,
        function: String,
        invocation: Option<String>,
        operation: String,
        body: String,
    },
    /// The service performed it.
    Performed { call: u64, status: u16, body: String },
    /// The function has no answer to the request, or an error in place of the answer.
    Broken { call: u64, reason: &'static str },
    /// A fault was drawn.
    Drawn { fault: Fault, place: String },
    /// An operation overloaded a table for some time, in milliseconds.
    Overloaded { table: String, time: u64 },
    /// A batch of an event source failed, or a part of it.
    BatchFailed { source: String, function: String, items: Vec<String>, reason: String },
    /// Records of a stream were given up, or lost by their age.
    GivenUp { source: String, function: String, items: Vec<String>, reason: String },
    /// A schedule was due.
    Due { schedule: String },
    /// Faults ended; from now on the world comes to rest.
    Settling,
    /// An oracle found a failure.
    Found { oracle: String, reason: String },
}

/// The cause of an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// A request.
    Request(String),
    /// The authorizer's check of a request.
    Authorizer(String),
    /// Messages of a queue, by their ids.
    Messages(String, Vec<String>),
    /// Records of a table's stream, by their sequence numbers.
    Records(String, Vec<String>),
    /// A schedule.
    Schedule(String),
    /// The rotation of a secret.
    Rotation(String),
    /// An operation of a workload.
    Operation(usize),
}

impl Cause {
    /// The request, if one is the cause.
    pub fn request(&self) -> Option<&str> {
        match self {
            Self::Request(id) | Self::Authorizer(id) => Some(id),
            _ => None,
        }
    }
}

impl Event {
    /// The event in one line of JSON.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
