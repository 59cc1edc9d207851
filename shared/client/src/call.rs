//! A request, as an operation describes it.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use uuid::Uuid;

/// A request, with the rules for its retries.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// Whether the client's token is sent, if it has one.
    pub(crate) signed: bool,
    /// Whether it is safe to send the request twice.
    pub(crate) repeatable: bool,
    /// An error status whose body also has the data of the operation.
    pub(crate) also_answered: Option<StatusCode>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        let repeatable = method.is_idempotent();
        let (path, headers, body) = (path.into(), Vec::new(), Bytes::new());
        Self { method, path, headers, body, signed: true, repeatable, also_answered: None }
    }

    /// Sends the request without the client's token.
    pub(crate) fn unsigned(self) -> Self {
        Self { signed: false, ..self }
    }

    /// Accepts this error status as a response with data.
    pub(crate) fn also_answered(self, status: StatusCode) -> Self {
        Self { also_answered: Some(status), ..self }
    }

    /// Adds query parameters, except absent ones.
    pub(crate) fn query(mut self, parameters: &[(&str, Option<String>)]) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters {
            query.extend_pairs(value.iter().map(|value| (name, value)));
        }
        let query = query.finish();
        if !query.is_empty() {
            self.path = format!("{}?{query}", self.path);
        }
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds an idempotency key, the caller's or a new one, so that a retry gets the same response.
    pub(crate) fn keyed(self, key: Option<&str>) -> Self {
        let key = key.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        Self { repeatable: true, ..self.header("idempotency-key", key) }
    }

    /// Adds `If-Match` if an entity tag is given.
    pub(crate) fn if_match(self, etag: Option<&str>) -> Self {
        match etag {
            Some(etag) => self.header("if-match", etag),
            None => self,
        }
    }

    /// Sets a body in JSON.
    ///
    /// # Panics
    ///
    /// Never: all bodies of this API have a JSON form.
    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the API's types have a JSON form");
        Self { body: body.into(), ..self.header("content-type", "application/json") }
    }
}
