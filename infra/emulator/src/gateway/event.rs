//! The event of a request for functions and authorizers: payload format 2.0.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::percent;
use sam_template::{ACCOUNT_ID, REGION, Route};

/// The API's id in its domain name.
const API_ID: &str = "local";

/// Headers of one connection; they are not passed on.
const HOP_BY_HOP: &[header::HeaderName] = &[
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A request with its matched route.
pub(super) struct Exchange<'a> {
    pub(super) parts: &'a Parts,
    pub(super) route: &'a Route,
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) source_ip: IpAddr,
    pub(super) request_id: &'a str,
    pub(super) received: Timestamp,
}

impl Exchange<'_> {
    /// The event of the route's function. `authorizer` is the context from the authorizer.
    pub(super) fn function_event(&self, body: &Bytes, authorizer: Option<&Value>) -> Value {
        let mut event = self.common();
        let (text, is_base64) = encode(body, &self.parts.headers);
        event.insert("isBase64Encoded".to_owned(), json!(is_base64));
        if !body.is_empty() {
            event.insert("body".to_owned(), json!(text));
        }
        if let Some(context) = authorizer {
            event["requestContext"]["authorizer"] = json!({"lambda": context});
        }
        Value::Object(event)
    }

    /// The event of an authorizer: without the body, and with the identity.
    pub(super) fn authorizer_event(&self, identity: &[String]) -> Value {
        let mut event = self.common();
        let api = format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}");
        let (method, path) = (self.parts.method.as_str(), self.parts.uri.path());
        event.insert("type".to_owned(), json!("REQUEST"));
        event.insert("routeArn".to_owned(), json!(format!("{api}/$default/{method}{path}")));
        event.insert("identitySource".to_owned(), json!(identity));
        Value::Object(event)
    }

    fn common(&self) -> Map<String, Value> {
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        let query = self.parts.uri.query().unwrap_or_default();
        put("version", json!("2.0"));
        put("routeKey", json!(self.route_key()));
        put("rawPath", json!(percent::decode(self.parts.uri.path())));
        put("rawQueryString", json!(query));
        put("headers", json!(self.headers()));
        put("requestContext", self.context());
        let cookies = cookies(&self.parts.headers);
        if !cookies.is_empty() {
            put("cookies", json!(cookies));
        }
        if !query.is_empty() {
            put("queryStringParameters", json!(query_parameters(query)));
        }
        if !self.parameters.is_empty() {
            put("pathParameters", json!(self.parameters));
        }
        event
    }

    fn route_key(&self) -> String {
        format!("{} {}", self.route.method, self.route.path)
    }

    /// Headers in lower case, repeated ones joined by commas, with API Gateway's additions.
    fn headers(&self) -> BTreeMap<&str, String> {
        let mut joined: BTreeMap<&str, String> = BTreeMap::new();
        let passed_on = self
            .parts
            .headers
            .iter()
            .filter(|(name, _)| *name != header::COOKIE && !HOP_BY_HOP.contains(name));
        let added =
            [("x-amzn-trace-id", self.trace_id()), ("x-forwarded-for", self.source_ip.to_string())];
        let given = passed_on
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into()));
        for (name, value) in given.chain(added) {
            joined.entry(name).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
        }
        joined.insert("x-forwarded-proto", "http".to_owned());
        joined
    }

    /// The client's trace header, or a new trace root.
    fn trace_id(&self) -> String {
        let seconds = self.received.as_second();
        let unique = uuid::Uuid::new_v4().simple().to_string();
        format!("Root=1-{seconds:08x}-{}", &unique[..24])
    }

    fn context(&self) -> Value {
        let user_agent = self.parts.headers.get(header::USER_AGENT);
        let received = self.received.to_zoned(TimeZone::UTC);
        json!({
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "domainName": format!("{API_ID}.execute-api.{REGION}.amazonaws.com"),
            "domainPrefix": API_ID,
            "http": {
                "method": self.parts.method.as_str(),
                "path": percent::decode(self.parts.uri.path()),
                "protocol": "HTTP/1.1",
                "sourceIp": self.source_ip.to_string(),
                "userAgent": user_agent.and_then(|value| value.to_str().ok()).unwrap_or_default(),
            },
            "requestId": self.request_id,
            "routeKey": self.route_key(),
            "stage": "$default",
            "time": received.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": self.received.as_millisecond(),
        })
    }
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = values.flat_map(|value| value.split(';')).map(str::trim);
    cookies.filter(|cookie| !cookie.is_empty()).map(ToOwned::to_owned).collect()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent::decode_query(value);
        parameters
            .entry(percent::decode_query(name))
            .and_modify(|all| *all = format!("{all},{value}"))
            .or_insert(value);
    }
    parameters
}

