//! Calls to an upstream with an audit record and alerts: the parts that an application defines.

use std::time::Duration;

use crate::effects::{Message, Write};
use crate::record::{IndexName, Record};
use crate::{Moment, Upstream};

/// The consequence of a failed response for later calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The upstream works, and refuses this request alone.
    None,
    /// The upstream works, and wants fewer requests: clients have to wait.
    Busy,
    /// The upstream no longer accepts the token that was sent.
    TokenRefused,
    /// The upstream fails: a failure for the circuit breaker.
    Outage,
}

/// A response without the wanted data, as the application reads it.
pub trait FailedCall {
    /// The failure of a call without a usable response.
    fn missing() -> Self;

    /// The consequence for later calls.
    fn class(&self) -> FailureClass;

    /// The upstream's own code, if the response has one.
    fn code(&self) -> Option<&str>;
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// The response has the wanted data.
    Answered,
    /// The response does not have it.
    Refused(FailureClass),
    /// There is no response in time, or it broke off: a failure of the upstream.
    Missing,
    /// The call failed by our own fault.
    Unknown,
    /// The circuit breaker stopped the call.
    CutOff,
}

/// The begin of a call.
#[derive(Debug)]
pub struct CallStart<'a> {
    /// The moment of the API request that the call is for.
    pub moment: &'a Moment,
    /// The id of that request.
    pub request_id: String,
    /// The caller, by the id that it gives itself.
    pub who: &'a str,
    /// The API's route: `GET /partner/products`.
    pub route: String,
    /// The upstream.
    pub upstream: Upstream,
    /// The URL that is called, without the query.
    pub address: String,
    /// The headers of the call, without the token.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body of the call.
    pub body: &'a [u8],
}

/// The end of a call.
#[derive(Debug)]
pub struct CallEnd<'a> {
    /// The outcome.
    pub outcome: CallOutcome,
    /// The upstream's own code for its failure.
    pub code: Option<&'a str>,
    /// The response, if there is one.
    pub response: Option<CallResponse<'a>>,
    /// The duration, including retries and token requests; absent if the call was stopped.
    pub took: Option<Duration>,
    /// Whether its failure opened the circuit.
    pub opened: bool,
}

/// The response to a call.
#[derive(Debug)]
pub struct CallResponse<'a> {
    /// The status.
    pub status: u16,
    /// The headers that are visible ASCII.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub body: &'a [u8],
}

/// The audit record of a call. It is written twice: before the call and after it.
pub trait CallRecord: Record {
    /// The record of a call that begins. Its key must differ for each call: if an item has the key, this
    /// record is not written, since the one of the end may already be stored.
    fn of_start(start: &CallStart<'_>) -> Self;

    /// The record of the ended call.
    #[must_use]
    fn with_end(self, end: &CallEnd<'_>) -> Self;

    /// The alerts for operators, which are sent after the API's response.
    fn alerts(moment: &Moment, upstream: Upstream, end: &CallEnd<'_>) -> Vec<Message>;
}

/// An audit record that an index has while its call is pending. A record that stays in the index
/// shows that the function ended before the call did.
pub trait PendingCall: CallRecord + 'static {
    /// The index of the pending records, spread over partitions, by the time of their begin.
    const BY_PENDING: IndexName;

    /// Returns the write that closes the record as abandoned, unless it was completed meanwhile.
    fn abandoned(self) -> Write;
}
