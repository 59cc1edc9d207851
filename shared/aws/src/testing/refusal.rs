//! Errors of AWS's JSON services.

use serde_json::{Value, json};

/// The error code of an invalid request.
const VALIDATION: &str = "ValidationException";

/// An error of an AWS service.
#[derive(Debug)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    /// The request is invalid.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { code: VALIDATION, message: message.into() }
    }

    /// The function's policy lacks the permission.
    pub(super) fn denied(message: String) -> Self {
        Self { code: "AccessDeniedException", message }
    }

    /// The resource does not exist.
    pub(super) fn not_found(message: String) -> Self {
        Self { code: "ResourceNotFoundException", message }
    }

    /// The body of the response.
    pub(super) fn body(&self) -> Value {
        json!({ "__type": self.code, "message": self.message })
    }
}
