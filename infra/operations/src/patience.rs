//! Retries of calls that are throttled, or that meet a transaction on the same item.

use std::time::Duration;

use lifecycle::{ServiceError, random};

/// Retries of a failing call: for some two minutes.
const FAILURES_MAX: u32 = 12;

/// Retries a call that is throttled or whose service is unavailable, with back-off. `failed` is
/// called before each retry.
///
/// # Errors
///
/// As the last call.
pub async fn patiently<T>(
    call: impl AsyncFn() -> Result<T, ServiceError>,
    failed: impl Fn(),
) -> Result<T, ServiceError> {
    let mut failures = 0;
    loop {
        match call().await {
            Err(ServiceError::Unavailable { .. }) if failures < FAILURES_MAX => {
                failures += 1;
                failed();
                tokio::time::sleep(pause(failures)).await;
            }
            result => return result,
        }
    }
}

/// The pause before a retry after so many failures: 100 ms, doubling to 30 s, half of it random.
pub fn pause(failures: u32) -> Duration {
    let doubled =
        Duration::from_millis(100).saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(Duration::from_secs(30)).mul_f64(0.5 + random::fraction() / 2.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn unavailable() -> ServiceError {
        ServiceError::Unavailable { retry_after_s: 1, source: "the item is in use".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_repeated_12_times_while_the_item_is_in_use() {
        for (failing, succeeds) in [(12, true), (13, false)] {
            let (calls, failures) = (Cell::new(0), Cell::new(0));
            let call = async || {
                calls.set(calls.get() + 1);
                if calls.get() > failing { Ok(()) } else { Err(unavailable()) }
            };
            let ended = patiently(call, || failures.set(failures.get() + 1)).await;
            assert_eq!(ended.is_ok(), succeeds);
            assert_eq!((calls.get(), failures.get()), (13, 12));
        }
    }

    #[test]
    fn pauses_grow_to_half_a_minute() {
        assert!(pause(1) <= Duration::from_millis(100));
        assert!((15..=30).contains(&pause(40).as_secs()));
    }
}
