//! An invocation on its way: waiting for an environment, and as the environment learns of it.

use bytes::Bytes;
use tokio::sync::oneshot;

use super::error::InvokeError;

/// What an invocation's caller is waiting on.
pub(super) type Answer = oneshot::Sender<Result<Bytes, InvokeError>>;

/// An invocation that no environment has taken yet.
pub(super) struct Pending {
    pub(super) request_id: String,
    pub(super) trace_id: String,
    pub(super) payload: Bytes,
    pub(super) answer: Answer,
}

/// An invocation as the runtime and the extensions learn of it.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) trace_id: String,
    pub(super) payload: Bytes,
    /// Milliseconds since the epoch.
    pub(super) deadline_ms: u128,
}
