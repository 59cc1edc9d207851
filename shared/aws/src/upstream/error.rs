//! Errors of calls to an upstream.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use http::StatusCode;
use lifecycle::ServiceError;
use lifecycle::error::BoxError;

use super::limits::{BODY_BYTES_MAX, RETRY_AFTER_S, TIMEOUT};
use crate::connector::NotConnected;

/// Why an upstream's response is missing or unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The connection failed, took too long to open, or broke.
    #[error("{upstream} could not be reached")]
    Connection {
        /// The upstream's name.
        upstream: &'static str,
        /// The cause.
        source: BoxError,
    },
    /// The response took too long.
    #[error("{upstream} has not answered within {within:?}")]
    TimedOut {
        /// The upstream's name.
        upstream: &'static str,
        /// The time limit.
        within: Duration,
    },
    /// The response's status is not a success.
    #[error("{upstream} answered {status}")]
    Status {
        /// The upstream's name.
        upstream: &'static str,
        /// The response's status.
        status: StatusCode,
        /// The wait that the upstream asks for, in seconds.
        retry_after_s: Option<u32>,
    },
    /// The response's body is over the limit.
    #[error("{upstream} answered more than {BODY_BYTES_MAX} bytes")]
    TooLarge {
        /// The upstream's name.
        upstream: &'static str,
    },
    /// The response's body is not of the expected form.
    #[error("{upstream} returned an unexpected body: {place}")]
    Unreadable {
        /// The upstream's name.
        upstream: &'static str,
        /// The place and kind of the mistake, without the content.
        place: String,
    },
    /// The request cannot be sent: a header or the URL is invalid.
    #[error("a request to {upstream} cannot be sent")]
    Unsendable {
        /// The upstream's name.
        upstream: &'static str,
        /// The cause.
        source: BoxError,
    },
}

impl UpstreamError {
    pub(super) fn of_connector(upstream: &'static str, error: ConnectorError) -> Self {
        if error.is_timeout() && !is_of_connecting(&error) {
            return Self::TimedOut { upstream, within: TIMEOUT };
        }
        Self::broken(upstream, error)
    }

    pub(super) fn broken(upstream: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Connection { upstream, source: source.into() }
    }
}

/// Whether the time-out came before there was a connection, so that nothing was sent.
fn is_of_connecting(error: &ConnectorError) -> bool {
    error.source().is_some_and(<dyn Error>::is::<NotConnected>)
}

/// An upstream that fails is a 502, a time-out is a 504, and a 429 of the upstream is a 503.
impl From<UpstreamError> for ServiceError {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Unsendable { .. } => Self::internal(error),
            UpstreamError::TimedOut { .. } => Self::TimedOut,
            UpstreamError::Status {
                status: StatusCode::TOO_MANY_REQUESTS, retry_after_s, ..
            } => {
                let retry_after_s = retry_after_s.unwrap_or(RETRY_AFTER_S).max(1);
                Self::Unavailable { retry_after_s, source: error.into() }
            }
            _ => Self::Upstream(error.into()),
        }
    }
}
