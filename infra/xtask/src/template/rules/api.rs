//! The API: authorizers, timeouts and access logs.

use serde_json::Value;

use super::stack::Stack;
use super::words;
use crate::limits::FINDING_KEPT_S;

/// The routes without a token.
const OPEN: [(&str, &str); 14] = [
    ("get", "/.well-known/jwks.json"),
    ("get", "/articles/{articleId}"),
    ("post", "/callback"),
    ("get", "/healthcheck"),
    ("get", "/objects/{objectId}"),
    ("get", "/partner/products"),
    ("post", "/password-resets"),
    ("get", "/products"),
    ("get", "/products/{productId}"),
    ("post", "/sessions"),
    ("post", "/users"),
    ("put", "/users/{userId}/password"),
    ("put", "/users/{userId}/verification"),
    ("post", "/verification-emails"),
];

/// An HTTP API times out after 30 s.
const TIMEOUT_S_MAX: u64 = 29;

/// An HTTP API waits 10 s for an authorizer, including its cold start.
const AUTHORIZER_TIMEOUT_S_MAX: u64 = 9;

/// The key of API Gateway's extension in an API description.
const INTEGRATION: &str = "x-amazon-apigateway-integration";

pub(super) fn complaints(main: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for api in main.resources("AWS::ApiGatewayV2::Api") {
        let body = api.property("/Body");
        for (path, operations) in body["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let found = route(main, (method, path), operation);
                complaints.extend(found.map(|found| format!("{method} {path}: {found}")));
            }
        }
        for scheme in body["components"]["securitySchemes"].as_object().into_iter().flatten() {
            complaints.extend(authorizer(main, scheme));
        }
        if !body["x-amazon-apigateway-cors"]["allowOrigins"].is_array() {
            complaints.push(format!("{}: its allowed origins are not a list", api.id));
        }
    }
    for stage in main.resources("AWS::ApiGatewayV2::Stage") {
        let wanted = ["ThrottlingBurstLimit", "ThrottlingRateLimit"];
        let throttle = stage.property("/DefaultRouteSettings");
        if wanted.iter().any(|limit| throttle[limit].is_null()) {
            complaints.push(format!("{}: has no throttle", stage.id));
        }
        if throttle["DetailedMetricsEnabled"] == true {
            complaints.push(format!("{}: pays for detailed metrics that nothing uses", stage.id));
        }
        let group = stage.property("/AccessLogSettings/DestinationArn");
        if main.named("AWS::Logs::LogGroup", group).is_none() {
            complaints.push(format!("{}: has no access log", stage.id));
        }
        let format = stage.property("/AccessLogSettings/Format").as_str().unwrap_or_default();
        if serde_json::from_str::<Value>(format).is_err() {
            complaints.push(format!("{}: its access log is not JSON", stage.id));
        }
    }
    complaints
}

fn route<'a>(
    main: Stack<'a>,
    (method, path): (&str, &str),
    operation: &'a Value,
) -> impl Iterator<Item = &'static str> {
    let guarded = words::each(&operation["security"]).any(|it| it.get("NONE").is_none());
    // `HEAD` is open if `GET` is.
    let asked = if method == "head" { "get" } else { method };
    let open = OPEN.contains(&(asked, path));
    let integration = &operation[INTEGRATION];
    let uri = words::spelled(&integration["uri"]);
    let alias = uri.split("/functions/${").nth(1).and_then(|rest| rest.split('}').next());
    let function = alias.and_then(|alias| main.function(&serde_json::json!({ "Ref": alias })));
    let timeout_s = function.and_then(|function| function.property("/Timeout").as_u64());
    let checks = [
        (guarded || open, "has no authorizer"),
        (!(guarded && open), "has an authorizer, but is listed as open"),
        (integration["payloadFormatVersion"] == "2.0", "its events are not of version 2.0"),
        (timeout_s.is_some(), "invokes no version of a function of the template"),
        (timeout_s.is_none_or(|it| it <= TIMEOUT_S_MAX), "its timeout exceeds the API's"),
    ];
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what)
}

fn authorizer(main: Stack<'_>, (name, scheme): (&String, &Value)) -> Vec<String> {
    let authorizer = &scheme["x-amazon-apigateway-authorizer"];
    let invoked = &authorizer["authorizerUri"]["Fn::Sub"][1]["__FunctionArn__"];
    let function = main.function(invoked);
    let timeout_s = function.and_then(|function| function.property("/Timeout").as_u64());
    let kept_s = authorizer["authorizerResultTtlInSeconds"].as_u64();
    let checks = [
        (
            authorizer["authorizerPayloadFormatVersion"] == "2.0",
            "its events are not of version 2.0",
        ),
        (function.is_some(), "invokes the newest version instead of the alias"),
        (
            timeout_s.is_none_or(|it| it <= AUTHORIZER_TIMEOUT_S_MAX),
            "the API does not wait until its timeout",
        ),
        (authorizer["enableSimpleResponses"] == true, "its response is a policy"),
        (
            kept_s == Some(FINDING_KEPT_S.into()),
            "its cache time differs from FINDING_KEPT_S of the lifecycle",
        ),
        (
            authorizer["identitySource"] == serde_json::json!(["$request.header.Authorization"]),
            "its identity is not only the token",
        ),
    ];
    let broken = checks.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, what)| format!("authorizer {name}: {what}")).collect()
}
