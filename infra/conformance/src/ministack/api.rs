//! The API as separate resources: ministack does not support the `OpenAPI` body.

use serde_json::{Map, Value, json};

/// The logical ids of the only authorizer and of the API.
const AUTHORIZER: &str = "TokenAuthorizer";
const API: &str = "Api";

/// Replaces the body of the expanded template's API by equivalent resources.
pub(super) fn unfold(resources: &mut Map<String, Value>) {
    let Some(body) = resources.get_mut(API).map(|api| api["Properties"]["Body"].take()) else {
        return;
    };
    let properties = json!({
        "Name": API,
        "ProtocolType": "HTTP",
        "CorsConfiguration": cors(&body["x-amazon-apigateway-cors"]),
    });
    resources.insert(API.to_owned(), resource("Api", properties));
    let scheme = &body["components"]["securitySchemes"][AUTHORIZER];
    let authorizer = authorizer(&scheme["x-amazon-apigateway-authorizer"]);
    resources.insert(AUTHORIZER.to_owned(), resource("Authorizer", authorizer));
    let paths = body["paths"].as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.to_uppercase(), path, operation))
    });
    for (number, (method, path, operation)) in routes.enumerate() {
        let integration = format!("Integration{number}");
        let route = route(&format!("{method} {path}"), &integration, operation);
        resources.insert(format!("Route{number}"), resource("Route", route));
        let proxy = proxy(&operation["x-amazon-apigateway-integration"]);
        resources.insert(integration, resource("Integration", proxy));
    }
}

fn resource(kind: &str, properties: Value) -> Value {
    json!({ "Type": format!("AWS::ApiGatewayV2::{kind}"), "Properties": properties })
}

fn cors(body: &Value) -> Value {
    let origins = match &body["allowOrigins"] {
        // SAM's expansion leaves a parameter's list as one string.
        Value::String(origins) => origins.split(',').map(Value::from).collect(),
        origins => origins.clone(),
    };
    json!({
        "AllowOrigins": origins, "AllowMethods": body["allowMethods"],
        "AllowHeaders": body["allowHeaders"], "ExposeHeaders": body["exposeHeaders"],
        "MaxAge": body["maxAge"],
    })
}

fn authorizer(body: &Value) -> Value {
    json!({
        "ApiId": { "Ref": API }, "Name": AUTHORIZER, "AuthorizerType": "REQUEST",
        "AuthorizerUri": body["authorizerUri"], "IdentitySource": body["identitySource"],
        "AuthorizerPayloadFormatVersion": body["authorizerPayloadFormatVersion"],
        "AuthorizerResultTtlInSeconds": body["authorizerResultTtlInSeconds"],
        "EnableSimpleResponses": body["enableSimpleResponses"],
    })
}

fn route(key: &str, integration: &str, operation: &Value) -> Value {
    let target = json!({ "Fn::Join": ["/", ["integrations", { "Ref": integration }]] });
    let mut route = json!({ "ApiId": { "Ref": API }, "RouteKey": key, "Target": target });
    let guarded = operation["security"][0].get(AUTHORIZER).is_some();
    route["AuthorizationType"] = json!(if guarded { "CUSTOM" } else { "NONE" });
    if guarded {
        route["AuthorizerId"] = json!({ "Ref": AUTHORIZER });
    }
    route
}

fn proxy(body: &Value) -> Value {
    json!({
        "ApiId": { "Ref": API }, "IntegrationType": "AWS_PROXY", "IntegrationUri": body["uri"],
        "PayloadFormatVersion": body["payloadFormatVersion"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_an_authorizer_if_the_body_has_one() {
        let integration = json!({ "uri": "arn:get_user", "payloadFormatVersion": "2.0" });
        let operation = |security: Value| json!({ "x-amazon-apigateway-integration": integration, "security": [security] });
        let body = json!({ "paths": { "/users": {
            "get": operation(json!({ AUTHORIZER: [] })), "post": operation(json!({ "NONE": [] })),
        }}});
        let mut resources = Map::new();
        resources.insert(API.to_owned(), json!({ "Properties": { "Body": body } }));

        unfold(&mut resources);

        let routes = ["Route0", "Route1"].map(|route| &resources[route]["Properties"]);
        assert_eq!(routes[0]["RouteKey"], "GET /users");
        assert_eq!(routes[0]["AuthorizationType"], "CUSTOM");
        assert_eq!(routes[1]["AuthorizationType"], "NONE");
        let proxied = &resources["Integration1"]["Properties"]["IntegrationUri"];
        assert_eq!(proxied, "arn:get_user");
    }
}
