//! Consumers: batches of records from a queue, a stream or a schedule.

mod handler;
mod outcome;
mod records;
mod retry_backoff;
mod settle;

pub(super) use self::handler::Handler;
