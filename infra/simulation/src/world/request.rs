//! Requests of clients, and the API's answers.

use serde_json::Value as Json;

use crate::Millis;

/// The time that a client waits by default.
const PATIENCE: Millis = Millis::seconds(35);

/// A request to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The headers, in order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The time after which the client gives up. The function goes on.
    pub patience: Millis,
    /// The address of the client; without one, each operation has its own.
    pub address: Option<String>,
}

impl ApiRequest {
    /// A request without headers and body.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        let (method, path) = (method.to_owned(), path.into());
        let (headers, body, patience, address) = (Vec::new(), Vec::new(), PATIENCE, None);
        Self { method, path, headers, body, patience, address }
    }

    /// `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// `POST` with a body in JSON.
    pub fn post(path: impl Into<String>, body: &Json) -> Self {
        Self::new("POST", path).json(body)
    }

    /// The request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_lowercase(), value.into()));
        self
    }

    /// The request with a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// The request with a body in JSON.
    #[must_use]
    pub fn json(self, body: &Json) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    /// The request with this body.
    #[must_use]
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The request of a client at this IP address.
    #[must_use]
    pub fn at_address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// The request of a client that gives up after this time.
    #[must_use]
    pub fn patience(mut self, patience: Millis) -> Self {
        self.patience = patience;
        self
    }
}

/// An answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiAnswer {
    /// The gateway's id of the request, by which the trace has its journey.
    pub request_id: String,
    /// The status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiAnswer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The reason why a client has no answer. The request may have been performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// The client gave up.
    TimedOut,
    /// The connection was lost.
    ConnectionLost,
}
