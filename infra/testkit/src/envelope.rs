//! Checks of the form that the lifecycle's responses have: data or an error in an envelope.

use serde_json::{Value, json};

use crate::response::ApiResponse;

/// Checks of the lifecycle's default forms. Each panics if the response has another form.
impl ApiResponse {
    /// The `data` of a success with this status: `{"data": …}`.
    pub fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_is_a_functions();
        let mut body = self.json();
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(body.as_object().expect("an object").len(), 1, "data and nothing else: {body}");
        body["data"].take()
    }

    /// Checks a function's error response, which has one shape everywhere. Returns its `error`
    /// object: `code`, `message`, `traceId`, and `details` if fields are at fault.
    pub fn error(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_is_a_functions();
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let mut body = self.json();
        let error = body["error"].take();
        assert_eq!(body, json!({ "error": null }), "error and nothing else");
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
                assert_eq!(detail.as_object().expect("an object").len(), 2, "{detail}");
            }
        }
        error
    }

    /// The fields that an error response names, as JSON Pointers, in its order.
    pub fn error_fields(&self, status: u16, code: &str) -> Vec<String> {
        let error = self.error(status, code);
        let details = error["details"].as_array().into_iter().flatten();
        details.map(|detail| detail["field"].as_str().expect("a text").to_owned()).collect()
    }

    /// Checks a response that API Gateway makes without a function: `{"message": …}`.
    pub fn gateway(&self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json(), json!({ "message": message }));
        assert_eq!(self.header("content-type"), "application/json");
        assert_ne!(self.header("apigw-requestid"), "");
        assert_eq!(self.header("x-request-id"), "", "no function has run");
    }

    /// Checks the headers that every response of a function has.
    pub fn assert_is_a_functions(&self) {
        assert!((1..=128).contains(&self.header("x-request-id").len()), "{self:?}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{self:?}");
        assert_ne!(self.header("cache-control"), "", "{self:?}");
    }
}
