//! `AWS::Serverless::Api`: a REST API with proxy integrations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::deserialize::{flag, optional_resource, optional_seconds_within};
use super::error::TemplateError;
use super::model::{Api, ApiKind, Authorizer, AuthorizerFormat};
use super::reader::Reader;
use super::skipped::Skips;
use super::{cors, definition, ignored_properties};

/// The caching time of API Gateway if the template sets none.
const CACHE_TTL: Duration = Duration::from_mins(5);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RestApiProperties {
    stage_name: String,
    #[serde(default)]
    auth: AuthProperties,
    cors: Option<Value>,
    #[serde(default)]
    binary_media_types: Vec<String>,
    #[serde(default)]
    definition_body: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AuthProperties {
    #[serde(default)]
    authorizers: BTreeMap<String, AuthorizerProperties>,
    default_authorizer: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    api_key_required: Option<bool>,
    usage_plan: Option<IgnoredAny>,
    resource_policy: Option<IgnoredAny>,
    #[serde(rename = "AddApiKeyRequiredToCorsPreflight")]
    _add_api_key_required_to_cors_preflight: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "flag")]
    add_default_authorizer_to_cors_preflight: Option<bool>,
    #[serde(rename = "InvokeRole")]
    _invoke_role: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AuthorizerProperties {
    #[serde(default, deserialize_with = "optional_resource")]
    function_arn: Option<String>,
    #[serde(default)]
    function_payload_type: PayloadType,
    #[serde(default)]
    identity: IdentityProperties,
    user_pool_arn: Option<IgnoredAny>,
    #[serde(rename = "AuthorizationScopes")]
    _authorization_scopes: Option<IgnoredAny>,
    #[serde(rename = "DisableFunctionDefaultPermissions")]
    _disable_function_default_permissions: Option<IgnoredAny>,
    #[serde(rename = "FunctionInvokeRole")]
    _function_invoke_role: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum PayloadType {
    #[default]
    Token,
    Request,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IdentityProperties {
    header: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    query_strings: Vec<String>,
    #[serde(default)]
    stage_variables: Vec<String>,
    #[serde(default)]
    context: Vec<String>,
    validation_expression: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "optional_seconds_within::<_, 0, 3_600>")]
    reauthorize_every: Option<Duration>,
}

