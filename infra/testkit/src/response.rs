//! Responses.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// A response, read to its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ApiResponse {
    /// The status, such as 200.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The bytes of the body; empty if there is none.
    pub body: Bytes,
}

impl ApiResponse {
    /// A response of these parts, for example one that another client has received.
    pub fn new(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into() }
    }

    /// A header; empty if it is absent. The first one, if there are several of this name.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    /// The body, which must be one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("one JSON document is expected: {error}: {self:?}"))
    }
}
