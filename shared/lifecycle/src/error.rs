//! The errors of a request, and their responses.
//!
//! Every failure has a public part (a status, a code, a sentence) and a part for the log (the chain
//! of causes). [`Failure::answer`] is the one place where a failure becomes a response.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, StatusCode, header};
use serde::Serialize;

pub use crate::domain_error::{DomainError, ErrorCode, ErrorKind};

/// An error of any type, with its chain of causes; for the log only.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error of stage 6 or of a port: the store, a queue, an upstream, the deadline.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
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

/// One error in a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FieldError {
    /// A JSON Pointer into the body (`/items/0/quantity`), or `path.productId`, `query.limit`,
    /// `header.Idempotency-Key`.
    pub field: String,
    /// One sentence.
    pub message: String,
}

/// All errors in a request; not empty when part of a failure.
///
/// A client can make any number of errors, in texts of any length. So the number that is kept and
/// the size of the response are limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    kept: Vec<FieldError>,
    /// The number of violations that were not kept.
    unlisted: usize,
}

impl FieldErrors {
    /// The maximum number of violations in a response.
    pub const LISTED_MAX: usize = 50;
    /// The maximum number of violations that are kept to choose from.
    const KEPT_MAX: usize = 1_000;
    /// The maximum length of a field or a sentence, in bytes of JSON.
    const TEXT_BYTES_MAX: usize = 200;
    /// The maximum length of the list in a response, in bytes of JSON. With everything around it, a
    /// response stays below 16 KiB.
    const LIST_BYTES_MAX: usize = 12 * 1024;

    /// An empty list.
    pub fn none() -> Self {
        Self::default()
    }

    /// A list with one violation.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut violations = Self::none();
        violations.add(field, message);
        violations
    }

    /// Adds a violation.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.kept.len() >= Self::KEPT_MAX {
            return self.add_unlisted();
        }
        let short = |text: String| match Self::shortened(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(short) => short,
        };
        self.kept.push(FieldError { field: short(field.into()), message: short(message.into()) });
    }

    /// Counts a violation without keeping it.
    pub(crate) fn add_unlisted(&mut self) {
        self.unlisted += 1;
    }

    /// Adds all violations of another list.
    pub fn extend(&mut self, other: Self) {
        self.unlisted += other.unlisted;
        for violation in other.kept {
            self.add(violation.field, violation.message);
        }
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns `Ok` with the value if there are no violations.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns an iterator over the violations that were kept.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.kept.iter()
    }

    /// Returns a sorted list without duplicates, and whether there are more violations. If there
    /// are too many, those nearest to the root are listed.
    pub(crate) fn into_details(mut self) -> (Vec<FieldError>, bool) {
        self.kept.sort();
        self.kept.dedup();
        let total = self.kept.len() + self.unlisted;
        if self.kept.len() > Self::LISTED_MAX {
            self.kept.sort_by_key(|violation| violation.field.matches('/').count());
            self.kept.truncate(Self::LISTED_MAX);
            self.kept.sort();
        }
        let listed = Self::within_bytes(self.kept);
        let more = listed.len() < total;
        (listed, more)
    }

    /// Returns the first violations, as many as fit into a response.
    fn within_bytes(mut violations: Vec<FieldError>) -> Vec<FieldError> {
        let frame = r#"{"field":"","message":""},"#.len();
        let mut left = Self::LIST_BYTES_MAX;
        let fits = |violation: &&FieldError| {
            let texts = [&violation.field, &violation.message].into_iter();
            let length: usize = texts.flat_map(|text| text.chars()).map(json_bytes).sum();
            let rest = left.checked_sub(frame + length);
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        let count = violations.iter().take_while(fits).count();
        violations.truncate(count);
        violations
    }

    /// Shortens a client's text so that a response may repeat it.
    pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
        let mut length = 0;
        let long = text.char_indices().find(|(_, character)| {
            length += json_bytes(*character);
            length > Self::TEXT_BYTES_MAX
        });
        match long {
            Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
            None => Cow::Borrowed(text),
        }
    }
}

/// The length of a character in JSON, in bytes.
fn json_bytes(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        '\0'..' ' => 6,
        other => other.len_utf8(),
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = std::slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Everything that can end a request before its reply.
#[derive(Debug)]
pub enum RequestError {
    /// The request is malformed or syntactically invalid.
    Invalid(FieldErrors),
    /// There is no token, or it is invalid.
    Unauthenticated,
    /// The caller is known but not allowed.
    Forbidden,
    /// The resource is missing, or hidden from this caller.
    Hidden,
    /// The path exists, but not with this method.
    WrongMethod {
        /// The allowed methods: the value of `Allow`.
        allow: String,
    },
    /// The client accepts none of our media types.
    NotAcceptable,
    /// The body exceeds the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body has an unsupported type, charset or coding.
    UnsupportedMediaType(BodyOffer),
    /// The same idempotency key was used for another request.
    KeyReused,
    /// The condition of `If-Match` or `If-None-Match` does not hold.
    PreconditionFailed,
    /// A business rule rejected the request.
    Rejected(DomainError),
    /// An error of stage 6 or of a port.
    ServiceError(ServiceError),
    /// The endpoint panicked.
    Panicked(String),
}

impl From<ServiceError> for RequestError {
    fn from(fault: ServiceError) -> Self {
        Self::ServiceError(fault)
    }
}

impl From<FieldErrors> for RequestError {
    fn from(violations: FieldErrors) -> Self {
        Self::Invalid(violations)
    }
}

impl From<DomainError> for RequestError {
    fn from(rejection: DomainError) -> Self {
        Self::Rejected(rejection)
    }
}

/// The supported alternatives for a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyOffer {
    /// JSON.
    Json,
    /// JSON or a merge patch.
    MergePatch,
    /// No content coding.
    Identity,
}

