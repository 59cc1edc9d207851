//! The events of a REST API: for functions behind its proxy integration, and for its authorizers.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use sam_template::{ACCOUNT_ID, percent};
use serde_json::{Map, Value, json};

use super::event::Exchange;
use super::rest_answer::is_binary;

/// Headers that a REST API does not pass to a function, besides those of one connection.
const NOT_PASSED: [&str; 4] = ["content-md5", "max-forwards", "server", "www-authenticate"];

/// The beginning of an `Authorization` header with a signature, which a function does not get.
const SIGNATURE: &[u8] = b"AWS4-HMAC-SHA256 ";

/// The values of each name, in their order.
type Lists = BTreeMap<String, Vec<String>>;

impl Exchange<'_> {
    /// The event of the route's function. `authorizer` is the context from the authorizer.
    pub(super) fn rest_event(
        &self,
        body: &Bytes,
        binary_media_types: &[String],
        authorizer: Option<&Value>,
    ) -> Value {
        let mut event = self.rest_request(is_passed);
        let media_type = self.parts.headers.get(header::CONTENT_TYPE);
        let is_base64 = !body.is_empty() && is_binary(binary_media_types, media_type);
        let text = if is_base64 {
            STANDARD.encode(body)
        } else {
            String::from_utf8_lossy(body).into_owned()
        };
        event["body"] = if body.is_empty() { Value::Null } else { text.into() };
        event["isBase64Encoded"] = is_base64.into();
        if let Some(context) = authorizer {
            event["requestContext"]["authorizer"] = context.clone();
        }
        event
    }

    /// The event of an authorizer that gets the whole request.
    pub(super) fn rest_authorizer_event(&self) -> Value {
        let mut event = self.rest_request(|_, _| true);
        event["type"] = "REQUEST".into();
        event["methodArn"] = self.method_arn().into();
        event
    }

    /// The event of an authorizer that gets a token.
    pub(super) fn token_event(&self, identity: &[String]) -> Value {
        json!({
            "type": "TOKEN",
            "methodArn": self.method_arn(),
            "authorizationToken": identity.join(","),
        })
    }

    fn rest_request(&self, is_passed: fn(&HeaderName, &HeaderValue) -> bool) -> Value {
        let headers = self.rest_headers(is_passed);
        let query = query(self.parts.uri.query().unwrap_or_default());
        json!({
            "resource": self.route.path,
            "path": self.path,
            "httpMethod": self.parts.method.as_str(),
            "headers": last(&headers),
            "multiValueHeaders": headers,
            "queryStringParameters": or_null(&query, last(&query)),
            "multiValueQueryStringParameters": or_null(&query, json!(query)),
            "pathParameters": or_null(self.parameters, json!(self.parameters)),
            "stageVariables": null,
            "requestContext": self.rest_context(),
        })
    }

    /// The headers with API Gateway's additions. Their names are in title case: HTTP/1.1 clients
    /// usually write them so, and their own spelling is not known here.
    fn rest_headers(&self, is_passed: fn(&HeaderName, &HeaderValue) -> bool) -> Lists {
        let mut lists = Lists::new();
        for (name, value) in self.passed_on().filter(|(name, value)| is_passed(name, value)) {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            lists.entry(title_case(name.as_str())).or_default().push(value);
        }
        let source = self.source_ip.to_string();
        lists.entry("X-Forwarded-For".to_owned()).or_default().push(source);
        for (name, value) in [
            ("X-Amzn-Trace-Id", self.trace_id()),
            ("X-Forwarded-Port", "80".to_owned()),
            ("X-Forwarded-Proto", "http".to_owned()),
        ] {
            lists.insert(name.to_owned(), vec![value]);
        }
        lists
    }

    fn rest_context(&self) -> Value {
        let id = self.api.id;
        json!({
            "accountId": ACCOUNT_ID,
            "apiId": id,
            "domainName": self.domain(),
            "domainPrefix": id,
            "extendedRequestId": self.request_id,
            "httpMethod": self.parts.method.as_str(),
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": self.source_ip.to_string(),
                "user": null,
                "userAgent": self.user_agent(),
                "userArn": null,
            },
            "path": self.parts.uri.path(),
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": self.time(),
            "requestTimeEpoch": self.received.as_millisecond(),
            "resourceId": "local",
            "resourcePath": self.route.path,
            "stage": self.api.stage,
        })
    }
}

/// Whether a function gets a header.
fn is_passed(name: &HeaderName, value: &HeaderValue) -> bool {
    let is_signature = *name == header::AUTHORIZATION && value.as_bytes().starts_with(SIGNATURE);
    !is_signature && !NOT_PASSED.contains(&name.as_str())
}

