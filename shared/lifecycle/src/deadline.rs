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

    /// From the wall-clock deadline that Lambda gives with each invocation, less the margin.
    /// The margin is never more than half of what there is.
    pub(crate) fn from_lambda(deadline: SystemTime) -> Self {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        Self(Instant::now() + left - Self::MARGIN.min(left / 2))
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
