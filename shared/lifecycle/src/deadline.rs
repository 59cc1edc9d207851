//! Time left: known everywhere, so that work which cannot finish is not begun.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When an invocation has to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// Kept back from Lambda's own deadline, so that our answer is out before the process is
    /// killed.
    pub const MARGIN: Duration = Duration::from_millis(500);

    /// The longest that an invocation may take on Lambda.
    const LONGEST: Duration = Duration::from_mins(15);

    /// What there is where nobody says: the timeout of our template.
    const UNSAID: Duration = Duration::from_secs(10);

    /// From the wall-clock deadline that Lambda gives with each invocation, less the margin.
    /// The margin is never more than half of what there is.
    ///
    /// One that ended before the invocation can have begun is no deadline: `cargo lambda watch`
    /// names ten minutes past midnight of the first day of 1970.
    pub(crate) fn from_lambda(deadline: SystemTime) -> Self {
        let left = Self::left_until(deadline);
        Self(Instant::now() + left - Self::margin(left))
    }

    /// From when work has overrun [`Deadline::from_lambda`]: the margin is for answering, and
    /// what is left of it here is for answering in the work's place.
    pub(crate) fn overdue(deadline: SystemTime) -> std::time::Instant {
        let left = Self::left_until(deadline);
        std::time::Instant::now() + left.saturating_sub(Self::margin(left) * 3 / 5)
    }

    /// When Lambda ends the invocation.
    pub(crate) fn end(deadline: SystemTime) -> std::time::Instant {
        std::time::Instant::now() + Self::left_until(deadline)
    }

    fn left_until(deadline: SystemTime) -> Duration {
        match deadline.duration_since(SystemTime::now()) {
            Ok(left) => left,
            Err(ended) if ended.duration() > Self::LONGEST => Self::UNSAID,
            Err(_) => Duration::ZERO,
        }
    }

    fn margin(left: Duration) -> Duration {
        Self::MARGIN.min(left / 2)
    }

    /// So long from now.
    pub fn after(left: Duration) -> Self {
        Self(Instant::now() + left)
    }

    /// How long is left; zero when it is over.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_leaves_a_margin_and_one_that_nobody_can_have_meant_is_none() {
        let now = SystemTime::now();
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
}
