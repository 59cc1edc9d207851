//! `/functions/{function}/invocations`: invokes a function with any event, such as one of a service
//! that is not emulated.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde::de::IgnoredAny;

use super::error::ControlError;
use super::shown::Control;
use crate::functions::InvokeError;

/// The largest body that is read: Lambda's limit for an event of a synchronous invocation, which
/// `Functions::invoke` checks, and some more, so that the error names the limit.
pub(super) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// `POST /functions/{function}/invocations`: the body is the event; without one it is `{}`, as on
/// Lambda. Responds with the function's result, after the end of the invocation.
pub(super) async fn post(
    State(control): State<Control>,
    Path(function): Path<String>,
    event: Bytes,
) -> Result<impl IntoResponse, ControlError> {
    let event = if event.is_empty() { Bytes::from_static(b"{}") } else { event };
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(&event) {
        let reason = format!("the event is not JSON: {error}");
        return Err(ControlError::new(StatusCode::BAD_REQUEST, reason));
    }
    match control.functions.invoke(&function, event).await {
        Ok(result) => Ok(([(CONTENT_TYPE, "application/json")], result)),
        Err(error) => {
            let status = match error {
                InvokeError::Unknown(_) => StatusCode::NOT_FOUND,
                InvokeError::EventTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_GATEWAY,
            };
            Err(ControlError::new(status, error.to_string()))
        }
    }
}