impl BodyOffer {
    fn message(self) -> &'static str {
        match self {
            Self::Json => "The body must be application/json, in UTF-8.",
            Self::MergePatch => {
                "The body must be application/json or application/merge-patch+json, in UTF-8."
            }
            Self::Identity => "The body must have no content coding.",
        }
    }

    /// The header with the alternatives (RFC 9110, 15.5.16; RFC 5789, 3.1).
    pub(crate) const fn header(self) -> (HeaderName, &'static str) {
        match self {
            Self::Json => (header::ACCEPT, "application/json"),
            Self::MergePatch => (
                HeaderName::from_static("accept-patch"),
                "application/json, application/merge-patch+json",
            ),
            Self::Identity => (header::ACCEPT_ENCODING, "identity"),
        }
    }
}

/// The error response of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The status.
    pub status: StatusCode,
    /// `UPPER_SNAKE_CASE`.
    pub code: &'static str,
    /// One sentence.
    pub message: Cow<'static, str>,
    /// The parts of the request that are in error.
    pub details: Vec<FieldError>,
    /// For `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

impl RequestError {
    /// Returns the status, code and sentence of a failure. The one place that decides them.
    pub fn response(&self) -> ErrorResponse {
        use StatusCode as S;
        match self {
            Self::Invalid(violations)
            | Self::ServiceError(ServiceError::InvalidInput(violations)) => {
                let (details, more) = violations.clone().into_details();
                let message = if more {
                    let listed = details.len();
                    format!("The request is invalid. Only {listed} of its violations are listed.")
                        .into()
                } else {
                    Cow::Borrowed("The request is invalid.")
                };
                ErrorResponse { details, ..plain(S::BAD_REQUEST, "INVALID_REQUEST", message) }
            }
            Self::Unauthenticated => {
                plain(S::UNAUTHORIZED, "UNAUTHORIZED", "A valid access token is required.")
            }
            Self::Forbidden => {
                plain(S::FORBIDDEN, "FORBIDDEN", "The caller is not allowed to do this.")
            }
            Self::Hidden | Self::ServiceError(ServiceError::NotFound) => {
                plain(S::NOT_FOUND, "NOT_FOUND", "There is no such resource.")
            }
            Self::WrongMethod { .. } => plain(
                S::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "The resource does not support this method.",
            ),
            Self::NotAcceptable => plain(
                S::NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "Responses are only available as application/json or application/problem+json.",
            ),
            Self::TooLarge { limit } => plain(
                S::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                format!("The body is over the limit of {limit} bytes."),
            ),
            Self::UnsupportedMediaType(offer) => {
                plain(S::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", offer.message())
            }
            Self::KeyReused => plain(
                S::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "This idempotency key was used for another request.",
            ),
            Self::PreconditionFailed => plain(
                S::PRECONDITION_FAILED,
                "PRECONDITION_FAILED",
                "The condition of If-Match or If-None-Match does not hold.",
            ),
            Self::Rejected(rejection) => ErrorResponse {
                details: FieldErrors::within_bytes(rejection.details.clone()),
                ..plain(rejection.kind.status(), rejection.code, rejection.message.clone())
            },
            Self::ServiceError(ServiceError::RateLimited { retry_after_s }) => ErrorResponse {
                retry_after_s: Some(*retry_after_s),
                ..plain(S::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", "Too many requests.")
            },
            Self::ServiceError(ServiceError::Unavailable { retry_after_s, .. }) => ErrorResponse {
                retry_after_s: Some(*retry_after_s),
                ..plain(
                    S::SERVICE_UNAVAILABLE,
                    "SERVICE_UNAVAILABLE",
                    "A dependency is unavailable; try again later.",
                )
            },
            Self::ServiceError(ServiceError::Upstream(_)) => {
                plain(S::BAD_GATEWAY, "UPSTREAM_FAILED", "An upstream service failed.")
            }
            Self::ServiceError(ServiceError::TimedOut) => {
                plain(S::GATEWAY_TIMEOUT, "TIMED_OUT", "The request took too long.")
            }
            Self::ServiceError(ServiceError::Internal(_)) | Self::Panicked(_) => plain(
                S::INTERNAL_SERVER_ERROR,
                "INTERNAL_ERROR",
                "Something went wrong on our side.",
            ),
        }
    }
}

impl fmt::Display for RequestError {
    /// The chain of causes, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceError(fault) => write_chain(f, fault),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Rejected(rejection) => write!(f, "{}: {}", rejection.code, rejection.message),
            Self::Invalid(violations) => {
                write!(f, "{} violations", violations.iter().count())
            }
            other => f.write_str(&other.response().message),
        }
    }
}

fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn std::error::Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}

fn plain(
    status: StatusCode,
    code: &'static str,
    message: impl Into<Cow<'static, str>>,
) -> ErrorResponse {
    ErrorResponse {
        status,
        code,
        message: message.into(),
        details: Vec::new(),
        retry_after_s: None,
    }
}
