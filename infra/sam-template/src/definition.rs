//! The routes in an API's `DefinitionBody`: an `OpenAPI` document with Lambda's proxy integrations.

use serde::Deserialize;
use serde_json::Value;

use super::model::Route;
use super::skipped::Skips;
use super::value::TemplateValue;

/// The keys of a path that are methods.
const METHODS: &[&str] =
    &["delete", "get", "head", "options", "patch", "post", "put", "x-amazon-apigateway-any-method"];

/// The routes of an evaluated document. Other integrations are left out.
pub(super) fn routes(api: &str, document: &Value, skips: &Skips) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let integration = &operation["x-amazon-apigateway-integration"];
            let is_proxy = matches!(integration["type"].as_str(), Some("aws_proxy" | "AWS_PROXY"));
            let uri = TemplateValue::deserialize(&integration["uri"]).ok();
            let function = uri.as_ref().and_then(TemplateValue::logical_id).filter(|_| is_proxy);
            let Some(function) = function else {
                let why = "only proxy integrations of functions of the template run here";
                skips.add(format!("the operation {method} {path}"), api, why);
                continue;
            };
            routes.push(Route {
                method: method_of(method),
                path: path.clone(),
                function: function.to_owned(),
                authorizer: None,
            });
        }
    }
    routes
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

        let routes = routes("Api", &document, &skips);

        assert_eq!(routes.len(), 1);
        assert_eq!((routes[0].method.as_str(), routes[0].function.as_str()), ("GET", "Work"));
        assert_eq!(skips.into_list()[0].part, "the operation options /a");
    }
}
