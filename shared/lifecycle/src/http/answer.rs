//! Responses in the formats of triggers.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, header};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::event::Trigger;
use super::response::Response;

/// A response, in the format of the trigger of its request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) trigger: Trigger,
    pub(crate) response: Response,
}

impl Serialize for Answer {
    /// A body that is not UTF-8 is sent as base64. The gateways of Format 1 decode it for the media
    /// types that are configured as binary, all others always.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Response { status, headers, body } = &self.response;
        let (text, is_base64): (Cow<'_, str>, bool) = match std::str::from_utf8(body) {
            Ok(text) => (text.into(), false),
            Err(_) => (BASE64_STANDARD.encode(body).into(), true),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("statusCode", &status.as_u16())?;
        match self.trigger {
            Trigger::Format2 => {
                map.serialize_entry("headers", &Joined { headers, cookies: 0 })?;
                let cookies: Vec<&str> = values_of(headers, &header::SET_COOKIE).collect();
                if !cookies.is_empty() {
                    map.serialize_entry("cookies", &cookies)?;
                }
            }
            Trigger::LoadBalancer { multi_value: false } => {
                map.serialize_entry("headers", &Joined { headers, cookies: 1 })?;
            }
            Trigger::Format1 | Trigger::LoadBalancer { multi_value: true } => {
                map.serialize_entry("multiValueHeaders", &Listed(headers))?;
            }
        }
        map.serialize_entry("body", &text)?;
        map.serialize_entry("isBase64Encoded", &is_base64)?;
        map.end()
    }
}

fn values_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

/// Headers by name, with one value each: the values of a repeated header are joined by commas. This
/// is not possible for `Set-Cookie` (RFC 9110, 5.3).
struct Joined<'a> {
    headers: &'a HeaderMap,
    /// The number of `Set-Cookie` headers that the format can carry; others are left out.
    cookies: usize,
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.headers.keys() {
            let count = if name == header::SET_COOKIE { self.cookies } else { usize::MAX };
            if count == 0 {
                continue;
            }
            let mut values = values_of(self.headers, name).take(count);
            match (values.next(), values.next()) {
                (first, None) => map.serialize_entry(name.as_str(), first.unwrap_or_default())?,
                (first, second) => {
                    let values: Vec<&str> = first.into_iter().chain(second).chain(values).collect();
                    map.serialize_entry(name.as_str(), &values.join(", "))?;
                }
            }
        }
        map.end()
    }
}

/// Headers by name, with a list of values each.
struct Listed<'a>(&'a HeaderMap);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.keys_len()))?;
        for name in self.0.keys() {
            let values: Vec<&str> = values_of(self.0, name).collect();
            map.serialize_entry(name.as_str(), &values)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use serde_json::{Value, json};

    use super::*;

    fn answered(trigger: Trigger, body: &'static [u8]) -> Value {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::SET_COOKIE, "a=1; Path=/"),
            (header::SET_COOKIE, "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT"),
            (header::VARY, "Origin"),
            (header::VARY, "Accept"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let response = Response { status: StatusCode::OK, headers, body: body.into() };
        serde_json::to_value(Answer { trigger, response }).unwrap()
    }

    #[test]
    fn each_trigger_gets_repeated_headers_and_cookies_in_its_own_format() {
        let cookies = json!(["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT"]);
        let several = json!({ "set-cookie": cookies, "vary": ["Origin", "Accept"] });
        assert_eq!(
            answered(Trigger::Format2, b"{}"),
            json!({
                "statusCode": 200, "headers": { "vary": "Origin, Accept" }, "cookies": cookies,
                "body": "{}", "isBase64Encoded": false,
            })
        );
        for trigger in [Trigger::Format1, Trigger::LoadBalancer { multi_value: true }] {
            let answer = answered(trigger, b"");
            assert_eq!(answer["multiValueHeaders"], several, "{trigger:?}");
            assert_eq!(answer.get("headers"), None, "{trigger:?}");
        }
    }

    #[test]
    fn a_load_balancer_without_multi_value_headers_gets_the_first_cookie_alone() {
        let answer = answered(Trigger::LoadBalancer { multi_value: false }, b"");
        let headers = json!({ "set-cookie": "a=1; Path=/", "vary": "Origin, Accept" });
        assert_eq!(answer["headers"], headers);
    }

    #[test]
    fn a_body_that_is_not_utf_8_is_base64() {
        for (body, sent, is_base64) in [
            (&b"\x89PNG"[..], "iVBORw==", true),
            ("ä".as_bytes(), "ä", false),
            (&b""[..], "", false),
        ] {
            let answer = answered(Trigger::Format2, body);
            assert_eq!(answer["body"], sent);
            assert_eq!(answer["isBase64Encoded"], is_base64);
        }
    }
}
