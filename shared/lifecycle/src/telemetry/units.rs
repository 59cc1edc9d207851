//! Durations as numbers, exact to a microsecond.

#![expect(clippy::cast_precision_loss, reason = "a duration in µs is far below 2^52")]

use std::time::Duration;

/// Milliseconds with three decimal places.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

/// Seconds with six decimal places.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000_000.0
}
