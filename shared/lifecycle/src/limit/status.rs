//! The status of a caller's rate limit.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::RequestError;

/// The status of a caller's rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimitStatus {
    pub(super) quota: u32,
    pub(super) window_s: u64,
    pub(super) remaining: u32,
    pub(super) reset_s: u64,
    pub(crate) admitted: bool,
    /// Whether the count must be exchanged now.
    pub(crate) is_due: bool,
    /// Whether this is the first count of the process.
    pub(crate) is_first: bool,
}

impl RateLimitStatus {
    /// `RateLimit` and `RateLimit-Policy` (IETF draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let (quota, window_s, left, reset_s) =
            (self.quota, self.window_s, self.remaining, self.reset_s);
        let values = [
            (HeaderName::from_static("ratelimit"), format!("\"default\";r={left};t={reset_s}")),
            (
                HeaderName::from_static("ratelimit-policy"),
                format!("\"default\";q={quota};w={window_s}"),
            ),
        ];
        for (name, value) in values {
            headers.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
        }
    }

    /// Whether the headers belong on the response. If another limit refused the request, its
    /// `Retry-After` would contradict them.
    pub(crate) fn explains(&self, failure: Option<&RequestError>) -> bool {
        !(self.admitted && matches!(failure, Some(RequestError::RateLimited { .. })))
    }

    /// The remaining amount, the quota, and the seconds until the window ends.
    pub(crate) fn left(&self) -> (u32, u32, u64) {
        (self.remaining, self.quota, self.reset_s)
    }

    /// `Ok` if the request is admitted.
    pub(crate) fn enforce(&self) -> Result<(), RequestError> {
        let retry_after_s = u32::try_from(self.reset_s).unwrap_or(u32::MAX);
        if self.admitted { Ok(()) } else { Err(RequestError::RateLimited { retry_after_s }) }
    }
}
