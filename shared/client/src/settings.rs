//! Time limits and retries of a client.

use std::time::Duration;

/// The limits of a client.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The maximum duration of one attempt: more than the gateway's timeout.
    pub attempt: Duration,
    /// The maximum duration of a request, with all attempts and waits.
    pub deadline: Duration,
    /// The maximum number of attempts.
    pub attempts_max: u32,
    /// The maximum wait before the second attempt; it doubles with each attempt.
    pub backoff: Duration,
    /// The maximum size of a response, in bytes.
    pub answer_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(35),
            deadline: Duration::from_mins(1),
            attempts_max: 4,
            backoff: Duration::from_millis(200),
            // Lambda's maximum response size.
            answer_bytes_max: 6 * 1024 * 1024,
        }
    }
}
