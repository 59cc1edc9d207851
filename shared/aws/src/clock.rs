//! The clock.

use std::time::SystemTime;

use lifecycle::Timestamp;

/// The current time, not the request's moment: a call takes time.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
