//! Sessions, as clients get them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A session: a token for the requests of its user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// The token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// The lifetime in seconds.
    pub expires_in: u32,
}

impl fmt::Debug for SessionView {
    /// Omits the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_shown_without_its_token() {
        let (access_token, token_type) = ("secret".to_owned(), "Bearer".to_owned());
        let session = SessionView { access_token, token_type, expires_in: 900 };
        assert_eq!(format!("{session:?}"), "SessionView { expires_in: 900, .. }");
    }
}
