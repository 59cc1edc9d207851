//! The checks of an endpoint's answer: its shape, its status and its body.

use serde_json::Value as Json;
use simulate::description::{Answer, complaint};

use crate::store::{About, about};

/// An answer in the common form of all triggers.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Answered {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Checks an answer of an endpoint, and returns it.
///
/// # Panics
/// If it has another shape than the trigger documents, if it is an internal error, or if the API's
/// description has no such answer.
pub fn checked(function: &str, payload: &Json, is_head: bool) -> Answered {
    let About { description, has_upstreams } = about(function);
    let method = description["route"]["method"].as_str().expect("endpoints have a method");
    let path = description["route"]["path"].as_str().expect("endpoints have a path");
    let status = payload["statusCode"].as_u64().and_then(|it| u16::try_from(it).ok());
    let status = status.filter(|it| (200..=599).contains(it));
    let status = status.unwrap_or_else(|| panic!("{function}: no status: {payload}"));
    let body = payload["body"].as_str();
    let body = body.unwrap_or_else(|| panic!("{function}: the body is no text: {payload}"));
    assert_eq!(payload["isBase64Encoded"], false, "{function}: {payload}");
    let media_type = header(function, payload, "content-type").unwrap_or_default();
    assert_ne!(status, 500, "{function}: an internal error: {payload}");
    assert!(*has_upstreams || !matches!(status, 502 | 504), "{function}: {payload}");
    if status == 503 {
        assert!(header(function, payload, "retry-after").is_some(), "{function}: {payload}");
    }
    // A request to another path or with another method has no description.
    let is_routed = !matches!(status, 404 | 405);
    if is_routed && !(is_head && body.is_empty()) {
        let answer =
            Answer { method, path, status, media_type: &media_type, body, by_function: true };
        if let Some(complaint) = complaint(&answer) {
            panic!("{function}: {complaint}: {payload}");
        }
    }
    Answered { status, body: body.to_owned() }
}

/// The value of a header, from the form of either kind of trigger.
fn header(function: &str, payload: &Json, name: &str) -> Option<String> {
    let (single, several) = (&payload["headers"], &payload["multiValueHeaders"]);
    assert!(single.is_object() != several.is_object(), "{function}: headers: {payload}");
    let members = single.as_object().or(several.as_object()).into_iter().flatten();
    let mut found = None;
    for (known, value) in members {
        let values = match value {
            Json::Array(values) if several.is_object() => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let value = value.as_str();
            let value =
                value.unwrap_or_else(|| panic!("{function}: the header {known}: {payload}"));
            assert!(
                !value.contains(['\r', '\n', '\0']),
                "{function}: the header {known}: {payload}"
            );
            if known.eq_ignore_ascii_case(name) {
                found = Some(value.to_owned());
            }
        }
    }
    found
}
