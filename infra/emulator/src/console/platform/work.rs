//! Work that may take long.

use axum::http::StatusCode;
use tokio::task::{JoinError, spawn_blocking};

use crate::control::ControlError;

/// Runs work that may take long on a separate thread.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ControlError> {
    let ended = spawn_blocking(work).await;
    let failed =
        |error: JoinError| ControlError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    ended.map_err(failed)
}