/// The body as a string, and whether it is base64-encoded. API Gateway passes known text media
/// types unencoded.
fn encode(body: &Bytes, headers: &HeaderMap) -> (String, bool) {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let plain = !headers.contains_key(header::CONTENT_ENCODING)
        && media_type.is_none_or(is_text)
        && std::str::from_utf8(body).is_ok();
    if plain {
        (String::from_utf8_lossy(body).into_owned(), false)
    } else {
        (STANDARD.encode(body), true)
    }
}

fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    essence.starts_with("text/")
        || matches!(
            essence.as_str(),
            "application/json" | "application/javascript" | "application/xml"
        )
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http::Request;

    use super::*;

    fn event(request: http::request::Builder, body: &'static [u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let route = Route {
            method: "POST".to_owned(),
            path: "/things/{id}".to_owned(),
            function: "F".to_owned(),
            authorizer: None,
        };
        let parameters = BTreeMap::from([("id".to_owned(), "1".to_owned())]);
        let exchange = Exchange {
            parts: &parts,
            route: &route,
            parameters: &parameters,
            source_ip: Ipv4Addr::LOCALHOST.into(),
            request_id: "id=",
            received: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        };
        exchange.function_event(&Bytes::from_static(body), Some(&json!({"sub": "u"})))
    }

    #[test]
    fn an_event_has_the_shape_of_payload_format_2() {
        let request = Request::post("/things/1?a=1&b=x%20y&a=2")
            .header("X-Thing", "one")
            .header("x-thing", "two")
            .header("Cookie", "s=1; t=2")
            .header("User-Agent", "test")
            .header("Content-Type", "application/json");

        let event = event(request, b"{}");

        assert_eq!(event["routeKey"], "POST /things/{id}");
        assert_eq!(event["rawQueryString"], "a=1&b=x%20y&a=2");
        assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": "x y"}));
        assert_eq!(event["headers"]["x-thing"], "one,two");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
        assert_eq!(event["cookies"], json!(["s=1", "t=2"]));
        assert_eq!(event["pathParameters"], json!({"id": "1"}));
        assert_eq!(event["requestContext"]["time"], "02/Jan/2026:03:04:05 +0000");
        assert_eq!(event["requestContext"]["timeEpoch"], 1_767_323_045_678_i64);
        assert_eq!(event["requestContext"]["authorizer"]["lambda"]["sub"], "u");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
    }

    #[test]
    fn a_body_of_an_unknown_media_type_is_base64_encoded() {
        let cases: [(&str, &[u8], bool); 6] = [
            ("application/json; charset=utf-8", b"{}", false),
            ("application/problem+json", b"{}", false),
            ("text/plain", b"a", false),
            ("text/plain", b"\xff", true),
            ("application/x-www-form-urlencoded", b"a=b", true),
            ("image/png", b"a", true),
        ];

        for (media_type, body, expected) in cases {
            let event = event(Request::post("/things/1").header("content-type", media_type), body);
            assert_eq!(event["isBase64Encoded"], expected, "{media_type}");
        }
    }
}
