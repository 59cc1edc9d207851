//! The lifecycle of records from queues, streams, schedules and other events: stages 4 to 8, with an inbox in
//! place of the idempotency key.

use std::fmt::Debug;
use std::future::Future;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::effects::{Effects, QueueName};
use crate::envelope::Envelope;
use crate::error::{DomainError, Retrieved};
use crate::input::FromInput;
use crate::record::{Key, TableName};
use crate::resource::Resources;
pub use crate::schedule::Schedule;
use crate::{Backoff, Moment, Permit, Timestamp};

/// A function that processes each record of a queue or a stream, each run of a schedule, or each
/// event of another service.
///
/// A record that fails in stage 4 or 5 goes to the dead-letter queue at once, with the
/// reason. One that fails later is retried alone, with back-off. The effects of a record and its
/// inbox entry are one commit: repeated deliveries of a record have one effect.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "`Consumer` is not implemented for it",
    note = "implement `Consumer` for it: stages 4 to 8"
)]
pub trait Consumer: Send + Sync + Sized + 'static {
    /// The source of the records.
    const SOURCE: Source;

    /// Whether the inbox remembers processed records.
    const INBOX: Inbox = Inbox::Remembered;

    /// How many records of a batch are processed concurrently. Records of one group (a FIFO message
    /// group, an item of a stream) are processed one after the other.
    const CONCURRENCY: usize = 10;

    /// How long a failed record of a queue is retried. The pauses between the retries and the
    /// queue's `maxReceiveCount` follow from it. The records of streams are retried by the rules of
    /// their event source mapping.
    const BACKOFF: Backoff = Backoff::DEFAULT;

    /// The tables, queues, secrets and upstreams in use, for the IAM policy.
    const RESOURCES: Resources;

    /// Stage 4. Deserialisation: the record as delivered.
    type Input: RecordInput;

    /// Stage 5. Syntax validation, by `TryFrom`: into a type that cannot be wrong. It is the input
    /// itself, or a type made of it. The conversion reports all field errors together; the record
    /// then goes to the dead-letter queue. The local platform shows the command by its `Debug`, so a
    /// type with a secret hides it there.
    type Command: FromInput<Self::Input> + Debug + Send + Sync;

    /// Stage 6. Retrieval: everything the decision needs.
    type Facts: Send + Sync;

    /// Stage 6. Retrieval, in parallel, and only with a permit.
    fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        command: &Self::Command,
    ) -> impl Future<Output = Retrieved<Self::Facts>> + Send;

    /// Stages 7 and 8. The effects of the record: a pure function of values.
    ///
    /// # Errors
    ///
    /// The business rule that rejects the record. The record is remembered as processed, without
    /// effects, and the rejection is logged. For a retry, return a
    /// [`RetrieveError`](crate::RetrieveError) from stage 6.
    fn decide(
        moment: &Moment,
        command: &Self::Command,
        facts: Self::Facts,
    ) -> Result<Effects, DomainError>;
}

/// The caller of a consumer: one delivery of a record, message or run of a schedule.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeliveredMessage {
    /// The record's id, the same in every delivery.
    pub record_id: String,
    /// The number of deliveries, including this one; 1 for streams.
    pub deliveries: u32,
}

/// The source of a consumer's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// An SQS queue, standard or FIFO.
    Queue(QueueName),
    /// The new images in the stream of a table.
    Stream(TableName),
    /// A schedule. Each [`ScheduledRun`] is a record. A failed run is a failed invocation. It has
    /// no dead-letter queue, and the template turns Lambda's retries off: the next run does its
    /// work. A run over several rows has one [part](crate::effects::Effects::part) for each row, or
    /// for a few rows that may fail together.
    Schedule(Schedule),
    /// Events of another AWS service, such as S3, SNS, `EventBridge` or Kinesis, or invocations by
    /// another program. The name is the source in metrics and in the inbox.
    ///
    /// The whole event is one record: a type that implements [`RecordInput`], in the form in which
    /// the service sends it. It is read with the limits of input, since another system wrote it.
    /// All its effects are one commit. A failure in any stage is a failed invocation: Lambda
    /// retries it, and sends it to the on-failure destination of the function or mapping at last.
    /// There is no dead-letter queue of ours.
    ///
    /// The inbox knows the event by [`RecordInput::event_id`], or else by the hash of its text.
    /// Where equal events shall have their effect again, set [`Inbox::None`] or return an id.
    ///
    /// A batch of Kinesis is one event. With `BisectBatchOnFunctionError` Lambda retries a failed batch
    /// in halves, which have other hashes. If the invocation failed after its commit, for example by a
    /// crash, the halves have its effects again. Turn bisection off, or set [`Inbox::None`] with writes
    /// whose conditions hold once for each record of the batch.
    ///
    /// A person writes the trigger of the function into the template: `cargo lifecycle codegen` writes
    /// no event source mapping for it.
    ///
    /// ```
    /// use lifecycle::consumer::{RecordInput, Source};
    /// use serde::Deserialize;
    ///
    /// const SOURCE: Source = Source::Event("uploads");
    ///
    /// /// An event of `EventBridge`.
    /// #[derive(Deserialize)]
    /// struct ObjectCreated {
    ///     id: String,
    ///     detail: Detail,
    /// }
    ///
    /// #[derive(Deserialize)]
    /// struct Detail {
    ///     object: Object,
    /// }
    ///
    /// #[derive(Deserialize)]
    /// struct Object {
    ///     key: String,
    /// }
    ///
    /// impl RecordInput for ObjectCreated {
    ///     fn event_id(&self) -> Option<&str> {
    ///         Some(&self.id)
    ///     }
    /// }
    /// ```
    Event(&'static str),
}

