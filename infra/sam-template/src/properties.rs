//! The properties of resources as the template writes them. A property neither here nor in
//! [`super::ignored_properties`] is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::deserialize::{flag, number, number_within, resource, seconds_within};
use super::events::EventDeclaration;
use super::function_url::FunctionUrlProperties;
use super::generated::GeneratedProperties;
use super::model::{ConditionKey, Effect, Operator};
use super::value::TemplateValue;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct FunctionProperties {
    pub(super) runtime: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) package_type: Option<String>,
    pub(super) code_uri: Option<Value>,
    pub(super) role: Option<Value>,
    pub(super) function_url_config: Option<FunctionUrlProperties>,
    #[serde(default)]
    pub(super) environment: EnvironmentProperties,
    #[serde(default = "three_seconds", deserialize_with = "seconds_within::<_, 1, 900>")]
    pub(super) timeout: Duration,
    #[serde(default = "smallest_memory", deserialize_with = "number_within::<_, _, 128, 32_768>")]
    pub(super) memory_size: u32,
    #[serde(default, deserialize_with = "number")]
    pub(super) reserved_concurrent_executions: Option<u32>,
    #[serde(default)]
    pub(super) policies: Value,
    #[serde(default)]
    pub(super) events: BTreeMap<String, EventDeclaration>,
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
    #[serde(rename = "Id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "Version")]
    _version: Option<IgnoredAny>,
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
pub(super) struct QueueProperties {
    #[serde(default, deserialize_with = "flag")]
    pub(super) fifo_queue: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(super) content_based_deduplication: bool,
    #[serde(default = "thirty_seconds", deserialize_with = "seconds_within::<_, 0, 43_200>")]
    pub(super) visibility_timeout: Duration,
    #[serde(default, deserialize_with = "seconds_within::<_, 0, 900>")]
    pub(super) delay_seconds: Duration,
    #[serde(default = "four_days", deserialize_with = "seconds_within::<_, 60, 1_209_600>")]
    pub(super) message_retention_period: Duration,
    #[serde(default, deserialize_with = "seconds_within::<_, 0, 20>")]
    pub(super) receive_message_wait_time_seconds: Duration,
    #[serde(
        default = "one_mebibyte",
        deserialize_with = "number_within::<_, _, 1_024, 1_048_576>"
    )]
    pub(super) maximum_message_size: usize,
    pub(super) redrive_policy: Option<RedriveProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RedriveProperties {
    #[serde(deserialize_with = "resource")]
    pub(super) dead_letter_target_arn: String,
    #[serde(deserialize_with = "number_within::<_, _, 1, 1_000>")]
    pub(super) max_receive_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SecretProperties {
    pub(super) secret_string: Option<TemplateValue>,
    pub(super) generate_secret_string: Option<GeneratedProperties>,
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

fn one_mebibyte() -> usize {
    1024 * 1024
}

fn smallest_memory() -> u32 {
    128
}
