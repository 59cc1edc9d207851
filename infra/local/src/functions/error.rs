//! Why an invocation has no answer.

use std::time::Duration;

use serde::Deserialize;

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The template has no such function.
    #[error("there is no function {0}")]
    Unknown(String),
    /// As many invocations run already as may.
    #[error("Rate Exceeded.")]
    Throttled,
    /// The event is larger than Lambda takes.
    #[error("the event has {bytes} bytes, more than the {limit} that Lambda takes")]
    EventTooLarge {
        /// The event's size.
        bytes: usize,
        /// The most there may be.
        limit: usize,
    },
    /// The function answered with an error of its own.
    #[error("{error_type}: {message}")]
    FunctionError {
        /// `errorType` as the function reported it.
        error_type: String,
        /// `errorMessage` as the function reported it.
        message: String,
    },
    /// The function took longer than its time-out; its process is gone.
    #[error("Task timed out after {:.2} seconds", after.as_secs_f64())]
    TimedOut {
        /// The time-out.
        after: Duration,
    },
    /// The function's process ended in the middle of the invocation.
    #[error("Runtime exited with error: {how}")]
    Crashed {
        /// How it ended: `exit status: 101`, `signal: 9 (SIGKILL)`.
        how: String,
    },
    /// The function could not be started.
    #[error("the function could not be initialised: {reason}")]
    InitFailed {
        /// Why.
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

/// What a runtime posts when it reports an error; what is missing is left empty, as Lambda does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorReport {
    pub(super) error_type: String,
    pub(super) error_message: String,
}

impl ErrorReport {
    /// Reads a report; what cannot be read is an error without a type.
    pub(super) fn parse(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

impl From<ErrorReport> for InvokeError {
    fn from(report: ErrorReport) -> Self {
        Self::FunctionError { error_type: report.error_type, message: report.error_message }
    }
}
