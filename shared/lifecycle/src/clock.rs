//! The clock: the only place where functions read the wall clock. The emulator can move it, and a
//! simulation has its own.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use crate::Timestamp;

/// The variable with the number of seconds by which the emulator has moved the clock.
const OFFSET: &str = "CLOCK_OFFSET_S";

/// A variable that Lambda sets. Lambda rejects a function whose configuration sets it, so only the
/// emulator can give it the value [`EMULATOR`].
const MARK: &str = "AWS_EXECUTION_ENV";

/// The value of [`MARK`] in the emulator while its clock is moved.
const EMULATOR: &str = "emulator";

/// The clock is this many seconds ahead of the system's. It is 0 on AWS.
static OFFSET_S: AtomicI64 = AtomicI64::new(0);

/// The reason why a function with a moved clock does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClockError {
    /// The function does not run in the emulator.
    #[error("the environment sets {OFFSET}, which only the emulator may set")]
    NotEmulated,
    /// The offset cannot be read.
    #[error("{OFFSET} is not a whole number of seconds")]
    NotANumber,
}

/// Returns the current time. Decisions use their [`Moment`](crate::Moment) instead.
pub fn now() -> Timestamp {
    #[cfg(any(test, feature = "testing"))]
    if let Some(now) = fixed::now().or_else(crate::surroundings::now) {
        return now;
    }
    Timestamp::from(unmoved()).plus_seconds(OFFSET_S.load(Ordering::Relaxed))
}

/// The time and the seed of ids that a test sets for its own futures.
#[cfg(any(test, feature = "testing"))]
pub(crate) mod fixed {
    use std::future::Future;

    use crate::Timestamp;

    tokio::task_local! {
        static FIXED: (Timestamp, [u8; 32]);
    }

    /// Runs a future at this time, with ids from this seed.
    pub(crate) fn at<F: Future>(
        now: Timestamp,
        seed: [u8; 32],
        future: F,
    ) -> impl Future<Output = F::Output> {
        FIXED.scope((now, seed), future)
    }

    pub(super) fn now() -> Option<Timestamp> {
        FIXED.try_with(|(now, _)| *now).ok()
    }

    /// The seed of ids, if a test has set one.
    pub(crate) fn seed() -> Option<[u8; 32]> {
        FIXED.try_with(|(_, seed)| *seed).ok()
    }
}

/// Returns the system's time. Only the deadlines of invocations are measured by it: time does not
/// pass for a running invocation when the emulator moves the clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn unmoved() -> SystemTime {
    SystemTime::now()
}

/// Sets the clock once, at the start of a function.
///
/// # Errors
///
/// If the clock would be moved outside of the emulator.
pub(crate) fn start(lookup: impl Fn(&str) -> Option<String>) -> Result<(), ClockError> {
    OFFSET_S.store(offset_s(lookup)?, Ordering::Relaxed);
    Ok(())
}

fn offset_s(lookup: impl Fn(&str) -> Option<String>) -> Result<i64, ClockError> {
    let Some(offset) = lookup(OFFSET) else {
        return Ok(0);
    };
    if lookup(MARK).as_deref() != Some(EMULATOR) {
        return Err(ClockError::NotEmulated);
    }
    offset.parse().map_err(|_| ClockError::NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_emulator_can_move_the_clock() {
        let aws = "AWS_Lambda_provided.al2023";
        for (offset, mark, expected) in [
            (None, Some(aws), Ok(0)),
            (None, Some(EMULATOR), Ok(0)),
            (Some("30"), Some(EMULATOR), Ok(30)),
            (Some("-30"), Some(EMULATOR), Ok(-30)),
            (Some("30"), Some(aws), Err(ClockError::NotEmulated)),
            (Some("0"), None, Err(ClockError::NotEmulated)),
            (Some(""), Some(aws), Err(ClockError::NotEmulated)),
            (Some("1.5"), Some(EMULATOR), Err(ClockError::NotANumber)),
        ] {
            let lookup = |name: &str| match name {
                OFFSET => offset.map(str::to_owned),
                MARK => mark.map(str::to_owned),
                _ => None,
            };
            assert_eq!(offset_s(lookup), expected, "{offset:?} with {mark:?}");
        }
    }
}
