use serde_json::json;

use super::*;

const ROUTE: crate::Route = crate::Route::post("/books/{bookId}/loans");

/// One request, as each trigger passes it on.
pub(in crate::http) fn events() -> [(Trigger, Value); 6] {
    let headers =
        json!({ "content-type": "text/plain", "x-forwarded-for": "192.0.2.9, 192.0.2.1" });
    let several = json!({
        "Content-Type": ["text/plain"], "X-Forwarded-For": ["192.0.2.9, 192.0.2.1"],
        "Cookie": ["a=1; b=2"], "X-Part": ["1", "2"],
    });
    let http = |path: &str| json!({ "method": "POST", "path": path, "sourceIp": "192.0.2.1" });
    [
        (
            Trigger::Format2,
            json!({
                "version": "2.0", "routeKey": "POST /books/{bookId}/loans",
                "rawPath": "/prod/books/a b/loans", "rawQueryString": "q=x%20y&q=2",
                "cookies": ["a=1", "b=2"], "headers": headers,
                "pathParameters": { "bookId": "a b" },
                "requestContext": {
                    "stage": "prod", "http": http("/prod/books/a b/loans"),
                    "domainName": "id.execute-api.eu-central-1.amazonaws.com",
                },
                "body": "aGk=", "isBase64Encoded": true,
            }),
        ),
        (
            Trigger::Format2,
            json!({
                "version": "2.0", "routeKey": "$default", "rawPath": "/books/a%20b/loans",
                "rawQueryString": "q=x%20y&q=2", "cookies": ["a=1", "b=2"], "headers": headers,
                "requestContext": {
                    "stage": "$default", "http": http("/books/a%20b/loans"),
                    "domainName": "id.lambda-url.eu-central-1.on.aws",
                },
                "body": "hi", "isBase64Encoded": false,
            }),
        ),
        (
            Trigger::Format1,
            json!({
                "resource": "/books/{bookId}/loans", "path": "/books/a%20b/loans",
                "httpMethod": "POST", "headers": { "X-Part": "2" }, "multiValueHeaders": several,
                "queryStringParameters": { "q": "2" },
                "multiValueQueryStringParameters": { "q": ["x y", "2"] },
                "pathParameters": { "bookId": "a%20b" },
                "requestContext": {
                    "path": "/prod/books/a%20b/loans", "stage": "prod",
                    "identity": { "sourceIp": "192.0.2.1" },
                },
                "body": "hi", "isBase64Encoded": false,
            }),
        ),
        (
            Trigger::Format1,
            json!({
                "version": "1.0", "resource": "/{proxy+}", "path": "/v1/books/a b/loans",
                "httpMethod": "POST", "headers": headers, "multiValueHeaders": several,
                "queryStringParameters": { "q": "2" },
                "multiValueQueryStringParameters": { "q": ["x y", "2"] },
                "pathParameters": { "proxy": "books/a b/loans" },
                "requestContext": {
                    "path": "/v1/books/a b/loans", "stage": "$default",
                    "identity": { "sourceIp": "192.0.2.1" },
                },
                "body": "hi", "isBase64Encoded": false,
            }),
        ),
        (
            Trigger::LoadBalancer { multi_value: true },
            json!({
                "requestContext": { "elb": { "targetGroupArn": "arn" } },
                "httpMethod": "POST", "path": "/books/a%20b/loans", "multiValueHeaders": several,
                "multiValueQueryStringParameters": { "q": ["x%20y", "2"] },
                "body": "aGk=", "isBase64Encoded": true,
            }),
        ),
        (
            Trigger::LoadBalancer { multi_value: false },
            json!({
                "requestContext": { "elb": { "targetGroupArn": "arn" } },
                "httpMethod": "POST", "path": "/books/a%20b/loans",
                "headers": {
                    "content-type": "text/plain", "cookie": "a=1; b=2",
                    "x-forwarded-for": "192.0.2.9, 192.0.2.1",
                },
                "queryStringParameters": { "q": "x%20y" },
                "body": "hi", "isBase64Encoded": false,
            }),
        ),
    ]
}

fn read(event: &Value) -> Result<super::super::Request, EventError> {
    super::super::Request::from_event(event.to_string().as_bytes(), &ROUTE)
}

