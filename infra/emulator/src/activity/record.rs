//! The records as they are kept: bodies unparsed, times monotonic.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use super::cause::Cause;
use super::reported::{DeferredWork, Ended, Progress, SettledRecord};
use super::view::Stage;

/// The beginning of a chain of effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Root {
    /// A request, by its number.
    Request(u64),
    /// An invocation that no request caused, by its number.
    Invocation(u64),
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct RequestRecord {
    pub(super) number: u64,
    /// The order among all records with detail.
    pub(super) order: u64,
    pub(super) id: Arc<str>,
    pub(super) request_id: Option<Arc<str>>,
    pub(super) at: Timestamp,
    pub(super) began: Instant,
    pub(super) api: String,
    pub(super) method: String,
    /// The path with its query, as it was received.
    pub(super) target: String,
    pub(super) route: Option<String>,
    pub(super) function: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) client: String,
    pub(super) code: Option<String>,
    pub(super) cold_start: bool,
    pub(super) replayed: bool,
    pub(super) attempts: u32,
    pub(super) refused_at: Option<Stage>,
    /// The gateway's own reason for a refusal.
    pub(super) refusal: Option<String>,
    pub(super) answered_by: AnsweredBy,
    pub(super) authorization: Option<AuthorizerVerdict>,
    /// The numbers of the function's invocation and of the authorizer's.
    pub(super) invocation: Option<u64>,
    pub(super) authorizer: Option<u64>,
    pub(super) status: Option<u16>,
    pub(super) took: Option<Duration>,
    pub(super) body_bytes: usize,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) answer: Option<Answer>,
    pub(super) bytes: usize,
    pub(super) dropped: bool,
}

/// The decision of the gateway's authorizer.
#[derive(Debug, Clone)]
pub(super) struct AuthorizerVerdict {
    pub(super) name: String,
    pub(super) allowed: bool,
    pub(super) cached: bool,
    pub(super) reason: String,
    pub(super) took: Duration,
}

/// A response to a client.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Who makes the response to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnsweredBy {
    Function,
    Gateway,
    /// The gateway, to a preflight of CORS.
    GatewayAsPreflight,
}

/// An invocation.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub(super) number: u64,
    /// The order among all records with detail.
    pub(super) order: u64,
    pub(super) id: Arc<str>,
    pub(super) function: Arc<str>,
    pub(super) cause: Cause,
    /// Where the causes began. A batch may have several.
    pub(super) roots: Vec<Root>,
    pub(super) environment: Option<Arc<str>>,
    pub(super) cold_start: bool,
    pub(super) queued_at: Timestamp,
    pub(super) queued: Instant,
    pub(super) taken: Option<Instant>,
    /// The end of the work on the response: posted, or failed.
    pub(super) answered: Option<Instant>,
    pub(super) freed: Option<Instant>,
    pub(super) error: Option<String>,
    /// Whether the process ended, or was too slow, before it could report.
    pub(super) interrupted: bool,
    /// The messages that it sent, by their numbers.
    pub(super) sent: Vec<u64>,
    pub(super) calls: Vec<CallRecord>,
    pub(super) lines: Vec<LineRecord>,
    pub(super) inspected: Inspected,
    pub(super) bytes: usize,
    pub(super) dropped: bool,
}

/// The facts that the lifecycle reported about an invocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Inspected {
    /// The request id of the lifecycle. It is known once the event was read.
    pub(super) request_id: Option<Arc<str>>,
    pub(super) route: Option<String>,
    pub(super) progress: Option<Progress>,
    pub(super) ended: Option<Ended>,
    pub(super) deferred: Vec<DeferredWork>,
    pub(super) records: Vec<SettledRecord>,
}

impl Inspected {
    /// Whether the function reports its stages. A function of the lifecycle has done so once it has
    /// read the event, before it works.
    pub(super) fn reports_stages(&self) -> bool {
        self.request_id.is_some() || self.progress.is_some()
    }
}

/// A call to a service.
#[derive(Debug, Clone)]
pub(super) struct CallRecord {
    pub(super) service: &'static str,
    pub(super) operation: String,
    pub(super) resources: Vec<String>,
    pub(super) accesses: Arc<dyn Accesses>,
    /// The accesses that the policy denied.
    pub(super) denials: Vec<(String, String)>,
    pub(super) fault: Option<String>,
    pub(super) body: Bytes,
    pub(super) response: Bytes,
    /// 0 while it runs.
    pub(super) status: u16,
    pub(super) at: Timestamp,
    pub(super) began: Instant,
    pub(super) ended: Option<Instant>,
    /// Read and write units.
    pub(super) units: Option<(f64, f64)>,
    /// Whether it came after the response.
    pub(super) deferred: bool,
    pub(super) writes: Vec<KeyOfWrite>,
}

