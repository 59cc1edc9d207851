//! What can go wrong between us and an upstream.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use http::StatusCode;
use lifecycle::Fault;
use lifecycle::failure::BoxError;

use super::BODY_BYTES_MAX;

/// For how long an upstream that wants fewer requests is left alone if it does not say, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// Why there is no answer of an upstream that could be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// There was no connection, also where connecting took too long, or it broke.
    #[error("{upstream} could not be reached")]
    Connection {
        /// Which upstream.
        upstream: &'static str,
        /// Why not.
        source: BoxError,
    },
    /// The answer took too long.
    #[error("{upstream} has not answered within {within:?}")]
    TimedOut {
        /// Which upstream.
        upstream: &'static str,
        /// How long it was waited for.
        within: Duration,
    },
    /// The answer is none of success.
    #[error("{upstream} answered {status}")]
    Status {
        /// Which upstream.
        upstream: &'static str,
        /// What it answered.
        status: StatusCode,
        /// How long it wants to be left alone.
        retry_after_s: Option<u32>,
    },
    /// The answer's body is over the limit.
    #[error("{upstream} answered more than {BODY_BYTES_MAX} bytes")]
    TooLarge {
        /// Which upstream.
        upstream: &'static str,
    },
    /// The answer's body is not what is wanted.
    #[error("{upstream} answered something else than expected: {place}")]
    Unreadable {
        /// Which upstream.
        upstream: &'static str,
        /// Where, and of which kind, the mistake is; nothing of what stands there.
        place: String,
    },
    /// The request itself cannot be sent: a header or an address is not one.
    #[error("a request to {upstream} cannot be sent")]
    Unsendable {
        /// Which upstream.
        upstream: &'static str,
        /// What is wrong with it.
        source: BoxError,
    },
}

impl UpstreamError {
    pub(super) fn of_connector(upstream: &'static str, error: ConnectorError) -> Self {
        if error.is_timeout() && !is_of_connecting(&error) {
            return Self::TimedOut { upstream, within: super::TIMEOUT };
        }
        Self::broken(upstream, error)
    }

    pub(super) fn broken(upstream: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Connection { upstream, source: source.into() }
    }
}

/// Whether a time-out came before there was a connection, so that nothing was sent. The connector
/// says so by the text of a source alone.
fn is_of_connecting(error: &ConnectorError) -> bool {
    let mut source: Option<&dyn Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().starts_with("HTTP connect timeout") {
            return true;
        }
        source = error.source();
    }
    false
}

/// An upstream that fails is a 502, one that takes too long a 504, and one that wants fewer requests
/// a 503.
impl From<UpstreamError> for Fault {
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
