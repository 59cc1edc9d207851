//! Requests of tests.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use form_urlencoded::Serializer;
use serde::Serialize;
use serde_json::{Value, json};

use crate::caller::Authorizer;
use crate::input::FORM;
use crate::route::Route;

/// A request to an endpoint, whose route it has. It has no caller unless [`by`](Self::by) adds
/// claims.
#[derive(Debug, Clone, Default)]
pub struct Request {
    path: BTreeMap<&'static str, String>,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    cookies: Vec<String>,
    body: Option<Vec<u8>>,
    claims: Option<Value>,
}

impl Request {
    /// A request without parameters, headers, body or caller.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a parameter of the path.
    #[must_use]
    pub fn path(mut self, name: &'static str, value: impl ToString) -> Self {
        self.path.insert(name, value.to_string());
        self
    }

    /// Adds a parameter of the query.
    #[must_use]
    pub fn query(mut self, name: impl ToString, value: impl ToString) -> Self {
        self.query.push((name.to_string(), value.to_string()));
        self
    }

    /// Sets a header, such as `idempotency-key` or `if-match`.
    #[must_use]
    pub fn header(mut self, name: impl ToString, value: impl ToString) -> Self {
        self.headers.insert(name.to_string().to_lowercase(), value.to_string());
        self
    }

    /// Adds a cookie, as [`Cookies`](crate::input::Cookies) reads it.
    #[must_use]
    pub fn cookie(mut self, name: impl ToString, value: impl ToString) -> Self {
        self.cookies.push(format!("{}={}", name.to_string(), value.to_string()));
        self
    }

    /// Sets a body of JSON, with its content type.
    ///
    /// # Panics
    ///
    /// When the body's `Serialize` fails: a defect of its type.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body has a JSON form");
        self.body("application/json", body)
    }

    /// Sets the body of an HTML form with these fields, as [`Form`](crate::input::Form) reads it.
    #[must_use]
    pub fn form<K: AsRef<str>, V: AsRef<str>>(
        self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body(FORM, body)
    }

    /// Sets a body of these bytes, with its content type: for
    /// [`RawBody`](crate::input::RawBody), or a body that the endpoint refuses.
    #[must_use]
    pub fn body(self, content_type: &str, bytes: impl AsRef<[u8]>) -> Self {
        let body = Some(bytes.as_ref().to_vec());
        Self { body, ..self }.header("content-type", content_type)
    }

    /// Signs the caller in: the claims as the authorizer passes them on, a JSON object. The
    /// authorizer is the one that the endpoint's [`Identity`](crate::Identity) names.
    #[must_use]
    pub fn by(self, claims: Value) -> Self {
        Self { claims: Some(claims), ..self }
    }

    /// Returns the event of API Gateway (HTTP API, payload format 2.0).
    pub(super) fn to_event(&self, route: &Route, authorizer: Authorizer) -> Value {
        let segments = route.path.split('/').map(|segment| {
            let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            name.map_or(segment, |name| {
                self.path.get(name).map_or_else(
                    || panic!("the request lacks the parameter {name} of its path"),
                    String::as_str,
                )
            })
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let query = Serializer::new(String::new()).extend_pairs(&self.query).finish();
        let mut event = json!({
            "version": "2.0",
            "routeKey": format!("{} {}", route.method, route.path),
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.headers,
            "pathParameters": self.path,
            "isBase64Encoded": false,
            "requestContext": {
                "http": { "method": route.method.as_str(), "path": path, "sourceIp": "192.0.2.1" },
            },
        });
        if !self.cookies.is_empty() {
            event["cookies"] = json!(self.cookies);
        }
        if let Some(body) = &self.body {
            let text = std::str::from_utf8(body);
            event["isBase64Encoded"] = text.is_err().into();
            event["body"] =
                text.map_or_else(|_| BASE64_STANDARD.encode(body), str::to_owned).into();
        }
        if let Some(claims) = &self.claims {
            event["requestContext"]["authorizer"] = match authorizer {
                Authorizer::Lambda => json!({ "lambda": claims }),
                Authorizer::Jwt => json!({ "jwt": { "claims": claims, "scopes": null } }),
                Authorizer::Iam => json!({ "iam": claims["iam"] }),
            };
        }
        event
    }
}
