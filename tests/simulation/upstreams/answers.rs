//! Answers in JSON.

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

/// An answer in JSON.
pub(super) fn in_json(status: StatusCode, body: &Value) -> Response<Vec<u8>> {
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
