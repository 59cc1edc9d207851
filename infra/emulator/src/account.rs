//! The accounts of an application, as which the console sends requests.

use std::fmt;

use http::Method;
use serde_json::Value;

/// An account of an application, as which requests of the console can be sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Account {
    /// A short name, which is unique.
    pub name: String,
    /// Its role or roles, for people.
    pub role: String,
    /// One more fact for people, such as its id; empty if there is none.
    pub note: String,
    /// How it gets its token.
    pub sign_in: SignIn,
}

/// How an account gets the token of its `authorization` header.
#[derive(Clone)]
#[non_exhaustive]
pub enum SignIn {
    /// Always with this token.
    Token(String),
    /// By a request to the API.
    Request {
        /// The method.
        method: Method,
        /// The path: `/sessions`.
        path: String,
        /// The body, in JSON.
        body: Value,
        /// The JSON Pointer of the token in the response: `/data/accessToken`.
        token: String,
        /// The seconds for which a token is valid.
        valid_s: u32,
    },
}

impl Account {
    /// An account of this name and role.
    pub fn new(name: impl Into<String>, role: impl Into<String>, sign_in: SignIn) -> Self {
        Self { name: name.into(), role: role.into(), note: String::new(), sign_in }
    }

    /// The account with a note for people.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

impl SignIn {
    /// By `POST` with a body in JSON. `token` is the JSON Pointer of the token in the response, and
    /// `valid_s` the seconds for which it is valid.
    pub fn post(
        path: impl Into<String>,
        body: Value,
        token: impl Into<String>,
        valid_s: u32,
    ) -> Self {
        Self::Request {
            method: Method::POST,
            path: path.into(),
            body,
            token: token.into(),
            valid_s,
        }
    }
}

impl fmt::Debug for SignIn {
    /// Without the token and the body, which has a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.debug_struct("Token").finish_non_exhaustive(),
            Self::Request { method, path, .. } => f
                .debug_struct("Request")
                .field("method", method)
                .field("path", path)
                .finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_debug_output_has_neither_token_nor_password() {
        let fixed = Account::new("ada", "MEMBER", SignIn::Token("hush".to_owned()));
        let body = json!({"email": "ada@example.com", "password": "hush"});
        let signing_in =
            Account::new("bob", "ADMIN", SignIn::post("/sessions", body, "/token", 900));
        for account in [fixed, signing_in.note("the second")] {
            let printed = format!("{account:?}");
            assert!(printed.contains(&account.name) && !printed.contains("hush"), "{printed}");
        }
    }
}
