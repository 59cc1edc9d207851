//! Records that belong together, taken out for a view, which is then built without the lock.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::record::{
    CallRecord, Invocation, MessageRecord, RequestRecord, RowRecord, UpstreamRecord, WriteRef,
};

/// The request that a process works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningRequest {
    /// The id of the request.
    pub id: String,
    /// The route's template, if one fits.
    pub route: Option<String>,
    /// The id of the invocation.
    pub invocation: String,
}

/// A request with its invocation.
pub(super) struct RequestSnapshot {
    pub(super) request: RequestRecord,
    pub(super) invocation: Option<Invocation>,
}

/// A write with the call that made it.
pub(super) struct WriteSnapshot {
    pub(super) invocation: Arc<str>,
    pub(super) function: Arc<str>,
    pub(super) request: Option<String>,
    pub(super) call: CallRecord,
    /// The place of the write in the call.
    pub(super) place: usize,
    /// Whether the invocation has ended.
    pub(super) has_ended: bool,
}

/// The way of a request and of its effects.
pub(super) struct Way {
    pub(super) begin: Begin,
    /// In the order of their discovery: each after its causes.
    pub(super) invocations: Vec<Invocation>,
    pub(super) messages: Vec<MessageRecord>,
    pub(super) rows: Vec<RowOnWay>,
    pub(super) upstreams: Vec<UpstreamRecord>,
    /// The queues that keep dead letters.
    pub(super) dead_letter_queues: BTreeSet<String>,
    pub(super) compensations: BTreeSet<String>,
    pub(super) truncated: bool,
}

/// The beginning of a way.
pub(super) enum Begin {
    Request(Box<RequestRecord>),
    /// An invocation that no request caused; it is the first.
    Invocation,
    /// A message that was never received.
    Message,
}

/// A change of an item that a stream delivers.
pub(super) struct RowOnWay {
    /// The write that made it; `None` for one that an operator made.
    pub(super) write: Option<WriteRef>,
    pub(super) table: String,
    pub(super) key: String,
    /// The record, once a reader has seen it.
    pub(super) record: Option<RowRecord>,
    /// The number of readers of the stream.
    pub(super) readers: usize,
}
