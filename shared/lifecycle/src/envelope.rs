//! The envelope of every event and message.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::FieldErrors;
use crate::telemetry::is_state;
use crate::{Timestamp, stored};

/// An event with its time and its origin; plain JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<D> {
    /// A unique id; consumers remember it in their inbox, so that each event has one effect.
    pub event_id: String,
    /// The event type: `OrderCreated`.
    pub event_type: String,
    /// The version of the data's shape.
    pub version: u32,
    /// When the event occurred.
    pub occurred_at: Timestamp,
    /// The id of the aggregate. A FIFO queue delivers its events in order; a standard queue may not.
    pub aggregate_id: String,
    /// The id of the request that caused the event.
    pub request_id: String,
    /// The W3C trace context of that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The W3C `tracestate` that belongs to it. An invalid one is dropped on reading.
    #[serde(default, deserialize_with = "valid_state", skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// The data.
    pub data: D,
}

fn valid_state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(state) if is_state(&state) => Some(state),
        _ => None,
    })
}

/// For consumers of several event types.
impl Envelope<Value> {
    /// Returns the data of an event whose type is known.
    ///
    /// # Errors
    ///
    /// When the data has another shape.
    pub fn read<D: DeserializeOwned>(self) -> Result<D, FieldErrors> {
        stored::reading(|| serde_json::from_value(self.data))
            .map_err(|error| FieldErrors::one("/data", error.to_string()))
    }

    /// The field error of an event whose type the consumer does not know.
    pub fn unknown_type(&self) -> FieldErrors {
        FieldErrors::one("/eventType", format!("`{}` is unknown", self.event_type))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn example() -> Value {
        json!({
            "eventId": "e", "eventType": "NoteAdded", "version": 1, "aggregateId": "1",
            "occurredAt": "2026-01-01T00:00:00.000Z", "requestId": "r", "data": {},
        })
    }

    #[test]
    fn an_event_of_an_unknown_type_is_a_field_error_with_its_type() {
        let envelope: Envelope<Value> = serde_json::from_value(example()).unwrap();
        let (listed, _) = envelope.unknown_type().into_details();
        let found = listed.iter().map(|found| (&found.field[..], &found.message[..]));
        assert_eq!(found.collect::<Vec<_>>(), [("/eventType", "`NoteAdded` is unknown")]);
    }

    #[test]
    fn an_envelope_with_an_invalid_tracestate_or_none_is_read_without_it() {
        let mut json = example();
        assert_eq!(read(&json), None);
        for (state, kept) in [
            (json!("vendor=1"), Some("vendor=1")),
            (json!("x".repeat(513)), None),
            (json!(""), None),
            (json!(7), None),
            (json!(null), None),
        ] {
            json["tracestate"] = state;
            assert_eq!(read(&json).as_deref(), kept, "{json}");
        }
    }

    fn read(json: &Value) -> Option<String> {
        let of_text: Envelope<Value> = serde_json::from_str(&json.to_string()).unwrap();
        let item: serde_dynamo::Item = serde_dynamo::to_item(json).unwrap();
        let of_item: Envelope<Value> = serde_dynamo::from_item(item).unwrap();
        assert_eq!(of_text, of_item);
        of_text.tracestate
    }
}
