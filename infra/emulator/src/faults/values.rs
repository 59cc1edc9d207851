//! Numbers of faults, valid by their types: a rate and a delay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The maximum delay of a call by a fault: longer than any function's timeout.
const DELAY_MS_MAX: u64 = 60_000;

/// A share from 0 (never) to 1 (always).
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl Rate {
    /// This share.
    ///
    /// # Panics
    /// If it is not between 0 and 1.
    pub fn of(share: f64) -> Self {
        Self::try_from(share).expect("a rate is between 0 and 1")
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!("a rate is between 0 and 1, not {rate}"))
        }
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

/// A delay in milliseconds, at most a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct DelayMs(u64);

impl TryFrom<u64> for DelayMs {
    type Error = String;

    fn try_from(delay_ms: u64) -> Result<Self, String> {
        if delay_ms <= DELAY_MS_MAX {
            Ok(Self(delay_ms))
        } else {
            Err(format!("a delay is at most {DELAY_MS_MAX} ms, not {delay_ms}"))
        }
    }
}

impl From<DelayMs> for u64 {
    fn from(delay: DelayMs) -> Self {
        delay.0
    }
}

impl From<DelayMs> for Duration {
    fn from(delay: DelayMs) -> Self {
        Self::from_millis(delay.0)
    }
}
