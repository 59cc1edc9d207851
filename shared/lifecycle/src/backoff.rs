//! How long a record that failed waits before it comes again, and how often it comes.

use std::time::Duration;

use uuid::Uuid;

/// The growing waits between the deliveries of a queue's record that fails.
///
/// The first wait is up to 2 s, and each further one up to twice as long as the one before, as far
/// as 15 minutes. Each is drawn from the upper half of what it may be: records that failed together
/// do not come again together, and none is given up too soon.
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
    /// Survives ten minutes without a dependency.
    pub const DEFAULT: Self = Self::trying_for(Duration::from_mins(10));

    const FIRST_S: u64 = 2;
    const LONGEST_S: u64 = 15 * 60;

    /// A record that keeps failing is tried for this long at least, and then given up.
    pub const fn trying_for(least: Duration) -> Self {
        Self { tried_for: least }
    }

    /// For how long a record is tried at least.
    pub fn tried_for(self) -> Duration {
        self.tried_for
    }

    /// With which delivery a record is given up: the queue's `maxReceiveCount`.
    pub fn deliveries_max(self) -> u32 {
        let (mut deliveries, mut tried_s) = (1, 0);
        while tried_s < self.tried_for.as_secs() {
            tried_s += Self::longest_wait_s(deliveries) / 2;
            deliveries += 1;
        }
        deliveries
    }

    /// How long a record is hidden that has failed at this delivery, in whole seconds.
    pub(crate) fn wait(deliveries: u32) -> Duration {
        let least_s = Self::longest_wait_s(deliveries) / 2;
        Duration::from_secs(least_s + random_up_to(least_s))
    }

    fn longest_wait_s(deliveries: u32) -> u64 {
        let doublings = deliveries.saturating_sub(1).min(Self::LONGEST_S.ilog2());
        (Self::FIRST_S << doublings).min(Self::LONGEST_S)
    }
}

/// A random number from 0 to this one.
pub(crate) fn random_up_to(greatest: u64) -> u64 {
    // The lower half of a random UUID has 62 random bits.
    Uuid::new_v4().as_u64_pair().1 % greatest.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_less_than_half_of_what_they_may_be() {
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
    fn there_are_as_many_deliveries_as_the_shortest_waits_need_to_last_that_long() {
        for (tried_for_s, deliveries) in
            [(0, 1), (1, 2), (2, 3), (3, 3), (511, 10), (512, 11), (600, 11), (12 * 3600, 105)]
        {
            let backoff = Backoff::trying_for(Duration::from_secs(tried_for_s));
            assert_eq!(backoff.deliveries_max(), deliveries, "{tried_for_s} s");
        }
    }
}
