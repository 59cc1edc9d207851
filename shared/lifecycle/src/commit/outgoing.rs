//! Events and messages in their envelopes.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::Moment;
use crate::effects::{Content, Effects, Event, Message};
use crate::envelope::Envelope;
use crate::ports::Outgoing;
use crate::record::Key;
use crate::telemetry::TraceContext;

/// The length of a `traceparent` up to the end of its trace id: `00-` and 32 hexadecimal digits.
const TRACE_CHARS: usize = 35;

/// The origin of the effects; it is part of every envelope.
#[derive(Debug, Clone)]
pub(crate) struct EventOrigin {
    pub(crate) request_id: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) tracestate: Option<String>,
    /// The label of the part that has the effects, which keeps their ids distinct from those of other
    /// parts; empty for effects that are no part.
    pub(crate) part: String,
}

impl EventOrigin {
    /// The origin that is a request, or a record, with its span.
    pub(crate) fn of(request_id: &str, trace: &TraceContext) -> Self {
        Self {
            request_id: request_id.to_owned(),
            traceparent: Some(trace.to_string()),
            tracestate: trace.state().map(str::to_owned),
            part: String::new(),
        }
    }

    /// The same origin for a part of the effects. Its label is the item that the part writes first,
    /// which no other part writes. A repeated run may find other rows in another order, so that a
    /// number would give the events of two rows one id. Only a part without writes has its number: the
    /// events of its messages are in their labels.
    pub(crate) fn in_part(self, number: usize, part: &Effects) -> Self {
        let label = match part.writes().first() {
            Some(write) => {
                let Key { pk, sk } = &write.key;
                format!("part/{}/{pk}/{}/", write.table.name(), sk.as_deref().unwrap_or_default())
            }
            None => format!("part/{number}/"),
        };
        Self { part: label, ..self }
    }
}

/// The messages of a decision, in their envelopes.
pub(crate) fn outgoing(
    messages: &[Message],
    moment: &Moment,
    cause: &EventOrigin,
) -> Vec<Outgoing> {
    in_envelopes("message", messages, moment, cause)
}

/// The announcements of a decision, in their envelopes. Their ids differ from those of its other
/// messages.
pub(crate) fn announced(
    messages: &[Message],
    moment: &Moment,
    cause: &EventOrigin,
) -> Vec<Outgoing> {
    in_envelopes("announced", messages, moment, cause)
}

/// Messages of this kind, in their envelopes.
///
/// A later delivery may decide otherwise, or find a part of the work done: another event has another
/// id, or its receiver would take it for the first one. The same event with other data keeps its id,
/// since the data may contain the time.
fn in_envelopes(
    kind: &str,
    messages: &[Message],
    moment: &Moment,
    cause: &EventOrigin,
) -> Vec<Outgoing> {
    let label = |number, message: &Message| match &message.content {
        Content::New(Event { event_type, aggregate_id, .. }) => {
            let (part, queue) = (&cause.part, message.queue.name());
            format!("{part}{kind}/{number}/{queue}/{event_type}/{aggregate_id}")
        }
        Content::Forward(_) => String::new(),
    };
    let numbered = messages.iter().enumerate();
    numbered
        .map(|(number, message)| ready(&label(number, message), message, moment, cause))
        .collect()
}

/// A message in its envelope, whose id is derived from the label, unless its event has one.
pub(super) fn ready(
    label: &str,
    message: &Message,
    moment: &Moment,
    cause: &EventOrigin,
) -> Outgoing {
    Outgoing {
        queue: message.queue,
        envelope: match &message.content {
            Content::Forward(envelope) => Envelope {
                traceparent: handed_on(envelope.traceparent.as_deref(), cause),
                ..(**envelope).clone()
            },
            Content::New(event) => seal(event, moment.id(label), moment, cause),
        },
        delay: Duration::from_secs(message.delay_s.into()),
        group: message.group.clone(),
    }
}

