//! The usual event, read in one pass: a request of an HTTP API with payload format 2.0.
//!
//! An event that is unusual in any way is left to the general reader, which reads the whole of it and
//! finds the mistake. On the events that both accept they agree.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::event::{FUNCTION_URL, HttpEvent, Trigger};
use crate::caller::Finding;

/// Room for the headers of a usual request.
const HEADERS: usize = 24;

/// Reads an event; `None` if it is not a usual one.
pub(super) fn read(event: &[u8]) -> Option<HttpEvent> {
    let event: Event<'_> = serde_json::from_slice(event).ok()?;
    if event.kind.is_some() || event.multi_value_headers.is_some() {
        return None;
    }
    let mut headers = event.headers.0;
    if !event.cookies.is_empty() {
        let cookies: Vec<&str> = event.cookies.iter().map(|cookie| &*cookie.0).collect();
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookies.join("; ")).ok()?);
    }
    let body = match event.body {
        None => Bytes::new(),
        Some(text) if event.is_base64_encoded == Some(true) => {
            BASE64_STANDARD.decode(text.0.as_bytes()).ok()?.into()
        }
        Some(text) => text.0.into_owned().into(),
    };
    let Context { http, stage, domain_name, authorizer } = event.request_context;
    Some(HttpEvent {
        trigger: Trigger::Format2,
        method: http.method.0.parse().ok()?,
        route_key: event.route_key.map(Text::into_owned),
        stage: stage.map(Text::into_owned),
        path: event.raw_path.map(Text::into_owned).unwrap_or_default(),
        is_encoded: domain_name.is_some_and(|domain| domain.0.contains(FUNCTION_URL)),
        path_parameters: event.path_parameters.unwrap_or_default(),
        raw_query: event.raw_query_string.map(Text::into_owned).unwrap_or_default(),
        headers,
        peer: http.source_ip.map(Text::into_owned).unwrap_or_default(),
        finding: Finding::of_authorizer(authorizer),
        body,
    })
}

/// The members that are used. Others are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e> {
    /// Only the events of authorizers have it.
    #[serde(rename = "type")]
    kind: Option<IgnoredAny>,
    #[serde(borrow)]
    route_key: Option<Text<'e>>,
    #[serde(borrow)]
    raw_path: Option<Text<'e>>,
    #[serde(borrow)]
    raw_query_string: Option<Text<'e>>,
    #[serde(default)]
    headers: Headers,
    /// Only other triggers have it.
    multi_value_headers: Option<IgnoredAny>,
    #[serde(borrow, default)]
    cookies: Vec<Text<'e>>,
    path_parameters: Option<HashMap<String, String>>,
    #[serde(borrow)]
    request_context: Context<'e>,
    #[serde(borrow)]
    body: Option<Text<'e>>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'e> {
    #[serde(borrow)]
    http: Http<'e>,
    #[serde(borrow)]
    stage: Option<Text<'e>>,
    #[serde(borrow)]
    domain_name: Option<Text<'e>>,
    authorizer: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http<'e> {
    #[serde(borrow)]
    method: Text<'e>,
    #[serde(borrow)]
    source_ip: Option<Text<'e>>,
}

/// A text that is not copied unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'e>(#[serde(borrow)] Cow<'e, str>);

impl Text<'_> {
    fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

/// Headers with one value each.
#[derive(Default)]
struct Headers(HeaderMap);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;

        impl<'de> Visitor<'de> for OfMap {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Headers, M::Error> {
                let mut headers = HeaderMap::with_capacity(HEADERS);
                while let Some((name, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
                    let name = HeaderName::from_bytes(name.0.as_bytes());
                    let value = HeaderValue::from_str(&value.0);
                    let (Ok(name), Ok(value)) = (name, value) else {
                        return Err(M::Error::custom("a header is invalid"));
                    };
                    // The general reader decides the meaning of a repeated name.
                    if !matches!(headers.try_append(name, value), Ok(false)) {
                        return Err(M::Error::custom("a header is repeated, or one too many"));
                    }
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_map(OfMap)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::event::tests::events;
    use super::*;

    #[test]
    fn the_quick_reader_accepts_payload_format_2_0_and_agrees_with_the_general_one() {
        for (trigger, event) in events() {
            let text = event.to_string();
            let quick = super::read(text.as_bytes());
            assert_eq!(quick.is_some(), trigger == Trigger::Format2, "{event}");
            if let Some(quick) = quick {
                let general = HttpEvent::read(text.as_bytes()).unwrap();
                assert_eq!(format!("{quick:?}"), format!("{general:?}"));
            }
        }
    }

    #[test]
    fn the_claims_of_a_usual_event_are_read_from_its_context() {
        let [(_, mut event), ..] = events();
        let claims = json!({ "sub": "ada", "exp": 1_900 });
        event["requestContext"]["authorizer"] = json!({ "lambda": claims });
        let quick = super::read(event.to_string().as_bytes()).unwrap();
        assert_eq!(quick.finding, Finding::Claims(claims.as_object().unwrap().clone()));
    }

    #[test]
    fn the_quick_reader_leaves_unusual_events_to_the_general_one() {
        let [(_, usual), ..] = events();
        for (name, value) in [
            ("type", json!("REQUEST")),
            ("multiValueHeaders", json!({})),
            ("headers", json!({ "x-a": "\n" })),
            ("headers", json!({ "x-a": 7 })),
            ("headers", json!({ "x-a": ["1", "2"] })),
            ("headers", json!({ "a b": "" })),
            ("headers", json!({ "x-a": "1", "X-A": "2" })),
            ("cookies", json!([7])),
            ("cookies", json!(["\n"])),
            ("pathParameters", json!({ "bookId": 7 })),
            ("body", json!("%")),
            ("body", json!({})),
            ("requestContext", json!({ "http": { "method": 7 } })),
            ("requestContext", json!({ "http": { "method": "" } })),
        ] {
            let mut event = usual.clone();
            event[name] = value;
            assert!(super::read(event.to_string().as_bytes()).is_none(), "{event}");
        }
    }
}
