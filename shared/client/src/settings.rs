//! How patient a client is.

use std::time::Duration;

/// The limits of a client.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long one attempt may take: longer than a gateway lets anybody wait.
    pub attempt: Duration,
    /// How long a request may take with all its attempts and the waits between them.
    pub deadline: Duration,
    /// How often a request is tried at most.
    pub attempts_max: u32,
    /// The longest wait before the second attempt; it doubles with every attempt.
    pub backoff: Duration,
    /// The largest answer that is read, in bytes.
    pub answer_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(35),
            deadline: Duration::from_mins(1),
            attempts_max: 4,
            backoff: Duration::from_millis(200),
            // Lambda answers with no more.
            answer_bytes_max: 6 * 1024 * 1024,
        }
    }
}
