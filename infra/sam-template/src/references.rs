//! Checks the references between a template's resources.

use std::collections::BTreeSet;

use super::error::TemplateError;
use super::model::{Api, EventSource, Template, Trigger};

/// An error for each reference to a resource that is missing or has the wrong type.
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
