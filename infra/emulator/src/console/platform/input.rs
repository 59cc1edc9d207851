//! Queries and bodies of the console's addresses, and their errors in JSON.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::control::ControlError;

/// The query of an address, whose errors are JSON like all others.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ControlError> {
    query.map(|Query(query)| query).map_err(|error| refused(error.body_text()))
}

/// The JSON body of an address, with the place of an error.
pub(super) fn body<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
    let mut input = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        // The value itself, not a member of it.
        refused(if path == "." { reason } else { format!("at {path}: {reason}") })
    })?;
    input.end().map_err(|error| refused(error.to_string()))?;
    Ok(read)
}

pub(super) fn refused(reason: impl Into<String>) -> ControlError {
    ControlError::new(StatusCode::BAD_REQUEST, reason)
}
