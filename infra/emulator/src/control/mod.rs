//! The control address: shows the platform's state, sets faults and moves the clock.
//!
//! Everything is JSON except metrics, environment, the documentation page, and the console, which a
//! browser gets at `/` ([`console`]). A browser gets JSON indented. The address is on loopback and has
//! no authentication: every process of this machine may read every table and mail, and invoke every
//! function with any event and claims. Pages in a browser may not, see [`visitors`].

mod browser;
mod clock;
mod description;
mod docs;
mod emf;
mod error;
mod faults;
mod forward;
mod index;
mod invoke;
mod metrics;
mod shown;
mod telemetry;
#[cfg(test)]
pub(crate) mod tests;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) use self::error::ControlError;
pub use self::shown::Control;
pub use self::telemetry::Telemetry;
use crate::console;
use crate::services::StoreError;
use crate::standins::Report;
use crate::visitors;

/// Serves the control address until `ended` completes.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    control: Control,
    ended: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(control)).with_graceful_shutdown(ended).await
}

fn router(control: Control) -> Router {
    Router::new()
        .route("/", get(index::index))
        .route("/openapi.json", get(description::document))
        .route("/docs", get(docs::page))
        .route("/docs/{file}", get(docs::file))
        .route("/api/{*path}", any(forward::forward))
        .route("/metrics", get(metrics))
        .route("/mailbox", get(mailbox).delete(empty_mailbox))
        .route("/queues", get(queues))
        .route("/queues/{queue}", post(send))
        .route("/requests", get(requests))
        .route("/logs", get(logs))
        .route("/invocations", get(invocations))
        .route(
            "/functions/{function}/invocations",
            post(invoke::post).layer(DefaultBodyLimit::max(invoke::BODY_BYTES_MAX)),
        )
        .route("/tables/{table}", get(table))
        .route("/schedules/{function}", post(run_schedule))
        .route("/standins/{name}", get(standin))
        .route("/environment", get(environment))
        .route("/clock", get(clock::get).put(clock::put))
        .route("/faults", get(faults::get).put(faults::put).delete(faults::delete))
        .merge(console::routes())
        .fallback(async || {
            ControlError::new(StatusCode::NOT_FOUND, "there is no such address; GET / lists all")
        })
        .with_state(control)
        .layer(middleware::from_fn(error::as_json))
        .layer(middleware::from_fn(browser::indented))
        .layer(middleware::from_fn(visitors::at_control))
}

async fn metrics(State(control): State<Control>) -> impl IntoResponse {
    let text = control.telemetry.render(&control.functions.counts(), &control.stores.calls());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// Prints variables for a shell: `eval "$(curl -s http://127.0.0.1:3001/environment)"`.
async fn environment(State(control): State<Control>) -> String {
    let variables = control.stores.operator_environment();
    let lines = variables.iter().map(|(name, value)| format!("export {name}='{value}'\n"));
    lines.collect::<Vec<_>>().concat()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailboxQuery {
    to: Option<String>,
}

async fn mailbox(State(control): State<Control>, Query(query): Query<MailboxQuery>) -> Json<Value> {
    Json(json!({"mails": control.stores.mailbox().mails(query.to.as_deref())}))
}

async fn empty_mailbox(State(control): State<Control>) -> StatusCode {
    control.stores.mailbox().empty();
    StatusCode::NO_CONTENT
}

async fn queues(State(control): State<Control>) -> Result<Json<Value>, ControlError> {
    Ok(Json(json!({"queues": control.stores.queues().await?})))
}

/// Sends the body to a queue as a message, like another system.
async fn send(
    State(control): State<Control>,
    Path(queue): Path<String>,
    body: String,
) -> Result<StatusCode, ControlError> {
    let name = control.stores.names().queue(&queue);
    let name = name.ok_or_else(|| {
        ControlError::new(StatusCode::NOT_FOUND, format!("the template has no queue {queue}"))
    })?;
    control.stores.send(name, &body).await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RequestQuery {
    request_id: Option<String>,
}

async fn requests(
    State(control): State<Control>,
    Query(query): Query<RequestQuery>,
) -> Json<Value> {
    Json(json!({"requests": control.telemetry.requests(query.request_id.as_deref())}))
}

async fn logs(State(control): State<Control>, Query(query): Query<RequestQuery>) -> Json<Value> {
    Json(json!({"lines": control.telemetry.lines(query.request_id.as_deref())}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvocationsQuery {
    function: Option<String>,
}

async fn invocations(
    State(control): State<Control>,
    Query(query): Query<InvocationsQuery>,
) -> Json<Value> {
    let mut records = control.functions.invocations();
    records.retain(|record| query.function.as_ref().is_none_or(|name| record.function == *name));
    Json(json!({"invocations": records}))
}

async fn table(
    State(control): State<Control>,
    Path(table): Path<String>,
) -> Result<Json<Value>, ControlError> {
    let (items, more) = control.stores.scan(&table)?;
    Ok(Json(json!({"table": table, "count": items.len(), "more": more, "items": items})))
}

/// The requests that a stand-in received.
async fn standin(
    State(control): State<Control>,
    Path(name): Path<String>,
) -> Result<Json<Report>, ControlError> {
    let report = control.standins.asked(&name);
    let unknown =
        || ControlError::new(StatusCode::NOT_FOUND, format!("there is no stand-in {name}"));
    report.map(Json).ok_or_else(unknown)
}

/// `POST /schedules/{function}`: runs a function as its schedule would. The response comes after
/// the run.
async fn run_schedule(
    State(control): State<Control>,
    Path(function): Path<String>,
) -> Result<StatusCode, ControlError> {
    match control.schedules.run(&function).await {
        Some(Ok(_)) => Ok(StatusCode::NO_CONTENT),
        Some(Err(error)) => Err(ControlError::new(StatusCode::BAD_GATEWAY, error.to_string())),
        None => {
            let reason = format!("{function} has no schedule");
            Err(ControlError::new(StatusCode::NOT_FOUND, reason))
        }
    }
}
