//! Invocations of the function, and the trait of their handlers.

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use super::deferred::DeferredWork;
use super::watchdog::Watched;
use crate::Deadline;
use crate::http::Answer;

/// An invocation of the function.
pub(crate) struct Invocation {
    /// Lambda's id of the invocation.
    pub(crate) invocation_id: String,
    pub(crate) event: Bytes,
    pub(crate) deadline: Deadline,
    pub(crate) x_ray: Option<String>,
    /// Whether it is the first invocation of its process.
    pub(crate) cold_start: bool,
}

/// The result of an invocation.
pub(crate) struct Handled {
    /// An error becomes a failed invocation with this message.
    pub(crate) answer: Result<InvocationResult, String>,
    pub(crate) deferred: Option<DeferredWork>,
}

/// The payload that is returned to Lambda.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum InvocationResult {
    Http(Answer),
    Json(serde_json::Value),
}

/// Handles invocations of one kind.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    async fn handle(&self, invocation: Invocation) -> Handled;

    /// Returns the response and the log line for an invocation whose work blocks its thread beyond
    /// the deadline; `None` makes it a failed invocation.
    fn overran(&self, _: &Watched) -> Option<LastWords> {
        None
    }

    /// Whether its invocations may have work that is left until after the response.
    fn defers_work(&self) -> bool {
        false
    }
}

/// The response and the log line of a blocked invocation.
pub(crate) struct LastWords {
    pub(crate) answer: InvocationResult,
    pub(crate) line: String,
}
