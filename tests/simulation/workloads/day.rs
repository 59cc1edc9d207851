//! The length of a day.

use simulation::Millis;

/// The time within which so many operations begin: two a second at most, and a quarter of an hour at
/// least.
pub(super) fn day(operations: usize) -> Millis {
    let operations = u64::try_from(operations).unwrap_or(u64::MAX);
    Millis::seconds(900).max(Millis::seconds(operations.saturating_mul(10)))
}
