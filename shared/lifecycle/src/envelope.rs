//! The envelope every event and message travels in.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What happened, to what, when and because of which request; plain JSON all the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<D> {
    /// Unique; consumers remember it in their inbox, so that each event has effect once.
    pub event_id: String,
    /// What happened: `OrderCreated`.
    pub event_type: String,
    /// The version of the data's shape.
    pub version: u32,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it happened to; events of one aggregate arrive in order.
    pub aggregate_id: String,
    /// The request that caused it.
    pub request_id: String,
    /// The W3C trace context of that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The data.
    pub data: D,
}
