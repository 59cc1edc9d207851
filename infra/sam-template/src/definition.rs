//! The routes in an API's `DefinitionBody`: an `OpenAPI` document with Lambda's proxy integrations.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::deserialize::optional_millis_within;
use super::error::TemplateError;
use super::model::{ApiKind, DEFAULT_ROUTE, Route};
use super::skipped::Skips;
use super::value::TemplateValue;

/// The keys of a path that are methods.
const METHODS: &[&str] =
    &["delete", "get", "head", "options", "patch", "post", "put", "x-amazon-apigateway-any-method"];

/// The keys of an operation's integration and of its time limit.
const INTEGRATION: &str = "x-amazon-apigateway-integration";
const TIMEOUT: &str = "timeoutInMillis";
/// The key of the format of an integration's events.
const PAYLOAD: &str = "payloadFormatVersion";

/// The error of an HTTP API's route with another format of events.
pub(super) const OTHER_PAYLOAD: &str =
    "a payload format other than 2.0; set 2.0, the only one here";

/// The routes of an evaluated document. Other integrations are left out. A route without
/// `security` has the default authorizer, which SAM adds. Time limits are at most `MILLIS_MAX`.
pub(super) fn routes<const MILLIS_MAX: u64>(
    api: &str,
    kind: &ApiKind,
    document: &Value,
    default_authorizer: Option<&str>,
    skips: &Skips,
) -> Result<Vec<Route>, TemplateError> {
    let (mut routes, mut errors) = (Vec::new(), Vec::new());
    let is_http = *kind == ApiKind::Http;
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let integration = &operation[INTEGRATION];
            let is_proxy = matches!(integration["type"].as_str(), Some("aws_proxy" | "AWS_PROXY"));
            let uri = TemplateValue::deserialize(&integration["uri"]).ok();
            let function = uri.as_ref().and_then(TemplateValue::logical_id).filter(|_| is_proxy);
            let Some(function) = function else {
                let why = "only proxy integrations of functions of the template run here";
                skips.add(format!("the operation {method} {path}"), api, why);
                continue;
            };
            let security = operation.get("security").or_else(|| document.get("security"));
            if security.and_then(Value::as_array).is_some_and(|schemes| !schemes.is_empty()) {
                let part = format!("the security of the operation {method} {path}");
                skips.add(part, api, "only authorizers outside of the document run here");
            }
            let authorizer = default_authorizer.filter(|_| security.is_none());
            if authorizer == Some("AWS_IAM") {
                skips.add("the authorizer AWS_IAM", api, "signatures are not checked here");
            }
            let authorizer = authorizer.filter(|name| !matches!(*name, "NONE" | "AWS_IAM"));
            let place = |key: &str| {
                let path = path.replace('~', "~0").replace('/', "~1");
                format!("DefinitionBody/paths/{path}/{method}/{INTEGRATION}/{key}")
            };
            let payload = &integration[PAYLOAD];
            if is_http && !payload.is_null() && !is_payload_2(payload) {
                errors.push(TemplateError::in_resource(api, &place(PAYLOAD), OTHER_PAYLOAD));
            }
            let (method, path) = if is_http && is_default_route(path, operation) {
                ("ANY".to_owned(), DEFAULT_ROUTE.to_owned())
            } else {
                (method_of(method), path.clone())
            };
            match timeout::<MILLIS_MAX>(integration) {
                Ok(timeout) => routes.push(Route {
                    method,
                    path,
                    function: function.to_owned(),
                    authorizer: authorizer.map(str::to_owned),
                    timeout,
                }),
                Err(error) => {
                    let error = error.to_string();
                    errors.push(TemplateError::in_resource(api, &place(TIMEOUT), &error));
                }
            }
        }
    }
    TemplateError::of(errors).map_or(Ok(routes), Err)
}

fn timeout<const MILLIS_MAX: u64>(
    integration: &Value,
) -> Result<Option<Duration>, serde_json::Error> {
    optional_millis_within::<_, 50, MILLIS_MAX>(&integration[TIMEOUT])
}

/// Whether an operation of an HTTP API is its route for all requests that no other matches.
fn is_default_route(path: &str, operation: &Value) -> bool {
    let flag = &operation["isDefaultRoute"];
    path.strip_prefix('/').unwrap_or(path) == DEFAULT_ROUTE || *flag == true || *flag == "true"
}

/// Whether a payload format version, a number or a text, is 2.0.
pub(super) fn is_payload_2(version: &Value) -> bool {
    matches!(version.to_string().trim_matches('"'), "2.0" | "2")
}

/// Whether a document names a request validator, for all operations or for one.
pub(super) fn has_request_validator(document: &Value) -> bool {
    let named = |part: &Value| part.get("x-amazon-apigateway-request-validator").is_some();
    let paths = document["paths"].as_object();
    let mut operations =
        paths.into_iter().flat_map(Map::values).filter_map(Value::as_object).flat_map(Map::values);
    named(document) || operations.any(named)
}

