//! Queues: sending, visibility and dead letters.

mod batches;
mod dead_letter;
mod messages;
mod visibility;

#[cfg(feature = "admin")]
pub(crate) use self::batches::is_fifo;
pub(crate) use self::messages::all_failed;
