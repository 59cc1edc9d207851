//! The length of a day.

use simulation::Millis;
use simulation::random::{Chance, Random};

/// The share of days on which all users come at the same time.
const BUSY: Chance = Chance::percent(40);

/// The time within which so many operations begin. On a usual day it is a quarter of an hour at least,
/// with one operation in ten seconds. On a busy day five begin in a second, and they meet.
pub(super) fn day(operations: usize, random: &mut impl Random) -> Millis {
    let operations = u64::try_from(operations).unwrap_or(u64::MAX);
    if random.happens(BUSY) {
        return Millis::seconds(5).max(Millis(operations.saturating_mul(200)));
    }
    Millis::seconds(900).max(Millis::seconds(operations.saturating_mul(10)))
}

#[cfg(test)]
mod tests {
    use simulation::random::Seeded;

    use super::*;

    #[test]
    fn some_days_are_busy_and_a_usual_one_has_ten_seconds_for_an_operation() {
        let mut random = Seeded::new(1);
        let days: Vec<Millis> = (0..100).map(|_| day(200, &mut random)).collect();
        let busy = days.iter().filter(|day| **day == Millis::seconds(40)).count();
        let usual = days.iter().filter(|day| **day == Millis::seconds(2_000)).count();
        assert_eq!(busy + usual, 100);
        assert!(busy > 20 && usual > 40, "{busy} {usual}");
    }
}
