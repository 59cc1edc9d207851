//! Example values for tests, in this crate and in dependent crates.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::commit::OutboxRow;
use crate::consumer::ScheduledRun;
use crate::envelope::Envelope;
use crate::{Moment, Timestamp};

/// A fixed moment.
pub fn moment() -> Moment {
    Moment::new(Timestamp::from_millis(1_800_000_000_000), [1; 32])
}

/// A run of a schedule.
pub fn scheduled_run() -> ScheduledRun {
    ScheduledRun { id: "run-1".to_owned(), time: moment().now() }
}

/// An envelope as a queue delivers it: its data is read back from JSON.
pub fn envelope<D: Serialize + DeserializeOwned>(event_type: &str, data: D) -> Envelope<D> {
    read(json!({
        "eventId": "event-1", "eventType": event_type, "version": 1,
        "occurredAt": moment().now(), "aggregateId": "aggregate-1", "requestId": "request-1",
        "data": data,
    }))
}

/// An event that waits in the outbox.
pub fn outbox_row(event_type: &str) -> OutboxRow {
    let envelope = envelope(event_type, json!({ "orderId": "1" }));
    let expires_at = moment().now().plus_seconds(60).as_seconds();
    OutboxRow {
        envelope,
        relayed_at: None,
        expires_at,
        refusals: 0,
        refused_at: None,
        set_aside_at: None,
    }
}

/// A value from its JSON.
///
/// # Panics
///
/// If the JSON is not such a value: a mistake in the test.
pub fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test's JSON is valid")
}
