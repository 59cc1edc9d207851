//! An invocation: waiting for an environment, and as it is delivered to one.

use bytes::Bytes;
use tokio::sync::oneshot;

use super::error::InvokeError;

/// Sends the result to the invocation's caller.
pub(super) type ResultSender = oneshot::Sender<Result<Bytes, InvokeError>>;

/// An invocation that waits for an environment.
pub(super) struct Pending {
    pub(super) request_id: String,
    pub(super) trace_id: String,
    pub(super) payload: Bytes,
    pub(super) answer: ResultSender,
}

/// An invocation as the runtime and the extensions receive it.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) trace_id: String,
    pub(super) payload: Bytes,
    /// Milliseconds since the epoch.
    pub(super) deadline_ms: u128,
}
