//! `AWS::Lambda::EventSourceMapping`: queues and streams that Lambda polls for a function.

use std::time::Duration;

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::deserialize::{flag, number, resource, seconds};
use super::filter::Pattern;
use super::model::{EventSource, QueueTrigger, StartingPosition, StreamTrigger, Trigger};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct QueueMapping {
    #[serde(rename = "FunctionName", deserialize_with = "resource")]
    function: String,
    #[serde(rename = "EventSourceArn", alias = "Queue", deserialize_with = "resource")]
    queue: String,
    #[serde(default = "ten", deserialize_with = "number")]
    batch_size: u32,
    #[serde(default, deserialize_with = "seconds")]
    maximum_batching_window_in_seconds: Duration,
    #[serde(default)]
    filter_criteria: FilterCriteria,
    #[serde(default)]
    function_response_types: Vec<ResponseType>,
    #[serde(default, deserialize_with = "flag")]
    enabled: Option<bool>,
    scaling_config: Option<ScalingConfig>,
}

#[derive(Deserialize)]
enum ResponseType {
    ReportBatchItemFailures,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ScalingConfig {
    #[serde(default, deserialize_with = "number")]
    maximum_concurrency: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StreamMapping {
    #[serde(rename = "FunctionName", deserialize_with = "resource")]
    function: String,
    #[serde(rename = "EventSourceArn", alias = "Stream", deserialize_with = "resource")]
    table: String,
    #[serde(default = "hundred", deserialize_with = "number")]
    batch_size: u32,
    #[serde(default, deserialize_with = "seconds")]
    maximum_batching_window_in_seconds: Duration,
    #[serde(default)]
    filter_criteria: FilterCriteria,
    starting_position: StartingPosition,
    #[serde(default)]
    function_response_types: Vec<ResponseType>,
    #[serde(default, deserialize_with = "flag")]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "limit")]
    maximum_retry_attempts: Option<u32>,
    #[serde(default, rename = "MaximumRecordAgeInSeconds", deserialize_with = "limit")]
    maximum_record_age_s: Option<u64>,
    #[serde(default, deserialize_with = "flag")]
    bisect_batch_on_function_error: bool,
    #[serde(default = "one", deserialize_with = "number")]
    parallelization_factor: u32,
    destination_config: Option<DestinationConfig>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct FilterCriteria {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    pattern: Pattern,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DestinationConfig {
    on_failure: OnFailure,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OnFailure {
    /// SAM's type of the destination: `SQS` or `SNS`.
    #[serde(rename = "Type")]
    _type: Option<IgnoredAny>,
    #[serde(deserialize_with = "resource")]
    destination: String,
}

impl FilterCriteria {
    fn into_patterns(self) -> Vec<Pattern> {
        self.filters.into_iter().map(|it| it.pattern).collect()
    }
}

impl QueueMapping {
    /// The source; `None` if it is disabled.
    pub(super) fn into_source(self, name: &str) -> Option<EventSource> {
        if self.enabled == Some(false) {
            return None;
        }
        let trigger = Trigger::Queue(QueueTrigger {
            queue: self.queue,
            batch_size: self.batch_size,
            batching_window: self.maximum_batching_window_in_seconds,
            filters: self.filter_criteria.into_patterns(),
            report_batch_item_failures: !self.function_response_types.is_empty(),
            maximum_concurrency: self.scaling_config.and_then(|it| it.maximum_concurrency),
        });
        Some(EventSource { function: self.function, name: name.to_owned(), trigger })
    }
}

impl StreamMapping {
    /// The source; `None` if it is disabled.
    pub(super) fn into_source(self, name: &str) -> Option<EventSource> {
        if self.enabled == Some(false) {
            return None;
        }
        let trigger = Trigger::Stream(StreamTrigger {
            table: self.table,
            batch_size: self.batch_size,
            batching_window: self.maximum_batching_window_in_seconds,
            filters: self.filter_criteria.into_patterns(),
            starting_position: self.starting_position,
            report_batch_item_failures: !self.function_response_types.is_empty(),
            maximum_retry_attempts: self.maximum_retry_attempts,
            maximum_record_age: self.maximum_record_age_s.map(Duration::from_secs),
            bisect_batch_on_function_error: self.bisect_batch_on_function_error,
            parallelization_factor: self.parallelization_factor,
            on_failure_queue: self.destination_config.map(|config| config.on_failure.destination),
        });
        Some(EventSource { function: self.function, name: name.to_owned(), trigger })
    }
}

/// A limit; -1 is none: until the records expire, like no value.
fn limit<'de, D: Deserializer<'de>, T: TryFrom<i64>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let limit: Option<i64> = number(deserializer)?;
    let limit = limit.filter(|limit| *limit != -1).map(|limit| {
        T::try_from(limit).map_err(|_| D::Error::custom(format!("{limit}, which AWS refuses")))
    });
    limit.transpose()
}

// AWS's defaults.

fn one() -> u32 {
    1
}

fn ten() -> u32 {
    10
}

fn hundred() -> u32 {
    100
}
