//! The responses of functions behind a REST API's proxy integration.

use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body_util::Full;
use serde_json::{Map, Value};

use super::answer::{Answer, body, header_value, object, status};

/// The response of a function: `{statusCode, headers, multiValueHeaders, body, isBase64Encoded}`.
/// `None` if it has another form, which is a malformed response. A body in base64 is decoded only if
/// `takes_binary`: the client accepts a media type that the API treats as binary.
pub(super) fn from_function(payload: &[u8], takes_binary: bool) -> Option<Answer> {
    let Value::Object(mut fields) = serde_json::from_slice(payload).ok()? else { return None };
    if !takes_binary {
        fields.remove("isBase64Encoded");
    }
    let mut answer = Response::new(Full::new(body(&fields)?));
    *answer.status_mut() = status(fields.get("statusCode")?)?;
    *answer.headers_mut() = headers(&fields)?;
    Some(answer)
}

fn headers(fields: &Map<String, Value>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, values) in object(fields.get("multiValueHeaders"))? {
        let name = sent_as(name.parse::<HeaderName>().ok()?);
        for value in values.as_array()? {
            if let Some(name) = &name {
                headers.append(name, header_value(value)?);
            }
        }
    }
    let several = headers.clone();
    for (name, value) in object(fields.get("headers"))? {
        let name = sent_as(name.parse::<HeaderName>().ok()?);
        let value = header_value(value)?;
        // A value in both is sent once.
        if let Some(name) = name
            && !several.get_all(&name).iter().any(|it| *it == value)
        {
            headers.append(name, value);
        }
    }
    let json = HeaderValue::from_static("application/json");
    headers.entry(header::CONTENT_TYPE).or_insert(json);
    Some(headers)
}

/// The name that a function's header has for the client; `None` if the client does not get it.
fn sent_as(name: HeaderName) -> Option<HeaderName> {
    match name.as_str() {
        "content-length" | "expect" | "host" | "proxy-authenticate" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" | "via" => None,
        "authorization" | "connection" | "content-md5" | "date" | "max-forwards" | "server"
        | "user-agent" | "www-authenticate" => {
            HeaderName::try_from(format!("x-amzn-remapped-{name}")).ok()
        }
        _ => Some(name),
    }
}

/// Whether bodies of a media type are passed in base64.
pub(super) fn is_binary(binary_media_types: &[String], media_type: Option<&HeaderValue>) -> bool {
    let first = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = first.split([',', ';']).next().unwrap_or_default().trim().to_lowercase();
    binary_media_types.iter().any(|binary| binary == "*/*" || *binary == essence)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_response_has_the_headers_of_both_fields_and_decodes_only_for_binary_clients() {
        let payload = json!({
            "statusCode": 201,
            "headers": {"X-One": "1", "Set-Cookie": "a=1"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "aGk=",
            "isBase64Encoded": true,
        });
        for (takes_binary, expected) in [(true, "hi"), (false, "aGk=")] {
            let answer = from_function(payload.to_string().as_bytes(), takes_binary).unwrap();
            assert_eq!(answer.status(), 201);
            assert_eq!(answer.headers()["x-one"], "1");
            assert_eq!(answer.headers()["content-type"], "application/json");
            assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
            let body: Bytes = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn some_headers_have_another_name_for_the_client_or_are_left_out() {
        let payload = json!({
            "statusCode": 401,
            "headers": {"WWW-Authenticate": "Bearer", "Content-Length": "9", "Age": "1"},
            "multiValueHeaders": {"www-authenticate": ["Bearer", "Basic"], "Via": ["1.1 proxy"]},
        });

        let answer = from_function(payload.to_string().as_bytes(), false).unwrap();

        let headers = answer.headers();
        let names: BTreeSet<&str> = headers.keys().map(HeaderName::as_str).collect();
        let remapped = "x-amzn-remapped-www-authenticate";
        assert_eq!(names, BTreeSet::from(["age", "content-type", remapped]));
        let challenges: Vec<_> = headers.get_all(remapped).iter().collect();
        assert_eq!(challenges, ["Bearer", "Basic"]);
    }

    #[test]
    fn a_response_of_another_form_is_none() {
        for payload in [r#""text""#, "{}", r#"{"body": "x"}"#, r#"{"statusCode": 200, "body": {}}"#]
        {
            assert!(from_function(payload.as_bytes(), false).is_none(), "{payload}");
        }
    }

    #[test]
    fn a_response_with_too_many_headers_is_none() {
        let values: Map<String, Value> =
            (0..30_000).map(|it| (format!("x-{it}"), json!(["1"]))).collect();
        let texts: Map<String, Value> =
            (0..30_000).map(|it| (format!("x-{it}"), json!("1"))).collect();
        for (field, headers) in [("multiValueHeaders", values), ("headers", texts)] {
            let payload = json!({"statusCode": 200, field: headers}).to_string();
            assert!(from_function(payload.as_bytes(), false).is_none(), "{field}");
        }
    }

    #[test]
    fn a_media_type_is_binary_if_it_is_listed_or_all_are() {
        let is = |types: &[&str], value: &'static str| {
            let types: Vec<String> = types.iter().map(|&it| it.to_owned()).collect();
            is_binary(&types, Some(&HeaderValue::from_static(value)))
        };
        assert!(is(&["image/png"], "image/PNG; q=1, text/html"));
        assert!(!is(&["image/png"], "text/html, image/png"));
        assert!(is(&["*/*"], "text/html"));
        assert!(!is_binary(&[], None));
    }
}
