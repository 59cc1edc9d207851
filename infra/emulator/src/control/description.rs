//! The API's `OpenAPI` document.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::error::ControlError;
use super::shown::Control;

/// `GET /openapi.json`: the document, with this API as its server.
pub(super) async fn document(State(control): State<Control>) -> Result<Json<Value>, ControlError> {
    let text = text(&control).await?;
    let mut document: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| ControlError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let server = json!({ "url": control.api_url, "description": "This platform." });
    document.insert("servers".to_owned(), json!([server]));
    Ok(Json(document.into()))
}

/// The file of the options as it is now, or else the application's document.
async fn text(control: &Control) -> Result<Cow<'static, str>, ControlError> {
    let missing = |reason: String| ControlError::new(StatusCode::NOT_FOUND, reason);
    match (&control.openapi, control.description) {
        (Some(path), _) => match tokio::fs::read_to_string(path).await {
            Ok(text) => Ok(text.into()),
            Err(error) => Err(missing(format!("cannot read {}: {error}", path.display()))),
        },
        (None, Some(kept)) => Ok(kept.into()),
        (None, None) => {
            Err(missing("there is no OpenAPI document; --openapi names one".to_owned()))
        }
    }
}
