//! The console's addresses about the platform: its map, tables, queues, mails, schedules, stand-ins,
//! caches, and the one-shot fault. The types of their JSON are beside the handlers. Every text passes
//! the [`redaction`](crate::activity::redaction).

mod caches;
mod mails;
mod map;
mod next_fault;
mod queues;
mod schedules;
mod standins;
mod tables;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::task::{JoinError, spawn_blocking};

use crate::activity::redaction::Redaction;
use crate::control::{Control, ControlError};

/// The addresses, all below `/activity`.
pub(crate) fn routes() -> Router<Control> {
    Router::new()
        .route("/activity/map", get(map::get))
        .route("/activity/tables", get(tables::list))
        .route("/activity/tables/{table}/items", get(tables::items))
        .route("/activity/tables/{table}/history", get(tables::history))
        .route("/activity/queues", get(queues::list))
        .route("/activity/queues/{queue}/messages", get(queues::messages))
        .route("/activity/queues/{queue}/redrive", post(queues::redrive))
        .route("/activity/mails", get(mails::list))
        .route("/activity/schedules", get(schedules::list))
        .route("/activity/standins", get(standins::list))
        .route("/activity/caches", get(caches::list))
        .route(
            "/activity/next-fault",
            get(next_fault::get).put(next_fault::put).delete(next_fault::delete),
        )
}

/// The query of an address, whose errors are JSON like all others.
fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ControlError> {
    query.map(|Query(query)| query).map_err(|error| refused(error.body_text()))
}

/// The JSON body of an address, with the place of an error.
fn body<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
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

fn refused(reason: impl Into<String>) -> ControlError {
    ControlError::new(StatusCode::BAD_REQUEST, reason)
}

/// A value as JSON without secrets.
fn redacted(redaction: &Redaction, value: impl Serialize) -> Value {
    // The values are maps, lists and texts, which all have a JSON form.
    redaction.json(serde_json::to_value(value).unwrap_or_default())
}

/// Runs work that may take long on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ControlError> {
    let ended = spawn_blocking(work).await;
    let failed =
        |error: JoinError| ControlError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    ended.map_err(failed)
}
