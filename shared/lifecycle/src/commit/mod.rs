//! Performs stage 8: one commit of all durable effects, or one message in its place.
//!
//! # Contention
//!
//! A commit succeeds only if its conditions hold. A failed condition without a
//! [rejection](crate::effects::Write::or_reject) means that the facts are stale: another request
//! has changed the item since stage 6. Stages 6 to 8 then run again, and so they do after a
//! transaction that used the same items at the same time.
//!
//! | | a request | a record |
//! |---|---|---|
//! | runs of stages 6 to 8, at most | 25 | 10 |
//! | pause after run n, random up to | 10 · 2ⁿ ms, at most 200 ms | 10 · 2ⁿ ms, at most 1 s |
//! | after the last run | 503 with `Retry-After: 1` | the record is retried with back-off |
//! | no time left for a pause | 504 | the record is retried with back-off |
//!
//! The log line of a request has the number of its runs in `attempts`. The numbers suffice for
//! about two dozen clients that change one item concurrently.
//!
//! ## A hot item
//!
//! An item that many requests change at once, such as a total or a counter, is a limit of the
//! design. `DynamoDB` also bounds it, to about 1,000 writes a second. In order of preference:
//!
//! 1. Change it without reading it: [`Write::update`](crate::effects::Write::update) with
//!    [`add`](crate::effects::Write::add), and a condition on the value itself
//!    ([`AtLeast`](crate::effects::Condition::AtLeast)) with a rejection. Such a commit conflicts
//!    only with a transaction that is in progress, never because of a stale version.
//! 2. Take it out of the commit: publish an [event](crate::effects::Effects::event), and let a
//!    consumer of one FIFO message group update the total.
//! 3. Split it into shards, of which each request changes one, and add them up on reading.
//!
//! ## A condition that can never hold
//!
//! If the same conditions fail again for at least a second, in three runs or more, while the store
//! returns the same items, no other writer is the cause: the decision asks for a condition that
//! contradicts the facts. Examples are a condition on an item that does not exist, and facts from a
//! cache that is older than the item. The request ends with 500 and the record fails, instead of a
//! 503 that a client would retry without end. The error type `CONDITION_NEVER_HOLDS` counts it, and
//! a log line names each write, its condition and the attributes that were read.

mod announce;
mod failed;
mod outbox;
mod outgoing;
mod part_labels;
mod perform;

pub(crate) use self::announce::{by_queue, send_in_order};
pub(crate) use self::failed::FailedWrite;
pub use self::outbox::{
    BY_WAITING, OUTBOX_ROW_REFUSED, OUTBOX_ROW_SET_ASIDE, OutboxRow, REFUSALS_MAX, SET_ASIDE_AT,
};
pub(crate) use self::outgoing::{EventOrigin, announced, outgoing};
pub(crate) use self::part_labels::PartLabels;
pub(crate) use self::perform::{CommitOutcome, commit};
pub use crate::resource::OUTBOX;
