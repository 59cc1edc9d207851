//! The shape of error bodies.

use std::fmt;

use http::StatusCode;
use serde_json::Value;

use super::field::FieldError;

/// The content of an error response, of which a shape makes the body.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ErrorContent<'a> {
    /// The status.
    pub status: StatusCode,
    /// `UPPER_SNAKE_CASE`.
    pub code: &'a str,
    /// One sentence for the client.
    pub message: &'a str,
    /// The parts of the request in error; at most [`LISTED_MAX`](super::FieldErrors::LISTED_MAX).
    pub details: &'a [FieldError],
    /// The id of the request, which its log lines have.
    pub request_id: &'a str,
}

/// A service's own shape of error bodies.
pub trait ErrorBody {
    /// The media type of the bodies: JSON or a type based on it, in visible ASCII.
    const MEDIA_TYPE: &'static str;

    /// Returns the body of an error. If it panics, the client gets the standard shape.
    fn body(error: &ErrorContent<'_>) -> Value;

    /// Returns the JSON Schema of the bodies, for the API description.
    fn schema() -> Value;
}

/// The shape of an endpoint's error bodies:
/// [`Endpoint::ERROR_SHAPE`](crate::Endpoint::ERROR_SHAPE).
///
/// A service that has its own shape declares one constant and names it in every endpoint. A client
/// that prefers `application/problem+json` gets problem details in any case. Errors of API Gateway
/// itself have the gateway's shape.
///
/// ```
/// use lifecycle::error::{ErrorBody, ErrorContent, ErrorShape};
/// use serde_json::{Value, json};
///
/// struct Flat;
///
/// impl ErrorBody for Flat {
///     const MEDIA_TYPE: &'static str = "application/json";
///
///     fn body(error: &ErrorContent<'_>) -> Value {
///         json!({ "reason": error.code, "text": error.message })
///     }
///
///     fn schema() -> Value {
///         json!({
///             "title": "Reason",
///             "type": "object",
///             "properties": { "reason": { "type": "string" }, "text": { "type": "string" } },
///             "required": ["reason", "text"],
///         })
///     }
/// }
///
/// const ERROR_SHAPE: ErrorShape = ErrorShape::of::<Flat>();
/// ```
#[derive(Clone, Copy)]
pub struct ErrorShape(pub(crate) Shape);

/// The kinds of shapes.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Standard,
    ProblemDetails,
    Own { media_type: &'static str, body: fn(&ErrorContent<'_>) -> Value, schema: fn() -> Value },
}

impl ErrorShape {
    /// `{"error": {"code", "message", "details", "traceId"}}`.
    pub const STANDARD: Self = Self(Shape::Standard);

    /// Problem details (RFC 9457), also for clients that do not ask for them.
    pub const PROBLEM_DETAILS: Self = Self(Shape::ProblemDetails);

    /// The service's own shape.
    ///
    /// # Panics
    ///
    /// When its media type cannot be the value of a header. In a constant it does not compile.
    pub const fn of<B: ErrorBody>() -> Self {
        check_media_type(B::MEDIA_TYPE.as_bytes());
        Self(Shape::Own { media_type: B::MEDIA_TYPE, body: B::body, schema: B::schema })
    }
}

/// Checks that a media type can be the value of a header.
///
/// # Panics
///
/// When it cannot. In a constant it does not compile.
pub(crate) const fn check_media_type(media_type: &[u8]) {
    assert!(!media_type.is_empty(), "a body has a media type");
    let mut index = 0;
    while index < media_type.len() {
        let byte = media_type[index];
        assert!(byte.is_ascii_graphic() || byte == b' ', "a media type is visible ASCII");
        index += 1;
    }
}

impl fmt::Debug for ErrorShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Shape::Standard => "ErrorShape::STANDARD",
            Shape::ProblemDetails => "ErrorShape::PROBLEM_DETAILS",
            Shape::Own { media_type, .. } => return write!(f, "ErrorShape({media_type})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    struct Odd<const IS_EMPTY: bool>;

    impl<const IS_EMPTY: bool> ErrorBody for Odd<IS_EMPTY> {
        const MEDIA_TYPE: &'static str = if IS_EMPTY { "" } else { "application/json\r\n" };

        fn body(_: &ErrorContent<'_>) -> Value {
            Value::Null
        }

        fn schema() -> Value {
            Value::Null
        }
    }

    #[test]
    fn a_media_type_that_is_no_value_of_a_header_is_refused() {
        assert!(catch_unwind(ErrorShape::of::<Odd<true>>).is_err());
        assert!(catch_unwind(ErrorShape::of::<Odd<false>>).is_err());
    }
}
