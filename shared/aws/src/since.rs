//! The ages of values that a process keeps from one invocation to the next.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lifecycle::clock;
use tokio::time::Instant;

/// The moment from which an age is counted.
///
/// Lambda freezes a process between invocations. AWS does not document whether the monotonic clock
/// goes on meanwhile. The wall clock does, but it may be set back. So the age is the larger
/// difference of the two clocks. A value may be replaced too early; too late only if the wall clock
/// is set back while the process is frozen.
///
/// A duration within one invocation needs only an [`Instant`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since {
    instant: Instant,
    wall_ms: i64,
}

impl Since {
    /// The current moment.
    pub(crate) fn now() -> Self {
        Self { instant: Instant::now(), wall_ms: clock::now().as_millis() }
    }

    /// The time that has passed since this moment.
    pub(crate) fn elapsed(&self) -> Duration {
        let wall_ms = clock::now().as_millis().saturating_sub(self.wall_ms);
        // Negative if the wall clock has been set back.
        let wall = Duration::from_millis(u64::try_from(wall_ms).unwrap_or(0));
        self.instant.elapsed().max(wall)
    }

    /// The moment on the monotonic clock, which alone gives the order of two moments.
    pub(crate) fn instant(&self) -> Instant {
        self.instant
    }
}

/// Allows an operation at most once in a time, to one process.
#[derive(Debug)]
pub(crate) struct Every {
    time: Duration,
    last: Mutex<Option<Since>>,
}

impl Every {
    /// Allows an operation at most once in this time, and the first one at once.
    pub(crate) fn new(time: Duration) -> Self {
        Self { time, last: Mutex::default() }
    }

    /// Whether the operation is allowed now. If so, the caller performs it.
    pub(crate) fn is_due(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= self.time);
        if is_due {
            *last = Some(Since::now());
        }
        is_due
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use lifecycle::Timestamp;
    use lifecycle::testing::simulated::{Surroundings, within};
    use tokio::time::advance;

    use super::*;

    /// A wall clock that a test moves. With a paused runtime, the monotonic clock stands still
    /// meanwhile, as it may in a frozen process.
    #[derive(Default)]
    pub(crate) struct WallClock {
        passed_ms: AtomicI64,
    }

    impl WallClock {
        /// Moves the clock forward.
        pub(crate) fn pass(&self, time: Duration) {
            self.passed_ms.fetch_add(i64::try_from(time.as_millis()).unwrap(), SeqCst);
        }

        fn set_back(&self, time: Duration) {
            self.passed_ms.fetch_sub(i64::try_from(time.as_millis()).unwrap(), SeqCst);
        }
    }

    impl Surroundings for WallClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_800_000_000_000 + self.passed_ms.load(SeqCst))
        }

        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_age_is_the_larger_difference_of_both_clocks() {
        let clock = Arc::<WallClock>::default();
        within(clock.clone(), async {
            let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
            let since = Since::now();
            assert_eq!(since.elapsed(), Duration::ZERO);
            clock.pass(minute);
            assert_eq!(since.elapsed(), minute, "the monotonic clock stands still");
            advance(hour).await;
            assert_eq!(since.elapsed(), hour);
            clock.set_back(2 * hour);
            assert_eq!(since.elapsed(), hour, "the wall clock is set back");
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_is_due_at_first_and_again_after_its_time_also_while_frozen() {
        let clock = Arc::<WallClock>::default();
        within(clock.clone(), async {
            let (minute, second) = (Duration::from_mins(1), Duration::from_secs(1));
            let every = Every::new(minute);
            assert_eq!([every.is_due(), every.is_due()], [true, false]);
            clock.pass(minute.checked_sub(second).unwrap());
            assert!(!every.is_due());
            clock.pass(second);
            assert_eq!([every.is_due(), every.is_due()], [true, false]);
        })
        .await;
    }
}
