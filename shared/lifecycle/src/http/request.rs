//! The request of an event, matched with the endpoint's route.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, Method, header};

use super::event::{EventError, HttpEvent, Trigger};
use super::format_2;
use super::media_type::{self, Accepted};
use crate::caller::Finding;
use crate::error::BodyOffer;
use crate::route::{Place, Route};

/// A request as it was received; nothing in it is verified yet.
#[derive(Debug)]
pub struct Request {
    pub(crate) trigger: Trigger,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) path_parameters: HashMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) raw_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The address of the trigger's client.
    pub(crate) peer: String,
    /// Whether the request matches the endpoint's route.
    pub(crate) is_routed: bool,
    /// The part of the path before the route: a stage or a base path, `/v1`.
    pub(crate) prefix: String,
    /// The authorizer's result for the token.
    pub(crate) finding: Finding,
}

impl Request {
    /// Reads an event, and matches the route.
    pub(crate) fn from_event(event: &[u8], route: &Route) -> Result<Self, EventError> {
        let event = format_2::read(event).map_or_else(|| HttpEvent::read(event), Ok)?;
        let found = route.find(&Place {
            route_key: event.route_key.as_deref(),
            stage: event.stage.as_deref(),
            path: &event.path,
            is_encoded: event.is_encoded,
            parameters: &event.path_parameters,
        });
        let (is_routed, found) = (found.is_some(), found.unwrap_or_default());
        Ok(Self {
            trigger: event.trigger,
            method: event.method,
            path_parameters: found.parameters.unwrap_or(event.path_parameters),
            is_routed,
            prefix: found.prefix,
            path: event.path,
            query: form_urlencoded::parse(event.raw_query.as_bytes()).into_owned().collect(),
            raw_query: event.raw_query,
            headers: event.headers,
            body: event.body,
            peer: event.peer,
            finding: event.finding,
        })
    }

    /// Returns the body, as the client sent it.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the headers, with the cookies in `Cookie`.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the query string, percent-encoded.
    pub fn query(&self) -> &str {
        &self.raw_query
    }

    /// Returns a header as text; `None` if it is absent or not visible ASCII.
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the token of an `Authorization: Bearer …` header (RFC 6750).
    pub(crate) fn bearer_token(&self) -> Option<&str> {
        bearer(self.header(header::AUTHORIZATION)?)
    }

    /// Whether the body has a supported type: JSON, or for a `PATCH` also a merge patch (RFC 7396).
    ///
    /// Other `+json` types are refused, because they have a different meaning.
    pub(crate) fn check_body(&self) -> Result<(), BodyOffer> {
        if self.method == Method::PATCH {
            let types = ["application/json", "application/merge-patch+json"];
            return self.check_body_is(&types, BodyOffer::MergePatch);
        }
        self.check_body_is(&["application/json"], BodyOffer::Json)
    }

    /// Whether the body has one of these types, in UTF-8 and without a content coding.
    pub(crate) fn check_body_is(&self, types: &[&str], offer: BodyOffer) -> Result<(), BodyOffer> {
        let codings = self.headers.get_all(header::CONTENT_ENCODING).iter();
        let mut codings = codings.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        let is_plain = |coding: &[u8]| {
            let coding = coding.trim_ascii();
            coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
        };
        if !codings.all(is_plain) {
            return Err(BodyOffer::Identity);
        }
        let mut named = self.headers.get_all(header::CONTENT_TYPE).iter();
        match (named.next().and_then(|value| value.to_str().ok()), named.next()) {
            (Some(only), None) if media_type::is_one_of(only, types) => Ok(()),
            _ => Err(offer),
        }
    }

    /// Whether the client accepts `application/problem+json` for errors.
    pub(crate) fn wants_problem_details(&self) -> bool {
        self.accepted(media_type::JSON).problem
    }

    /// Whether the client accepts responses of this media type.
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        self.accepted(media_type).reply
    }

    fn accepted(&self, media_type: &str) -> Accepted {
        let values = self.headers.get_all(header::ACCEPT).iter();
        Accepted::read(values.filter_map(|value| value.to_str().ok()), media_type)
    }
}

/// Returns the token of a `Bearer` credential; the scheme is case-insensitive (RFC 9110, 11.1).
pub(crate) fn bearer(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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
        Request::from_event(event.to_string().as_bytes(), &Route::get("/")).unwrap()
    }

    #[test]
    fn all_accept_headers_are_read() {
        let mut request = request(&[("accept", "application/problem+json")]);
        assert!(request.accepts("application/json") && request.wants_problem_details());
        let refusal = http::HeaderValue::from_static("application/json;q=0");
        request.headers.append(header::ACCEPT, refusal);
        assert!(!request.accepts("application/json"));
        request.headers.clear();
        assert!(request.accepts("application/json") && !request.wants_problem_details());
    }

    #[test]
    fn a_body_of_another_type_or_coding_is_offered_the_supported_ones() {
        let checked = |method: Method, headers: &[(&'static str, &'static str)]| {
            let mut request = request(headers);
            request.method = method;
            request.check_body()
        };
        let merge = ("content-type", "application/merge-patch+json");
        let json = ("content-type", "application/json");
        assert_eq!(checked(Method::PATCH, &[merge]), Ok(()));
        for method in [Method::POST, Method::PUT] {
            assert_eq!(checked(method.clone(), &[json]), Ok(()));
            assert_eq!(checked(method.clone(), &[merge]), Err(BodyOffer::Json));
            assert_eq!(checked(method, &[]), Err(BodyOffer::Json));
        }
        for other in ["json-patch+json", "problem+json", "ld+json", "vnd.api+json", "x+json"] {
            let named: &'static str = format!("application/{other}").leak();
            let headers = [("content-type", named)];
            assert_eq!(checked(Method::PATCH, &headers), Err(BodyOffer::MergePatch), "{other}");
            assert_eq!(checked(Method::POST, &headers), Err(BodyOffer::Json), "{other}");
        }
        for (coding, read) in [
            ("identity", true),
            ("Identity", true),
            ("", true),
            ("gzip", false),
            ("deflate", false),
            ("identity, gzip", false),
            ("br", false),
        ] {
            let read_or_not = if read { Ok(()) } else { Err(BodyOffer::Identity) };
            let headers = [json, ("content-encoding", coding)];
            assert_eq!(checked(Method::POST, &headers), read_or_not, "{coding}");
        }
        let mut twice = request(&[json]);
        twice.method = Method::POST;
        twice.headers.append(header::CONTENT_TYPE, http::HeaderValue::from_static(json.1));
        assert_eq!(twice.check_body(), Err(BodyOffer::Json));
    }

    #[test]
    fn a_query_string_is_decoded_and_keeps_repeated_names() {
        let expected = [("a", "1"), ("b", "x y"), ("a", "2")];
        let request = request(&[]);
        assert!(request.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(expected));
        assert_eq!(request.query(), "a=1&b=x%20y&a=2");
    }
}
