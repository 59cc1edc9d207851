//! Simulated time.

use std::ops::{Add, Sub};

/// A time in milliseconds since 1970, or a duration in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Millis(pub u64);

impl Millis {
    /// A number of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A number of hours.
    pub const fn hours(hours: u64) -> Self {
        Self::seconds(hours.saturating_mul(3600))
    }

    /// The same as a duration.
    pub const fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    /// The whole milliseconds of a duration.
    pub fn of(duration: std::time::Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    /// The whole seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The seconds with their fraction, as AWS writes times in JSON.
    #[expect(clippy::cast_precision_loss, reason = "a time of this millennium has 44 bits")]
    pub fn as_seconds_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The time from `earlier` to this; 0 if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, duration: Self) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl Sub for Millis {
    type Output = Self;

    fn sub(self, duration: Self) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }
}
