//! The errors of stage 6.

use super::field::FieldErrors;
use super::service::{BoxError, ServiceError};

/// The result of stage 6.
pub type Retrieved<T> = Result<T, RetrieveError>;

/// An error of retrieval: of the request itself, or of a port.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetrieveError {
    /// The requested resource does not exist: 404, the same as a hidden resource.
    #[error("the resource does not exist")]
    NotFound,
    /// The request is invalid in a way that only retrieval can detect, such as an invalid cursor:
    /// 400.
    #[error("the request is invalid")]
    InvalidInput(FieldErrors),
    /// The caller has exceeded a limit: 429.
    #[error("a limit is reached; try again in {retry_after_s} s")]
    RateLimited {
        /// Seconds after which a retry makes sense.
        retry_after_s: u32,
    },
    /// A port failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl RetrieveError {
    /// An internal error, from any error.
    pub fn internal(error: impl Into<BoxError>) -> Self {
        Self::Service(ServiceError::internal(error))
    }
}
