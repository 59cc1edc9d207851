//! The events of a request: payload format 2.0.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sam_template::percent::{decode, decode_query};
use sam_template::{DEFAULT_ROUTE, Route};
use serde_json::{Value as Json, json};

use crate::Millis;
use crate::services::{ACCOUNT_ID, REGION};
use crate::world::names::arn;
use crate::world::request::ApiRequest;

/// The id of the API in its domain name.
const API: &str = "simulated";

/// A request with its matched route.
pub(super) struct Exchange<'a> {
    pub(super) request: &'a ApiRequest,
    pub(super) route: &'a Route,
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) request_id: &'a str,
    pub(super) trace: &'a str,
    pub(super) source_ip: &'a str,
    pub(super) received: Millis,
}

impl Exchange<'_> {
    /// The event of the route's function, with the context of its authorizer.
    pub(super) fn function_event(&self, authorizer: Option<&Json>) -> Json {
        let mut event = self.common();
        let (text, is_base64) = self.body();
        event["isBase64Encoded"] = json!(is_base64);
        if !self.request.body.is_empty() {
            event["body"] = json!(text);
        }
        if let Some(context) = authorizer {
            event["requestContext"]["authorizer"] = json!({ "lambda": context });
        }
        event
    }

    /// The event of an authorizer: without the body, and with the identity.
    pub(super) fn authorizer_event(&self, identity: &[String]) -> Json {
        let mut event = self.common();
        let (method, path) = (&self.request.method, self.path());
        event["type"] = json!("REQUEST");
        event["routeArn"] = json!(arn("execute-api", &format!("{API}/$default/{method}{path}")));
        event["identitySource"] = json!(identity);
        event
    }

    fn path(&self) -> &str {
        path_of(&self.request.path)
    }

    fn query(&self) -> &str {
        self.request.path.split_once('?').map_or("", |(_, query)| query)
    }

    /// The key of the route: `GET /users/{userId}`.
    pub(super) fn route_key(&self) -> String {
        if self.route.path == DEFAULT_ROUTE {
            return DEFAULT_ROUTE.to_owned();
        }
        format!("{} {}", self.route.method, self.route.path)
    }

    fn common(&self) -> Json {
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route_key(),
            "rawPath": decode(self.path()),
            "rawQueryString": self.query(),
            "headers": self.headers(),
            "requestContext": self.context(),
        });
        let cookies = self.cookies();
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        if !self.query().is_empty() {
            event["queryStringParameters"] = json!(query_parameters(self.query()));
        }
        if !self.parameters.is_empty() {
            event["pathParameters"] = json!(self.parameters);
        }
        event
    }

    /// Headers in lower case, repeated ones joined by commas, with API Gateway's additions.
    fn headers(&self) -> BTreeMap<&str, String> {
        let mut joined: BTreeMap<&str, String> = BTreeMap::new();
        let given = self.request.headers.iter().filter(|(name, _)| name != "cookie");
        let given = given.map(|(name, value)| (name.as_str(), value.clone()));
        let added = [
            ("x-amzn-trace-id", self.trace.to_owned()),
            ("x-forwarded-for", self.source_ip.to_owned()),
        ];
        for (name, value) in given.chain(added) {
            joined.entry(name).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
        }
        joined.insert("host", domain());
        joined.insert("x-forwarded-proto", "https".to_owned());
        joined.insert("x-forwarded-port", "443".to_owned());
        joined.insert("content-length", self.request.body.len().to_string());
        joined
    }

    fn cookies(&self) -> Vec<&str> {
        let headers = self.request.headers.iter().filter(|(name, _)| name == "cookie");
        let cookies = headers.flat_map(|(_, value)| value.split(';')).map(str::trim);
        cookies.filter(|cookie| !cookie.is_empty()).collect()
    }

    fn context(&self) -> Json {
        let user_agent = self.request.headers.iter().find(|(name, _)| name == "user-agent");
        json!({
            "accountId": ACCOUNT_ID,
            "apiId": API,
            "domainName": domain(),
            "domainPrefix": API,
            "http": {
                "method": self.request.method,
                "path": decode(self.path()),
                "protocol": "HTTP/1.1",
                "sourceIp": self.source_ip,
                "userAgent": user_agent.map_or("", |(_, value)| value),
            },
            "requestId": self.request_id,
            "routeKey": self.route_key(),
            "stage": "$default",
            "time": time(self.received),
            "timeEpoch": self.received.0,
        })
    }

    /// The body as a string, and whether it is in base64. API Gateway passes known text media types
    /// as they are.
    fn body(&self) -> (String, bool) {
        let header = |name: &str| {
            let found = self.request.headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let is_plain =
            header("content-encoding").is_none() && header("content-type").is_none_or(is_text);
        match std::str::from_utf8(&self.request.body) {
            Ok(text) if is_plain => (text.to_owned(), false),
            _ => (BASE64_STANDARD.encode(&self.request.body), true),
        }
    }
}

/// The path without the query.
pub(super) fn path_of(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// The decoded values of path parameters.
pub(super) fn decoded(parameters: BTreeMap<String, String>) -> BTreeMap<String, String> {
    parameters.into_iter().map(|(name, value)| (name, decode(&value))).collect()
}

fn domain() -> String {
    format!("{API}.execute-api.{REGION}.amazonaws.com")
}

/// A time as in an access log: `02/Jan/2026:03:04:05 +0000`.
fn time(at: Millis) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or_default().strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode_query(value);
        parameters
            .entry(decode_query(name))
            .and_modify(|all| *all = format!("{all},{value}"))
            .or_insert(value);
    }
    parameters
}

fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"]
            .contains(&essence.as_str())
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_shape_of_payload_format_2() {
        let request = ApiRequest::new("POST", "/things/a%20b?a=1&b=x%20y&a=2")
            .header("X-Thing", "one")
            .header("x-thing", "two")
            .header("cookie", "s=1; t=2")
            .json(&json!({}));
        let route = Route {
            method: "POST".to_owned(),
            path: "/things/{id}".to_owned(),
            function: "F".to_owned(),
            authorizer: None,
            timeout: None,
        };
        let parameters = decoded(BTreeMap::from([("id".to_owned(), "a%20b".to_owned())]));
        let exchange = Exchange {
            request: &request,
            route: &route,
            parameters: &parameters,
            request_id: "id=",
            trace: "Root=1",
            source_ip: "192.0.2.1",
            received: Millis(1_767_323_045_678),
        };

        let event = exchange.function_event(Some(&json!({ "sub": "u" })));

        assert_eq!(event["routeKey"], "POST /things/{id}");
        assert_eq!(event["rawPath"], "/things/a b");
        assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": "x y" }));
        assert_eq!(event["headers"]["x-thing"], "one,two");
        assert_eq!(event["cookies"], json!(["s=1", "t=2"]));
        assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
        assert_eq!(event["requestContext"]["time"], "02/Jan/2026:03:04:05 +0000");
        assert_eq!(event["requestContext"]["authorizer"]["lambda"]["sub"], "u");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
    }
}
