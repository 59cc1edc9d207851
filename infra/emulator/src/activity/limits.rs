//! The limits of the memory.

/// The most requests.
pub(super) const REQUESTS_MAX: usize = 10_000;
/// The most invocations.
pub(super) const INVOCATIONS_MAX: usize = 20_000;
/// The most messages.
pub(super) const MESSAGES_MAX: usize = 20_000;
/// The most stream records.
pub(super) const ROWS_MAX: usize = 20_000;
/// The most mails.
pub(super) const MAILS_MAX: usize = 5_000;
/// The most requests to stand-ins.
pub(super) const UPSTREAMS_MAX: usize = 5_000;
/// The most bytes of all detail: bodies, headers, calls, log lines and inspector records.
pub(super) const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most calls of one invocation.
pub(super) const CALLS_MAX: usize = 1_000;
/// The most log lines of one invocation.
pub(super) const LINES_MAX: usize = 1_000;
/// The most bytes of one log line that are kept.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024;
/// The most inspector records of one kind of one invocation.
pub(super) const RECORDS_MAX: usize = 1_000;
/// The most calls of an environment before its first invocation.
pub(super) const INIT_CALLS_MAX: usize = 20;
/// The most bytes of a body in such a call.
pub(super) const INIT_BYTES_MAX: usize = 16 * 1024;
/// The most deliveries of a message or a record that are kept.
pub(super) const DELIVERIES_MAX: usize = 50;
/// The size of a record without its texts, in bytes: an estimate from above.
pub(super) const OVERHEAD: usize = 256;
/// The most listeners.
pub(super) const LISTENERS_MAX: usize = 16;
/// The most rows and journeys that wait for a listener; more are dropped.
pub(super) const NEWS_MAX: usize = 5_000;
/// The most rows of one change.
pub(super) const ROWS_OF_CHANGE_MAX: usize = 500;
/// The most nodes of a journey.
pub(super) const NODES_MAX: usize = 300;
