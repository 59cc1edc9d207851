//! The freedom that AWS's documents leave to the services.

use crate::Millis;
use crate::random::Chance;

/// How far the services use the freedom that AWS's documents leave to them. The random source
/// decides each case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freedom {
    /// The longest time until an eventually consistent read of a table sees a write.
    pub replica_lag_max: Millis,
    /// The longest time until a global index has a write.
    pub index_lag_max: Millis,
    /// The longest duration of a transaction.
    pub transaction_max: Millis,
    /// The longest time from the expiry of an item to its deletion; on AWS, days.
    pub ttl_delay_max: Millis,
    /// How often a key or item of a batch stays unprocessed.
    pub unprocessed: Chance,
    /// Whether a batch of reads returns the items of a table in a drawn order, and not in that of the keys.
    pub unordered_batches: bool,
    /// How often a queue refuses a valid entry of a batch of sends or of visibility changes, and takes
    /// the others.
    pub failed_entries: Chance,
    /// How often a standard queue delivers a message again although it is hidden.
    pub duplicates: Chance,
    /// How often a standard queue delivers a message again although it is deleted.
    pub undeleted: Chance,
    /// How often a standard queue deletes a message by a receipt handle that is not the last.
    pub old_handles: Chance,
    /// Whether a standard queue delivers messages in a drawn order.
    pub reorders: bool,
    /// How often a receive call without long polling misses a message.
    pub missed: Chance,
}

impl Freedom {
    /// No freedom: everything happens at once, in order and exactly once.
    pub const fn none() -> Self {
        Self {
            replica_lag_max: Millis(0),
            index_lag_max: Millis(0),
            transaction_max: Millis(0),
            ttl_delay_max: Millis(0),
            unprocessed: Chance::NEVER,
            unordered_batches: false,
            failed_entries: Chance::NEVER,
            duplicates: Chance::NEVER,
            undeleted: Chance::NEVER,
            old_handles: Chance::NEVER,
            reorders: false,
            missed: Chance::NEVER,
        }
    }

    /// More than AWS uses on a usual day, so that a simulation finds mistakes soon.
    pub const fn usual() -> Self {
        Self {
            replica_lag_max: Millis(500),
            index_lag_max: Millis(2_000),
            transaction_max: Millis(40),
            ttl_delay_max: Millis::hours(48),
            unprocessed: Chance::percent(2),
            unordered_batches: true,
            failed_entries: Chance::percent(2),
            duplicates: Chance::percent(2),
            undeleted: Chance::percent(1),
            old_handles: Chance::percent(50),
            reorders: true,
            missed: Chance::percent(5),
        }
    }
}

impl Default for Freedom {
    fn default() -> Self {
        Self::none()
    }
}
