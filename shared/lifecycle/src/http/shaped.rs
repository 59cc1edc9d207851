//! Error responses in the shape that an endpoint declares.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::header::{self, HeaderValue};
use serde_json::Value;

use super::request::Request;
use super::response::{Response, problem_details};
use crate::error::{ErrorContent, ErrorResponse, ErrorShape, RequestError, Shape};

/// The media type of problem details.
pub(crate) const PROBLEM: &str = "application/problem+json";

impl Response {
    /// A failure in this shape; as problem details if the client asks for them.
    pub(crate) fn of_failure_in(
        shape: ErrorShape,
        failure: &RequestError,
        trace_id: &str,
        request: Option<&Request>,
    ) -> Self {
        let mut response = Self::of_failure(failure, trace_id, request);
        if request.is_some_and(Request::wants_problem_details) {
            return response;
        }
        let (media_type, body) = match shape.0 {
            Shape::Standard => return response,
            Shape::ProblemDetails => {
                let path = request.map_or("", |request| request.path.as_str());
                (PROBLEM, problem_details(&failure.response(), trace_id, path))
            }
            Shape::Own { media_type, body, .. } => {
                // The stages are over, and nothing else catches a panic here.
                let made = || own_body(body, &failure.response(), trace_id).to_string();
                let Ok(body) = catch_unwind(AssertUnwindSafe(made)) else {
                    tracing::error!(
                        "the shape of errors panicked; the response has the standard shape"
                    );
                    return response;
                };
                (media_type, body)
            }
        };
        response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response.body = body.into();
        response
    }
}

/// The body of an error in a service's own shape.
pub(crate) fn own_body(
    body: fn(&ErrorContent<'_>) -> Value,
    answer: &ErrorResponse,
    request_id: &str,
) -> Value {
    body(&ErrorContent {
        status: answer.status,
        code: answer.code,
        message: &answer.message,
        details: &answer.details,
        request_id,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorBody, FieldErrors};

    struct Flat;

    impl ErrorBody for Flat {
        const MEDIA_TYPE: &'static str = "application/vnd.example+json";

        fn body(error: &ErrorContent<'_>) -> Value {
            json!({ "reason": error.code, "fields": error.details, "request": error.request_id })
        }

        fn schema() -> Value {
            json!({ "type": "object" })
        }
    }

    struct Broken;

    impl ErrorBody for Broken {
        const MEDIA_TYPE: &'static str = "application/vnd.example+json";

        fn body(_: &ErrorContent<'_>) -> Value {
            panic!("no body")
        }

        fn schema() -> Value {
            json!({})
        }
    }

    fn sent(shape: ErrorShape) -> (String, Value) {
        let failure = RequestError::Invalid(FieldErrors::one("/title", "is required"));
        let response = Response::of_failure_in(shape, &failure, "id-1", None);
        assert_eq!(response.status, 400);
        let media_type = response.headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (media_type, serde_json::from_slice(&response.body).unwrap())
    }

    #[test]
    fn an_error_has_the_shape_that_the_endpoint_declares() {
        let details = json!([{ "field": "/title", "message": "is required" }]);
        let (media_type, body) = sent(ErrorShape::of::<Flat>());
        assert_eq!(media_type, "application/vnd.example+json");
        let expected = json!({ "reason": "INVALID_REQUEST", "fields": details, "request": "id-1" });
        assert_eq!(body, expected);

        let (media_type, body) = sent(ErrorShape::PROBLEM_DETAILS);
        assert_eq!((media_type.as_str(), &body["status"]), (PROBLEM, &json!(400)));
        assert_eq!((&body["code"], &body["errors"]), (&json!("INVALID_REQUEST"), &details));

        let (media_type, body) = sent(ErrorShape::STANDARD);
        assert_eq!(
            (media_type.as_str(), &body["error"]["details"]),
            ("application/json", &details)
        );
    }
    #[test]
    fn a_shape_that_panics_leaves_the_standard_shape() {
        let (media_type, body) = sent(ErrorShape::of::<Broken>());
        assert_eq!(media_type, "application/json");
        assert_eq!(body["error"]["code"], "INVALID_REQUEST");
    }
}
