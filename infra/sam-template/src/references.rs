//! Checks the references between a template's resources, and the mappings that AWS refuses.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::deserialize::literal;
use super::error::TemplateError;
use super::model::{Api, EventSource, Template, Trigger};

/// The maximum batch of a standard queue or a stream.
const BATCH_MAX: u32 = 10_000;
/// The maximum batch of a FIFO queue, and of a standard queue without a batching window.
const RECEIVED_MAX: u32 = 10;
/// The batching windows, in seconds.
const WINDOW_S: RangeInclusive<u64> = 0..=300;
/// The maximum concurrencies of a queue's mapping.
const CONCURRENCY: RangeInclusive<u64> = 2..=1_000;
/// The parallelization factors of a stream.
const PARALLEL: RangeInclusive<u64> = 1..=10;
/// The retries of a stream's batch, if they are limited.
const RETRIES: RangeInclusive<u64> = 0..=10_000;
/// The maximum ages of a stream's records in seconds, if they are limited.
const RECORD_AGE_S: RangeInclusive<u64> = 60..=604_800;

/// An error for each mapping that AWS refuses, and for each reference to a resource that is missing or has the wrong type.
pub(super) fn errors(template: &Template) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    errors.extend(template.apis.iter().flat_map(|api| of_api(template, api)));
    let is_queue = |id: &String| template.queues.contains_key(id);
    for queue in template.queues.values() {
        let redrive = queue.redrive.as_ref().filter(|it| !is_queue(&it.dead_letter_queue));
        errors.extend(
            redrive.map(|redrive| missing(&queue.logical_id, &redrive.dead_letter_queue, "queue")),
        );
    }
    for destination in &template.event_destinations {
        let set = &destination.configuration_set;
        if !template.configuration_sets.contains_key(set) {
            let what = format!("an event destination of {}", unknown(set, "configuration set"));
            errors.push(TemplateError::not_understood("/Resources", &what));
        }
    }
    for rule in &template.event_rules {
        let unknown = rule.queues.iter().filter(|queue| !is_queue(queue));
        errors.extend(unknown.map(|queue| missing(&rule.logical_id, queue, "queue")));
    }
    let mut rotated = BTreeSet::new();
    for source in &template.event_sources {
        errors.extend(of_source(template, source, &mut rotated));
        errors.extend(of_mapping(template, source));
    }
    errors
}

fn missing(owner: &str, id: &str, kind: &str) -> TemplateError {
    TemplateError::in_resource(owner, "", &unknown(id, kind))
}

/// Like [`missing`], for a function of a property that takes only its ARN.
fn missing_by_arn(owner: &str, id: &str) -> TemplateError {
    TemplateError::in_resource(owner, "", &complaint(id, "the ARN of ", "function"))
}

/// The complaint about a logical id, or about a literal in its place.
fn unknown(id: &str, kind: &str) -> String {
    let form = match kind {
        "queue" => "the ARN of ",
        "table" => "the ARN of the stream of ",
        "configuration set" => "the name of ",
        _ => "the name or ARN of ",
    };
    complaint(id, form, kind)
}

/// Like [`unknown`], with the form that a literal has.
fn complaint(id: &str, form: &str, kind: &str) -> String {
    let form = if literal(id).is_some() { form } else { "" };
    format!("{id}, which is not {form}a {kind} of this template")
}

fn of_api(template: &Template, api: &Api) -> Vec<TemplateError> {
    let is_function = |id: &String| template.functions.contains_key(id);
    let functions = api.authorizers.values().map(|it| &it.function);
    let functions = functions.chain(api.routes.iter().map(|it| &it.function));
    let unknown = functions.filter(|id| !is_function(id));
    let unknown = unknown.map(|id| missing_by_arn(&api.logical_id, id));
    let authorizers = api.routes.iter().filter_map(|route| {
        let is_known = |name: &String| {
            api.authorizers.contains_key(name) || api.jwt_authorizers.contains_key(name)
        };
        let name = route.authorizer.as_ref().filter(|name| !is_known(name))?;
        Some(missing(&route.function, name, "authorizer"))
    });
    unknown.chain(authorizers).collect()
}

