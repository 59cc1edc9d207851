//! Responses to a person in a browser.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

/// Whether a request is for the API, whose responses stay as they are.
pub(super) fn is_forwarded(uri: &Uri) -> bool {
    uri.path().starts_with("/api/")
}

/// Whether the request is one of a browser's address bar.
pub(super) fn is_client_of(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// Indents JSON for a browser. Programs get one line.
pub(super) async fn indented(request: Request, next: Next) -> Response {
    let is_shown = is_client_of(request.headers()) && !is_forwarded(request.uri());
    let response = next.run(request).await;
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|it| it == "application/json");
    if !is_shown || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let value = serde_json::from_slice::<Value>(&bytes);
    let Ok(text) = value.and_then(|value| serde_json::to_string_pretty(&value)) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}
