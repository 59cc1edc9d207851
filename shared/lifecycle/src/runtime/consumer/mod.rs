//! Consumers: batches of records from a queue, a stream or a schedule.

mod groups;
mod handler;
mod outcome;
mod parts;
mod record_line;
mod records;
mod retry_backoff;
mod settle;
mod successes;

pub(super) use self::handler::Handler;
