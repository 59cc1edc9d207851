//! An event of API Gateway (HTTP API, payload format 2.0) as the request that it carries.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde_json::Value;

use crate::failure::Violations;
use crate::finding::Finding;

/// A request as it came, with nothing of it believed yet.
#[derive(Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) path_parameters: HashMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) raw_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) source_ip: String,
    /// What an authorizer has found out about the token.
    pub(crate) finding: Finding,
}

impl Request {
    /// Reads an event.
    pub(crate) fn from_event(event: &[u8]) -> Result<Self, Violations> {
        let not_an_event = |error: serde_json::Error| {
            let expected = "the event is not an API Gateway HTTP API request (payload format 2.0)";
            Violations::one("", format!("{expected}: {error}"))
        };
        let mut event: Value = serde_json::from_slice(event).map_err(not_an_event)?;
        // By itself: however odd it is, it is a reason to refuse the caller, not the event.
        let authorizer = event.pointer_mut("/requestContext/authorizer").map(Value::take);
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event).map_err(not_an_event)?;
        let text = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            BASE64_STANDARD
                .decode(text)
                .map_err(|_| Violations::one("", "the body is not valid base64"))?
        } else {
            text.into_bytes()
        };
        let raw_query = event.raw_query_string.unwrap_or_default();
        let context = event.request_context;
        Ok(Self {
            method: context.http.method,
            path: event.raw_path.unwrap_or_default(),
            path_parameters: event.path_parameters,
            query: form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            raw_query,
            headers: event.headers,
            body: body.into(),
            source_ip: context.http.source_ip.unwrap_or_default(),
            finding: Finding::of_authorizer(authorizer.as_ref()),
        })
    }

    /// A header as text; `None` when it is absent or not visible ASCII.
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of an `Authorization: Bearer …` header (RFC 6750).
    pub(crate) fn bearer_token(&self) -> Option<&str> {
        bearer(self.header(header::AUTHORIZATION)?)
    }

    /// Whether the body says that it is JSON.
    pub(crate) fn has_json_body(&self) -> bool {
        let Some(content_type) = self.header(header::CONTENT_TYPE) else {
            return false;
        };
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        media_type == "application/json"
            || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    }

    /// Whether the client takes `application/problem+json` for errors.
    pub(crate) fn wants_problem_details(&self) -> bool {
        self.accepts("application/problem+json", false)
    }

    /// Whether the client takes anything that we answer with.
    pub(crate) fn accepts_json(&self) -> bool {
        self.accepts("application/json", true) || self.accepts("application/problem+json", true)
    }

    fn accepts(&self, wanted: &str, wildcards: bool) -> bool {
        let Some(accept) = self.header(header::ACCEPT) else {
            return wildcards;
        };
        accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|parameter| {
                parameter.strip_prefix("q=").is_some_and(|q| q.parse().is_ok_and(|q: f32| q <= 0.0))
            });
            let matches = range == wanted
                || (wildcards && matches!(range.as_str(), "" | "*/*" | "application/*"));
            matches && !refused
        })
    }
}

/// The token of a `Bearer` credential; the scheme is case-insensitive (RFC 9110, 11.1).
pub(crate) fn bearer(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A header's name as people write it: `if-match` is `If-Match`.
pub(crate) fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> Request {
        let headers: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let event = serde_json::json!({
            "version": "2.0", "rawPath": "/", "rawQueryString": "a=1&b=x%20y&a=2",
            "headers": headers,
            "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } },
        });
        Request::from_event(event.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn accept_is_honoured_with_wildcards_and_zero_weights() {
        for (accept, json, problem) in [
            ("*/*", true, false),
            ("application/*", true, false),
            ("application/json", true, false),
            ("application/problem+json", true, true),
            ("application/problem+json;q=0.5, application/json", true, true),
            ("text/html", false, false),
            ("text/html, */*;q=0.1", true, false),
            ("application/json;q=0", false, false),
        ] {
            let request = request(&[("accept", accept)]);
            assert_eq!(request.accepts_json(), json, "{accept}");
            assert_eq!(request.wants_problem_details(), problem, "{accept}");
        }
        assert!(request(&[]).accepts_json());
    }

    #[test]
    fn a_query_string_is_decoded_and_keeps_repeated_names() {
        let expected = [("a", "1"), ("b", "x y"), ("a", "2")];
        let query = request(&[]).query;
        assert!(query.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(expected));
    }

    #[test]
    fn what_is_not_an_event_is_a_violation_and_no_panic() {
        for event in ["", "null", "{}", "[]", r#"{"httpMethod":"GET","path":"/"}"#] {
            assert!(Request::from_event(event.as_bytes()).is_err(), "{event}");
        }
    }

    #[test]
    fn names_of_headers_are_written_as_people_write_them() {
        assert_eq!(title_case("idempotency-key"), "Idempotency-Key");
        assert_eq!(title_case(""), "");
    }
}
