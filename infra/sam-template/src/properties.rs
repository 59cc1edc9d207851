//! The properties of resources as the template writes them. A property neither here nor in
//! [`super::ignored_properties`] is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::deserialize::{optional_seconds, resource, seconds};
use super::events::EventProperties;
use super::model::{AttributeType, ConditionKey, Effect, Operator, StreamView};
use super::value::TemplateValue;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct FunctionProperties {
    pub(super) runtime: String,
    #[serde(default)]
    pub(super) environment: EnvironmentProperties,
    #[serde(default = "three_seconds", deserialize_with = "seconds")]
    pub(super) timeout: Duration,
    #[serde(default = "smallest_memory")]
    pub(super) memory_size: u32,
    pub(super) reserved_concurrent_executions: Option<u32>,
    #[serde(default)]
    pub(super) policies: Vec<PolicyProperties>,
    #[serde(default)]
    pub(super) events: BTreeMap<String, EventProperties>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EnvironmentProperties {
    #[serde(default)]
    pub(super) variables: BTreeMap<String, TemplateValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PolicyProperties {
    #[serde(rename = "Version")]
    _version: Option<String>,
    pub(super) statement: Vec<StatementProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StatementProperties {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) action: OneOrMany<String>,
    pub(super) resource: OneOrMany<TemplateValue>,
    #[serde(default)]
    pub(super) condition: BTreeMap<Operator, BTreeMap<ConditionKey, OneOrMany<TemplateValue>>>,
}

/// IAM allows a single value instead of a list of one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(value: OneOrMany<T>) -> Self {
        match value {
            OneOrMany::Many(all) => all,
            OneOrMany::One(one) => vec![one],
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct HttpApiProperties {
    pub(super) stage_name: Option<String>,
    #[serde(default)]
    pub(super) auth: AuthProperties,
    pub(super) cors_configuration: Option<CorsProperties>,
    pub(super) default_route_settings: Option<RouteSettingsProperties>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AuthProperties {
    #[serde(default)]
    pub(super) authorizers: BTreeMap<String, AuthorizerProperties>,
    pub(super) default_authorizer: Option<String>,
    #[serde(rename = "EnableIamAuthorizer")]
    _enable_iam_authorizer: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AuthorizerProperties {
    #[serde(deserialize_with = "resource")]
    pub(super) function_arn: String,
    pub(super) authorizer_payload_format_version: VersionNumber,
    pub(super) enable_simple_responses: bool,
    pub(super) identity: IdentityProperties,
    #[serde(rename = "EnableFunctionDefaultPermissions")]
    _enable_function_default_permissions: Option<bool>,
}

/// `2.0` is a number in YAML, `"2.0"` a string; both are accepted.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum VersionNumber {
    Number(f64),
    Words(String),
}

impl VersionNumber {
    pub(super) fn is_two(&self) -> bool {
        match self {
            Self::Number(number) => (*number - 2.0).abs() < f64::EPSILON,
            Self::Words(words) => words == "2.0",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct IdentityProperties {
    pub(super) headers: Vec<String>,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) reauthorize_every: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CorsProperties {
    #[serde(default)]
    pub(super) allow_origins: Vec<String>,
    #[serde(default)]
    pub(super) allow_methods: Vec<String>,
    #[serde(default)]
    pub(super) allow_headers: Vec<String>,
    #[serde(default)]
    pub(super) expose_headers: Vec<String>,
    #[serde(default, deserialize_with = "optional_seconds")]
    pub(super) max_age: Option<Duration>,
    #[serde(default)]
    pub(super) allow_credentials: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RouteSettingsProperties {
    pub(super) throttling_burst_limit: u32,
    pub(super) throttling_rate_limit: f64,
    #[serde(rename = "DetailedMetricsEnabled")]
    _detailed_metrics_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TableProperties {
    pub(super) attribute_definitions: Vec<AttributeProperties>,
    pub(super) key_schema: Vec<KeyProperties>,
    #[serde(default)]
    pub(super) global_secondary_indexes: Vec<IndexProperties>,
    pub(super) stream_specification: Option<StreamProperties>,
    pub(super) time_to_live_specification: Option<TimeToLiveProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AttributeProperties {
    pub(super) attribute_name: String,
    pub(super) attribute_type: AttributeType,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct KeyProperties {
    pub(super) attribute_name: String,
    pub(super) key_type: KeyType,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum KeyType {
    Hash,
    Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct IndexProperties {
    pub(super) index_name: String,
    pub(super) key_schema: Vec<KeyProperties>,
    pub(super) projection: ProjectionProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ProjectionProperties {
    pub(super) projection_type: ProjectionType,
    #[serde(default)]
    pub(super) non_key_attributes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ProjectionType {
    All,
    KeysOnly,
    Include,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StreamProperties {
    pub(super) stream_view_type: StreamView,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TimeToLiveProperties {
    pub(super) attribute_name: String,
    pub(super) enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct QueueProperties {
    #[serde(default)]
    pub(super) fifo_queue: bool,
    #[serde(default)]
    pub(super) content_based_deduplication: bool,
    #[serde(default = "thirty_seconds", deserialize_with = "seconds")]
    pub(super) visibility_timeout: Duration,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) delay_seconds: Duration,
    #[serde(default = "four_days", deserialize_with = "seconds")]
    pub(super) message_retention_period: Duration,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) receive_message_wait_time_seconds: Duration,
    pub(super) redrive_policy: Option<RedriveProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RedriveProperties {
    #[serde(deserialize_with = "resource")]
    pub(super) dead_letter_target_arn: String,
    pub(super) max_receive_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SecretProperties {
    pub(super) secret_string: Option<TemplateValue>,
    /// The settings of the generated value do not matter here: it is always random.
    pub(super) generate_secret_string: Option<IgnoredAny>,
}

// AWS's defaults.

fn three_seconds() -> Duration {
    Duration::from_secs(3)
}

fn thirty_seconds() -> Duration {
    Duration::from_secs(30)
}

fn four_days() -> Duration {
    Duration::from_hours(96)
}

fn smallest_memory() -> u32 {
    128
}
