//! Business rules, and the present state, that say no.

use std::borrow::Cow;

use http::StatusCode;

use crate::failure::Violation;

/// A "no" of the application's: declared once, with its status, its code and its sentence.
///
/// ```
/// use lifecycle::failure::RejectionKind;
/// use lifecycle::{Refusal, Rejection};
/// const SOLD: Refusal = Refusal::new(RejectionKind::Conflict, "SOLD", "It is sold.");
/// assert_eq!(Rejection::from(SOLD).code, "SOLD");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    kind: RejectionKind,
    code: &'static str,
    message: &'static str,
}

impl Refusal {
    /// A refusal with its code, which is `UPPER_SNAKE_CASE` and never renamed once released, and
    /// one sentence for the client.
    pub const fn new(kind: RejectionKind, code: &'static str, message: &'static str) -> Self {
        Self { kind, code, message }
    }

    /// Its code.
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// Refuses, and names the part of the request that is at fault, as a JSON Pointer, with a
    /// sentence.
    pub fn at(self, field: impl Into<String>, message: impl Into<String>) -> Rejection {
        Rejection::from(self).at(field, message)
    }
}

/// The kinds of rejection and their statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// 401: the credentials that were sent are wrong.
    Unauthenticated,
    /// 403: known caller, not allowed.
    Forbidden,
    /// 404: missing or hidden.
    NotFound,
    /// 409: conflicts with the present state.
    Conflict,
    /// 410: was there once, is spent.
    Gone,
    /// 422: breaks a business rule.
    Unprocessable,
    /// 502: an upstream's answer says that it cannot be done.
    BadGateway,
}

/// A refusal that is given to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// `UPPER_SNAKE_CASE`, never renamed once released.
    pub code: &'static str,
    /// Which status it is.
    pub kind: RejectionKind,
    /// One sentence for the client.
    pub message: Cow<'static, str>,
    /// What of the request is at fault, if it can be said.
    pub details: Vec<Violation>,
    /// The codes of other rejections that were found together with this one.
    beside: Vec<&'static str>,
}

impl From<Refusal> for Rejection {
    fn from(Refusal { kind, code, message }: Refusal) -> Self {
        Self { code, kind, message: message.into(), details: Vec::new(), beside: Vec::new() }
    }
}

impl Rejection {
    /// Names a part of the request that is at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.details.push(Violation { field: field.into(), message: message.into() });
        self
    }

    /// Two rejections that were found together. Of one code they are told together, with
    /// everything that is at fault; of two, the first is told.
    pub(crate) fn together(mut self, other: Self) -> Self {
        if self.code == other.code {
            // Two conditions may stand for the same thing that is wrong.
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

    /// Whether this code was found, be it told or not.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.code == code || self.beside.contains(&code)
    }
}

impl RejectionKind {
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
