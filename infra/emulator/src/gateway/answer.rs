//! HTTP responses: those of functions, and the gateway's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Map, Value, json};

/// A response to a client.
pub(super) type Answer = Response<Full<Bytes>>;

/// Headers that only the gateway sets.
const OWN: &[HeaderName] =
    &[header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];

/// The most header names in a field of a function's response. More cannot fit into the 10 240 bytes
/// that API Gateway has for all headers, and a [`http::HeaderMap`] has no place for 25 000.
const HEADERS_MAX: usize = 10_240;

/// The body of a response.
pub(super) fn body_of(answer: &Answer) -> Bytes {
    // A body in memory is complete at once.
    let collected = answer.body().clone().collect().now_or_never();
    collected.and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// A response of the gateway: `{"message": …}`.
pub(super) fn message(status: StatusCode, message: &str) -> Answer {
    json(status, &json!({"message": message}))
}

/// A response of the gateway with this body.
pub(super) fn json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

/// The response of a function in payload format 2.0: `{statusCode, headers, cookies, body,
/// isBase64Encoded}`. Any other JSON is the body, with status 200. Returns `None` if it is not JSON
/// or a field is invalid. For `HEAD`, the function may set the length of the omitted body.
pub(super) fn from_function(payload: &[u8], method: &Method) -> Option<Answer> {
    match serde_json::from_slice(payload).ok()? {
        Value::Object(answer) if answer.contains_key("statusCode") => structured(&answer, method),
        Value::String(text) => Some(plain(text)),
        other => Some(plain(other.to_string())),
    }
}

fn plain(body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

fn structured(fields: &Map<String, Value>, method: &Method) -> Option<Answer> {
    let body = body(fields)?;
    let mut answer = Response::new(Full::new(body.clone()));
    *answer.status_mut() = status(&fields["statusCode"])?;
    let headers = answer.headers_mut();
    if !body.is_empty() {
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        headers.insert(header::CONTENT_TYPE, text);
    }
    for (name, value) in object(fields.get("headers"))? {
        let name: HeaderName = name.parse().ok()?;
        let length_of_none =
            *method == Method::HEAD && body.is_empty() && name == header::CONTENT_LENGTH;
        if length_of_none || !OWN.contains(&name) {
            headers.insert(name, header_value(value)?);
        }
    }
    for cookie in array(fields.get("cookies"))? {
        headers.append(header::SET_COOKIE, header_value(cookie)?);
    }
    Some(answer)
}

/// The status: a number, or a number in a string.
pub(super) fn status(value: &Value) -> Option<StatusCode> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    let status = StatusCode::from_u16(u16::try_from(number).ok()?).ok()?;
    (status.as_u16() >= 200).then_some(status)
}

/// The body, decoded if it is in base64. `None` if it is invalid.
pub(super) fn body(fields: &Map<String, Value>) -> Option<Bytes> {
    let text = match fields.get("body") {
        None | Some(Value::Null) => return Some(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return None,
    };
    match fields.get("isBase64Encoded") {
        None | Some(Value::Null | Value::Bool(false)) => Some(Bytes::from(text.clone())),
        Some(Value::Bool(true)) => STANDARD.decode(text).ok().map(Bytes::from),
        Some(_) => None,
    }
}

/// The value of a header: a string, a number or a flag.
pub(super) fn header_value(value: &Value) -> Option<HeaderValue> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    HeaderValue::from_str(&text).ok()
}

/// The headers in an optional object. `None` if it is invalid, or has too many.
pub(super) fn object(value: Option<&Value>) -> Option<impl Iterator<Item = (&String, &Value)>> {
    match value {
        None | Some(Value::Null) => Some(None.into_iter().flatten()),
        Some(Value::Object(object)) if object.len() <= HEADERS_MAX => {
            Some(Some(object).into_iter().flatten())
        }
        Some(_) => None,
    }
}

fn array(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None | Some(Value::Null) => Some(&[]),
        Some(Value::Array(items)) => Some(items),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn text(answer: Answer) -> String {
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_structured_response_sets_status_headers_cookies_and_body() {
        let payload = json!({
            "statusCode": 201,
            "headers": {"location": "/things/1", "x-count": 3, "content-length": "999"},
            "cookies": ["a=1", "b=2"],
            "body": "aGk=",
            "isBase64Encoded": true,
        });

        let answer = from_function(payload.to_string().as_bytes(), &Method::GET).unwrap();

        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["location"], "/things/1");
        assert_eq!(answer.headers()["x-count"], "3");
        assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(answer.headers().get("content-length"), None);
        assert_eq!(text(answer).await, "hi");
    }

    #[test]
    fn a_head_response_keeps_the_content_length_of_the_function() {
        let payload = json!({ "statusCode": 200, "headers": { "content-length": "99" } });
        let of = |method| from_function(payload.to_string().as_bytes(), &method).unwrap();

        assert_eq!(of(Method::HEAD).headers()["content-length"], "99");
        assert_eq!(of(Method::GET).headers().get("content-length"), None);
    }

    #[tokio::test]
    async fn json_without_a_status_is_the_body_with_200() {
        let answer = from_function(br#"{"a": 1}"#, &Method::GET).unwrap();

        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(text(answer).await, r#"{"a":1}"#);
    }

    #[test]
    fn an_invalid_function_response_is_none() {
        let cases = [
            "no json",
            r#"{"statusCode": 99}"#,
            r#"{"statusCode": "abc"}"#,
            r#"{"statusCode": 200, "body": {}}"#,
            r#"{"statusCode": 200, "body": "%", "isBase64Encoded": true}"#,
            r#"{"statusCode": 200, "headers": {"bad name": "x"}}"#,
        ];

        for payload in cases {
            assert!(from_function(payload.as_bytes(), &Method::GET).is_none(), "{payload}");
        }
    }

    #[test]
    fn a_function_response_with_too_many_headers_is_none() {
        let headers: Map<String, Value> =
            (0..30_000).map(|it| (format!("x-{it}"), json!("1"))).collect();
        let payload = json!({ "statusCode": 200, "headers": headers }).to_string();

        assert!(from_function(payload.as_bytes(), &Method::GET).is_none());
    }
}
