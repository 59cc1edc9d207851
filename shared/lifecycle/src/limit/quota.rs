//! Limits as endpoints declare them.
//!
//! An endpoint with [`Limit::OFF`] counts nothing. If it also has no
//! [`SUBJECT_LIMIT`](crate::Endpoint::SUBJECT_LIMIT), its description omits the table [`LIMITS`]:
//! it needs neither the variable `LIMITS_TABLE` nor a policy for the table. A service whose
//! endpoints all declare `Limit::OFF` needs no such table.

use std::time::Duration;

use crate::record::TableName;

/// The table of counts; its time-to-live attribute is `expiresAt`.
pub const LIMITS: TableName = TableName::new("limits");

/// A maximum number of requests in a window of time, or of their cost if an endpoint sets
/// [`Endpoint::cost`](crate::Endpoint::cost).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The method of counting.
    pub counting: Counting,
    /// The maximum number of requests, or their total cost.
    pub quota: u32,
    /// The length of a window; windows begin at multiples of it.
    pub window: Duration,
}

/// How requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counting {
    /// One conditional update before anything else: never exceeds the quota, and costs a round
    /// trip. For endpoints where guessing must be limited, such as sign-in.
    Exact,
    /// In memory, with an exchange of counts through the store, concurrent with the work of a
    /// request. A response waits for an exchange for 100 ms at most; it hardly waits if the request
    /// itself calls a service, since both calls run at once. An execution environment exchanges at
    /// its first request, in case that request ends the process, and then after each sixtieth of
    /// the quota. Each environment may admit about a sixtieth more than the quota, or one request
    /// if it costs more than that.
    Approximate,
    /// Not at all: see [`Limit::OFF`].
    Off,
}

/// The usual window.
pub const MINUTE: Duration = Duration::from_mins(1);

impl Limit {
    /// 600 a minute, counted approximately.
    pub const DEFAULT: Self = Self::approximate(600, MINUTE);

    /// No limit: requests are not counted, and responses have no `RateLimit` headers. The settings
    /// `RATE_LIMIT` and `EXACT_RATE_LIMIT` do not apply.
    ///
    /// ```
    /// # use lifecycle::limit::{Counting, Limit};
    /// const LIMIT: Limit = Limit::OFF;
    /// assert_eq!(LIMIT.counting, Counting::Off);
    /// ```
    pub const OFF: Self = Self { counting: Counting::Off, quota: u32::MAX, window: MINUTE };

    /// Counted approximately.
    pub const fn approximate(quota: u32, window: Duration) -> Self {
        Self { counting: Counting::Approximate, quota, window }
    }

    /// Counted exactly.
    pub const fn exact(quota: u32, window: Duration) -> Self {
        Self { counting: Counting::Exact, quota, window }
    }

    /// Whether requests are not counted.
    pub(crate) const fn is_off(&self) -> bool {
        matches!(self.counting, Counting::Off)
    }

    /// The local count at which an exchange is due.
    pub(super) fn exchanged_from(&self) -> u32 {
        (self.quota / 60).max(1)
    }
}
