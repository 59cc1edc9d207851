//! Operations at most once in a time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lifecycle::since::Since;

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
