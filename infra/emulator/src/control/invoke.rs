//! `/functions/{function}/invocations`: invokes a function with any event, such as one of a service
//! that is not emulated.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;

use super::error::ControlError;
use super::shown::Control;
use crate::functions::InvokeError;

/// `POST /functions/{function}/invocations`: the body is the event. Responds with the function's
/// result, after the end of the invocation.
pub(super) async fn post(
    State(control): State<Control>,
    Path(function): Path<String>,
    event: Bytes,
) -> Result<impl IntoResponse, ControlError> {
    match control.functions.invoke(&function, event).await {
        Ok(result) => Ok(([(CONTENT_TYPE, "application/json")], result)),
        Err(error) => {
            let status = match error {
                InvokeError::Unknown(_) => StatusCode::NOT_FOUND,
                _ => StatusCode::BAD_GATEWAY,
            };
            Err(ControlError::new(status, error.to_string()))
        }
    }
}
