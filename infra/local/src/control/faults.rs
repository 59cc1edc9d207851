//! `/faults`: shows, sets and clears injected faults.

use axum::{Json, extract::State, http::StatusCode};
use bytes::Bytes;

use super::{Control, ControlError};
use crate::services::Faults;

/// `GET /faults`
pub(super) async fn get(State(control): State<Control>) -> Json<Faults> {
    Json(control.stores.faults().get())
}

/// `PUT /faults`: replaces all active faults.
pub(super) async fn put(
    State(control): State<Control>,
    body: Bytes,
) -> Result<Json<Faults>, ControlError> {
    let faults =
        read(&body).map_err(|reason| ControlError::new(StatusCode::BAD_REQUEST, reason))?;
    let names = control.stores.names();
    if let Some((kind, name)) = faults.names().find(|(kind, name)| !names.knows(kind, name)) {
        let reason = format!("the template has no {kind} {name}");
        return Err(ControlError::new(StatusCode::BAD_REQUEST, reason));
    }
    put_in_force(&control, faults.clone());
    Ok(Json(faults))
}

/// `DELETE /faults`: clears all faults.
pub(super) async fn delete(State(control): State<Control>) -> StatusCode {
    put_in_force(&control, Faults::default());
    StatusCode::NO_CONTENT
}

fn read(body: &Bytes) -> Result<Faults, String> {
    let mut input = serde_json::Deserializer::from_slice(body);
    let faults = serde_path_to_error::deserialize(&mut input)
        .map_err(|error| format!("at {}: {}", error.path(), error.inner()))?;
    input.end().map_err(|error| error.to_string())?;
    Ok(faults)
}

fn put_in_force(control: &Control, faults: Faults) {
    control.functions.cold_start_every_call(faults.cold_starts);
    control.standins.set_faults(faults.standins.clone());
    control.stores.faults().set(faults);
}
