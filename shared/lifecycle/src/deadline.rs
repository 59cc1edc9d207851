//! The remaining time of an invocation. Work that cannot finish in it is not started.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clock;

/// The time by which an invocation must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// Subtracted from Lambda's own deadline, so that our response is sent before Lambda ends the
    /// process.
    pub const MARGIN: Duration = Duration::from_millis(500);

    /// How long after the deadline work may go on that a failure needs: it ends before the watchdog
    /// takes the thread for blocked.
    pub(crate) const GRACE: Duration = Duration::from_millis(150);

    /// The longest timeout of a Lambda function.
    const LONGEST: Duration = Duration::from_mins(15);

    /// The time left if no deadline is known: the timeout of our template.
    const UNSAID: Duration = Duration::from_secs(10);

    /// The deadline of an invocation: Lambda's wall-clock deadline, less the margin. The margin is
    /// at most half of the time left.
    ///
    /// A deadline that passed before the invocation can have begun is ignored: `cargo lambda watch`
    /// sends ten minutes past midnight of 1970-01-01.
    pub(crate) fn from_lambda(deadline: SystemTime) -> Self {
        let left = Self::left_until(deadline);
        Self(Instant::now() + left - Self::margin(left))
    }

    /// The same for the deadline of a simulated invocation.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn ending_at(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        Self(Instant::now() + left - Self::margin(left))
    }

    /// The time at which the watchdog answers instead of work that overran
    /// [`Deadline::from_lambda`]. Two fifths of the margin have passed then; the rest is for that
    /// response.
    pub(crate) fn overdue(deadline: SystemTime) -> std::time::Instant {
        let left = Self::left_until(deadline);
        Instant::now().into_std() + left.saturating_sub(Self::margin(left) * 3 / 5)
    }

    /// The time at which Lambda ends the invocation.
    pub(crate) fn end(deadline: SystemTime) -> std::time::Instant {
        Instant::now().into_std() + Self::left_until(deadline)
    }

    fn left_until(deadline: SystemTime) -> Duration {
        match deadline.duration_since(clock::unmoved()) {
            Ok(left) => left,
            Err(ended) if ended.duration() > Self::LONGEST => Self::UNSAID,
            Err(_) => Duration::ZERO,
        }
    }

    fn margin(left: Duration) -> Duration {
        Self::MARGIN.min(left / 2)
    }

    /// The deadline this long from now.
    pub fn after(left: Duration) -> Self {
        Self(Instant::now() + left)
    }

    /// The time left; zero after the deadline.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The deadline of work that a failure needs, also a failure because time ran out.
    pub(crate) fn with_grace(self) -> Self {
        Self(self.0 + Self::GRACE)
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_leaves_a_margin_and_an_impossible_one_is_ignored() {
        let now = clock::unmoved();
        let seconds = Duration::from_secs;
        for (deadline, left) in [
            (now + seconds(10), seconds(9)..seconds(10)),
            (now - seconds(1), seconds(0)..seconds(1)),
            (SystemTime::UNIX_EPOCH + seconds(600), seconds(9)..seconds(10)),
        ] {
            let found = Deadline::from_lambda(deadline).left();
            assert!(left.contains(&found), "{deadline:?}: {found:?}");
            let own = Deadline::from_lambda(deadline).instant().into_std();
            let overdue = Deadline::overdue(deadline);
            assert!(own <= overdue);
            assert!(overdue <= Deadline::end(deadline));
        }
    }

    #[test]
    fn the_margin_is_for_the_response_and_the_watchdog_has_three_fifths_of_it() {
        for (left_ms, margin_ms) in [(10_000, 500), (1_000, 500), (400, 200), (0, 0)] {
            let left = Duration::from_millis(left_ms);
            assert_eq!(Deadline::margin(left), Duration::from_millis(margin_ms), "{left_ms}");
        }
        let deadline = clock::unmoved() + Duration::from_secs(10);
        let before_end = Deadline::end(deadline) - Deadline::overdue(deadline);
        let [least, most] = [290, 310].map(Duration::from_millis);
        assert!((least..most).contains(&before_end), "{before_end:?}");
        assert!(Deadline::GRACE < Deadline::MARGIN * 2 / 5, "the watchdog waits for the grace");
    }
}
