//! Business errors: rejections by rules or by the current state.

use std::borrow::Cow;

use http::StatusCode;

use super::field::FieldError;

/// A business error of the application: declared once, with its status, code and sentence.
///
/// ```
/// use lifecycle::error::ErrorKind;
/// use lifecycle::{DomainError, ErrorCode};
/// const SOLD: ErrorCode = ErrorCode::new(ErrorKind::Conflict, "SOLD", "It is sold.");
/// assert_eq!(DomainError::from(SOLD).code, "SOLD");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    kind: ErrorKind,
    code: &'static str,
    message: &'static str,
}

impl ErrorCode {
    /// A business error with one sentence for the client. The code is `UPPER_SNAKE_CASE` and never
    /// changes after its release.
    pub const fn new(kind: ErrorKind, code: &'static str, message: &'static str) -> Self {
        Self { kind, code, message }
    }

    /// The code.
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// Returns an error that names the part of the request in error, as a JSON Pointer, with a
    /// sentence.
    pub fn at(self, field: impl Into<String>, message: impl Into<String>) -> DomainError {
        DomainError::from(self).at(field, message)
    }
}

/// The kinds of business errors, and their statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: the credentials in the request are wrong.
    Unauthenticated,
    /// 403: the caller is known but not allowed.
    Forbidden,
    /// 404: the resource is missing or hidden.
    NotFound,
    /// 409: a conflict with the current state.
    Conflict,
    /// 410: the resource existed and is used up.
    Gone,
    /// 422: a violation of a business rule.
    Unprocessable,
    /// 502: an upstream's response rules the request out.
    BadGateway,
}

/// The business error of one request: an [`ErrorCode`] with the parts of the request in error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainError {
    /// `UPPER_SNAKE_CASE`; never changes after its release.
    pub code: &'static str,
    /// The kind, which determines the status.
    pub kind: ErrorKind,
    /// One sentence for the client.
    pub message: Cow<'static, str>,
    /// The parts of the request in error, if known.
    pub details: Vec<FieldError>,
    /// The codes of other rejections that were found at the same time.
    beside: Vec<&'static str>,
}

impl From<ErrorCode> for DomainError {
    fn from(ErrorCode { kind, code, message }: ErrorCode) -> Self {
        Self { code, kind, message: message.into(), details: Vec::new(), beside: Vec::new() }
    }
}

impl DomainError {
    /// Adds a part of the request that is in error.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.details.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// Combines two rejections that were found at the same time. With the same code, the details
    /// are merged; with different codes, the first is reported.
    pub(crate) fn together(mut self, other: Self) -> Self {
        if self.code == other.code {
            // Two conditions may stand for the same error.
            for detail in other.details {
                if !self.details.contains(&detail) {
                    self.details.push(detail);
                }
            }
        } else {
            self.beside.push(other.code);
        }
        self.beside.extend(other.beside);
        self
    }

    /// Whether this code was found, reported or not.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.code == code || self.beside.contains(&code)
    }
}

impl ErrorKind {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Gone => StatusCode::GONE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
        }
    }
}