/// The last value of each name.
fn last(lists: &Lists) -> Value {
    let values = lists.iter().map(|(name, values)| (name.clone(), json!(values.last())));
    Value::Object(values.collect::<Map<_, _>>())
}

/// Absent values are null.
fn or_null<T>(map: &BTreeMap<String, T>, value: Value) -> Value {
    if map.is_empty() { Value::Null } else { value }
}

/// The decoded parameters of a query, each with its values in their order.
pub(super) fn query(query: &str) -> Lists {
    let mut lists = Lists::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        lists.entry(percent::decode_query(name)).or_default().push(percent::decode_query(value));
    }
    lists
}

/// `content-type` as `Content-Type`.
fn title_case(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http::Request;
    use sam_template::{ApiKind, Route};

    use super::super::event::Target;
    use super::*;

    fn event(request: http::request::Builder, body: &'static [u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let binary_media_types = vec!["image/png".to_owned()];
        let kind = ApiKind::Rest { binary_media_types: binary_media_types.clone() };
        let route = Route {
            method: "ANY".to_owned(),
            path: "/things/{proxy+}".to_owned(),
            function: "F".to_owned(),
            authorizer: None,
            timeout: None,
        };
        let parameters = BTreeMap::from([("proxy".to_owned(), "a%20b".to_owned())]);
        let exchange = Exchange {
            api: Target { id: "local", kind: &kind, stage: "Prod" },
            path: "/things/a%20b",
            parts: &parts,
            route: &route,
            parameters: &parameters,
            source_ip: Ipv4Addr::LOCALHOST.into(),
            request_id: "id",
            received: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        };
        let arn = "arn:aws:execute-api:eu-west-1:000000000000:local/Prod/POST/things/a%20b";
        assert_eq!(exchange.token_event(&["t".to_owned()])["methodArn"], arn);
        let context = json!({"principalId": "p"});
        exchange.rest_event(&Bytes::from_static(body), &binary_media_types, Some(&context))
    }

    #[test]
    fn an_event_has_the_shape_of_a_proxy_integration() {
        let request = Request::post("/Prod/things/a%20b?a=1&b=x%20y&a=2")
            .header("x-thing", "one")
            .header("x-thing", "two")
            .header("cookie", "s=1");

        let event = event(request, b"{}");

        assert_eq!(event["resource"], "/things/{proxy+}");
        assert_eq!(
            (&event["path"], &event["httpMethod"]),
            (&json!("/things/a%20b"), &json!("POST"))
        );
        assert_eq!(event["headers"]["X-Thing"], "two");
        assert_eq!(event["multiValueHeaders"]["X-Thing"], json!(["one", "two"]));
        assert_eq!(event["headers"]["Cookie"], "s=1");
        assert_eq!(event["queryStringParameters"], json!({"a": "2", "b": "x y"}));
        assert_eq!(event["multiValueQueryStringParameters"]["a"], json!(["1", "2"]));
        assert_eq!(event["pathParameters"], json!({"proxy": "a%20b"}));
        assert_eq!(event["stageVariables"], Value::Null);
        let context = &event["requestContext"];
        assert_eq!(
            (&context["stage"], &context["path"]),
            (&json!("Prod"), &json!("/Prod/things/a%20b"))
        );
        assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
        assert_eq!(context["authorizer"]["principalId"], "p");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
        assert!(event.get("version").is_none());
    }

    #[test]
    fn a_function_gets_no_header_that_a_rest_api_leaves_out() {
        let request = Request::post("/Prod/x")
            .header("authorization", "Bearer a")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=AKIA1/x")
            .header("content-md5", "x")
            .header("max-forwards", "1")
            .header("server", "s")
            .header("te", "trailers")
            .header("via", "1.1 proxy")
            .header("www-authenticate", "Basic");

        let headers = &event(request, b"")["headers"];

        let names: Vec<_> = headers.as_object().unwrap().keys().collect();
        let added = ["X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"];
        assert_eq!(names, [&["Authorization", "Via"][..], &added].concat());
        assert_eq!(headers["Authorization"], "Bearer a");
    }

    #[test]
    fn absent_parts_are_null_and_a_binary_body_is_in_base64() {
        let event = event(Request::post("/Prod/x").header("content-type", "image/png"), b"hi");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("aGk="), &json!(true)));
        assert_eq!(event["queryStringParameters"], Value::Null);
        assert_eq!(event["multiValueQueryStringParameters"], Value::Null);
    }
}
