//! The APIs of a template, with the routes that functions declare on them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::definition::method_of;
use super::error::TemplateError;
use super::events::RouteEvent;
use super::model::{Api, ApiKind, DEFAULT_ROUTE, Route};
use super::names::{IMPLICIT_HTTP_API, IMPLICIT_REST_API};
use super::reader::Reader;
use super::{http_api, rest_api};

/// An authorizer that checks signatures, which no caller has here.
const IAM: &str = "AWS_IAM";

/// The APIs, each with the default authorizer of its routes.
#[derive(Default)]
pub(super) struct Apis(BTreeMap<String, (Api, Option<String>)>);

impl Apis {
    /// Adds an API and its default authorizer.
    pub(super) fn add(&mut self, (api, default_authorizer): (Api, Option<String>)) {
        self.0.insert(api.logical_id.clone(), (api, default_authorizer));
    }

    /// Adds the route of a function's event, and the implicit API that the event may name.
    pub(super) fn attach(
        &mut self,
        reader: &Reader<'_>,
        function: &str,
        name: &str,
        event: RouteEvent,
    ) -> Result<(), TemplateError> {
        let id = event.api.as_str();
        if !self.0.contains_key(id) && !reader.scope.resources.contains_key(id) {
            match id {
                IMPLICIT_HTTP_API => self.add(http_api::read(reader, id, &Value::Null)?),
                IMPLICIT_REST_API => {
                    let prod = json!({"Properties": {"StageName": "Prod"}});
                    self.add(rest_api::read(reader, id, &prod)?);
                }
                _ => {}
            }
        }
        let found = self.0.get_mut(id);
        let found =
            found.filter(|(api, _)| event.is_rest == matches!(api.kind, ApiKind::Rest { .. }));
        let Some((api, default_authorizer)) = found else {
            let property = if event.is_rest { "RestApiId" } else { "ApiId" };
            let place = format!("Events/{name}/{property}");
            return Err(TemplateError::in_resource(function, &place, "an API that is missing"));
        };
        let authorizer = event.authorizer.or_else(|| default_authorizer.clone());
        if authorizer.as_deref() == Some(IAM) {
            reader.skips.add("the authorizer AWS_IAM", id, "signatures are not checked here");
        }
        let (method, path) = match event.method_and_path {
            Some((method, path)) => (method_of(&method), path),
            None => ("ANY".to_owned(), DEFAULT_ROUTE.to_owned()),
        };
        // The document of the API may have the route, too.
        api.routes.retain(|route| route.method != method || route.path != path);
        api.routes.push(Route {
            method,
            path,
            function: function.to_owned(),
            authorizer: authorizer.filter(|name| name != "NONE" && name != IAM),
            timeout: event.timeout,
        });
        Ok(())
    }