impl Source {
    /// The name of the queue, the table or the events; a schedule's is `schedule`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queue(queue) => queue.name(),
            Self::Stream(table) => table.name(),
            Self::Schedule(_) => "schedule",
            Self::Event(name) => name,
        }
    }

    /// The queue whose dead-letter queue takes unparseable records. For a stream it has the name of
    /// the table. Schedules and other events have none.
    pub(crate) fn dead_letters(self) -> Option<QueueName> {
        match self {
            Self::Queue(_) | Self::Stream(_) => Some(QueueName::new(self.name())),
            Self::Schedule(_) | Self::Event(_) => None,
        }
    }
}

/// Whether a consumer remembers processed records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inbox {
    /// Each record has its effect once.
    Remembered,
    /// Nothing remembers a record. Its writes have conditions that hold once, or their repetition
    /// does no harm; the receivers of its messages tolerate a repeated one. An event whose row is in
    /// the outbox ends the repetition; only announcements are sent again.
    None,
}

/// The key of a processed record in the idempotency table; `source` is the queue's name.
pub fn inbox_key(source: &str, record_id: &str) -> Key {
    Key::new(format_args!("inbox#{source}#{record_id}"))
}

/// A record as it is delivered, before validation.
#[diagnostic::on_unimplemented(
    message = "stage 4: `{Self}` is not the input of a consumer",
    label = "not a record as it is delivered",
    note = "use `Envelope<D>` for a message, `ScheduledRun` for a schedule, or implement `RecordInput` for the image in a stream or another event"
)]
pub trait RecordInput: DeserializeOwned + Send {
    /// The id for the inbox, if the record has one; otherwise the message id of the queue is used,
    /// or the hash of an event.
    fn event_id(&self) -> Option<&str> {
        None
    }

    /// The id of the request that caused the record, for the log.
    fn request_id(&self) -> Option<&str> {
        None
    }

    /// The trace context of that request.
    fn traceparent(&self) -> Option<&str> {
        None
    }

    /// The `tracestate` that belongs to the `traceparent`.
    fn tracestate(&self) -> Option<&str> {
        None
    }
}

/// A run of a schedule, as in `EventBridge`'s event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ScheduledRun {
    /// The id, the same in every attempt at this run.
    pub id: String,
    /// The time for which the run was scheduled.
    pub time: Timestamp,
}

impl RecordInput for ScheduledRun {
    fn event_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl<D: DeserializeOwned + Send> RecordInput for Envelope<D> {
    fn event_id(&self) -> Option<&str> {
        Some(&self.event_id)
    }

    fn request_id(&self) -> Option<&str> {
        Some(&self.request_id)
    }

    fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Image;

    impl RecordInput for Image {}

    fn members(record: &impl RecordInput) -> [Option<&str>; 4] {
        [record.event_id(), record.request_id(), record.traceparent(), record.tracestate()]
    }

    #[test]
    fn the_members_of_a_record_are_those_of_its_envelope_or_its_run() {
        assert_eq!(members(&Image), [None; 4]);
        let run = json!({ "id": "run-1", "time": "2026-01-01T00:00:00Z" });
        let run: ScheduledRun = serde_json::from_value(run).unwrap();
        assert_eq!(members(&run), [Some("run-1"), None, None, None]);
        let envelope = json!({
            "eventId": "event-1", "eventType": "NotePosted", "version": 1,
            "occurredAt": "2026-01-01T00:00:00Z", "aggregateId": "note-1",
            "requestId": "request-1", "traceparent": "parent-1", "tracestate": "vendor=1",
            "data": {},
        });
        let envelope: Envelope<serde_json::Value> = serde_json::from_value(envelope).unwrap();
        let expected = ["event-1", "request-1", "parent-1", "vendor=1"];
        assert_eq!(members(&envelope), expected.map(Some));
    }
}
