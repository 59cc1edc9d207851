//! Checks the references between a template's resources, and the mappings that AWS refuses.

use std::collections::BTreeSet;

use super::error::TemplateError;
use super::model::{Api, EventSource, Template, Trigger};

/// The maximum batch of a standard queue or a stream.
const BATCH_MAX: u32 = 10_000;
/// The maximum batch of a FIFO queue, and of a standard queue without a batching window.
const RECEIVED_MAX: u32 = 10;

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
        if !template.configuration_sets.contains(set) {
            errors.push(missing(set, set, "configuration set"));
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
    let what = format!("{id}, which is not a {kind} of this template");
    TemplateError::in_resource(owner, "", &what)
}

fn of_api(template: &Template, api: &Api) -> Vec<TemplateError> {
    let is_function = |id: &String| template.functions.contains_key(id);
    let functions = api.authorizers.values().map(|it| &it.function);
    let functions = functions.chain(api.routes.iter().map(|it| &it.function));
    let unknown = functions.filter(|id| !is_function(id));
    let unknown = unknown.map(|id| missing(&api.logical_id, id, "function"));
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

fn of_source<'a>(
    template: &Template,
    source: &'a EventSource,
    rotated: &mut BTreeSet<&'a String>,
) -> Option<TemplateError> {
    if !template.functions.contains_key(&source.function) {
        return Some(missing(&source.name, &source.function, "function"));
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
            Some(_) => None,
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
        let parsed = Template::parse(&source, &BTreeMap::new());
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
        ] {
            let found = errors(queue, timeout, &mapping);
            assert_eq!(found.is_empty(), said.is_empty(), "{found}");
            assert!(found.contains(said), "{found}");
        }
    }
}