    /// All APIs, by logical id.
    pub(super) fn into_list(self) -> Vec<Api> {
        self.0.into_values().map(|(api, _)| api).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{AuthorizerFormat, DEFAULT_STAGE, Template};

    use super::*;

    fn template(events: &str, more: &str) -> Result<Template, TemplateError> {
        let source = format!(
            "Globals: {{Api: {{Cors: \"'*'\"}}}}
Resources:
  Work:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: work}}}}
    Properties:
      Runtime: provided.al2023
      Events: {{{events}}}
{more}
"
        );
        Template::parse(&source, &BTreeMap::new())
    }

    #[test]
    fn events_without_an_api_are_routes_of_the_implicit_apis() {
        let events = "A: {Type: HttpApi, Properties: {Path: '/{proxy+}', Method: any}}, \
                      B: {Type: Api, Properties: {Path: /b, Method: get}}, C: {Type: HttpApi}";
        let template = template(events, "").unwrap();
        let api = |id: &str| template.apis.iter().find(|api| api.logical_id == id).unwrap();

        let http = api("ServerlessHttpApi");
        assert_eq!((&http.kind, http.stage.as_str()), (&ApiKind::Http, DEFAULT_STAGE));
        let routes: Vec<_> = http.routes.iter().map(|it| (&*it.method, &*it.path)).collect();
        assert_eq!(routes, [("ANY", "/{proxy+}"), ("ANY", DEFAULT_ROUTE)]);
        let rest = api("ServerlessRestApi");
        assert_eq!((rest.stage.as_str(), rest.routes[0].method.as_str()), ("Prod", "GET"));
        assert_eq!(rest.cors.as_ref().unwrap().allow_origins, ["*"], "the globals apply");
        assert_eq!(template.root_api(), None, "none of several");
    }

    #[test]
    fn a_rest_api_has_its_stage_media_types_and_authorizers() {
        let events = "B: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /b, Method: get}}";
        let rest = "  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      BinaryMediaTypes: [image~1png]
      Auth: {DefaultAuthorizer: T, Authorizers: {T: {FunctionArn: !GetAtt Work.Arn}}}";
        let template = template(events, rest).unwrap();
        let api = template.root_api().unwrap();

        assert_eq!(api.stage, "v1");
        assert_eq!(api.kind, ApiKind::Rest { binary_media_types: vec!["image/png".to_owned()] });
        assert_eq!(api.authorizers["T"].format, AuthorizerFormat::Token);
        assert_eq!(api.authorizers["T"].identity_headers, ["authorization"]);
        assert_eq!(api.routes[0].authorizer.as_deref(), Some("T"));
    }

    #[test]
    fn a_preflight_needs_the_default_authorizer_unless_it_is_switched_off() {
        let authorizer = |auth: &str| {
            let rest = format!(
                "  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth: {{Authorizers: {{T: {{FunctionArn: !GetAtt Work.Arn}}}}{auth}}}"
            );
            let template = template("", &rest).unwrap();
            template.root_api().unwrap().cors.clone().unwrap().preflight_authorizer
        };

        assert_eq!(authorizer(", DefaultAuthorizer: T").as_deref(), Some("T"));
        let off = ", DefaultAuthorizer: T, AddDefaultAuthorizerToCorsPreflight: false";
        assert_eq!(authorizer(off), None);
        assert_eq!(authorizer(""), None);
    }

    #[test]
    fn request_validators_are_left_out_with_a_line() {
        let lines = |model: &str, body: &str| {
            let event = format!("{{RestApiId: !Ref Rest, Path: /b, Method: get{model}}}");
            let rest = format!(
                "  Rest: {{Type: 'AWS::Serverless::Api', Properties: {{StageName: v1{body}}}}}"
            );
            let events = format!("B: {{Type: Api, Properties: {event}}}");
            let template = template(&events, &rest).unwrap();
            template.skipped.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let line =
            |of: &str| format!("the request validators ({of}): requests are not checked here");

        assert!(lines(", RequestModel: {Model: M}", "").is_empty());
        assert_eq!(lines(", RequestModel: {Model: M, ValidateBody: true}", ""), [line("Work")]);
        let validator = "x-amazon-apigateway-request-validator: basic";
        assert_eq!(lines("", &format!(", DefinitionBody: {{{validator}}}")), [line("Rest")]);
    }

    #[test]
    fn an_event_sets_the_limit_of_its_route_and_unchecked_parts_have_a_line() {
        let events = "A: {Type: HttpApi, Properties: {Path: /a, Method: get, \
                      TimeoutInMillis: 500, RouteSettings: {ThrottlingBurstLimit: 1}}}, \
                      B: {Type: Api, Properties: {Path: /b, Method: get, TimeoutInMillis: 900, \
                      Auth: {ApiKeyRequired: true, ResourcePolicy: {IpRangeBlacklist: [a]}}}}";
        let template = template(events, "").unwrap();

        let routes = template.apis.iter().flat_map(|api| &api.routes);
        let limits: Vec<_> = routes.filter_map(|route| route.timeout).collect();
        assert_eq!(limits, [500, 900].map(Duration::from_millis));
        let lines: Vec<String> = template.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "ResourcePolicy (Work): not checked here",
                "RouteSettings (Work): has no effect here",
                "the API keys (Work): not checked here",
            ]
        );
    }

    #[test]
    fn an_event_of_an_api_of_another_kind_or_with_half_a_route_is_an_error() {
        let http = "  Http: {Type: 'AWS::Serverless::HttpApi'}";
        for (event, said) in [
            ("{Type: Api, Properties: {RestApiId: !Ref Http, Path: /, Method: get}}", "RestApiId"),
            ("{Type: HttpApi, Properties: {Path: /}}", "Method and Path without the other"),
            ("{Type: HttpApi, Properties: {PayloadFormatVersion: '1.0'}}", "other than 2.0"),
            ("{Type: Htttp}", "Events/A/Type: an event of type Htttp"),
        ] {
            let message = template(&format!("A: {event}"), http).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn a_jwt_authorizer_has_its_issuer_audience_and_header() {
        let http = "  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: J
        Authorizers: {J: {JwtConfiguration: {issuer: 'https://i', audience: [a]}}}";
        let events = "A: {Type: HttpApi, Properties: {ApiId: !Ref Http}}";
        let template = template(events, http).unwrap();
        let api = template.root_api().unwrap();

        let jwt = &api.jwt_authorizers["J"];
        assert_eq!((jwt.issuer.as_str(), jwt.audience[0].as_str()), ("https://i", "a"));
        assert_eq!(jwt.identity_header, "authorization");
        assert_eq!(api.routes[0].authorizer.as_deref(), Some("J"));
    }

    #[test]
    fn an_authorizer_that_the_platform_cannot_run_is_an_error() {
        for (api, said) in [
            (
                "HttpApi', Properties: {Auth: {Authorizers: {J: {JwtConfiguration: {issuer: i}, \
                 IdentitySource: '$request.querystring.t'}}}}",
                "an identity that is no header",
            ),
            (
                "Api', Properties: {StageName: a, Auth: {Authorizers: {C: {UserPoolArn: x}}}}",
                "a Cognito authorizer",
            ),
        ] {
            let api = format!("  Other: {{Type: 'AWS::Serverless::{api}}}");
            let message = template("", &api).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn a_function_url_is_an_api_with_one_route_and_leaves_the_root_to_another() {
        let url = "  Other:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: work}}
    Properties: {Runtime: provided.al2, FunctionUrlConfig: {AuthType: AWS_IAM, Cors: {AllowOrigins: ['*']}}}";
        let only = template("", url).unwrap();
        let api = only.root_api().unwrap();
        assert_eq!(api.logical_id, "OtherUrl");
        assert_eq!(api.kind, ApiKind::FunctionUrl { signed: true });
        assert_eq!(api.routes[0].path, DEFAULT_ROUTE);
        let both = template("C: {Type: HttpApi}", url).unwrap();
        assert_eq!(both.root_api().unwrap().logical_id, IMPLICIT_HTTP_API);
        let streamed = url.replace("AWS_IAM", "NONE, InvokeMode: RESPONSE_STREAM");
        let message = template("", &streamed).unwrap_err().to_string();
        assert!(message.contains("streamed responses"), "{message}");
    }
}
