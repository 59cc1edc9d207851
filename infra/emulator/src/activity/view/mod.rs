//! The shapes of the console's JSON, which the page, `trace` and the MCP server read.
//!
//! Names are in camel case in JSON. Times are RFC 3339 by the platform's clock; durations are
//! milliseconds. A value that is not known is `null`. Every text was redacted before it got here:
//! no password, token or secret is in any of these values.

mod commit;
mod invocation;
mod journey;
mod request;
mod stage;

pub use self::commit::{CommitAttempt, CommitOutcomeView, CommitView, WriteKind, WriteView};
pub use self::invocation::{
    CallView, InvocationDetail, InvocationView, ItemWrite, LogView, PermissionView, RecordView,
};
pub use self::journey::{
    Delivery, Journey, JourneyEdge, JourneyNode, MessageOrigin, NodeKind, NodeState,
};
pub use self::request::{
    AnswerView, CacheLookup, DeferredView, Fact, FieldErrorView, OriginalRequest, Pair, Received,
    RequestDetail, RequestFilter, RequestPage, RequestRow, Rule, Sample, Verdict,
};
pub use self::stage::{Stage, StageBox, StageState};
