//! Events and messages in their envelopes.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::Moment;
use crate::effects::{Content, Event, Message};
use crate::envelope::Envelope;
use crate::ports::Outgoing;
use crate::telemetry::TraceContext;

/// The length of a `traceparent` up to the end of its trace id: `00-` and 32 hexadecimal digits.
const TRACE_CHARS: usize = 35;

/// The origin of the effects; it is part of every envelope.
#[derive(Debug, Clone)]
pub(crate) struct EventOrigin {
    pub(crate) request_id: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) tracestate: Option<String>,
    /// The [label](super::PartLabels) of the part that has the effects, which keeps their ids distinct
    /// from those of other parts; empty for effects that are no part.
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

    /// The same origin for the part with this label.
    pub(crate) fn in_part(self, label: String) -> Self {
        Self { part: label, ..self }
    }

    /// The label of an event in the outbox, by its place in the commit.
    ///
    /// In a part, another event has another id, as in a message: the part may commit other effects in
    /// place of these. Without parts the place is enough. If a later delivery of a record without an
    /// inbox decides on another event of the aggregate, the row of the first shows that it has committed.
    pub(super) fn event_label(&self, number: u16, event: &Event) -> String {
        let (part, Event { event_type, aggregate_id, .. }) = (&self.part, event);
        if part.is_empty() {
            return format!("event/{number}");
        }
        format!("{part}event/{number}/{event_type}/{aggregate_id}")
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
    use crate::commit::PartLabels;
    use crate::effects::{Effects, EventData, QueueName};

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
            let cause = origin().in_part(PartLabels::default().label_of(&part));
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
    fn another_event_of_a_part_has_another_label_and_without_parts_the_number_decides() {
        let rejected = || Event::about("emma", &Rejected);
        let label = |event: Event| origin().event_label(0, &event);
        assert_eq!(label(approved("emma", 1)), label(rejected()));
        let label = |event: Event| origin().in_part("part/1/".to_owned()).event_label(0, &event);
        assert_ne!(label(approved("emma", 1)), label(rejected()));
        assert_ne!(label(approved("emma", 1)), label(approved("dune", 1)));
        assert_eq!(label(approved("emma", 1)), label(approved("emma", 2)));
    }
}
