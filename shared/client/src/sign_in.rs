//! The request for a session.

use serde_json::json;

use crate::call::Call;

/// `POST /sessions`. It is rate limited, so a refusal must not be retried in another form.
pub(crate) fn sign_in(email: &str, password: &str) -> Call {
    let credentials = json!({ "email": email, "password": password });
    Call::post("/sessions").json(&credentials).unsigned()
}