#[test]
fn one_request_has_the_same_form_through_every_trigger() {
    for (trigger, event) in events() {
        let request = read(&event).unwrap();
        assert_eq!(request.trigger, trigger, "{event}");
        assert!(request.is_routed, "{event}");
        assert_eq!(request.method, Method::POST);
        assert_eq!(request.path_parameters["bookId"], "a b", "{event}");
        assert_eq!(request.query[0], ("q".to_owned(), "x y".to_owned()), "{event}");
        assert_eq!(request.header(header::CONTENT_TYPE), Some("text/plain"), "{event}");
        assert_eq!(request.header(header::COOKIE), Some("a=1; b=2"), "{event}");
        assert_eq!(request.body(), b"hi", "{event}");
        assert_eq!(request.peer, "192.0.2.1", "{event}");
        assert_eq!(request.finding, Finding::Unasked, "{event}");
    }
}

#[test]
fn a_stage_or_base_path_is_the_prefix_of_the_request() {
    let prefixes = events().map(|(_, event)| read(&event).unwrap().prefix);
    assert_eq!(prefixes, ["/prod", "", "/prod", "/v1", "", ""]);
}

#[test]
fn repeated_headers_and_query_parameters_are_kept() {
    let [_, _, (_, rest), _, (_, balancer), _] = events();
    for event in [rest, balancer] {
        let request = read(&event).unwrap();
        let parts: Vec<_> = request.headers().get_all("x-part").iter().collect();
        assert_eq!(parts, ["1", "2"], "{event}");
        assert_eq!(request.query[1].1, "2", "{event}");
    }
}

#[test]
fn an_event_of_another_kind_is_unknown_and_named() {
    for (event, kind) in [
        (json!({ "Records": [{ "eventSource": "aws:sqs" }] }), "records of aws:sqs"),
        (json!({ "Records": [{ "EventSource": "aws:sns" }] }), "records of aws:sns"),
        (json!({ "detail-type": "Scheduled Event", "detail": {} }), "an event of EventBridge"),
        (
            json!({ "httpMethod": "GET", "path": "/", "requestContext": { "connectionId": "c" } }),
            "a request of a WebSocket API",
        ),
        (
            json!({ "method": "GET", "requestContext": { "serviceNetworkArn": "arn" } }),
            "a request of VPC Lattice",
        ),
        (
            json!({
                "type": "REQUEST", "routeArn": "arn", "rawPath": "/",
                "requestContext": { "http": { "method": "GET" } },
            }),
            "a request to an authorizer",
        ),
        (json!({ "type": "REQUEST" }), "(members: type)"),
        (json!({ "httpMethod": "GET" }), "(members: httpMethod)"),
        (json!({ "httpMethod": "GET", "path": "/" }), "(members: httpMethod, path)"),
        (json!({}), "an object of unknown kind"),
        (json!([]), "a payload that is not an object"),
        (json!(null), "a payload that is not an object"),
    ] {
        let Err(EventError::Unknown(message)) = read(&event) else { panic!("{event}") };
        assert!(message.contains(kind), "{message}");
        assert!(message.contains("accepts requests of HTTP APIs"), "{message}");
    }
    let Err(EventError::Unknown(message)) = HttpEvent::read(b"{") else { panic!("not JSON") };
    assert!(message.contains("a payload that is not JSON"), "{message}");
}

#[test]
fn a_request_with_invalid_parts_is_invalid_and_keeps_its_trigger() {
    for (trigger, event) in events() {
        for (name, value, field) in [
            ("body", json!({}), ""),
            ("body", json!("%"), ""),
            ("headers", json!({ "x-a": "\n" }), "header.X-A"),
            ("headers", json!({ "x-a": 7 }), "header.X-A"),
            ("headers", json!({ "a b": "" }), ""),
        ] {
            let mut event = event.clone();
            event["isBase64Encoded"] = true.into();
            if event.get("multiValueHeaders").is_some() && name == "headers" {
                event["multiValueHeaders"] = value;
            } else {
                event[name] = value;
            }
            let Err(EventError::Invalid(of, field_errors)) = read(&event) else {
                panic!("{event}")
            };
            assert_eq!(of, trigger, "{event}");
            let fields: Vec<&str> = field_errors.iter().map(|found| &found.field[..]).collect();
            assert_eq!(fields, [field], "{event}");
        }
    }
}
