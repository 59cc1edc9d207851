//! Stage 9: the response, in the shape that all responses share.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::request::Request;
use super::request_id::REQUEST_ID;
use crate::conditions::Named;
use crate::entity_tag::EntityTag;
use crate::error::{BoxError, ErrorResponse, FieldError, FieldErrors, RequestError};
use crate::reply::{Reply, Serialised};

/// Room for the headers of a usual response.
const HEADERS: usize = 12;

/// Lambda replaces a larger response by an error: it allows 6 MB with the headers.
const BODY_BYTES_MAX: usize = 6 * 1024 * 1024 - 64 * 1024;

/// A serialised response, as it is stored for idempotency and sent to the trigger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The bytes of a body in the answer to Lambda: escaped as a JSON string, or as base64. Those of a
/// small body are not counted.
fn bytes_in_answer(body: &Bytes) -> usize {
    // JSON escapes a byte by six at most.
    if body.len() <= BODY_BYTES_MAX / 6 {
        return body.len();
    }
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::to_string(text).map_or(usize::MAX, |escaped| escaped.len()),
        Err(_) => body.len().div_ceil(3) * 4,
    }
}

impl Response {
    /// A reply in the API's shape. Headers of one name are all kept.
    pub(crate) fn of_reply(reply: impl Reply) -> Result<Self, BoxError> {
        let Serialised { status, headers: given, media_type, body } = reply.serialise()?;
        let mut headers = HeaderMap::with_capacity(HEADERS);
        for (name, value) in given {
            if value.to_str().is_err() {
                return Err(format!("the header {name} has characters beyond ASCII").into());
            }
            headers.append(name, value);
        }
        let bytes = bytes_in_answer(&body);
        if bytes > BODY_BYTES_MAX {
            let told = format!("a body of {bytes} bytes; Lambda allows about {BODY_BYTES_MAX}");
            return Err(told.into());
        }
        if !body.is_empty() {
            let media_type = HeaderValue::from_static(media_type);
            headers.entry(header::CONTENT_TYPE).or_insert(media_type);
        }
        Ok(Self { status, headers, body })
    }

    /// A failure in the API's shape, or as RFC 9457 problem details if the client asks for them.
    pub(crate) fn of_failure(
        failure: &RequestError,
        trace_id: &str,
        request: Option<&Request>,
    ) -> Self {
        let answer = failure.response();
        let problem = request.is_some_and(Request::wants_problem_details);
        let (media_type, body) = if problem {
            let path = request.map_or("", |request| request.path.as_str());
            ("application/problem+json", problem_details(&answer, trace_id, path))
        } else {
            ("application/json", envelope(&answer, trace_id))
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let RequestError::UnsupportedMediaType(offer) = failure {
            let (name, value) = offer.header();
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(seconds) = answer.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let RequestError::WrongMethod { allow } = failure
            && let Ok(allow) = HeaderValue::from_str(allow)
        {
            headers.insert(header::ALLOW, allow);
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge(failure, request));
        }
        Self { status: answer.status, headers, body: body.into() }
    }

    /// Puts the prefix of this API's paths before the path in `Location`.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        let path = self.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let path = path.filter(|path| !prefix.is_empty() && path.starts_with('/'));
        let whole = path.map(|path| format!("{prefix}{path}"));
        if let Some(whole) = whole.and_then(|whole| HeaderValue::from_str(&whole).ok()) {
            self.headers.insert(header::LOCATION, whole);
        }
        self
    }

    /// Adds an `ETag` to the response to a `GET` unless it has one. Turns it into a 304 if the
    /// client has this version. `None` if `If-Match` names another version.
    pub(crate) fn conditional(mut self, conditions: &Named) -> Option<Self> {
        if self.status != StatusCode::OK {
            return Some(self);
        }
        let tag = self.headers.get(header::ETAG).cloned();
        let tag = tag.map_or_else(|| EntityTag::of_body(&self.body), EntityTag);
        if !conditions.allow_answer(&tag) {
            return None;
        }
        self.headers.insert(header::ETAG, tag.0.clone());
        if conditions.know(&tag) {
            self.status = StatusCode::NOT_MODIFIED;
            self.headers.remove(header::CONTENT_TYPE);
            self.body = Bytes::new();
        }
        Some(self)
    }

    /// Adds the headers of every response.
    ///
    /// `Vary` names request headers even if they do not affect this response. A shared cache must
    /// not reuse it for another origin or media type (RFC 9111, 4.1).
    pub(crate) fn finish(mut self, request_id: &str, origin: Option<&str>) -> Self {
        if let Ok(id) = HeaderValue::from_str(request_id) {
            self.headers.insert(REQUEST_ID, id);
        }
        self.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let nosniff = HeaderValue::from_static("nosniff");
        self.headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
        self.headers.append(header::VARY, HeaderValue::from_static("Origin, Accept"));
        if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(origin).ok()) {
            self.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        self
    }

    /// The response to a `HEAD`: that to the `GET`, with its length instead of its body.
    pub(crate) fn without_body(mut self) -> Self {
        if !self.body.is_empty() {
            self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
            self.body = Bytes::new();
        }
        self
    }
}

