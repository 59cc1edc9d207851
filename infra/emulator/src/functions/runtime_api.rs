//! The HTTP server of an environment's process: Lambda's Runtime API and Extensions API.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::error::InvokeError;
use super::extensions_api;
use super::function::Function;
use super::handle::{EnvironmentHandle, accepted, read_report, refuse};
use crate::visitors;
use sam_template::batches::PAYLOAD_BYTES_MAX;

/// Serves one environment until the task is aborted.
pub(super) async fn serve(listener: TcpListener, function: Arc<Function>, environment: Arc<str>) {
    let listener = listener.tap_io(|connection| {
        // Ignore the error: without this option, responses are only slower.
        let _ = connection.set_nodelay(true);
    });
    let runtime = Router::new()
        .route("/invocation/next", get(next))
        .route("/invocation/{request_id}/response", post(response))
        .route("/invocation/{request_id}/error", post(error))
        .route("/init/error", post(init_error));
    let router = Router::new()
        .nest("/2018-06-01/runtime", runtime)
        .nest("/2020-01-01/extension", extensions_api::routes())
        .with_state(EnvironmentHandle { function, environment })
        .layer(axum::middleware::from_fn(visitors::at_service));
    // `serve` returns only on shutdown; here the supervisor aborts the task instead.
    let _ = axum::serve(listener, router).await;
}

async fn next(State(station): State<EnvironmentHandle>) -> Response {
    let (poll, delivery) = oneshot::channel();
    station.note("runtime next");
    station.function.step_in(&station.environment, |environment| {
        let initialised = environment.runtime_polls(poll);
        station.note_if(initialised, "init done");
        station.note_free(environment);
    });
    let Ok(delivery) = delivery.await else {
        return refuse(StatusCode::GONE, "EnvironmentEnded", "this environment is ending");
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", delivery.request_id),
        ("lambda-runtime-deadline-ms", delivery.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", station.arn()),
        ("lambda-runtime-trace-id", delivery.trace_id),
    ];
    (headers, delivery.payload).into_response()
}

async fn response(
    State(station): State<EnvironmentHandle>,
    Path(request_id): Path<String>,
    body: Body,
) -> Response {
    let Ok(payload) = to_bytes(body, PAYLOAD_BYTES_MAX).await else {
        let message = format!(
            "Response payload size exceeded maximum allowed payload size ({PAYLOAD_BYTES_MAX} bytes)."
        );
        let error_type = "Function.ResponseSizeTooLarge".to_owned();
        let error = InvokeError::FunctionError { error_type, message: message.clone() };
        station.answer(&request_id, Err(error), "response too large");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
    };
    if station.function.kills_at_response(&station.environment) {
        return station.kill().await;
    }
    station.answer(&request_id, Ok(payload), "response posted")
}

async fn error(
    State(station): State<EnvironmentHandle>,
    Path(request_id): Path<String>,
    body: Body,
) -> Response {
    let report = read_report(body).await;
    station.answer(&request_id, Err(report.into()), "error posted")
}

async fn init_error(State(station): State<EnvironmentHandle>, body: Body) -> Response {
    station.fail(read_report(body).await);
    accepted()
}
