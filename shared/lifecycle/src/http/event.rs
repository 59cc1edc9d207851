//! The events of HTTP triggers: the gateways and load balancers between a client and the function.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;

use super::header_name::title_case;
use crate::caller::Finding;
use crate::error::FieldErrors;

/// The largest number of members that an unknown event is described by.
const MEMBERS_NAMED_MAX: usize = 8;

/// The part of a domain name by which a function URL is known.
pub(super) const FUNCTION_URL: &str = ".lambda-url.";

/// The HTTP trigger of a request, which decides the format of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// An HTTP API with payload format 2.0, or a function URL.
    Format2,
    /// A REST API, or an HTTP API with payload format 1.0.
    Format1,
    /// An Application Load Balancer.
    LoadBalancer {
        /// Whether its target group has multi-value headers.
        multi_value: bool,
    },
}

impl Trigger {
    /// Recognises a trigger by the members that only its events have.
    fn of(event: &Value) -> Option<Self> {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        if is_for_an_authorizer(event) {
            return None;
        }
        if text("/requestContext/http/method").is_some() {
            return Some(Self::Format2);
        }
        let context = event.get("requestContext")?.as_object()?;
        text("/httpMethod")?;
        if context.contains_key("elb") {
            let multi_value = event.get("multiValueHeaders").is_some_and(Value::is_object);
            return Some(Self::LoadBalancer { multi_value });
        }
        let is_web_socket = context.contains_key("connectionId");
        (text("/path").is_some() && !is_web_socket).then_some(Self::Format1)
    }
}

/// The reason why an event is not a request.
#[derive(Debug)]
pub(crate) enum EventError {
    /// It is of another kind: the function is behind a wrong trigger. No client is to blame.
    Unknown(String),
    /// It is a request with invalid parts.
    Invalid(Trigger, FieldErrors),
}

/// A request in the form that all triggers have in common.
#[derive(Debug)]
pub(super) struct HttpEvent {
    pub(super) trigger: Trigger,
    pub(super) method: Method,
    /// The method and the path template of the gateway's own route.
    pub(super) route_key: Option<String>,
    pub(super) stage: Option<String>,
    /// The path as the client sees it, with a stage or base path.
    pub(super) path: String,
    /// Whether the path is percent-encoded. Only HTTP APIs decode it.
    pub(super) is_encoded: bool,
    pub(super) path_parameters: HashMap<String, String>,
    pub(super) raw_query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The address of the trigger's client.
    pub(super) peer: String,
    pub(super) finding: Finding,
}

impl HttpEvent {
    /// Reads an event of any trigger as a tree.
    pub(super) fn read(event: &[u8]) -> Result<Self, EventError> {
        let mut event: Value = serde_json::from_slice(event)
            .map_err(|error| unknown(&format!("a payload that is not JSON ({error})")))?;
        let trigger = Trigger::of(&event).ok_or_else(|| unknown(&kind_of(&event)))?;
        let read = match trigger {
            Trigger::Format2 => Self::of_format_2(&mut event),
            Trigger::Format1 => Self::of_format_1(&mut event),
            Trigger::LoadBalancer { .. } => Self::of_load_balancer(trigger, &mut event),
        };
        read.map_err(|field_errors| EventError::Invalid(trigger, field_errors))
    }

    /// An HTTP API (payload format 2.0), or a function URL, which has no stage and no own routes.
    fn of_format_2(event: &mut Value) -> Result<Self, FieldErrors> {
        let domain = text_of(event, "/requestContext/domainName").unwrap_or_default();
        Ok(Self {
            trigger: Trigger::Format2,
            method: method_of(event, "/requestContext/http/method")?,
            route_key: text_of(event, "/routeKey"),
            stage: text_of(event, "/requestContext/stage"),
            path: text_of(event, "/rawPath").unwrap_or_default(),
            is_encoded: domain.contains(FUNCTION_URL),
            path_parameters: path_parameters_of(event),
            raw_query: text_of(event, "/rawQueryString").unwrap_or_default(),
            headers: with_cookies(headers_of(event)?, event)?,
            peer: text_of(event, "/requestContext/http/sourceIp").unwrap_or_default(),
            finding: Finding::of_authorizer(
                event.pointer_mut("/requestContext/authorizer").map(Value::take),
            ),
            body: body_of(event)?,
        })
    }

    /// A REST API. Its `path` lacks the stage, but has the base path of a domain;
    /// `requestContext.path` has either. An HTTP API with payload format 1.0 has a version.
    fn of_format_1(event: &mut Value) -> Result<Self, FieldErrors> {
        let method = method_of(event, "/httpMethod")?;
        let resource = text_of(event, "/resource");
        let path = text_of(event, "/requestContext/path").or_else(|| text_of(event, "/path"));
        Ok(Self {
            trigger: Trigger::Format1,
            route_key: resource.map(|resource| format!("{method} {resource}")),
            method,
            stage: text_of(event, "/requestContext/stage"),
            path: path.unwrap_or_default(),
            is_encoded: event.get("version").is_none(),
            path_parameters: path_parameters_of(event),
            raw_query: query_of(event, |text| {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            }),
            headers: headers_of(event)?,
            peer: text_of(event, "/requestContext/identity/sourceIp").unwrap_or_default(),
            finding: Finding::of_rest_context(event.get("requestContext")),
            body: body_of(event)?,
        })
    }

