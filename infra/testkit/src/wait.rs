//! Waiting for asynchronous effects.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::environment::setting;

/// How long a test waits for an asynchronous effect, unless `TEST_TIMEOUT_S` is set. On a busy
/// machine a message may fail a few times, and then waits for some seconds.
const PATIENCE_S: usize = 60;

/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The result of one look: the expected value, or another.
pub trait Seen {
    /// The expected value.
    type Found;

    /// The expected value.
    ///
    /// # Errors
    /// A description of the other value.
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

/// For [`eventually`]: the value if it satisfies the condition.
///
/// # Errors
/// The value, if it does not.
pub fn when<T>(value: T, is_so: impl FnOnce(&T) -> bool) -> Result<T, T> {
    if is_so(&value) { Ok(value) } else { Err(value) }
}

/// Waits until `look` finds a value, at most 60 seconds or `TEST_TIMEOUT_S`. The first look is at
/// once, and the next 20 ms after the end of the one before.
///
/// `state` names the awaited state in the message: "the order to be approved".
///
/// # Panics
/// If it takes too long. The message has the last result of `look`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use testkit::{eventually, when};
///
/// let looks = AtomicU32::new(0);
/// let look = async || when(looks.fetch_add(1, Ordering::Relaxed), |count| *count >= 2);
/// assert_eq!(eventually("the third look", look).await, 2);
/// # });
/// ```
pub async fn eventually<S: Seen>(state: &str, look: impl AsyncFn() -> S) -> S::Found {
    let patience_s = setting("TEST_TIMEOUT_S", PATIENCE_S);
    let end = Instant::now() + Duration::from_secs(patience_s as u64);
    loop {
        let seen = match look().await.found() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(Instant::now() < end, "timed out waiting for {state}; last seen: {seen:.2000}");
        sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "timed out waiting for the stock to be 3; last seen: 2")]
    async fn a_wait_that_ends_without_success_names_the_last_value() {
        eventually("the stock to be 3", async || when(2, |stock| *stock == 3)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_the_first_value_that_is_found() {
        let began = Instant::now();
        let look = async || (began.elapsed() >= LOOK_EVERY * 3).then(|| began.elapsed());

        let found = eventually("three pauses", look).await;

        assert!(found < LOOK_EVERY * 5, "{found:?}");
    }
}
