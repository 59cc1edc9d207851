//! Checks that every response must pass.

use client::Attempt;
use http::Method;
use serde_json::Value;

use super::document::operation;
use super::{ApiResponse, resolved, violation};

/// Checks every response that the typed client receives.
pub(super) fn assert_is_the_apis(attempt: &Attempt<'_>) {
    let Ok(response) = attempt.answer else { return };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = ApiResponse { status, headers, body: response.body().clone() };
    let path = attempt.path.split('?').next().expect("a split has at least one part");
    assert_is_described(attempt.method, path, &answer);
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    match (body["error"]["code"].as_str(), body["message"].as_str()) {
        (Some(code), _) => {
            answer.error(status, code);
            assert!(status != 503 || !answer.header("retry-after").is_empty(), "{answer:?}");
        }
        (None, Some(message)) => answer.gateway(status, message),
        (None, None) => answer.assert_is_a_functions(),
    }
}

/// Checks a response against the API description.
pub(super) fn assert_is_described(method: &Method, path: &str, answer: &ApiResponse) {
    assert_eq!(complaint(method, path, answer), None, "{method} {path}: {answer:?}");
}

/// How a response differs from the description: in its status, media type or body. `None` if it
/// matches, or if the API has no such operation.
pub(crate) fn complaint(method: &Method, path: &str, answer: &ApiResponse) -> Option<String> {
    let operation = operation(method, path)?;
    let response = &operation["responses"][answer.status.to_string()];
    if response.is_null() {
        return Some(format!("the description has no status {}", answer.status));
    }
    let content = &resolved(response)["content"];
    let media_type = answer.header("content-type");
    match (content.is_null(), answer.body.is_empty()) {
        (true, true) => None,
        (true, false) => Some("the description has no body".to_owned()),
        (false, true) => Some("the description has a body".to_owned()),
        (false, false) if content[media_type].is_null() => {
            Some(format!("the description has no {media_type}"))
        }
        (false, false) => violation(&content[media_type]["schema"], &answer.json()),
    }
}
