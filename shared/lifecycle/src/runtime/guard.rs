//! Guards of a request or a record: deadline, panics, and retries.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::timeout_at;

use crate::error::{RequestError, ServiceError};
use crate::telemetry::panic_message;
use crate::{Deadline, random};

/// Runs until the deadline, and turns a panic into a failure of this request alone.
pub(crate) async fn guarded<T>(
    deadline: Deadline,
    future: impl Future<Output = Result<T, RequestError>>,
) -> Result<T, RequestError> {
    match timeout_at(deadline.instant(), AssertUnwindSafe(future).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(panicked(&*panic)),
        Err(_) => Err(RequestError::ServiceError(ServiceError::TimedOut)),
    }
}

/// Runs a function, and turns a panic into a failure.
pub(crate) fn caught<T>(function: impl FnOnce() -> T) -> Result<T, RequestError> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|panic| panicked(&*panic))
}

/// Converts the payload of a panic to a failure.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> RequestError {
    RequestError::Panicked(panic_message(panic))
}

/// How often stages 6 to 8 run while the facts are stale and time is left.
pub(crate) struct Retries {
    count_max: u32,
    /// The longest pause between two attempts, in milliseconds.
    pause_ms_max: u64,
}

impl Retries {
    /// For a request: enough for two dozen clients that change the same item concurrently.
    pub(crate) const OF_REQUEST: Self = Self { count_max: 25, pause_ms_max: 200 };
    /// For a record: no client waits for it.
    pub(crate) const OF_RECORD: Self = Self { count_max: 10, pause_ms_max: 1_000 };

    /// Waits before the next attempt, with full jitter. An error if no attempt or no time is left.
    pub(crate) async fn pause(
        &self,
        attempts: u32,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        if attempts >= self.count_max {
            let source = format!("{attempts} attempts conflicted with other writes").into();
            return Err(ServiceError::Unavailable { retry_after_s: 1, source });
        }
        let pause_ms_max = (10 << attempts.min(10)).min(self.pause_ms_max);
        let wait = Duration::from_millis(random::up_to(pause_ms_max));
        if wait >= deadline.left() {
            return Err(ServiceError::TimedOut);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
