//! The request for a session, and its response.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use crate::call::Call;

/// `POST /sessions`. It is rate limited, so a refusal must not be retried in another form.
pub(crate) fn request(email: &str, password: &str) -> Call {
    let credentials = json!({ "email": email, "password": password });
    Call::post("/sessions").json(&credentials).unsigned()
}

/// A session.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The token.
    pub access_token: String,
    /// The lifetime of the token in seconds.
    pub expires_in: u32,
}

impl fmt::Debug for Session {
    /// Omits the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}
