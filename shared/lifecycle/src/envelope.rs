//! The envelope every event and message travels in.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Violations;
use crate::{Timestamp, stored};

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

/// For consumers of several types of events.
impl Envelope<Value> {
    /// The data of an event whose type is known.
    ///
    /// # Errors
    ///
    /// When the data is of another shape.
    pub fn read<D: DeserializeOwned>(self) -> Result<D, Violations> {
        stored::reading(|| serde_json::from_value(self.data))
            .map_err(|error| Violations::one("/data", error.to_string()))
    }

    /// What is wrong with an event of a type that the consumer does not know.
    pub fn unknown_type(&self) -> Violations {
        Violations::one("/eventType", format!("`{}` is unknown", self.event_type))
    }
}