/// The `WWW-Authenticate` challenge (RFC 6750, section 3). It names an error only if the request
/// had a token.
fn challenge(failure: &RequestError, request: Option<&Request>) -> HeaderValue {
    let token = request.and_then(Request::bearer_token);
    HeaderValue::from_static(match (failure, token) {
        (RequestError::Unauthenticated, Some(_)) => "Bearer realm=\"api\", error=\"invalid_token\"",
        _ => "Bearer realm=\"api\"",
    })
}

fn envelope(answer: &ErrorResponse, trace_id: &str) -> String {
    #[derive(Serialize)]
    struct Envelope<'a> {
        error: Error<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Error<'a> {
        code: &'a str,
        message: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        details: &'a [FieldError],
        trace_id: &'a str,
    }
    let error =
        Error { code: answer.code, message: &answer.message, details: &answer.details, trace_id };
    serde_json::to_string(&Envelope { error }).expect("strings always have a JSON form")
}

pub(super) fn problem_details(answer: &ErrorResponse, trace_id: &str, path: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Problem<'a> {
        r#type: &'a str,
        title: &'a str,
        status: u16,
        detail: &'a str,
        instance: &'a str,
        code: &'a str,
        trace_id: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        errors: &'a [FieldError],
    }
    let problem = Problem {
        r#type: "about:blank",
        title: answer.status.canonical_reason().unwrap_or("Error"),
        status: answer.status.as_u16(),
        detail: &answer.message,
        instance: &FieldErrors::shortened(path),
        code: answer.code,
        trace_id,
        errors: &answer.details,
    };
    serde_json::to_string(&problem).expect("strings always have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_envelope_with_code_message_details_and_trace_id() {
        let failure = RequestError::Invalid(FieldErrors::one("/title", "is required"));
        let response = Response::of_failure(&failure, "id-1", None);
        assert_eq!(response.status, StatusCode::BAD_REQUEST);
        assert_eq!(
            response.body,
            r#"{"error":{"code":"INVALID_REQUEST","message":"The request is invalid.","details":[{"field":"/title","message":"is required"}],"traceId":"id-1"}}"#
        );
    }

    #[test]
    fn a_location_on_this_api_gets_its_prefix_and_another_one_does_not() {
        for (location, prefix, expected) in [
            ("/notes/1", "/v1", "/v1/notes/1"),
            ("/notes/1", "", "/notes/1"),
            ("https://a.example/1", "/v1", "https://a.example/1"),
        ] {
            let headers = [(header::LOCATION, HeaderValue::from_static(location))];
            let response = Response {
                status: StatusCode::CREATED,
                headers: headers.into_iter().collect(),
                body: Bytes::new(),
            };
            assert_eq!(response.below(prefix).headers[header::LOCATION], expected);
        }
    }

    #[test]
    fn a_response_has_no_empty_details_and_no_causes() {
        let secret = std::io::Error::other("password=hunter2");
        let failure = RequestError::ServiceError(crate::ServiceError::internal(secret));
        let response = Response::of_failure(&failure, "id-1", None);
        let body = std::str::from_utf8(&response.body).unwrap();
        assert!(!body.contains("details") && !body.contains("hunter2"));
        assert_eq!(failure.to_string(), "internal error: password=hunter2");
    }

    #[test]
    fn a_reply_that_lambda_would_refuse_fails_before_its_effects() {
        let escaped = "\"".repeat(BODY_BYTES_MAX / 2 + 1);
        let refused = Response::of_reply(crate::reply::Ok::of(escaped)).unwrap_err();
        assert!(refused.to_string().contains("bytes; Lambda allows"), "{refused}");
        let plain = "x".repeat(BODY_BYTES_MAX - 100);
        assert!(Response::of_reply(crate::reply::Ok::of(plain)).is_ok());
        let name = HeaderValue::from_str("attachment; filename=f\u{fc}r.txt").unwrap();
        let reply = crate::reply::Ok::of("x").header(header::CONTENT_DISPOSITION, name);
        let refused = Response::of_reply(reply).unwrap_err();
        assert!(refused.to_string().contains("content-disposition"), "{refused}");
    }

    #[test]
    fn headers_of_one_name_are_all_kept_and_a_content_type_replaces_the_views() {
        let cookie = |value| (header::SET_COOKIE, HeaderValue::from_static(value));
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.a+json"));
        let reply = [cookie("a=1"), cookie("b=2"), kind]
            .into_iter()
            .fold(crate::reply::Ok::of("x"), |reply, (name, value)| reply.header(name, value));
        let response = Response::of_reply(reply).unwrap();
        let values = |name| response.headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(values(header::SET_COOKIE), ["a=1", "b=2"]);
        assert_eq!(values(header::CONTENT_TYPE), ["application/vnd.a+json"]);
    }

    #[test]
    fn an_empty_response_has_no_content_type() {
        let response = Response::of_reply(crate::reply::NoContent).unwrap();
        assert!(response.body.is_empty());
        assert!(!response.headers.contains_key(header::CONTENT_TYPE));
    }
}
