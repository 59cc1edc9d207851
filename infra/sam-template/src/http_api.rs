//! `AWS::Serverless::HttpApi`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::deserialize::{flag, number, optional_resource, seconds_within};
use super::error::TemplateError;
use super::model::{
    Api, ApiKind, Authorizer, AuthorizerFormat, DEFAULT_STAGE, JwtAuthorizer, Throttle,
};
use super::reader::Reader;
use super::{cors, definition, ignored_properties};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct HttpApiProperties {
    stage_name: Option<String>,
    #[serde(default)]
    auth: AuthProperties,
    cors_configuration: Option<Value>,
    default_route_settings: Option<RouteSettingsProperties>,
    #[serde(default)]
    definition_body: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AuthProperties {
    #[serde(default)]
    authorizers: BTreeMap<String, AuthorizerProperties>,
    default_authorizer: Option<String>,
    #[serde(rename = "EnableIamAuthorizer")]
    _enable_iam_authorizer: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AuthorizerProperties {
    #[serde(default, deserialize_with = "optional_resource")]
    function_arn: Option<String>,
    authorizer_payload_format_version: Option<VersionNumber>,
    #[serde(default, deserialize_with = "flag")]
    enable_simple_responses: bool,
    #[serde(default)]
    identity: IdentityProperties,
    jwt_configuration: Option<JwtConfiguration>,
    identity_source: Option<String>,
    #[serde(rename = "AuthorizationScopes")]
    _authorization_scopes: Option<IgnoredAny>,
    #[serde(rename = "EnableFunctionDefaultPermissions")]
    _enable_function_default_permissions: Option<IgnoredAny>,
    #[serde(rename = "FunctionInvokeRole")]
    _function_invoke_role: Option<IgnoredAny>,
}

/// SAM passes it on to `CloudFormation`'s document, where the names are in lower case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtConfiguration {
    #[serde(alias = "Issuer")]
    issuer: String,
    #[serde(default, alias = "Audience")]
    audience: Vec<String>,
}

/// The prefix of an identity source that is a header.
const OF_HEADER: &str = "$request.header.";

/// `2.0` is a number in YAML, `"2.0"` a string; both are accepted.
#[derive(Deserialize)]
#[serde(untagged)]
enum VersionNumber {
    Number(f64),
    Words(String),
}

impl VersionNumber {
    fn is_two(&self) -> bool {
        match self {
            Self::Number(number) => (*number - 2.0).abs() < f64::EPSILON,
            Self::Words(words) => words == "2.0",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IdentityProperties {
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default, deserialize_with = "seconds_within::<_, 0, 3_600>")]
    reauthorize_every: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RouteSettingsProperties {
    #[serde(default, deserialize_with = "number")]
    throttling_burst_limit: Option<u32>,
    #[serde(default, deserialize_with = "number")]
    throttling_rate_limit: Option<f64>,
    #[serde(rename = "DetailedMetricsEnabled")]
    _detailed_metrics_enabled: Option<IgnoredAny>,
}

/// The API, and the default authorizer of its routes.
pub(super) fn read(
    reader: &Reader<'_>,
    id: &str,
    declaration: &Value,
) -> Result<(Api, Option<String>), TemplateError> {
    let properties: HttpApiProperties =
        reader.properties(id, declaration, "HttpApi", ignored_properties::HTTP_API)?;
    let mut authorizers = BTreeMap::new();
    let mut errors = Vec::new();
    let mut jwt_authorizers = BTreeMap::new();
    for (name, mut authorizer) in properties.auth.authorizers {
        if let Some(jwt) = authorizer.jwt_configuration.take() {
            reader.skips.add("the signatures of tokens", id, "not checked here");
            match into_jwt_authorizer(id, &name, jwt, authorizer.identity_source.as_deref()) {
                Ok(authorizer) => {
                    jwt_authorizers.insert(name, authorizer);
                }
                Err(error) => errors.push(error),
            }
            continue;
        }
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
    let cors_path = format!("/Resources/{id}/Properties/CorsConfiguration");
    let settings = properties.default_route_settings;
    let api = Api {
        logical_id: id.to_owned(),
        kind: ApiKind::Http,
        stage: properties.stage_name.unwrap_or_else(|| DEFAULT_STAGE.to_owned()),
        routes: definition::routes::<30_000>(
            id,
            &ApiKind::Http,
            &properties.definition_body,
            properties.auth.default_authorizer.as_deref(),
            reader.skips,
        )?,
        authorizers,
        jwt_authorizers,
        cors: cors::of_http_api(&cors_path, properties.cors_configuration)?,
        throttle: settings.and_then(|settings| {
            let burst = settings.throttling_burst_limit?;
            Some(Throttle { burst, rate_per_s: settings.throttling_rate_limit? })
        }),
    };
    Ok((api, properties.auth.default_authorizer))
}

fn into_jwt_authorizer(
    api: &str,
    name: &str,
    jwt: JwtConfiguration,
    identity_source: Option<&str>,
) -> Result<JwtAuthorizer, TemplateError> {
    let source = identity_source.unwrap_or("$request.header.Authorization");
    let Some(header) = source.strip_prefix(OF_HEADER) else {
        let place = format!("Auth/Authorizers/{name}/IdentitySource");
        return Err(TemplateError::in_resource(api, &place, "an identity that is no header"));
    };
    let JwtConfiguration { issuer, audience } = jwt;
    Ok(JwtAuthorizer { issuer, audience, identity_header: header.to_lowercase() })
}

impl AuthorizerProperties {
    fn into_authorizer(self, api: &str, place: &str) -> Result<Authorizer, TemplateError> {
        let refused = |what: &str| Err(TemplateError::in_resource(api, place, what));
        let Some(function) = self.function_arn else {
            return refused("an authorizer without a function");
        };
        let version = self.authorizer_payload_format_version;
        if !version.is_some_and(|it| it.is_two()) || !self.enable_simple_responses {
            return refused("an authorizer without payload 2.0 and simple responses");
        }
        if self.identity.headers.is_empty() {
            return refused("an authorizer without an identity source");
        }
        let headers = self.identity.headers.into_iter();
        Ok(Authorizer {
            function,
            format: AuthorizerFormat::Simple,
            identity_headers: headers.map(|header| header.to_lowercase()).collect(),
            identity_query_strings: Vec::new(),
            cache_ttl: self.identity.reauthorize_every,
        })
    }
}
