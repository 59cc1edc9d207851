//! Responses, and checks of their form.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// A response.
#[derive(Debug, Clone)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ApiResponse {
    /// A header; empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    /// The body, which must be one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("one JSON document is expected: {error}: {self:?}"))
    }

    /// The data of a success with this status.
    pub(crate) fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_is_a_functions();
        let mut body = self.json();
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(body.as_object().expect("an object").len(), 1, "data and nothing else: {body}");
        body["data"].take()
    }

    /// Checks a function's error response, which has one shape everywhere. Returns its `error`
    /// object.
    pub(crate) fn error(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_is_a_functions();
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let mut body = self.json();
        let error = body["error"].take();
        assert_eq!(body, serde_json::json!({ "error": null }), "error and nothing else");
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
        assert_eq!(error["traceId"], self.header("x-request-id"), "{error}");
        let known = ["code", "details", "message", "traceId"];
        let fields = error.as_object().expect("an object").keys();
        assert!(fields.into_iter().all(|field| known.contains(&field.as_str())), "{error}");
        if let Some(details) = error.get("details") {
            let details = details.as_array().expect("a list");
            assert!(!details.is_empty(), "details are absent when empty");
            for detail in details {
                assert!(detail["field"].is_string() && detail["message"].is_string(), "{detail}");
                assert_eq!(detail.as_object().unwrap().len(), 2, "{detail}");
            }
        }
        error
    }

    /// The fields that an error response names, in its order.
    pub(crate) fn error_fields(&self, status: u16, code: &str) -> Vec<String> {
        let error = self.error(status, code);
        let details = error["details"].as_array().into_iter().flatten();
        details.map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
    }

    /// Checks a response that the gateway makes without a function.
    pub(crate) fn gateway(&self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json(), serde_json::json!({ "message": message }));
        assert_eq!(self.header("content-type"), "application/json");
        assert_ne!(self.header("apigw-requestid"), "");
        assert_eq!(self.header("x-request-id"), "", "no function has run");
    }

    /// Checks the headers that every response of a function has.
    pub(crate) fn assert_is_a_functions(&self) {
        assert!((1..=128).contains(&self.header("x-request-id").len()), "{self:?}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{self:?}");
        assert_ne!(self.header("cache-control"), "", "{self:?}");
    }
}
