//! Events: the secondary effects of a decision.

use serde::Serialize;

/// The payload of an event or message: a name, a version and plain JSON.
#[diagnostic::on_unimplemented(
    message = "stage 8: `{Self}` is not the data of an event",
    label = "has no event type",
    note = "implement `EventData` for it: the name and the version of the event"
)]
pub trait EventData: Serialize {
    /// The name of the event type, in the past tense: `OrderCreated`.
    const TYPE: &'static str;
    /// The version of the data's shape; increases with each change of it.
    const VERSION: u32 = 1;
}

/// An event of an aggregate, for other functions to react to.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id, if it is known before the event is published: see [`Event::known_as`].
    pub id: Option<String>,
    /// See [`EventData::TYPE`].
    pub event_type: &'static str,
    /// See [`EventData::VERSION`].
    pub version: u32,
    /// The id of the aggregate. Its events are published in the order of their commits. Those of one commit
    /// have the order in which they were added, unless the stream of the outbox delivers the rows of a
    /// transaction in another order.
    pub aggregate_id: String,
    /// The data as plain JSON.
    pub data: serde_json::Value,
}

impl Event {
    /// An event about one aggregate.
    ///
    /// # Panics
    ///
    /// When the data's `Serialize` fails: a defect of its type, which its first test shows.
    pub fn about<D: EventData>(aggregate_id: impl ToString, data: &D) -> Self {
        let data = serde_json::to_value(data)
            .unwrap_or_else(|error| panic!("{} has no JSON form: {error}", D::TYPE));
        Self {
            id: None,
            event_type: D::TYPE,
            version: D::VERSION,
            aggregate_id: aggregate_id.to_string(),
            data,
        }
    }

    /// Sets the id, which otherwise follows from the request or the record. An event that several
    /// functions may publish, because the item of its aggregate carries it, has one id for all of
    /// them: its consumers then recognise it.
    #[must_use]
    pub fn known_as(self, id: impl ToString) -> Self {
        Self { id: Some(id.to_string()), ..self }
    }
}