/// The IAM actions of a call. Only views need the ARNs of their resources.
pub(crate) trait Accesses: Debug + Send + Sync {
    /// The actions, each with the ARN of its resource.
    fn named(&self) -> Vec<(String, String)>;

    /// The bytes that they hold.
    fn size(&self) -> usize;
}

/// The item that a call writes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyOfWrite {
    /// The table's logical id.
    pub(crate) table: String,
    /// The key, for people: `pk = USER#1, sk = PROFILE`.
    pub(crate) key: String,
    /// Whether the item is deleted.
    pub(crate) deletes: bool,
}

/// A log line.
#[derive(Debug, Clone)]
pub(super) struct LineRecord {
    pub(super) at: Timestamp,
    pub(super) is_platform: bool,
    pub(super) text: String,
}

/// A message of a queue, without its body.
#[derive(Debug, Clone)]
pub(super) struct MessageRecord {
    pub(super) id: Arc<str>,
    /// The queue where it is, by logical id.
    pub(super) queue: String,
    /// The number of the invocation that sent it.
    pub(super) sent_by: Option<u64>,
    pub(super) roots: Vec<Root>,
    pub(super) sent_at: Timestamp,
    /// The end of its delay, and later of its visibility timeout.
    pub(super) visible_at: Option<Timestamp>,
    pub(super) event_type: Option<String>,
    /// The id in its envelope, by which its effects name it.
    pub(super) event_id: Option<String>,
    /// How often it was received, as the queue counts.
    pub(super) receives: u32,
    pub(super) deliveries: Vec<DeliveryRecord>,
    pub(super) deleted_at: Option<Timestamp>,
    /// The dead-letter queue that gets it after its last delivery.
    pub(super) dead_letter_queue: Option<String>,
}

/// A delivery of a message or of a stream record.
#[derive(Debug, Clone)]
pub(super) struct DeliveryRecord {
    pub(super) at: Timestamp,
    /// The number of the invocation.
    pub(super) invocation: Option<u64>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) succeeded: Option<bool>,
    pub(super) error: Option<String>,
}

/// A record of a table's stream.
#[derive(Debug, Clone)]
pub(super) struct RowRecord {
    pub(super) table: String,
    /// The sequence number.
    pub(super) sequence: String,
    pub(super) key: String,
    pub(super) event: String,
    pub(super) created_s: i64,
    /// The write that made it.
    pub(super) written_by: Option<WriteRef>,
    pub(super) roots: Vec<Root>,
    /// By reader.
    pub(super) readers: BTreeMap<String, ReaderState>,
}

/// A write, by its invocation, call and place in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WriteRef {
    pub(super) invocation: u64,
    pub(super) call: usize,
    pub(super) place: usize,
}

/// The progress of one reader with a record.
#[derive(Debug, Clone, Default)]
pub(super) struct ReaderState {
    pub(super) deliveries: Vec<DeliveryRecord>,
    /// Whether it succeeded, was filtered, or was given up.
    pub(super) is_done: bool,
    pub(super) is_filtered: bool,
    pub(super) gave_up: Option<String>,
    pub(super) next_try_at: Option<Timestamp>,
}

/// A request to a stand-in.
#[derive(Debug, Clone)]
pub(super) struct UpstreamRecord {
    pub(super) number: u64,
    pub(super) service: &'static str,
    pub(super) method: String,
    pub(super) path: String,
    /// The headers `x-request-id` and `traceparent`.
    pub(super) request_id: Option<String>,
    pub(super) at: Timestamp,
    pub(super) took: Option<Duration>,
    pub(super) status: Option<u16>,
}

impl Invocation {
    /// The time of an instant.
    pub(super) fn time_of(&self, instant: Instant) -> Timestamp {
        self.queued_at + instant.saturating_duration_since(self.queued)
    }

    /// The beginning of its work: of the function, or of waiting for it.
    pub(super) fn began(&self) -> Instant {
        self.taken.unwrap_or(self.queued)
    }

    /// Whether it has responded, and still has work that it reported, such as messages to send.
    pub(super) fn works_after_its_response(&self) -> bool {
        let wanted = self.inspected.ended.as_ref().map_or(0, |ended| ended.deferred);
        self.freed.is_none() && wanted > 0 && self.inspected.deferred.is_empty()
    }
}

impl CallRecord {
    /// Whether it succeeded.
    pub(super) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it writes items that are part of a commit.
    pub(super) fn is_commit(&self) -> bool {
        !self.writes.is_empty()
    }

    /// The bytes that it holds.
    pub(super) fn size(&self) -> usize {
        let keys: usize = self.writes.iter().map(|it| it.table.len() + it.key.len()).sum();
        let bodies = self.body.len() + self.response.len();
        super::limits::OVERHEAD + bodies + keys + self.accesses.size()
    }
}

/// A duration in milliseconds, to the microsecond.
pub(super) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
