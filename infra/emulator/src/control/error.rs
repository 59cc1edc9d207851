//! The error responses of the control address.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

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
