//! Performs stage 8: one commit of all durable effects, or one message in its place.

mod outbox;
mod outgoing;
mod perform;

pub use self::outbox::{
    BY_WAITING, OUTBOX_ROW_REFUSED, OUTBOX_ROW_SET_ASIDE, OutboxRow, REFUSALS_MAX, SET_ASIDE_AT,
};
pub(crate) use self::outgoing::{EventOrigin, outgoing, outgoing_of_part};
pub(crate) use self::perform::{CommitOutcome, commit};
pub use crate::resource::OUTBOX;
