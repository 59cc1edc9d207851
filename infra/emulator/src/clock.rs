//! The platform's clock. It is ahead of the machine's by a number of seconds that tests set.
//!
//! The functions' processes get the offset in an environment variable. They read it once, so a move
//! of the clock ends the idle ones, and their caches with them. Running invocations keep their time,
//! and so does SES. SQS follows with its delays and visibility timeouts; it keeps messages beyond
//! their retention period, and deletes them at the next start with the same data directory.

use std::sync::Arc;
use std::time::Duration;

use dynoxide::storage_backend;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// The most seconds by which the clock can be ahead: some thirty years.
const OFFSET_S_MAX: u32 = 1_000_000_000;

/// A platform's clock. Clones are handles to the same clock.
#[derive(Debug, Clone)]
pub struct Clock {
    offset_s: Arc<watch::Sender<u32>>,
    is_fixed: bool,
}

/// The reason why the clock is not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The new time is before the present one.
    #[error("the clock is {0} s ahead and cannot be moved back")]
    Back(u32),
    /// The new time is too late.
    #[error("the clock can be at most {OFFSET_S_MAX} s ahead")]
    TooFar,
    /// The tables are in a file. Their times to live are by the machine's clock.
    #[error("the clock cannot be moved while the tables are in a file")]
    Fixed,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_s: Arc::new(watch::Sender::new(0)), is_fixed: false }
    }
}

impl Clock {
    /// A clock that always shows the machine's time.
    pub(crate) fn fixed() -> Self {
        Self { is_fixed: true, ..Self::default() }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + Duration::from_secs(self.offset_s().into())
    }

    /// The number of seconds by which it is ahead of the machine's clock.
    pub fn offset_s(&self) -> u32 {
        *self.offset_s.borrow()
    }

    /// Moves it, so that it is this many seconds ahead of the machine's clock. Environments that run
    /// already keep their time. Queues and expired items follow with
    /// [`Stores::follow_clock`](crate::services::Stores::follow_clock).
    ///
    /// # Errors
    /// If it would move back or too far, or cannot be moved at all.
    pub fn set_offset(&self, offset_s: u32) -> Result<(), ClockError> {
        if self.is_fixed {
            return Err(ClockError::Fixed);
        }
        if offset_s > OFFSET_S_MAX {
            return Err(ClockError::TooFar);
        }
        let mut present_s = offset_s;
        self.offset_s.send_if_modified(|present| {
            present_s = *present;
            *present = offset_s.max(*present);
            offset_s > present_s
        });
        if offset_s < present_s { Err(ClockError::Back(present_s)) } else { Ok(()) }
    }

    /// Waits until this time has passed on the clock.
    pub(crate) async fn sleep(&self, wait: Duration) {
        let mut moves = self.offset_s.subscribe();
        let (begun, offset_s) = (Instant::now(), *moves.borrow_and_update());
        loop {
            let moved_s = moves.borrow_and_update().saturating_sub(offset_s);
            let passed = begun.elapsed().saturating_add(Duration::from_secs(moved_s.into()));
            let left = wait.saturating_sub(passed);
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = sleep(left) => return,
                // The sender lives as long as the clock does.
                _ = moves.changed() => {}
            }
        }
    }
}

/// For the time to live of items and the times of stream records.
impl storage_backend::Clock for Clock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.now().as_duration().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_move_of_the_clock_ends_a_sleep_early() {
        let clock = Clock::default();
        let before = clock.now();
        let mut sleeping = std::pin::pin!(clock.sleep(Duration::from_mins(1)));
        assert_eq!(sleeping.as_mut().now_or_never(), None);

        clock.set_offset(59).unwrap();
        assert_eq!(sleeping.as_mut().now_or_never(), None, "a second is left");
        clock.set_offset(60).unwrap();
        assert_eq!(sleeping.now_or_never(), Some(()));
        assert!(clock.now().duration_since(before).as_secs() >= 60);
    }

    #[test]
    fn the_clock_moves_forward_only() {
        let clock = Clock::default();
        clock.set_offset(30).unwrap();
        clock.set_offset(30).unwrap();
        assert_eq!(clock.set_offset(29), Err(ClockError::Back(30)));
        assert_eq!(clock.set_offset(u32::MAX), Err(ClockError::TooFar));
        assert_eq!(clock.offset_s(), 30);
        assert_eq!(Clock::fixed().set_offset(1), Err(ClockError::Fixed));
    }
}