/// The API, and the default authorizer of its routes.
pub(super) fn read(
    reader: &Reader<'_>,
    id: &str,
    declaration: &Value,
) -> Result<(Api, Option<String>), TemplateError> {
    let properties: RestApiProperties =
        reader.properties(id, declaration, "Api", ignored_properties::REST_API)?;
    let auth = properties.auth;
    if auth.api_key_required == Some(true) || auth.usage_plan.is_some() {
        reader.skips.add("the API keys", id, "not checked here");
    }
    if auth.resource_policy.is_some() {
        reader.skips.add("ResourcePolicy", id, "not checked here");
    }
    if definition::has_request_validator(&properties.definition_body) {
        reader.skips.add_request_validators(id);
    }
    let mut authorizers = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, authorizer) in auth.authorizers {
        match authorizer.into_authorizer(id, &name, reader.skips) {
            Ok(authorizer) => {
                authorizers.insert(name, authorizer);
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(error) = TemplateError::of(errors) {
        return Err(error);
    }
    // SAM writes the slash of a media type as JSON Pointer does.
    let media_types = properties.binary_media_types.iter();
    let binary_media_types = media_types.map(|it| it.replace("~1", "/").to_lowercase()).collect();
    let mut cors = cors::of_rest(&format!("/Resources/{id}/Properties/Cors"), properties.cors)?;
    if let Some(cors) = &mut cors
        && auth.add_default_authorizer_to_cors_preflight != Some(false)
    {
        let authorizer = auth.default_authorizer.clone();
        cors.preflight_authorizer = authorizer.filter(|name| authorizers.contains_key(name));
    }
    let kind = ApiKind::Rest { binary_media_types };
    let api = Api {
        logical_id: id.to_owned(),
        stage: properties.stage_name,
        routes: definition::routes::<900_000>(
            id,
            &kind,
            &properties.definition_body,
            auth.default_authorizer.as_deref(),
            reader.skips,
        )?,
        kind,
        authorizers,
        jwt_authorizers: BTreeMap::new(),
        cors,
        throttle: None,
    };
    Ok((api, auth.default_authorizer))
}

impl AuthorizerProperties {
    fn into_authorizer(
        self,
        api: &str,
        name: &str,
        skips: &Skips,
    ) -> Result<Authorizer, TemplateError> {
        let place = format!("Auth/Authorizers/{name}");
        let refused = |what: &str| Err(TemplateError::in_resource(api, &place, what));
        if self.user_pool_arn.is_some() {
            return refused("a Cognito authorizer, whose tokens the platform cannot verify");
        }
        let Some(function) = self.function_arn else {
            return refused("an authorizer without a function");
        };
        let identity = self.identity;
        let mut cache_ttl = identity.reauthorize_every.unwrap_or(CACHE_TTL);
        let (format, headers, query_strings) = match self.function_payload_type {
            PayloadType::Token => {
                if identity.validation_expression.is_some() {
                    let part = format!("the ValidationExpression of the authorizer {name}");
                    skips.add(part, api, "the function gets all tokens here");
                }
                let header = identity.header.unwrap_or_else(|| "authorization".to_owned());
                (AuthorizerFormat::Token, vec![header], Vec::new())
            }
            PayloadType::Request => {
                let left_out =
                    [("StageVariables", identity.stage_variables), ("Context", identity.context)];
                for (source, _) in left_out.iter().filter(|(_, names)| !names.is_empty()) {
                    let part = format!("the {source} of the authorizer {name}");
                    skips.add(part, api, "not in its identity here; its results are not cached");
                    // Requests that differ only in these values must not share a result.
                    cache_ttl = Duration::ZERO;
                }
                (AuthorizerFormat::Request, identity.headers, identity.query_strings)
            }
        };
        if headers.is_empty() && query_strings.is_empty() && !cache_ttl.is_zero() {
            return refused(
                "an authorizer without an identity; add Headers or QueryStrings to its Identity, \
                 or set ReauthorizeEvery to 0",
            );
        }
        Ok(Authorizer {
            function,
            format,
            identity_headers: headers.iter().map(|header| header.to_lowercase()).collect(),
            identity_query_strings: query_strings,
            cache_ttl,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Template;

    use super::*;

    /// The authorizer `A` with these properties besides its function, and the lines of the start.
    fn authorizer(properties: &str) -> Result<(Authorizer, Vec<String>), TemplateError> {
        let source = format!(
            "Resources:
  Work:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: work}}}}
    Properties: {{Runtime: provided.al2023}}
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth: {{Authorizers: {{A: {{FunctionArn: !GetAtt Work.Arn, {properties}}}}}}}
"
        );
        let template = Template::parse(&source, &BTreeMap::new())?;
        let lines = template.skipped.iter().map(ToString::to_string).collect();
        Ok((template.root_api().unwrap().authorizers["A"].clone(), lines))
    }

    #[test]
    fn the_validation_expression_of_a_token_is_left_out_with_a_line() {
        let identity = "{Header: X-Key, ValidationExpression: 'Bearer.*', ReauthorizeEvery: 30}";
        let (token, lines) = authorizer(&format!("Identity: {identity}")).unwrap();

        assert_eq!(token.format, AuthorizerFormat::Token);
        assert_eq!(token.identity_headers, ["x-key"]);
        assert_eq!(token.cache_ttl, Duration::from_secs(30));
        let line = "the ValidationExpression of the authorizer A (Rest): the function gets all \
                    tokens here";
        assert_eq!(lines, [line]);
    }

    #[test]
    fn a_request_is_identified_by_headers_and_query_strings() {
        let request = |identity: &str| {
            authorizer(&format!("FunctionPayloadType: REQUEST, Identity: {{{identity}}}")).unwrap()
        };
        let (both, lines) = request("QueryStrings: [Auth], Headers: [Authorization]");
        assert_eq!(both.identity_headers, ["authorization"]);
        assert_eq!(both.identity_query_strings, ["Auth"]);
        assert_eq!((both.cache_ttl, lines), (CACHE_TTL, vec![]));

        let (other, lines) =
            request("QueryStrings: [auth], StageVariables: [V], Context: [C], ReauthorizeEvery: 9");
        assert_eq!(other.cache_ttl, Duration::ZERO);
        let why = "(Rest): not in its identity here; its results are not cached";
        let line = |source: &str| format!("the {source} of the authorizer A {why}");
        assert_eq!(lines, [line("Context"), line("StageVariables")]);
    }

    #[test]
    fn a_request_without_an_identity_needs_an_authorizer_without_a_cache() {
        let request =
            |identity: &str| authorizer(&format!("FunctionPayloadType: REQUEST{identity}"));

        let (uncached, _) = request(", Identity: {ReauthorizeEvery: 0}").unwrap();
        assert!(uncached.identity_headers.is_empty() && uncached.cache_ttl.is_zero());
        for cached in ["", ", Identity: {ReauthorizeEvery: 1}"] {
            let message = request(cached).unwrap_err().to_string();
            let expected = "Auth/Authorizers/A: an authorizer without an identity; add Headers or";
            assert!(message.contains(expected), "{message}");
        }
    }
}
