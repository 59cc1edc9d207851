//! Retry back-off: how long a failed record waits, and how often it is delivered.

use std::time::Duration;

use crate::random;

/// The retry back-off of a failed record of a queue.
///
/// The first wait is up to 2 s. The maximum doubles with each delivery, up to 15 minutes. Each wait
/// is random, at least half of its maximum: records that failed together do not return together,
/// and none uses up its deliveries early.
///
/// ```
/// use std::time::Duration;
/// use lifecycle::Backoff;
/// let backoff = Backoff::trying_for(Duration::from_mins(10));
/// assert_eq!(backoff.deliveries_max(), 11);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    tried_for: Duration,
}

impl Backoff {
    /// Bridges a failure of a dependency of ten minutes.
    pub const DEFAULT: Self = Self::trying_for(Duration::from_mins(10));

    const FIRST_S: u64 = 2;
    const LONGEST_S: u64 = 15 * 60;
    /// The largest `maxReceiveCount` of a queue.
    const DELIVERIES_MAX: u32 = 1000;

    /// Retries a failing record for at least this long.
    ///
    /// # Panics
    ///
    /// If that takes more deliveries than a queue allows, 1 000: over five days. In a constant, this
    /// is an error of the compiler:
    ///
    /// ```compile_fail,E0080
    /// use std::time::Duration;
    /// use lifecycle::Backoff;
    /// const BACKOFF: Backoff = Backoff::trying_for(Duration::from_hours(24 * 7));
    /// ```
    pub const fn trying_for(least: Duration) -> Self {
        let backoff = Self { tried_for: least };
        assert!(
            backoff.deliveries_max() <= Self::DELIVERIES_MAX,
            "a queue delivers a message 1 000 times at most: try for a shorter time"
        );
        backoff
    }

    /// The minimum time for which a record is retried.
    pub fn tried_for(self) -> Duration {
        self.tried_for
    }

    /// The number of deliveries before the dead-letter queue: the queue's `maxReceiveCount`.
    pub const fn deliveries_max(self) -> u32 {
        let (mut deliveries, mut tried_s) = (1, 0);
        while tried_s < self.tried_for.as_secs() && deliveries <= Self::DELIVERIES_MAX {
            tried_s += Self::longest_wait_s(deliveries) / 2;
            deliveries += 1;
        }
        deliveries
    }

    /// The visibility timeout for a record that failed at this delivery, in whole seconds.
    ///
    /// After the last delivery it is that of the first: SQS moves a message to the dead-letter queue
    /// only when it would deliver it again, and until then the message blocks its FIFO group.
    pub(crate) fn wait_after(self, deliveries: u32) -> Duration {
        Self::wait(if deliveries < self.deliveries_max() { deliveries } else { 1 })
    }

    /// A random wait of at least half of its maximum, which doubles with each delivery.
    fn wait(deliveries: u32) -> Duration {
        let least_s = Self::longest_wait_s(deliveries) / 2;
        Duration::from_secs(least_s + random::up_to(least_s))
    }

    const fn longest_wait_s(deliveries: u32) -> u64 {
        let doublings = deliveries.saturating_sub(1);
        if doublings < Self::LONGEST_S.ilog2() {
            Self::FIRST_S << doublings
        } else {
            Self::LONGEST_S
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_15_minutes_and_are_at_least_half_of_their_maximum() {
        for (deliveries, longest_s) in
            [(0, 2), (1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (11, 900), (u32::MAX, 900)]
        {
            let waits: Vec<u64> = (0..200).map(|_| Backoff::wait(deliveries).as_secs()).collect();
            let within = |wait: &u64| (longest_s / 2..=longest_s).contains(wait);
            assert!(waits.iter().all(within), "{deliveries}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{deliveries}: {waits:?}");
        }
    }

    #[test]
    fn the_wait_after_the_last_delivery_is_that_after_the_first() {
        let backoff = Backoff::DEFAULT;
        let last = backoff.deliveries_max();
        for (deliveries, waits_s) in
            [(1, 1..=2), (last - 1, 450..=900), (last, 1..=2), (last + 1, 1..=2)]
        {
            let wait_s = backoff.wait_after(deliveries).as_secs();
            assert!(waits_s.contains(&wait_s), "{deliveries}: {wait_s}");
        }
    }

    #[test]
    #[should_panic(expected = "1 000 times at most")]
    fn more_deliveries_than_a_queue_allows_are_refused() {
        let _ = Backoff::trying_for(Duration::from_hours(24 * 7));
    }

    #[test]
    fn enough_deliveries_are_allowed_for_the_time_with_the_shortest_waits() {
        for (tried_for_s, deliveries) in
            [(0, 1), (1, 2), (2, 3), (3, 3), (511, 10), (512, 11), (600, 11), (12 * 3600, 105)]
        {
            let backoff = Backoff::trying_for(Duration::from_secs(tried_for_s));
            assert_eq!(backoff.deliveries_max(), deliveries, "{tried_for_s} s");
            assert_eq!(backoff.tried_for().as_secs(), tried_for_s);
        }
    }
}
