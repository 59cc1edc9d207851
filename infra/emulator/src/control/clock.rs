//! `/clock`: shows and moves the platform's clock.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::ControlError;
use super::shown::Control;
use crate::clock::Clock;

/// The body of `PUT /clock`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Move {
    /// The number of seconds by which the clock shall be ahead of the machine's.
    offset_s: u32,
}

/// The clock.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    now: Timestamp,
    offset_s: u32,
}

/// `GET /clock`
pub(super) async fn get(State(control): State<Control>) -> Json<Shown> {
    Json(shown(control.stores.clock()))
}

/// `PUT /clock`: moves the clock forward. The response comes after due messages are visible and
/// expired items are deleted. Only then due schedules run, in environments with the new time.
pub(super) async fn put(
    State(control): State<Control>,
    body: Bytes,
) -> Result<Json<Shown>, ControlError> {
    let refused = |reason: String| ControlError::new(StatusCode::BAD_REQUEST, reason);
    let Move { offset_s } =
        serde_json::from_slice(&body).map_err(|error| refused(error.to_string()))?;
    let clock = control.stores.clock().clone();
    let moved = clock.begin_move(offset_s).map_err(|error| refused(error.to_string()))?;
    // Use a separate task: if the client disconnects, all others still follow the move.
    let all = tokio::spawn(async move {
        // New environments start with the new offset, so it is set first. Only they get due messages.
        control.functions.recycle();
        control.stores.follow_clock().await;
        drop(moved);
    });
    let failed = |error: tokio::task::JoinError| {
        ControlError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    };
    all.await.map_err(failed)?;
    Ok(Json(shown(&clock)))
}

fn shown(clock: &Clock) -> Shown {
    Shown { now: clock.now(), offset_s: clock.offset_s() }
}
