//! The answers of functions, and the gateway's own.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json, json};

use crate::world::request::ApiAnswer;

/// Headers that only the gateway sets.
const OWN: [&str; 4] = ["connection", "content-length", "transfer-encoding", "upgrade"];

/// The reason for an error of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    NoRoute,
    Unauthorized,
    Forbidden,
    Authorizer,
    /// The function failed, or its answer is invalid.
    Function,
    TimedOut,
    Throttled,
    TooLarge,
    HeadersTooLarge,
}

impl Failure {
    /// The answer of an HTTP API.
    pub(super) fn answer(self) -> ApiAnswer {
        let (status, message) = match self {
            Self::NoRoute => (404, "Not Found"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::Forbidden => (403, "Forbidden"),
            Self::Authorizer | Self::Function => (500, "Internal Server Error"),
            Self::TimedOut | Self::Throttled => (503, "Service Unavailable"),
            Self::TooLarge => (413, "Request Entity Too Large"),
            Self::HeadersTooLarge => (431, "Request Header Fields Too Large"),
        };
        let body = json!({ "message": message }).to_string();
        of("application/json", status, body.into_bytes())
    }
}

/// The answer of a function in payload format 2.0. Any other JSON is the body, with status 200.
/// `None` if a field is invalid.
pub(super) fn from_function(payload: Json, method: &str) -> Option<ApiAnswer> {
    match payload {
        Json::Object(fields) if fields.contains_key("statusCode") => structured(&fields, method),
        Json::String(text) => Some(of("application/json", 200, text.into_bytes())),
        other => Some(of("application/json", 200, other.to_string().into_bytes())),
    }
}

fn of(media_type: &str, status: u16, body: Vec<u8>) -> ApiAnswer {
    let headers = vec![("content-type".to_owned(), media_type.to_owned())];
    ApiAnswer { request_id: String::new(), status, headers, body }
}

fn structured(fields: &Map<String, Json>, method: &str) -> Option<ApiAnswer> {
    let status = &fields["statusCode"];
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = u16::try_from(status).ok().filter(|status| (200..1000).contains(status))?;
    let body = match (fields.get("body"), fields.get("isBase64Encoded")) {
        (None | Some(Json::Null), _) => Vec::new(),
        (Some(Json::String(text)), Some(Json::Bool(true))) => BASE64_STANDARD.decode(text).ok()?,
        (Some(Json::String(text)), None | Some(Json::Null | Json::Bool(false))) => {
            text.clone().into_bytes()
        }
        _ => return None,
    };
    let mut headers = Vec::new();
    for (name, value) in entries(fields.get("headers"))? {
        let name = name.to_lowercase();
        let is_length_of_none = method == "HEAD" && body.is_empty() && name == "content-length";
        if is_length_of_none || !OWN.contains(&name.as_str()) {
            headers.push((name, header_value(value)?));
        }
    }
    if !body.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "text/plain;charset=UTF-8".to_owned()));
    }
    match fields.get("cookies") {
        None | Some(Json::Null) => {}
        Some(Json::Array(cookies)) => {
            for cookie in cookies {
                headers.push(("set-cookie".to_owned(), header_value(cookie)?));
            }
        }
        Some(_) => return None,
    }
    Some(ApiAnswer { request_id: String::new(), status, headers, body })
}

fn entries(value: Option<&Json>) -> Option<Vec<(&String, &Json)>> {
    match value {
        None | Some(Json::Null) => Some(Vec::new()),
        Some(Json::Object(object)) => Some(object.iter().collect()),
        Some(_) => None,
    }
}

fn header_value(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structured_answer_sets_status_headers_cookies_and_body() {
        let payload = json!({
            "statusCode": 201,
            "headers": { "Location": "/things/1", "Content-Length": 9 },
            "cookies": ["a=1"],
            "body": "e30=",
            "isBase64Encoded": true,
        });

        let answer = from_function(payload, "POST").unwrap();

        assert_eq!((answer.status, answer.body.as_slice()), (201, b"{}".as_slice()));
        assert_eq!(answer.header("location"), Some("/things/1"));
        assert_eq!(answer.header("content-length"), None);
        assert_eq!(answer.header("set-cookie"), Some("a=1"));
    }

    #[test]
    fn an_invalid_answer_is_none_and_other_json_is_a_body() {
        for invalid in [
            json!({ "statusCode": 99 }),
            json!({ "statusCode": 200, "body": 1 }),
            json!({ "statusCode": 200, "body": "!", "isBase64Encoded": true }),
            json!({ "statusCode": 200, "headers": [] }),
        ] {
            assert_eq!(from_function(invalid.clone(), "GET"), None, "{invalid}");
        }
        let plain = from_function(json!({ "a": 1 }), "GET").unwrap();
        assert_eq!((plain.status, plain.json()), (200, json!({ "a": 1 })));
    }
}
