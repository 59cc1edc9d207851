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
        match authorizer.into_authorizer(id, &format!("Auth/Authorizers/{name}")) {
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
    let api = Api {
        logical_id: id.to_owned(),
        kind: ApiKind::Rest { binary_media_types },
        stage: properties.stage_name,
        routes: definition::routes::<900_000>(
            id,
            &properties.definition_body,
            auth.default_authorizer.as_deref(),
            reader.skips,
        )?,
        authorizers,
        jwt_authorizers: BTreeMap::new(),
        cors,
        throttle: None,
    };
    Ok((api, auth.default_authorizer))
}

impl AuthorizerProperties {
    fn into_authorizer(self, api: &str, place: &str) -> Result<Authorizer, TemplateError> {
        let refused = |what: &str| Err(TemplateError::in_resource(api, place, what));
        if self.user_pool_arn.is_some() {
            return refused("a Cognito authorizer, whose tokens the platform cannot verify");
        }
        let Some(function) = self.function_arn else {
            return refused("an authorizer without a function");
        };
        let IdentityProperties { header, headers, reauthorize_every } = self.identity;
        let (format, headers) = match self.function_payload_type {
            PayloadType::Token => {
                let header = header.unwrap_or_else(|| "authorization".to_owned());
                (AuthorizerFormat::Token, vec![header])
            }
            PayloadType::Request => (AuthorizerFormat::Request, headers),
        };
        if headers.is_empty() {
            return refused("an authorizer without an identity header");
        }
        Ok(Authorizer {
            function,
            format,
            identity_headers: headers.iter().map(|header| header.to_lowercase()).collect(),
            cache_ttl: reauthorize_every.unwrap_or(CACHE_TTL),
        })
    }
}
