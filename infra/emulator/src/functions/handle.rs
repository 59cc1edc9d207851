//! The common part of the APIs that a function's process calls: its environment, error reports and
//! responses.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use tokio::time::sleep;

use super::environment::{Environment, StopCommand};
use super::error::{ErrorReport, InvokeError};
use super::function::Function;
use sam_template::function_arn;

/// The delay of the response to a killed process: the signal must take effect before.
const DEATH: Duration = Duration::from_secs(1);

/// The maximum bytes of an error report.
pub(super) const REPORT_BYTES_MAX: usize = 256 * 1024;

/// The environment whose process calls the APIs.
#[derive(Clone)]
pub(super) struct EnvironmentHandle {
    pub(super) function: Arc<Function>,
    pub(super) environment: Arc<str>,
}

impl EnvironmentHandle {
    /// Sends a result to the invocation's caller.
    pub(super) fn answer(
        &self,
        request_id: &str,
        result: Result<Bytes, InvokeError>,
        what: &str,
    ) -> Response {
        let activity = &self.function.activity;
        self.function.timeline.note_request(request_id, what);
        let error = result.as_ref().err().map(ToString::to_string);
        let answered = self.function.step_in(&self.environment, |environment| {
            let ended = || activity.invocation_ended(request_id, error);
            let awaited = environment.answered(request_id, result, ended);
            if environment.capacity() > 1 {
                activity.invocation_freed(request_id, &self.environment);
            }
            awaited
        });
        match answered {
            Some(true) => accepted(),
            _ => refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        }
    }

    /// Kills the process, as a fault does. It must not read a response before.
    pub(super) async fn kill(&self) -> Response {
        self.note("killed");
        self.function.activity.environment_killed(&self.environment);
        self.function
            .step_in(&self.environment, |environment| environment.order(StopCommand::Kill));
        sleep(DEATH).await;
        refuse(StatusCode::GONE, "EnvironmentEnded", "this environment is ending")
    }

    /// Handles the process's report of a fatal error.
    pub(super) fn fail(&self, report: ErrorReport) {
        self.function.step_in(&self.environment, |environment| {
            let error = InvokeError::from(report);
            let error = if environment.is_initialising() {
                InvokeError::InitFailed { reason: error.to_string() }
            } else {
                error
            };
            environment.fail(error);
        });
    }

    pub(super) fn arn(&self) -> String {
        function_arn(&self.function.deployment.name)
    }

    pub(super) fn note(&self, what: &str) {
        self.function.timeline.note_environment(&self.environment, what);
    }

    /// Records that the environment waits for its next invocation, if it does.
    pub(super) fn note_free(&self, environment: &Environment) {
        if environment.is_idle() {
            self.function.activity.environment_free(&self.environment);
        }
    }

    pub(super) fn note_if(&self, happened: bool, what: &str) {
        if happened {
            self.note(what);
        }
    }
}

pub(super) async fn read_report(body: Body) -> ErrorReport {
    let body = to_bytes(body, REPORT_BYTES_MAX).await;
    ErrorReport::parse(&body.unwrap_or_default())
}

pub(super) fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({"status": "OK"}))).into_response()
}

pub(super) fn refuse(status: StatusCode, error_type: &str, message: &str) -> Response {
    let body = json!({"errorType": error_type, "errorMessage": message});
    (status, axum::Json(body)).into_response()
}
