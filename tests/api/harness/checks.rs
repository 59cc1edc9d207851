//! Checks that every response must pass.

use client::Attempt;
use serde_json::Value;
use testkit::ApiResponse;

use super::DESCRIPTION;

/// Checks every response that the typed client receives.
pub(super) fn assert_is_the_apis(attempt: &Attempt<'_>) {
    let Ok(response) = attempt.answer else { return };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = ApiResponse::new(status, headers, response.body().clone());
    let path = attempt.path.split('?').next().expect("a split has at least one part");
    DESCRIPTION.assert_describes(attempt.method, path, &answer);
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
