//! The event of a request for functions and authorizers: payload format 2.0.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use sam_template::{ACCOUNT_ID, ApiKind, DEFAULT_ROUTE, REGION, Route, percent};

/// Headers of one connection; they are not passed on.
const HOP_BY_HOP: &[HeaderName] = &[
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The header with the trace of X-Ray.
const TRACE_ID: &str = "x-amzn-trace-id";

/// A request with its matched route.
pub(super) struct Exchange<'a> {
    pub(super) api: Target<'a>,
    pub(super) parts: &'a Parts,
    /// The undecoded path without the stage.
    pub(super) path: &'a str,
    pub(super) route: &'a Route,
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) source_ip: IpAddr,
    pub(super) request_id: &'a str,
    pub(super) received: Timestamp,
}

/// The API that a request reaches.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// Its id in its domain name.
    pub(super) id: &'a str,
    pub(super) kind: &'a ApiKind,
    pub(super) stage: &'a str,
}

impl Exchange<'_> {
    /// The event of the route's function. `authorizer` is the part of the context from the authorizer:
    /// `{"lambda": …}` or `{"jwt": …}`.
    pub(super) fn function_event(&self, body: &Bytes, authorizer: Option<&Value>) -> Value {
        let mut event = self.common();
        let (text, is_base64) = encode(body, &self.parts.headers);
        event.insert("isBase64Encoded".to_owned(), json!(is_base64));
        if !body.is_empty() {
            event.insert("body".to_owned(), json!(text));
        }
        if let Some(context) = authorizer {
            event["requestContext"]["authorizer"] = context.clone();
        }
        if let Some(access_key) = self.access_key() {
            event["requestContext"]["authorizer"] = json!({"iam": {
                "accessKey": access_key,
                "accountId": ACCOUNT_ID,
                "callerId": access_key,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": format!("arn:aws:iam::{ACCOUNT_ID}:user/{access_key}"),
                "userId": access_key,
            }});
        }
        Value::Object(event)
    }

    /// The event of an authorizer: without the body, and with the identity.
    pub(super) fn authorizer_event(&self, identity: &[String]) -> Value {
        let mut event = self.common();
        event.insert("type".to_owned(), json!("REQUEST"));
        event.insert("routeArn".to_owned(), json!(self.method_arn()));
        event.insert("identitySource".to_owned(), json!(identity));
        Value::Object(event)
    }

    /// The ARN of the request's method, which an authorizer allows or denies.
    pub(super) fn method_arn(&self) -> String {
        let Target { id, stage, .. } = self.api;
        let method = self.parts.method.as_str();
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{id}/{stage}/{method}{}", self.path)
    }

    /// The access key of a request that is signed for a function URL. The signature is not checked.
    pub(super) fn access_key(&self) -> Option<&str> {
        if !matches!(self.api.kind, ApiKind::FunctionUrl { signed: true }) {
            return None;
        }
        let header = self.parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let credential = header.strip_prefix("AWS4-HMAC-SHA256 ")?.split("Credential=").nth(1)?;
        credential.split('/').next()
    }

    fn common(&self) -> Map<String, Value> {
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        let query = self.parts.uri.query().unwrap_or_default();
        put("version", json!("2.0"));
        put("routeKey", json!(self.route_key()));
        put("rawPath", json!(self.whole_path()));
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

    /// The path with its stage. Only an HTTP API decodes it.
    fn whole_path(&self) -> String {
        let path = self.parts.uri.path();
        if *self.api.kind == ApiKind::Http { percent::decode(path) } else { path.to_owned() }
    }

    /// The key of its route: `GET /users/{userId}`.
    pub(super) fn route_key(&self) -> String {
        if self.route.path == DEFAULT_ROUTE {
            return DEFAULT_ROUTE.to_owned();
        }
        format!("{} {}", self.route.method, self.route.path)
    }

    /// Headers in lower case, repeated ones joined by commas, with API Gateway's additions.
    fn headers(&self) -> BTreeMap<&str, String> {
        let mut joined: BTreeMap<&str, String> = BTreeMap::new();
        let passed_on = self.passed_on().filter(|(name, _)| *name != header::COOKIE);
        let added = [("x-forwarded-for", self.source_ip.to_string())];
        let given = passed_on
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into()));
        for (name, value) in given.chain(added) {
            joined.entry(name).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
        }
        joined.insert(TRACE_ID, self.trace_id());
        joined.insert("x-forwarded-port", "80".to_owned());
        joined.insert("x-forwarded-proto", "http".to_owned());
        joined
    }

    /// The headers that are passed on.
    pub(super) fn passed_on(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.parts.headers.iter().filter(|(name, _)| !HOP_BY_HOP.contains(name))
    }

    /// The domain name of the API, as on AWS.
    pub(super) fn domain(&self) -> String {
        let id = self.api.id;
        match self.api.kind {
            ApiKind::FunctionUrl { .. } => format!("{id}.lambda-url.{REGION}.on.aws"),
            _ => format!("{id}.execute-api.{REGION}.amazonaws.com"),
        }
    }

    pub(super) fn user_agent(&self) -> &str {
        let user_agent = self.parts.headers.get(header::USER_AGENT);
        user_agent.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The time of the request: `02/Jan/2026:03:04:05 +0000`.
    pub(super) fn time(&self) -> String {
        let received = self.received.to_zoned(TimeZone::UTC);
        received.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
    }

    /// The client's trace header, or a new trace root.
    pub(super) fn trace_id(&self) -> String {
        let given = self.parts.headers.get(TRACE_ID).and_then(|value| value.to_str().ok());
        if let Some(given) = given.filter(|given| given.contains("Root=")) {
            return given.to_owned();
        }
        let seconds = self.received.as_second();
        let unique = uuid::Uuid::new_v4().simple().to_string();
        format!("Root=1-{seconds:08x}-{}", &unique[..24])
    }

    fn context(&self) -> Value {
        let id = self.api.id;
        json!({
            "accountId": ACCOUNT_ID,
            "apiId": id,
            "domainName": self.domain(),
            "domainPrefix": id,
            "http": {
                "method": self.parts.method.as_str(),
                "path": self.whole_path(),
                "protocol": "HTTP/1.1",
                "sourceIp": self.source_ip.to_string(),
                "userAgent": self.user_agent(),
            },
            "requestId": self.request_id,
            "routeKey": self.route_key(),
            "stage": self.api.stage,
            "time": self.time(),
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
        event_of(&ApiKind::Http, "/things/{id}", request, body)
    }

    fn event_of(
        kind: &ApiKind,
        route: &str,
        request: http::request::Builder,
        body: &'static [u8],
    ) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let route = Route {
            method: "POST".to_owned(),
            path: route.to_owned(),
            function: "F".to_owned(),
            authorizer: None,
            timeout: None,
        };
        let parameters = BTreeMap::from([("id".to_owned(), "1".to_owned())]);
        let exchange = Exchange {
            api: Target { id: "local", kind, stage: "$default" },
            path: parts.uri.path(),
            parts: &parts,
            route: &route,
            parameters: &parameters,
            source_ip: Ipv4Addr::LOCALHOST.into(),
            request_id: "id=",
            received: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        };
        exchange.function_event(&Bytes::from_static(body), Some(&json!({"lambda": {"sub": "u"}})))
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
    fn the_trace_header_is_the_clients_or_a_new_one() {
        let trace_id = |given: &str| {
            let request = Request::post("/things/1").header("X-Amzn-Trace-Id", given);
            event(request, b"")["headers"]["x-amzn-trace-id"].as_str().unwrap().to_owned()
        };
        let given = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
        assert_eq!(trace_id(given), given);
        assert!(trace_id("none").starts_with("Root=1-"), "{}", trace_id("none"));
        assert_eq!(event(Request::post("/things/1"), b"")["headers"]["x-forwarded-port"], "80");
    }

    #[test]
    fn a_function_url_passes_the_default_route_an_encoded_path_and_the_signer() {
        let kind = ApiKind::FunctionUrl { signed: true };
        let signature = "AWS4-HMAC-SHA256 Credential=AKIA1/20260102/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=x";
        let request = Request::post("/a%20b").header("authorization", signature);

        let event = event_of(&kind, DEFAULT_ROUTE, request, b"");

        assert_eq!((&event["routeKey"], &event["rawPath"]), (&json!("$default"), &json!("/a%20b")));
        let context = &event["requestContext"];
        assert_eq!(context["domainName"], "local.lambda-url.eu-west-1.on.aws");
        assert_eq!(context["http"]["path"], "/a%20b");
        assert_eq!(context["authorizer"]["iam"]["accessKey"], "AKIA1");
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
