//! Waiting for asynchronous effects.

use std::time::Duration;

use client::{ApiResponse, Error};
use tokio::time::{Instant, sleep};

use super::asked_for;

/// How long a test waits for an asynchronous effect, unless `TEST_TIMEOUT_S` is set. On a busy
/// machine a message may fail a few times, and then waits for some seconds.
const PATIENCE_S: usize = 60;

/// Repeats a request while it is 503 because of concurrent changes.
pub(crate) async fn until_done<T>(
    ask: impl AsyncFn() -> Result<ApiResponse<T>, Error>,
) -> Result<ApiResponse<T>, Error> {
    loop {
        let answer = ask().await;
        match answer.as_ref().err().and_then(Error::refusal) {
            Some(refusal) if refusal.status == 503 => assert_eq!(refusal.retry_after_s, Some(1)),
            _ => return answer,
        }
    }
}

/// Waits until `look` finds a value.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let patience_s = asked_for("TEST_TIMEOUT_S", PATIENCE_S);
    let end = Instant::now() + Duration::from_secs(patience_s as u64);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "timed out waiting for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
