//! Errors of invocations.

use std::time::Duration;

use serde::Deserialize;

/// The reason why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The template has no such function.
    #[error("there is no function {0}")]
    Unknown(String),
    /// The concurrency limit is reached.
    #[error("Rate Exceeded.")]
    Throttled,
    /// The event is larger than Lambda's limit.
    #[error("the event has {bytes} bytes, more than Lambda's limit of {limit}")]
    EventTooLarge {
        /// The event's size.
        bytes: usize,
        /// The maximum.
        limit: usize,
    },
    /// The function returned an error.
    #[error("{error_type}: {message}")]
    FunctionError {
        /// `errorType` as the function reported it.
        error_type: String,
        /// `errorMessage` as the function reported it.
        message: String,
    },
    /// The function exceeded its timeout; its process has ended.
    #[error("Task timed out after {:.2} seconds", after.as_secs_f64())]
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The function's process ended in the middle of the invocation.
    #[error("Runtime exited with error: {how}")]
    Crashed {
        /// The exit status or signal: `exit status: 101`, `signal: 9 (SIGKILL)`.
        how: String,
    },
    /// The function could not be started.
    #[error("the function could not be initialised: {reason}")]
    InitFailed {
        /// The cause.
        reason: String,
    },
    /// The platform is being stopped.
    #[error("the platform is stopping")]
    Stopping,
}

impl InvokeError {
    /// The `errorType` that Lambda reports for it.
    pub fn error_type(&self) -> &str {
        match self {
            Self::Unknown(_) => "ResourceNotFoundException",
            Self::Throttled => "TooManyRequestsException",
            Self::EventTooLarge { .. } => "RequestTooLargeException",
            Self::FunctionError { error_type, .. } => error_type,
            Self::TimedOut { .. } => "Sandbox.Timedout",
            Self::Crashed { .. } => "Runtime.ExitError",
            Self::InitFailed { .. } => "Runtime.InitError",
            Self::Stopping => "ServiceException",
        }
    }
}

/// A runtime's error report. Missing fields stay empty, as on Lambda.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorReport {
    pub(super) error_type: String,
    pub(super) error_message: String,
}

impl ErrorReport {
    /// Parses a report. An unreadable one becomes an error without a type.
    pub(super) fn parse(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

impl From<ErrorReport> for InvokeError {
    fn from(report: ErrorReport) -> Self {
        Self::FunctionError { error_type: report.error_type, message: report.error_message }
    }
}
