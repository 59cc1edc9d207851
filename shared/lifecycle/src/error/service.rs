//! The errors of ports.

/// An error of any type, with its chain of causes; for the log only.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error of a port, for which the request is not to blame: the store, a queue, an upstream, the
/// deadline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A defect of this system: 500.
    #[error("internal error")]
    Internal(#[source] BoxError),
    /// A dependency is unavailable or cut off by its circuit breaker: 503 with `Retry-After`.
    #[error("a dependency is unavailable; try again in {retry_after_s} s")]
    Unavailable {
        /// Seconds after which a retry makes sense.
        retry_after_s: u32,
        /// The dependency's error.
        #[source]
        source: BoxError,
    },
    /// An upstream sent an unusable response: 502.
    #[error("an upstream failed")]
    Upstream(#[source] BoxError),
    /// The time left was not sufficient: 504.
    #[error("not enough time left")]
    TimedOut,
}

impl ServiceError {
    /// An internal error, from any error.
    pub fn internal(error: impl Into<BoxError>) -> Self {
        Self::Internal(error.into())
    }
}
