//! Lambda's Extensions API, for internal extensions: they live in the function's own process. They
//! may register for `INVOKE`; a signal announces the environment's shutdown.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::environment::RegistrationError;
use super::handle::{EnvironmentHandle, REPORT_BYTES_MAX, accepted, read_report, refuse};
use super::variables::VERSION;

const NAME: &str = "lambda-extension-name";
const IDENTIFIER: &str = "lambda-extension-identifier";

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
}

/// The API's routes, below its version.
pub(super) fn routes() -> Router<EnvironmentHandle> {
    Router::new()
        .route("/register", post(register))
        .route("/event/next", get(next))
        .route("/init/error", post(failed))
        .route("/exit/error", post(failed))
}

async fn register(
    State(station): State<EnvironmentHandle>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(name) = header(&headers, NAME) else {
        return forbid("Extension.InvalidExtensionName", "Empty extension name");
    };
    let body = to_bytes(body, REPORT_BYTES_MAX).await.unwrap_or_default();
    let Ok(registration) = serde_json::from_slice::<Registration>(&body) else {
        return forbid("InvalidRequestFormat", "the body is not a registration");
    };
    if let Some(event) = registration.events.iter().find(|event| *event != "INVOKE") {
        let message = format!("{event}: event is not supported for internal extensions");
        return forbid("Extension.InvalidEventType", &message);
    }
    let wants_invocations = !registration.events.is_empty();
    let registered = station
        .function
        .step_in(&station.environment, |environment| environment.register(name, wants_invocations));
    match registered.unwrap_or(Err(RegistrationError::Closed)) {
        Ok(id) => {
            station.note("extension registered");
            welcome(&station, id)
        }
        Err(error) => {
            let error_type = match error {
                RegistrationError::Closed => "Extension.RegistrationClosed",
                RegistrationError::NameTaken => "Extension.InvalidExtensionState",
                RegistrationError::TooMany => "Extension.TooManyExtensions",
                RegistrationError::NoInvokeEvents => "Extension.InvalidEventType",
            };
            forbid(error_type, &error.to_string())
        }
    }
}

/// The response to a registration.
pub(super) fn welcome(station: &EnvironmentHandle, id: Uuid) -> Response {
    let body = json!({
        "functionName": station.function.deployment.name,
        "functionVersion": VERSION,
        "handler": station.function.deployment.handler,
    });
    ([(IDENTIFIER, id.to_string())], axum::Json(body)).into_response()
}

async fn next(State(station): State<EnvironmentHandle>, headers: HeaderMap) -> Response {
    let id = match identifier(&headers) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let (poll, delivery) = oneshot::channel();
    let polled = station.function.step_in(&station.environment, |environment| {
        let name = environment.extension_name(id)?.to_owned();
        station.note(&format!("extension {name} next"));
        let initialised = environment.extension_polls(id, poll)?;
        station.note_if(initialised, "init done");
        station.note_free(environment);
        Some(())
    });
    if polled.flatten().is_none() {
        return unknown();
    }
    let Ok(delivery) = delivery.await else {
        return forbid("Extension.InvalidExtensionState", "this environment is ending");
    };
    let event = json!({
        "eventType": "INVOKE",
        "deadlineMs": delivery.deadline_ms,
        "requestId": delivery.request_id,
        "invokedFunctionArn": station.arn(),
        "tracing": {"type": "X-Amzn-Trace-Id", "value": delivery.trace_id},
    });
    ([(IDENTIFIER, id.to_string())], axum::Json(event)).into_response()
}

/// `init/error` and `exit/error` both end the environment.
async fn failed(
    State(station): State<EnvironmentHandle>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(refusal) = identifier(&headers) {
        return *refusal;
    }
    station.fail(read_report(body).await);
    accepted()
}

fn identifier(headers: &HeaderMap) -> Result<Uuid, Box<Response>> {
    let given = header(headers, IDENTIFIER).ok_or_else(|| {
        let message = "Missing Lambda-Extension-Identifier header";
        Box::new(forbid("Extension.MissingExtensionIdentifier", message))
    })?;
    given.parse().map_err(|_| {
        let message = "Invalid Lambda-Extension-Identifier";
        Box::new(forbid("Extension.InvalidExtensionIdentifier", message))
    })
}

fn unknown() -> Response {
    forbid("Extension.UnknownExtensionIdentifier", "Unknown extension")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

fn forbid(error_type: &str, message: &str) -> Response {
    refuse(StatusCode::FORBIDDEN, error_type, message)
}
