//! The ages of values that a process keeps from one invocation to the next.

use std::time::Duration;

use tokio::time::Instant;

use crate::Timestamp;

/// The moment from which an age is counted, by two clocks.
///
/// Lambda freezes a process between invocations, and the monotonic clock may stand still meanwhile.
/// The wall clock goes on, but it may be set back. So the age is the larger difference of the two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since {
    instant: Instant,
    wall: Timestamp,
}

impl Since {
    /// The current moment, at which the wall clock shows `now`.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self { instant: Instant::now(), wall: now }
    }

    /// The time that has passed since this moment, when the wall clock shows `now`.
    pub(crate) fn age(&self, now: Timestamp) -> Duration {
        self.instant.elapsed().max(between(self.wall, now))
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
