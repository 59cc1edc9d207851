//! The API's `OpenAPI` document.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::ControlError;
use super::shown::Control;

/// `GET /openapi.json`: the application's document, with this API as its server.
pub(super) async fn document(State(control): State<Control>) -> Result<Json<Value>, ControlError> {
    let kept = control.description.ok_or_else(|| {
        ControlError::new(StatusCode::NOT_FOUND, "the application has no OpenAPI document")
    })?;
    let mut document: Value = serde_json::from_str(kept)
        .map_err(|error| ControlError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    document["servers"] = json!([{ "url": control.api_url, "description": "This platform." }]);
    Ok(Json(document))
}
