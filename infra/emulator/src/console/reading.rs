//! Reading the parts of a request to the console, with errors as JSON.

use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::control::ControlError;

/// An error of the client.
pub(super) fn refused(reason: impl Into<String>) -> ControlError {
    ControlError::new(StatusCode::BAD_REQUEST, reason)
}

/// The error about an id that memory does not hold.
pub(super) fn unknown(kind: &str, id: &str) -> ControlError {
    let reason = format!("there is no {kind} {id:.200} in memory; the oldest are dropped first");
    ControlError::new(StatusCode::NOT_FOUND, reason)
}

/// The error about parameters that cannot be read.
pub(super) fn query(rejection: QueryRejection) -> ControlError {
    refused(rejection.body_text())
}

/// A body in JSON; no body is an empty object.
pub(super) fn body<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    let mut input = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut input).map_err(|error| {
        match error.path().to_string().as_str() {
            // The body itself, not a member of it.
            "." => refused(error.inner().to_string()),
            path => refused(format!("at {path}: {}", error.inner())),
        }
    })?;
    input.end().map_err(|error| refused(error.to_string()))?;
    Ok(read)
}
