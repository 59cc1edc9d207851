//! What can go wrong, and what the client is told of it.
//!
//! Every failure says two things: what the client may know (a status, a code, a sentence) and
//! what the log must know (the chain of causes). [`Failure::answer`] is the one place where a
//! failure becomes a status.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::Serialize;

pub use crate::refusal::{Refusal, Rejection, RejectionKind};

/// An error of any type, with its chain of causes, for the log alone.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Something outside the request's control went wrong: the store, a queue, an upstream, time.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// What was asked for does not exist. To the client the same as hidden: 404.
    #[error("the resource does not exist")]
    Absent,
    /// The request is invalid in a way that only retrieval can find, a cursor above all: 400.
    #[error("the request is invalid")]
    Invalid(Violations),
    /// The caller has tried too often: 429.
    #[error("a limit is reached; try again in {retry_after_s} s")]
    Limited {
        /// Seconds until it is worth trying again.
        retry_after_s: u32,
    },
    /// A fault of our own: 500.
    #[error("internal error")]
    Internal(#[source] BoxError),
    /// A dependency refuses or is cut off for now: 503 with `Retry-After`.
    #[error("a dependency is unavailable; try again in {retry_after_s} s")]
    Unavailable {
        /// Seconds until it is worth trying again.
        retry_after_s: u32,
        /// What it said.
        #[source]
        source: BoxError,
    },
    /// An upstream answered something unusable: 502.
    #[error("an upstream failed")]
    Upstream(#[source] BoxError),
    /// There was not enough time left: 504.
    #[error("not enough time left")]
    TimedOut,
}

impl Fault {
    /// A fault of our own, from any error.
    pub fn internal(error: impl Into<BoxError>) -> Self {
        Self::Internal(error.into())
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// A JSON Pointer into the body (`/items/0/quantity`), or `path.productId`, `query.limit`,
    /// `header.Idempotency-Key`.
    pub field: String,
    /// One sentence.
    pub message: String,
}

/// All things that are wrong with a request; never empty when it stands for a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// None yet.
    pub fn none() -> Self {
        Self::default()
    }

    /// A single one.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut violations = Self::none();
        violations.add(field, message);
        violations
    }

    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Violation { field: field.into(), message: message.into() });
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` with the value when there is none.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Them, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// As a sorted list without repetitions.
    pub(crate) fn into_details(mut self) -> Vec<Violation> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Everything that ends a request before its reply.
#[derive(Debug)]
pub enum Failure {
    /// The request is malformed or syntactically invalid.
    Invalid(Violations),
    /// No token, or one that does not hold.
    Unauthenticated,
    /// A known caller who is not allowed.
    Forbidden,
    /// Missing, or hidden from this caller.
    Hidden,
    /// The path is ours, the method is not.
    WrongMethod,
    /// The client accepts nothing that we answer with.
    NotAcceptable,
    /// The body is over the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is of a type that we do not read.
    UnsupportedMediaType,
    /// The same idempotency key came with another request.
    KeyReused,
    /// `If-Match` names another version than there is.
    PreconditionFailed,
    /// A rule said no.
    Rejected(Rejection),
    /// Something outside the request's control.
    Fault(Fault),
    /// The endpoint panicked.
    Panicked(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Violations> for Failure {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// What the client is told of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// `UPPER_SNAKE_CASE`.
    pub code: &'static str,
    /// One sentence.
    pub message: Cow<'static, str>,
    /// What of the request is at fault.
    pub details: Vec<Violation>,
    /// For `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

impl Failure {
    /// The one place where a failure becomes a status, a code and a sentence.
    pub fn answer(&self) -> Answer {
        use StatusCode as S;
        match self {
            Self::Invalid(violations) | Self::Fault(Fault::Invalid(violations)) => Answer {
                details: violations.clone().into_details(),
                ..plain(S::BAD_REQUEST, "INVALID_REQUEST", "The request is invalid.")
            },
            Self::Unauthenticated => {
                plain(S::UNAUTHORIZED, "UNAUTHORIZED", "A valid access token is required.")
            }
            Self::Forbidden => {
                plain(S::FORBIDDEN, "FORBIDDEN", "The caller is not allowed to do this.")
            }
            Self::Hidden | Self::Fault(Fault::Absent) => {
                plain(S::NOT_FOUND, "NOT_FOUND", "There is no such resource.")
            }
            Self::WrongMethod => plain(
                S::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "The resource does not know this method.",
            ),
            Self::NotAcceptable => plain(
                S::NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "Only application/json and application/problem+json are on offer.",
            ),
            Self::TooLarge { limit } => plain(
                S::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                format!("The body is over the limit of {limit} bytes."),
            ),
            Self::UnsupportedMediaType => plain(
                S::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "The body must be application/json.",
            ),
            Self::KeyReused => plain(
                S::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "This idempotency key was used for another request.",
            ),
            Self::PreconditionFailed => plain(
                S::PRECONDITION_FAILED,
                "PRECONDITION_FAILED",
                "The resource has changed since the version that If-Match names.",
            ),
            Self::Rejected(rejection) => Answer {
                details: rejection.details.clone(),
                ..plain(rejection.kind.status(), rejection.code, rejection.message.clone())
            },
            Self::Fault(Fault::Limited { retry_after_s }) => Answer {
                retry_after_s: Some(*retry_after_s),
                ..plain(S::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", "Too many requests.")
            },
            Self::Fault(Fault::Unavailable { retry_after_s, .. }) => Answer {
                retry_after_s: Some(*retry_after_s),
                ..plain(
                    S::SERVICE_UNAVAILABLE,
                    "SERVICE_UNAVAILABLE",
                    "A dependency is unavailable; try again later.",
                )
            },
            Self::Fault(Fault::Upstream(_)) => {
                plain(S::BAD_GATEWAY, "UPSTREAM_FAILED", "An upstream service failed.")
            }
            Self::Fault(Fault::TimedOut) => {
                plain(S::GATEWAY_TIMEOUT, "TIMED_OUT", "The request took too long.")
            }
            Self::Fault(Fault::Internal(_)) | Self::Panicked(_) => plain(
                S::INTERNAL_SERVER_ERROR,
                "INTERNAL_ERROR",
                "Something went wrong on our side.",
            ),
        }
    }
}

impl fmt::Display for Failure {
    /// The chain of causes, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write_chain(f, fault),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Rejected(rejection) => write!(f, "{}: {}", rejection.code, rejection.message),
            Self::Invalid(violations) => {
                write!(f, "{} violations", violations.iter().count())
            }
            other => f.write_str(&other.answer().message),
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

fn plain(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Answer {
    Answer { status, code, message: message.into(), details: Vec::new(), retry_after_s: None }
}
