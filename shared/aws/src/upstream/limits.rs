//! The limits of calls to an upstream.

use std::time::Duration;

/// The largest body of a response, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How long one attempt may take, unless the client sets another limit.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// The clocks of two instances may differ by this much, in seconds. A stored end that is further
/// ahead is from a clock that was wrong, and counts as past.
pub(super) const SKEW_S: i64 = 30;

/// Wait after a 429 without `Retry-After`, in seconds.
pub(super) const RETRY_AFTER_S: u32 = 5;