    /// A load balancer, which has no routes, no authorizers, and leaves the query encoded. It adds
    /// the address of its client to `X-Forwarded-For`.
    fn of_load_balancer(trigger: Trigger, event: &mut Value) -> Result<Self, FieldErrors> {
        let headers = headers_of(event)?;
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let peer = forwarded.rsplit(',').next().unwrap_or_default().trim().to_owned();
        Ok(Self {
            trigger,
            method: method_of(event, "/httpMethod")?,
            route_key: None,
            stage: None,
            path: text_of(event, "/path").unwrap_or_default(),
            is_encoded: true,
            path_parameters: HashMap::new(),
            raw_query: query_of(event, str::to_owned),
            headers,
            peer,
            finding: Finding::Unasked,
            body: body_of(event)?,
        })
    }
}

fn text_of(event: &Value, pointer: &str) -> Option<String> {
    event.pointer(pointer)?.as_str().map(str::to_owned)
}

fn method_of(event: &Value, pointer: &str) -> Result<Method, FieldErrors> {
    let name = event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    name.parse().map_err(|_| FieldErrors::one("", "the method is invalid"))
}

fn path_parameters_of(event: &Value) -> HashMap<String, String> {
    let given = event.get("pathParameters").and_then(Value::as_object);
    let texts = given.into_iter().flatten();
    texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// The members of the first of two objects that is present, with all values of each.
fn members<'e>(
    event: &'e Value,
    several: &str,
    single: &str,
) -> impl Iterator<Item = (&'e String, &'e Value)> {
    let object = |name: &str| event.get(name).and_then(Value::as_object);
    let members = object(several).or_else(|| object(single));
    members.into_iter().flatten().flat_map(|(name, values)| {
        let values = match values {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        values.iter().map(move |value| (name, value))
    })
}

fn headers_of(event: &Value) -> Result<HeaderMap, FieldErrors> {
    let mut headers = HeaderMap::new();
    for (name, value) in members(event, "multiValueHeaders", "headers") {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(FieldErrors::one("", "the name of a header is invalid"));
        };
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        let field = title_case(name.as_str());
        let added = value.map(|value| headers.try_append(name, value).is_ok());
        if added != Some(true) {
            return Err(FieldErrors::one(format!("header.{field}"), "is not a header value"));
        }
    }
    Ok(headers)
}

/// Adds the cookies, which payload format 2.0 has apart from the headers.
fn with_cookies(mut headers: HeaderMap, event: &Value) -> Result<HeaderMap, FieldErrors> {
    let cookies = event.get("cookies").and_then(Value::as_array).into_iter().flatten();
    let cookies: Vec<&str> = cookies.filter_map(Value::as_str).collect();
    if !cookies.is_empty() {
        let value = HeaderValue::from_str(&cookies.join("; "))
            .map_err(|_| FieldErrors::one("header.Cookie", "is not a header value"))?;
        headers.insert(header::COOKIE, value);
    }
    Ok(headers)
}

/// The query string, from parameters whose names and values are written by `encode`.
fn query_of(event: &Value, encode: impl Fn(&str) -> String) -> String {
    let parameters = members(event, "multiValueQueryStringParameters", "queryStringParameters");
    let pairs = parameters.map(|(name, value)| {
        format!("{}={}", encode(name), encode(value.as_str().unwrap_or_default()))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Takes the body out of the event.
fn body_of(event: &mut Value) -> Result<Bytes, FieldErrors> {
    let text = match event.get_mut("body").map(Value::take) {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(FieldErrors::one("", "the body is not a text")),
    };
    if event.get("isBase64Encoded").and_then(Value::as_bool) != Some(true) {
        return Ok(text.into());
    }
    let decoded = BASE64_STANDARD.decode(text);
    decoded.map(Bytes::from).map_err(|_| FieldErrors::one("", "the body is not valid base64"))
}

fn is_for_an_authorizer(event: &Value) -> bool {
    let kind = event.get("type").and_then(Value::as_str);
    matches!(kind, Some("REQUEST" | "TOKEN"))
        && (event.get("methodArn").is_some() || event.get("routeArn").is_some())
}

/// The error for an event of another kind.
fn unknown(kind: &str) -> EventError {
    EventError::Unknown(format!(
        "the function serves an HTTP endpoint, and was invoked with {kind}; it accepts requests of \
         HTTP APIs (payload format 2.0 or 1.0), function URLs, REST APIs and Application Load \
         Balancers"
    ))
}

/// Names the kind of an event, for the log.
fn kind_of(event: &Value) -> String {
    let has = |pointer: &str| event.pointer(pointer).is_some();
    let source = ["/Records/0/eventSource", "/Records/0/EventSource"];
    let source = source.iter().find_map(|pointer| event.pointer(pointer)?.as_str());
    if let Some(source) = source {
        return format!("records of {}", FieldErrors::shortened(source));
    }
    if is_for_an_authorizer(event) {
        return "a request to an authorizer".to_owned();
    }
    for (pointer, kind) in [
        ("/detail-type", "an event of EventBridge"),
        ("/requestContext/connectionId", "a request of a WebSocket API"),
        ("/requestContext/serviceNetworkArn", "a request of VPC Lattice"),
    ] {
        if has(pointer) {
            return kind.to_owned();
        }
    }
    match event {
        Value::Object(members) => {
            let names = members.keys().take(MEMBERS_NAMED_MAX);
            let names: Vec<_> = names.map(|name| FieldErrors::shortened(name)).collect();
            format!("an object of unknown kind (members: {})", names.join(", "))
        }
        _ => "a payload that is not an object".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests;
