//! Rate limits: how often one caller, or one address, may ask.

use std::time::Duration;

/// A number of requests in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How it is counted.
    pub counting: Counting,
    /// How many requests.
    pub quota: u32,
    /// In which time.
    pub window: Duration,
}

/// How requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// By one conditional update before anything else is done: never overshoots, and costs a
    /// round trip. For where guessing pays.
    Exact,
    /// In memory, the counts exchanged through the store after the answer: costs the answer
    /// nothing. Each execution environment may let through what it has not yet exchanged, at
    /// most a sixtieth of the quota (and at least one), beyond the quota.
    Approximate,
}

impl Limit {
    /// 600 a minute, counted approximately.
    pub const DEFAULT: Self = Self::approximate(600, MINUTE);

    /// Counted approximately.
    pub const fn approximate(quota: u32, window: Duration) -> Self {
        Self { counting: Counting::Approximate, quota, window }
    }

    /// Counted exactly.
    pub const fn exact(quota: u32, window: Duration) -> Self {
        Self { counting: Counting::Exact, quota, window }
    }
}

/// The usual window.
pub const MINUTE: Duration = Duration::from_secs(60);
