//! The platform's clock. It is ahead of the machine's by a number of seconds that tests set.
//!
//! The functions' processes get the offset in an environment variable. They read it once, so a move
//! of the clock ends the idle ones, and their caches with them. Running invocations keep their time,
//! and so does SES. SQS follows with its delays and visibility timeouts; it keeps messages beyond
//! their retention period, and deletes them at the next start with the same data directory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dynoxide::storage_backend;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// The most seconds by which the clock can be ahead: some thirty years.
const OFFSET_S_MAX: u32 = 1_000_000_000;

/// A platform's clock. Clones are handles to the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// The number of seconds by which it is ahead.
    offset_s: Arc<AtomicU32>,
    /// The same after the last move that is complete. Sleepers go by it.
    complete_s: Arc<watch::Sender<u32>>,
    is_fixed: bool,
}

/// A move of the clock that others follow. When it is dropped, it is complete and sleepers wake.
#[derive(Debug)]
#[must_use = "sleepers wake when it is dropped"]
pub(crate) struct OpenMove {
    offset_s: u32,
    complete_s: Arc<watch::Sender<u32>>,
}

impl Drop for OpenMove {
    fn drop(&mut self) {
        self.complete_s.send_if_modified(|present_s| {
            let is_ahead = self.offset_s > *present_s;
            *present_s = self.offset_s.max(*present_s);
            is_ahead
        });
    }
}

/// A reading of the clock, from which a sleep counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockReading {
    now: Timestamp,
    at: Instant,
    offset_s: u32,
}

impl ClockReading {
    /// The time that the clock showed.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }
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

impl Clock {
    /// A clock that always shows the machine's time.
    pub(crate) fn fixed() -> Self {
        Self { is_fixed: true, ..Self::default() }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.read().now
    }

    /// The number of seconds by which it is ahead of the machine's clock.
    pub fn offset_s(&self) -> u32 {
        self.offset_s.load(Ordering::SeqCst)
    }

    /// The current time, for a sleep from it on.
    pub(crate) fn read(&self) -> ClockReading {
        let offset_s = self.offset_s();
        let now = Timestamp::now() + Duration::from_secs(offset_s.into());
        ClockReading { now, at: Instant::now(), offset_s }
    }

    /// Moves it, so that it is this many seconds ahead of the machine's clock. Environments that run
    /// already keep their time. Queues and expired items follow with
    /// [`Stores::follow_clock`](crate::services::Stores::follow_clock).
    ///
    /// # Errors
    /// If it would move back or too far, or cannot be moved at all.
    pub fn set_offset(&self, offset_s: u32) -> Result<(), ClockError> {
        self.begin_move(offset_s).map(drop)
    }

    /// Like [`Clock::set_offset`], but sleepers wake only when the result is dropped. Until then
    /// others can follow: a schedule that is due must not find the state of the old time.
    pub(crate) fn begin_move(&self, offset_s: u32) -> Result<OpenMove, ClockError> {
        if self.is_fixed {
            return Err(ClockError::Fixed);
        }
        if offset_s > OFFSET_S_MAX {
            return Err(ClockError::TooFar);
        }
        let present_s = self.offset_s.fetch_max(offset_s, Ordering::SeqCst);
        if offset_s < present_s {
            return Err(ClockError::Back(present_s));
        }
        Ok(OpenMove { offset_s, complete_s: Arc::clone(&self.complete_s) })
    }

    /// Waits until this time has passed on the clock since a reading. A move of the clock counts when
    /// it is complete.
    pub(crate) async fn sleep(&self, since: ClockReading, wait: Duration) {
        let mut moves = self.complete_s.subscribe();
        loop {
            let moved_s = moves.borrow_and_update().saturating_sub(since.offset_s);
            let passed = since.at.elapsed().saturating_add(Duration::from_secs(moved_s.into()));
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
        let before = clock.read();
        let mut sleeping = std::pin::pin!(clock.sleep(before, Duration::from_mins(1)));
        assert_eq!(sleeping.as_mut().now_or_never(), None);

        clock.set_offset(59).unwrap();
        assert_eq!(sleeping.as_mut().now_or_never(), None, "a second is left");
        clock.set_offset(60).unwrap();
        assert_eq!(sleeping.now_or_never(), Some(()));
        assert!(clock.now().duration_since(before.now()).as_secs() >= 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_when_a_move_of_the_clock_is_complete() {
        let clock = Clock::default();
        let mut sleeping = std::pin::pin!(clock.sleep(clock.read(), Duration::from_mins(1)));

        let moved = clock.begin_move(60).unwrap();

        assert_eq!(clock.offset_s(), 60);
        assert_eq!(sleeping.as_mut().now_or_never(), None, "others follow before");
        drop(moved);
        assert_eq!(sleeping.now_or_never(), Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_counts_a_move_since_its_reading_once() {
        let clock = Clock::default();
        let (before, moved) = (clock.read(), clock.begin_move(60).unwrap());
        let between = clock.read();
        drop(moved);

        assert_eq!(clock.sleep(before, Duration::from_mins(1)).now_or_never(), Some(()));
        assert_eq!(clock.sleep(between, Duration::from_mins(1)).now_or_never(), None);
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