/// The errors of a mapping that AWS would not create.
fn of_mapping(template: &Template, source: &EventSource) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    let mut refuse = |place: &str, what: String| {
        let what = format!("{what}, in the mapping {}, which AWS refuses", source.name);
        errors.push(TemplateError::in_resource(&source.function, place, &what));
    };
    let size = match &source.trigger {
        Trigger::Queue(trigger) => trigger.batch_size,
        Trigger::Stream(trigger) => trigger.batch_size,
        Trigger::Schedule(_) | Trigger::Rotation(_) => return errors,
    };
    if !(1..=BATCH_MAX).contains(&size) {
        refuse("Events", format!("a BatchSize of {size}, not from 1 to {BATCH_MAX}"));
        return errors;
    }
    for (property, value, range) in limits(&source.trigger) {
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            refuse("Events", format!("a {property} of {value}, not from {least} to {most}"));
        }
    }
    let Trigger::Queue(trigger) = &source.trigger else { return errors };
    let (id, window) = (&trigger.queue, trigger.batching_window.as_secs());
    let Some(queue) = template.queues.get(id) else { return errors };
    if queue.fifo && window > 0 {
        let what = format!("a MaximumBatchingWindowInSeconds of {window} for the FIFO queue {id}");
        refuse("Events", what);
    }
    if size > RECEIVED_MAX && queue.fifo {
        refuse(
            "Events",
            format!("a BatchSize of {size}, above {RECEIVED_MAX}, for the FIFO queue {id}"),
        );
    } else if size > RECEIVED_MAX && window == 0 {
        let lack = "without a MaximumBatchingWindowInSeconds";
        refuse("Events", format!("a BatchSize of {size}, above {RECEIVED_MAX}, {lack} for {id}"));
    }
    if let Some(function) = template.functions.get(&source.function)
        && function.timeout > queue.visibility_timeout
    {
        let visible = queue.visibility_timeout.as_secs();
        let timeout = function.timeout.as_secs();
        let what = format!("{timeout} s, above the VisibilityTimeout of {id}, {visible} s");
        refuse("Timeout", what);
    }
    errors
}

/// The settings of a mapping that AWS limits to a range, with their values.
fn limits(trigger: &Trigger) -> Vec<(&'static str, u64, RangeInclusive<u64>)> {
    let window =
        |window: Duration| Some(("MaximumBatchingWindowInSeconds", window.as_secs(), WINDOW_S));
    let all = match trigger {
        Trigger::Queue(trigger) => {
            let concurrency = trigger.maximum_concurrency.map(u64::from);
            let concurrency = concurrency.map(|it| ("MaximumConcurrency", it, CONCURRENCY));
            vec![window(trigger.batching_window), concurrency]
        }
        Trigger::Stream(trigger) => {
            let parallel = u64::from(trigger.parallelization_factor);
            let retries = trigger.maximum_retry_attempts.map(u64::from);
            let age = trigger.maximum_record_age.as_ref().map(Duration::as_secs);
            vec![
                window(trigger.batching_window),
                Some(("ParallelizationFactor", parallel, PARALLEL)),
                retries.map(|it| ("MaximumRetryAttempts", it, RETRIES)),
                age.map(|it| ("MaximumRecordAgeInSeconds", it, RECORD_AGE_S)),
            ]
        }
        Trigger::Schedule(_) | Trigger::Rotation(_) => Vec::new(),
    };
    all.into_iter().flatten().collect()
}

