//! Waiting for asynchronous effects.

use std::fmt::Debug;
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

/// The result of one look: the expected value, or another.
pub(crate) trait Seen {
    type Found;

    /// The expected value, or a description of the other.
    fn found(self) -> Result<Self::Found, String>;
}

impl<T> Seen for Option<T> {
    type Found = T;

    fn found(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".to_owned())
    }
}

impl<T, E: Debug> Seen for Result<T, E> {
    type Found = T;

    fn found(self) -> Result<T, String> {
        self.map_err(|seen| format!("{seen:?}"))
    }
}

/// For [`eventually`]: the value if it satisfies the condition, else the value as an error.
pub(crate) fn when<T>(value: T, is_so: impl FnOnce(&T) -> bool) -> Result<T, T> {
    if is_so(&value) { Ok(value) } else { Err(value) }
}

/// Waits until `look` finds a value.
///
/// # Panics
///
/// If it takes too long. The message has the last result of `look`.
pub(crate) async fn eventually<S: Seen>(what: &str, look: impl AsyncFn() -> S) -> S::Found {
    let patience_s = asked_for("TEST_TIMEOUT_S", PATIENCE_S);
    let end = Instant::now() + Duration::from_secs(patience_s as u64);
    loop {
        let seen = match look().await.found() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(Instant::now() < end, "timed out waiting for {what}; last seen: {seen:.2000}");
        sleep(Duration::from_millis(20)).await;
    }
}
