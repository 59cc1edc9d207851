//! The error responses of the control address.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::browser::is_forwarded;

use crate::services::StoreError;

/// An error response, with a sentence about the cause.
pub(crate) struct ControlError {
    status: StatusCode,
    reason: String,
}

impl ControlError {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

/// Gives the errors of the router and of its readers, which are texts or empty, the form of all
/// others.
pub(super) async fn as_json(request: Request, next: Next) -> Response {
    let is_forwarded = is_forwarded(request.uri());
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|it| it == "application/json");
    if is_forwarded || !is_error || is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let reason: &str =
        if text.is_empty() { status.canonical_reason().unwrap_or_default() } else { &text };
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(json!({"error": reason}).to_string()))
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.reason}))).into_response()
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::NoSuch(_) => StatusCode::NOT_FOUND,
            StoreError::Tables(_) | StoreError::Secrets(_) | StoreError::Queues(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}