fn of_source<'a>(
    template: &Template,
    source: &'a EventSource,
    rotated: &mut BTreeSet<&'a String>,
) -> Option<TemplateError> {
    if !template.functions.contains_key(&source.function) {
        return Some(if matches!(source.trigger, Trigger::Rotation(_)) {
            missing_by_arn(&source.name, &source.function)
        } else {
            missing(&source.name, &source.function, "function")
        });
    }
    match &source.trigger {
        Trigger::Queue(trigger) if !template.queues.contains_key(&trigger.queue) => {
            Some(missing(&source.function, &trigger.queue, "queue"))
        }
        Trigger::Stream(trigger) => match template.tables.get(&trigger.table) {
            None => Some(missing(&source.function, &trigger.table, "table")),
            Some(table) if table.stream.is_none() => {
                let what = format!(
                    "none, but {} consumes the stream: StreamViewType is missing, such as NEW_IMAGE",
                    source.function
                );
                Some(TemplateError::in_resource(&trigger.table, "StreamSpecification", &what))
            }
            Some(_) => {
                let failures = trigger.on_failure_queue.as_ref();
                let unknown = failures.filter(|queue| !template.queues.contains_key(*queue));
                unknown.map(|queue| missing(&source.function, queue, "queue"))
            }
        },
        Trigger::Rotation(trigger) if !template.secrets.contains_key(&trigger.secret) => {
            Some(missing(&source.name, &trigger.secret, "secret"))
        }
        Trigger::Rotation(trigger) if !rotated.insert(&trigger.secret) => {
            let what = "a secret with another rotation";
            Some(TemplateError::in_resource(&source.name, "SecretId", what))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn errors(queue: &str, timeout: u32, mapping: &str) -> String {
        let source = format!(
            "Resources:
  Q: {{Type: 'AWS::SQS::Queue', Properties: {{{queue}}}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Timeout: {timeout}
      Events: {{E: {{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn{mapping}}}}}}}
"
        );
        errors_of(&source)
    }

    fn errors_of_stream(mapping: &str) -> String {
        let source = format!(
            "Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: pk, AttributeType: S}}]
      KeySchema: [{{AttributeName: pk, KeyType: HASH}}]
      StreamSpecification: {{StreamViewType: NEW_IMAGE}}
  F: {{Type: 'AWS::Serverless::Function', Properties: {{Runtime: provided.al2023}}}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref F
      EventSourceArn: !GetAtt T.StreamArn
      StartingPosition: LATEST
      {mapping}
"
        );
        errors_of(&source)
    }

    fn errors_of(source: &str) -> String {
        let parsed = Template::parse(source, &BTreeMap::new());
        parsed.map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_mapping_that_aws_refuses_is_an_error_with_its_values() {
        let window = ", MaximumBatchingWindowInSeconds: 1";
        for (queue, timeout, mapping, said) in [
            ("", 30, String::new(), ""),
            ("", 30, format!(", BatchSize: 10000{window}"), ""),
            ("FifoQueue: true", 30, ", BatchSize: 10".to_owned(), ""),
            (
                "VisibilityTimeout: 20",
                21,
                String::new(),
                "/Resources/F/Properties/Timeout: 21 s, above the VisibilityTimeout of Q, 20 s, \
                 in the mapping E, which AWS refuses",
            ),
            ("", 3, ", BatchSize: 11".to_owned(), "a BatchSize of 11, above 10, without a Maximum"),
            ("", 3, format!(", BatchSize: 10001{window}"), "a BatchSize of 10001, not from 1 to"),
            ("", 3, ", BatchSize: 0".to_owned(), "a BatchSize of 0, not from 1 to 10000"),
            (
                "FifoQueue: true",
                3,
                ", BatchSize: 11".to_owned(),
                "a BatchSize of 11, above 10, for the FIFO queue Q",
            ),
            (
                "FifoQueue: true",
                3,
                window.to_owned(),
                "a MaximumBatchingWindowInSeconds of 1 for the FIFO queue Q",
            ),
            ("", 3, ", MaximumBatchingWindowInSeconds: 300".to_owned(), ""),
            (
                "",
                3,
                ", MaximumBatchingWindowInSeconds: 301".to_owned(),
                "a MaximumBatchingWindowInSeconds of 301, not from 0 to 300, in the mapping E",
            ),
            ("", 3, ", ScalingConfig: {MaximumConcurrency: 2}".to_owned(), ""),
            (
                "",
                3,
                ", ScalingConfig: {MaximumConcurrency: 1}".to_owned(),
                "a MaximumConcurrency of 1, not from 2 to 1000, in the mapping E",
            ),
        ] {
            let found = errors(queue, timeout, &mapping);
            assert_eq!(found.is_empty(), said.is_empty(), "{found}");
            assert!(found.contains(said), "{found}");
        }
        for (mapping, expected) in [
            ("ParallelizationFactor: 10", ""),
            ("ParallelizationFactor: 0", "a ParallelizationFactor of 0, not from 1 to 10, in the"),
            ("ParallelizationFactor: 11", "a ParallelizationFactor of 11, not from 1 to 10"),
            ("MaximumRetryAttempts: -1", ""),
            ("MaximumRetryAttempts: 10000", ""),
            ("MaximumRetryAttempts: -2", "MaximumRetryAttempts: -2, which AWS refuses"),
            ("MaximumRetryAttempts: 10001", "a MaximumRetryAttempts of 10001, not from 0 to 10000"),
            ("MaximumRecordAgeInSeconds: -1", ""),
            ("MaximumRecordAgeInSeconds: 604800", ""),
            ("MaximumRecordAgeInSeconds: -60", "AgeInSeconds: -60, which AWS refuses"),
            ("MaximumRecordAgeInSeconds: 59", "AgeInSeconds of 59, not from 60 to 604800"),
            ("MaximumRecordAgeInSeconds: 604801", "of 604801, not from 60 to 604800"),
            ("MaximumBatchingWindowInSeconds: 301", "InSeconds of 301, not from 0 to 300"),
        ] {
            let found = errors_of_stream(mapping);
            assert_eq!(found.is_empty(), expected.is_empty(), "{mapping}: {found}");
            assert!(found.contains(expected), "{mapping}: {found}");
        }
    }

    #[test]
    fn a_disabled_mapping_has_a_line() {
        let source = "Resources:
  Q: {Type: 'AWS::SQS::Queue'}
  F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: provided.al2023}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn, Enabled: false}
";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        assert!(template.event_sources.is_empty());
        let line = "AWS::Lambda::EventSourceMapping (M): disabled";
        assert_eq!(template.skipped[0].to_string(), line);
    }
}
