//! `/faults`: shows, sets and clears injected faults.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;

use super::error::ControlError;
use super::shown::Control;
use crate::faults::Faults;
use crate::standins::BadFaults;

/// `GET /faults`
pub(super) async fn get(State(control): State<Control>) -> Json<Faults> {
    Json(active(&control))
}

/// `PUT /faults`: replaces all active faults.
pub(super) async fn put(
    State(control): State<Control>,
    body: Bytes,
) -> Result<Json<Faults>, ControlError> {
    let faults = read(&body).map_err(refused)?;
    let names = control.stores.names();
    if let Some((kind, name)) = faults.names().find(|(kind, name)| !names.knows(kind, name)) {
        return Err(refused(format!("the template has no {kind} {name}")));
    }
    put_in_force(&control, faults).map_err(|error| refused(error.to_string()))?;
    Ok(Json(active(&control)))
}

/// `DELETE /faults`: clears all faults.
pub(super) async fn delete(State(control): State<Control>) -> Result<StatusCode, ControlError> {
    put_in_force(&control, Faults::default()).map_err(|error| refused(error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

fn refused(reason: String) -> ControlError {
    ControlError::new(StatusCode::BAD_REQUEST, reason)
}

fn read(body: &Bytes) -> Result<Faults, String> {
    let mut input = serde_json::Deserializer::from_slice(body);
    let faults = serde_path_to_error::deserialize(&mut input)
        .map_err(|error| format!("at {}: {}", error.path(), error.inner()))?;
    input.end().map_err(|error| error.to_string())?;
    Ok(faults)
}

/// Replaces all active faults, or none if those of the stand-ins are invalid.
fn put_in_force(control: &Control, faults: Faults) -> Result<(), BadFaults> {
    control.standins.set_faults(&faults.standins)?;
    control.functions.cold_start_every_call(faults.cold_starts);
    control.stores.faults().set(faults);
    Ok(())
}

/// All active faults, those of the stand-ins with all their members.
fn active(control: &Control) -> Faults {
    Faults { standins: control.standins.faults(), ..control.stores.faults().get() }
}