/// A method in capitals, or `ANY`.
pub(super) fn method_of(method: &str) -> String {
    match method {
        "*" | "x-amazon-apigateway-any-method" => "ANY".to_owned(),
        method => method.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_has_the_routes_of_its_proxy_integrations() {
        let uri = json!({"Fn::Join": ["", [
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/",
            {"Fn::GetAtt": ["Work", "Arn"]},
            "/invocations",
        ]]});
        let operation =
            |kind: &str| json!({"x-amazon-apigateway-integration": {"type": kind, "uri": uri}});
        let document = json!({"paths": {"/a": {
            "get": operation("aws_proxy"),
            "options": operation("mock"),
            "parameters": [],
        }}});
        let skips = Skips::default();

        let routes = routes::<30_000>("Api", &ApiKind::Http, &document, None, &skips).unwrap();

        assert_eq!(routes.len(), 1);
        assert_eq!((routes[0].method.as_str(), routes[0].function.as_str()), ("GET", "Work"));
        assert_eq!(skips.into_list()[0].part, "the operation options /a");
    }

    /// The routes of a document with one operation of `Work`.
    fn routes_of_one(
        kind: &ApiKind,
        path: &str,
        mut operation: Value,
        payload: Value,
    ) -> Result<Vec<Route>, TemplateError> {
        operation[INTEGRATION] = json!({
            "type": "aws_proxy",
            "uri": {"Fn::GetAtt": ["Work", "Arn"]},
            "payloadFormatVersion": payload,
        });
        let document = json!({"paths": {path: {"x-amazon-apigateway-any-method": operation}}});
        routes::<30_000>("Api", kind, &document, None, &Skips::default())
    }

    fn rest() -> ApiKind {
        ApiKind::Rest { binary_media_types: Vec::new() }
    }

    #[test]
    fn only_an_http_api_has_a_default_route_by_its_path_or_its_flag() {
        let of = |kind: &ApiKind, path: &str, operation: Value| {
            let routes = routes_of_one(kind, path, operation, json!(2.0)).unwrap();
            assert_eq!((routes.len(), routes[0].method.as_str()), (1, "ANY"));
            routes[0].path.clone()
        };
        assert_eq!(of(&ApiKind::Http, "/$default", json!({})), DEFAULT_ROUTE);
        assert_eq!(of(&ApiKind::Http, "/a", json!({"isDefaultRoute": true})), DEFAULT_ROUTE);
        assert_eq!(of(&ApiKind::Http, "/a", json!({"isDefaultRoute": "true"})), DEFAULT_ROUTE);
        assert_eq!(of(&ApiKind::Http, "/a", json!({"isDefaultRoute": false})), "/a");
        assert_eq!(of(&rest(), "/$default", json!({"isDefaultRoute": true})), "/$default");
    }

    #[test]
    fn only_an_http_api_refuses_another_payload_format_than_2() {
        let error = |kind: &ApiKind, payload: Value| {
            routes_of_one(kind, "/a", json!({}), payload).err().map(|error| error.to_string())
        };
        for accepted in [json!(2.0), json!(2), json!("2.0"), Value::Null] {
            assert_eq!(error(&ApiKind::Http, accepted), None);
        }
        for refused in [json!(1.0), json!("1.0")] {
            assert_eq!(error(&rest(), refused.clone()), None);
            let message = error(&ApiKind::Http, refused).unwrap();
            let expected = "/Resources/Api/Properties/DefinitionBody/paths/~1a/\
                            x-amazon-apigateway-any-method/x-amazon-apigateway-integration/\
                            payloadFormatVersion: a payload format other than 2.0";
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_request_validator_is_named_for_all_operations_or_for_one() {
        let name = "x-amazon-apigateway-request-validator";
        let of_one = json!({"paths": {"/a": {"parameters": [], "get": {name: "basic"}}}});
        assert!(has_request_validator(&of_one));
        assert!(has_request_validator(&json!({ name: "basic" })));
        let declared = json!({"x-amazon-apigateway-request-validators": {"basic": {}}});
        assert!(!has_request_validator(&declared), "declared, and used nowhere");
        assert!(!has_request_validator(&Value::Null));
    }

    #[test]
    fn a_route_without_security_has_the_default_authorizer() {
        let uri = json!({"Fn::GetAtt": ["Work", "Arn"]});
        let integration = json!({"type": "aws_proxy", "uri": uri});
        let of = |security: Option<Value>, default: &str| {
            let mut operation = json!({"x-amazon-apigateway-integration": integration});
            if let Some(security) = security {
                operation["security"] = security;
            }
            let (skips, document) =
                (Skips::default(), json!({"paths": {"/a": {"get": operation}}}));
            let kind = ApiKind::Http;
            let routes = routes::<30_000>("Api", &kind, &document, Some(default), &skips).unwrap();
            let authorizer = routes[0].authorizer.clone();
            (authorizer, skips.into_list().into_iter().map(|it| it.part).collect::<Vec<_>>())
        };
        assert_eq!(of(None, "Tokens"), (Some("Tokens".to_owned()), vec![]));
        assert_eq!(of(None, "NONE"), (None, vec![]));
        assert_eq!(of(None, "AWS_IAM"), (None, vec!["the authorizer AWS_IAM".to_owned()]));
        assert_eq!(of(Some(json!([])), "Tokens"), (None, vec![]));
        let skipped = "the security of the operation get /a".to_owned();
        assert_eq!(of(Some(json!([{"Own": []}])), "Tokens"), (None, vec![skipped]));
    }
}
