//! The ages of values that a process keeps from one invocation to the next.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Timestamp, clock};

/// The moment from which an age is counted, by two clocks.
///
/// Lambda freezes a process between invocations. AWS does not document whether the monotonic clock
/// goes on meanwhile. The wall clock does, but it may be set back. So the age is the larger
/// difference of the two clocks. A value may be replaced too early; too late only if the wall clock
/// is set back while the process is frozen.
///
/// A duration within one invocation needs only an [`Instant`].
///
/// ```
/// use std::time::Duration;
///
/// use lifecycle::since::Since;
///
/// let loaded = Since::now();
/// assert!(loaded.elapsed() < Duration::from_mins(1), "it is loaded again after a minute");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Since {
    instant: Instant,
    wall: Timestamp,
}

impl Since {
    /// The current moment.
    pub fn now() -> Self {
        Self::at(clock::now())
    }

    /// The current moment, for which the invocation has read the wall clock at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { instant: Instant::now(), wall: now }
    }

    /// The time that has passed since this moment.
    pub fn elapsed(&self) -> Duration {
        self.age(clock::now())
    }

    /// The time that has passed since this moment, when the wall clock shows `now`.
    pub fn age(&self, now: Timestamp) -> Duration {
        self.instant.elapsed().max(between(self.wall, now))
    }

    /// The moment on the monotonic clock, which alone gives the order of two moments.
    pub fn instant(&self) -> Instant {
        self.instant
    }
}

/// The time from one reading of the wall clock to another; none if it was set back.
pub(crate) fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    let millis = later.as_millis().saturating_sub(earlier.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_age_is_the_larger_difference_of_both_clocks() {
        let second = |second: i64| Timestamp::from_millis(second * 1000);
        let since = Since::at(second(100));
        assert_eq!(since.age(second(100)), Duration::ZERO);
        assert_eq!(since.age(second(107)), Duration::from_secs(7), "the process was frozen");
        advance(Duration::from_secs(9)).await;
        assert_eq!(since.age(second(107)), Duration::from_secs(9));
        assert_eq!(since.age(second(20)), Duration::from_secs(9), "the wall clock was set back");
    }
}
