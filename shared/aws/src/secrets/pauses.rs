//! Pauses before a failed operation is tried again. They grow and have jitter, so that instances do
//! not retry together.

use std::time::Duration;

use lifecycle::random;
use lifecycle::since::Since;

/// How the pauses grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    /// The pause after the first failure. It doubles with each further one.
    pub(crate) first: Duration,
    /// The longest pause.
    pub(crate) longest: Duration,
}

/// Failures in a row, and the pause before the next attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failing {
    times: u32,
    /// The last of them.
    failed: Since,
    pause: Duration,
}

impl Pauses {
    /// Counts one more failure in a row.
    pub(crate) fn failed(self, before: Option<Failing>) -> Failing {
        let times = before.map_or(0, |failing| failing.times).saturating_add(1);
        Failing { times, failed: Since::now(), pause: self.after(times) }
    }

    /// Half of the pause, plus a random part of the other half.
    fn after(self, times: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << times.saturating_sub(1).min(16));
        let pause = doubled.min(self.longest);
        pause.mul_f64(0.5 + random::fraction() / 2.0)
    }
}

impl Failing {
    /// The time left of the pause; `None` when it is over.
    pub(crate) fn pause_left(&self) -> Option<Duration> {
        let left = self.pause.saturating_sub(self.failed.elapsed());
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest_with_jitter() {
        let pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_mins(1) };
        let mut failing = None;
        for longest_s in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            failing = Some(pauses.failed(failing));
            let left = failing.unwrap().pause_left().unwrap();
            let longest = Duration::from_secs(longest_s);
            assert!((longest / 2..=longest).contains(&left), "{longest_s}: {left:?}");
        }
        let many = (0..50).map(|_| pauses.after(7)).collect::<std::collections::BTreeSet<_>>();
        assert!(many.len() > 40, "jitter makes them differ");
        assert!(pauses.after(u32::MAX) <= pauses.longest);
    }
}
