//! The lifecycle's sibling for queues, streams and schedules: stages 4 to 8, with the inbox in place of the
//! idempotency key.

use std::future::Future;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::effects::{Effects, Queue};
use crate::envelope::Envelope;
use crate::failure::{Fault, Rejection, Violations};
use crate::record::{Key, Table};
use crate::uses::Use;
use crate::{Backoff, Moment, Permit, Timestamp};

/// Something that reacts to the records of a queue or a stream, each on its own, or to the clock.
///
/// A record that cannot be understood (stages 4 and 5) goes to the dead-letter queue at once
/// with the reason; one that fails later is retried alone, with backoff. All that a record leads to, and the
/// note that it was consumed, is one commit: a record has effect once, however often it comes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "`Consumer` is not implemented for it"
)]
pub trait Consumer: Send + Sync + Sized + 'static {
    /// Where records come from.
    const SOURCE: Source;

    /// Whether consumed records are remembered.
    const INBOX: Inbox = Inbox::Remembered;

    /// How many records of a batch are worked on at a time. Records of one group (a FIFO
    /// message group, an item of a stream) are always worked on one after the other.
    const CONCURRENCY: usize = 10;

    /// How often a record of a queue that fails comes again, and when; a stream has its own rules.
    const BACKOFF: Backoff = Backoff::DEFAULT;

    /// The tables, queues, secrets and upstreams in use, for the policy.
    const USES: &'static [Use];

    /// Stage 4. Deserialisation: the record as it comes.
    type Input: Delivery;

    /// Stage 5. Syntax validation: into a type that cannot be wrong.
    type Command: Send + Sync;

    /// Stage 5. Syntax validation.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once; the record goes to the dead-letter queue.
    fn parse(input: Self::Input) -> Result<Self::Command, Violations>;

    /// Stage 6. Retrieval: everything the decision needs.
    type Facts: Send + Sync;

    /// Stage 6. Retrieval.
    fn retrieve(
        &self,
        permit: &Permit<Delivered>,
        command: &Self::Command,
    ) -> impl Future<Output = Result<Self::Facts, Fault>> + Send;

    /// Stages 7 and 8. What follows from the record: a pure function of values.
    ///
    /// # Errors
    ///
    /// The rule that says no: the record is remembered as consumed, without effects, and the
    /// refusal is logged. What should be tried again is a [`Fault`] of stage 6.
    fn decide(
        moment: &Moment,
        command: &Self::Command,
        facts: Self::Facts,
    ) -> Result<Effects, Rejection>;
}

/// Who asks when a record is consumed: nobody but the source itself.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The record's id, the same for every delivery of it.
    pub record_id: String,
    /// How often it has been delivered, this time included; 1 for streams.
    pub deliveries: u32,
}

/// Where a consumer's records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An SQS queue, standard or FIFO.
    Queue(Queue),
    /// The new images in the stream of a table.
    Stream(Table),
    /// The clock. Each [`Run`] is a record; one that fails is a failed invocation, which Lambda
    /// tries again twice. It has no dead-letter queue: the next run comes by itself.
    Schedule,
}

/// Whether a consumer remembers what it has consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbox {
    /// Each record has effect once.
    Remembered,
    /// Records may have effect again; whoever gets the effects copes with that.
    None,
}

/// Where the ledger remembers that a record of a source was consumed, by the name of its queue.
pub fn inbox_key(source: &str, record_id: &str) -> Key {
    Key::new(format_args!("inbox#{source}#{record_id}"))
}

/// A record as it comes, before it is understood.
pub trait Delivery: DeserializeOwned + Send {
    /// The id by which the inbox knows it, if it carries one of its own; the queue's message id
    /// otherwise.
    fn event_id(&self) -> Option<&str> {
        None
    }

    /// The request that caused it, for the log.
    fn request_id(&self) -> Option<&str> {
        None
    }

    /// The trace context of that request.
    fn traceparent(&self) -> Option<&str> {
        None
    }

    /// The `tracestate` that belongs to it.
    fn tracestate(&self) -> Option<&str> {
        None
    }
}

/// A run of a schedule, as `EventBridge` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Run {
    /// The same for every attempt at the same run.
    pub id: String,
    /// When it was due.
    pub time: Timestamp,
}

impl Delivery for Run {
    fn event_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl<D: DeserializeOwned + Send> Delivery for Envelope<D> {
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