/// Returns the `traceparent` of a forwarded envelope. It is the span of the relay if that belongs to
/// the same trace: the trace then includes the relay. `tracestate` is valid for the whole trace.
fn handed_on(own: Option<&str>, cause: &EventOrigin) -> Option<String> {
    let trace_of = |context: &str| context.get(..TRACE_CHARS).map(str::to_owned);
    let relay = cause.traceparent.as_deref();
    let passed_by = relay.filter(|relay| own.and_then(trace_of) == trace_of(relay));
    passed_by.or(own).map(str::to_owned)
}

/// An event in a new envelope, with its own id or this derived one.
pub(super) fn seal(
    event: &Event,
    derived: Uuid,
    moment: &Moment,
    cause: &EventOrigin,
) -> Envelope<Value> {
    Envelope {
        event_id: event.id.clone().unwrap_or_else(|| derived.to_string()),
        event_type: event.event_type.to_owned(),
        version: event.version,
        occurred_at: moment.now(),
        aggregate_id: event.aggregate_id.clone(),
        request_id: cause.request_id.clone(),
        traceparent: cause.traceparent.clone(),
        tracestate: cause.tracestate.clone(),
        data: event.data.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::Timestamp;
    use crate::effects::{EventData, OnConditionFailed, QueueName, Write, WriteAction};
    use crate::record::TableName;

    #[derive(Serialize)]
    struct Approved(u32);

    impl EventData for Approved {
        const TYPE: &'static str = "Approved";
    }

    #[derive(Serialize)]
    struct Rejected;

    impl EventData for Rejected {
        const TYPE: &'static str = "Rejected";
    }

    #[test]
    fn another_event_in_a_later_run_has_another_id_and_the_same_event_keeps_its_own() {
        for kind in ["message", "announced"] {
            let ids = |events: Vec<Event>| {
                let messages = events.into_iter().map(|event| Message::new(LOANS, event));
                let messages = messages.collect::<Vec<_>>();
                let sent = in_envelopes(kind, &messages, &moment(), &origin());
                sent.into_iter().map(|message| message.envelope.event_id).collect::<Vec<_>>()
            };
            let first = ids(vec![approved("emma", 1), approved("emma", 1)]);
            assert_ne!(first[0], first[1]);
            assert_eq!(ids(vec![approved("emma", 2)]), first[..1]);
            assert_ne!(ids(vec![Event::about("emma", &Rejected)]), first[..1]);
            assert_ne!(ids(vec![approved("dune", 1)]), first[..1]);
        }
    }

    #[test]
    fn a_part_without_writes_that_follows_an_announced_one_has_another_id() {
        let first_part = |aggregate| {
            let part = Effects::none().announce(Message::new(LOANS, approved(aggregate, 1)));
            let cause = origin().in_part(0, &part);
            let mut sent = announced(part.announced(), &moment(), &cause);
            sent.remove(0).envelope.event_id
        };
        let emma = first_part("emma");
        assert_ne!(first_part("dune"), emma, "the second delivery announces the other one alone");
        assert_eq!(first_part("emma"), emma, "a repeated part keeps its id");
    }

    fn approved(aggregate: &str, amount: u32) -> Event {
        Event::about(aggregate, &Approved(amount))
    }

    fn moment() -> Moment {
        Moment::of_record(Timestamp::from_millis(0), "queue", "record-1")
    }

    const LOANS: QueueName = QueueName::new("loans");

    fn origin() -> EventOrigin {
        EventOrigin {
            request_id: "run-1".to_owned(),
            traceparent: None,
            tracestate: None,
            part: String::new(),
        }
    }

    #[test]
    fn a_part_is_labelled_by_its_first_item_in_any_order_of_the_parts() {
        let label = |number, pk: &str| {
            let write = Write {
                table: TableName::new("loans"),
                key: Key::new(pk),
                key_is_personal: false,
                action: WriteAction::Delete,
                condition: None,
                on_condition_failed: OnConditionFailed::Retry,
            };
            origin().in_part(number, &Effects::none().write(write)).part
        };
        assert_ne!(
            label(0, "emma"),
            label(0, "dune"),
            "two rows never share the ids of their events"
        );
        assert_eq!(label(0, "emma"), label(1, "emma"), "a repeated run gives a row the same ids");
    }
}
