//! The status, code and sentence of every error: the one table of them.

use std::borrow::Cow;

use http::StatusCode;

use super::field::{FieldError, FieldErrors};
use super::request::RequestError;
use super::service::ServiceError;

/// The error response of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
            Self::Invalid(field_errors) => {
                let (details, more) = field_errors.clone().into_details();
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
            Self::Hidden => plain(S::NOT_FOUND, "NOT_FOUND", "There is no such resource."),
            Self::WrongMethod { .. } => plain(
                S::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "The resource does not support this method.",
            ),
            Self::NotAcceptable { media_type } => {
                let only = match *media_type {
                    "application/json" => "application/json or application/problem+json",
                    other => other,
                };
                let message = format!("Responses are only available as {only}.");
                plain(S::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
            }
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
            Self::RateLimited { retry_after_s } => ErrorResponse {
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
