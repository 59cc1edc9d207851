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
///
/// [`of_status`](Self::of_status) makes the kind of a status without a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Another status of a client's error: see [`ErrorKind::of_status`].
    Other(OtherStatus),
}

/// A status that [`ErrorKind::of_status`] has checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherStatus(u16);

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
    /// The statuses that only the lifecycle sends. A client relies on their meaning: an invalid
    /// request, a wrong method or media type, a failed precondition, a reached limit.
    const RESERVED: [u16; 8] = [405, 406, 408, 412, 413, 415, 429, 431];

    /// The kind of errors with this status, from 401 to 499, such as 402 (Payment Required), 423
    /// (Locked) or 451 (Unavailable For Legal Reasons).
    ///
    /// A status that only the lifecycle sends, or outside of this range, does not compile:
    ///
    /// ```
    /// use lifecycle::ErrorCode;
    /// use lifecycle::error::ErrorKind;
    /// const LOCKED: ErrorKind = ErrorKind::of_status::<423>();
    /// const IN_USE: ErrorCode = ErrorCode::new(LOCKED, "IN_USE", "It is in use.");
    /// assert_eq!(ErrorKind::of_status::<404>(), ErrorKind::NotFound);
    /// ```
    ///
    /// ```compile_fail
    /// # use lifecycle::error::ErrorKind;
    /// const TOO_MANY: ErrorKind = ErrorKind::of_status::<429>();
    /// ```
    ///
    /// ```compile_fail
    /// # use lifecycle::error::ErrorKind;
    /// const FOUND: ErrorKind = ErrorKind::of_status::<302>();
    /// ```
    pub const fn of_status<const STATUS: u16>() -> Self {
        const {
            assert!(
                matches!(STATUS, 401..=499),
                "stage 7: a business error has a status from 401 to 499"
            );
            let mut index = 0;
            while index < Self::RESERVED.len() {
                assert!(
                    STATUS != Self::RESERVED[index],
                    "stage 7: only the lifecycle sends this status"
                );
                index += 1;
            }
        }
        match STATUS {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            410 => Self::Gone,
            422 => Self::Unprocessable,
            other => Self::Other(OtherStatus(other)),
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Gone => StatusCode::GONE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Other(OtherStatus(status)) => {
                StatusCode::from_u16(status).expect("its constructor checks the range")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RequestError;

    #[test]
    fn a_business_error_is_sent_with_the_status_of_its_kind() {
        for (kind, status) in [
            (ErrorKind::of_status::<402>(), 402),
            (ErrorKind::of_status::<423>(), 423),
            (ErrorKind::of_status::<451>(), 451),
            (ErrorKind::of_status::<409>(), 409),
            (ErrorKind::BadGateway, 502),
        ] {
            let rejection = ErrorCode::new(kind, "NO", "No.");
            let response = RequestError::Rejected(rejection.into()).response();
            assert_eq!((response.status.as_u16(), response.code), (status, "NO"));
        }
    }

    #[test]
    fn rejections_found_together_have_each_detail_once_and_all_codes() {
        let code = |code| ErrorCode::new(ErrorKind::Conflict, code, "No.");
        let [taken, full] = [code("TAKEN"), code("FULL")];
        let twice = taken.at("/a", "is taken").together(taken.at("/a", "is taken"));
        let both = twice.together(taken.at("/b", "is taken")).together(full.into());
        let fields: Vec<_> = both.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!((both.code, fields), ("TAKEN", vec!["/a", "/b"]));
        assert!(both.has_code("TAKEN") && both.has_code("FULL") && !both.has_code("GONE"));
    }

    #[test]
    fn a_status_with_a_variant_has_that_variant() {
        for (kind, expected) in [
            (ErrorKind::of_status::<401>(), ErrorKind::Unauthenticated),
            (ErrorKind::of_status::<403>(), ErrorKind::Forbidden),
            (ErrorKind::of_status::<404>(), ErrorKind::NotFound),
            (ErrorKind::of_status::<409>(), ErrorKind::Conflict),
            (ErrorKind::of_status::<410>(), ErrorKind::Gone),
            (ErrorKind::of_status::<422>(), ErrorKind::Unprocessable),
        ] {
            assert_eq!(kind, expected);
        }
    }
}
