//! Seeds of several targets, from the project's own examples.

use serde_json::{Value as Json, json};

use crate::Seed;
use crate::items::event_of;

/// An input for one function: its name, and the rest.
pub fn named(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    Some((str::from_utf8(&input[..end]).ok()?, &input[end + 1..]))
}

/// A seed for a function.
pub fn seed(function: &str, variant: &str, rest: &[u8]) -> Seed {
    let bytes = [function.as_bytes(), b"\n", rest].concat();
    (format!("{function}{variant}"), bytes)
}

/// The example event of each of these functions.
///
/// # Panics
/// If a function has none.
pub fn events(functions: impl Iterator<Item = String>) -> impl Iterator<Item = (String, Json)> {
    functions.map(|name| {
        let event = event_of(&name);
        let event = event.unwrap_or_else(|| panic!("tests/events has no event of {name}"));
        (name, event)
    })
}

/// The same request as an event of a REST API: payload format 1.0.
pub fn as_rest(event: &Json) -> Json {
    let context = &event["requestContext"];
    let path = &event["rawPath"];
    let listed = |map: &Json| -> Json {
        let members = map.as_object().cloned().unwrap_or_default();
        members.into_iter().map(|(name, value)| (name, json!([value]))).collect()
    };
    let (_, resource) = route_of(event);
    json!({
        "resource": resource, "path": path, "httpMethod": context["http"]["method"],
        "headers": event["headers"], "multiValueHeaders": listed(&event["headers"]),
        "queryStringParameters": query_of(event), "multiValueQueryStringParameters": listed(&query_of(event)),
        "pathParameters": event["pathParameters"], "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "stage": "prod", "resourcePath": resource,
            "path": format!("/prod{}", path.as_str().unwrap_or_default()),
            "httpMethod": context["http"]["method"], "requestId": "1", "protocol": "HTTP/1.1",
            "identity": { "sourceIp": "203.0.113.7", "userAgent": "curl/8.5.0" },
            "authorizer": context["authorizer"]["lambda"],
        },
        "body": event["body"], "isBase64Encoded": event["isBase64Encoded"] == true,
    })
}

/// The same request as an event of a load balancer.
pub fn as_load_balancer(event: &Json) -> Json {
    json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:x:1:targetgroup/a/b" } },
        "httpMethod": event["requestContext"]["http"]["method"], "path": event["rawPath"],
        "queryStringParameters": query_of(event), "headers": event["headers"],
        "body": event["body"].as_str().unwrap_or_default(), "isBase64Encoded": false,
    })
}

/// The same request as an event of a function URL.
pub fn as_function_url(event: &Json) -> Json {
    let mut event = event.clone();
    event["routeKey"] = json!("$default");
    event["requestContext"]["routeKey"] = json!("$default");
    event["requestContext"]["domainName"] = json!("abc.lambda-url.eu-west-1.on.aws");
    if let Some(members) = event.as_object_mut() {
        members.remove("pathParameters");
    }
    event
}

/// The route's method and path template.
pub fn route_of(event: &Json) -> (&str, &str) {
    event["routeKey"].as_str().and_then(|key| key.split_once(' ')).unwrap_or_default()
}

fn query_of(event: &Json) -> Json {
    let query = event["rawQueryString"].as_str().unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
