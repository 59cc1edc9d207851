//! Common parts of tests that run for a day of random faults.

use client::{ApiResponse, Error};
use demo::seed;
use emulator::options::Options;
use serde_json::Value;

/// A platform with the demo's users and unreachable rate limits.
pub(crate) fn unlimited() -> Options {
    Options { demo: true, parameters: seed::limits_out_of_reach().into(), ..Options::default() }
}

/// Repeats a request of the typed client while it is 503 because of concurrent changes.
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

/// A text of an item; empty if it is absent.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
