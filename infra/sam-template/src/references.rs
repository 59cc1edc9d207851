//! Checks the references between a template's resources.

use std::collections::BTreeSet;

use super::error::TemplateError;
use super::model::{Template, Trigger};

/// Checks that each referenced resource exists and has the right type.
pub(super) fn check(template: &Template) -> Result<(), TemplateError> {
    let is_function = |id: &String| template.functions.contains_key(id);
    let is_queue = |id: &String| template.queues.contains_key(id);
    let missing = |owner: &str, id: &str, kind: &str| {
        Err(TemplateError::in_resource(
            owner,
            "",
            &format!("{id}, which is not a {kind} of this template"),
        ))
    };
    if let Some(api) = &template.api {
        let unknown = api.authorizers.values().find(|each| !is_function(&each.function));
        if let Some(authorizer) = unknown {
            return missing(&api.logical_id, &authorizer.function, "function");
        }
        for route in &api.routes {
            if let Some(name) = &route.authorizer
                && !api.authorizers.contains_key(name)
            {
                return missing(&route.function, name, "authorizer");
            }
        }
    }
    for queue in template.queues.values() {
        if let Some(redrive) = queue.redrive.as_ref().filter(|it| !is_queue(&it.dead_letter_queue))
        {
            return missing(&queue.logical_id, &redrive.dead_letter_queue, "queue");
        }
    }
    for destination in &template.event_destinations {
        let set = &destination.configuration_set;
        if !template.configuration_sets.contains(set) {
            return missing(set, set, "configuration set");
        }
    }
    for rule in &template.event_rules {
        if let Some(queue) = rule.queues.iter().find(|queue| !is_queue(queue)) {
            return missing(&rule.logical_id, queue, "queue");
        }
    }
    let mut rotated = BTreeSet::new();
    for source in &template.event_sources {
        if !is_function(&source.function) {
            return missing(&source.name, &source.function, "function");
        }
        match &source.trigger {
            Trigger::Queue(trigger) if !is_queue(&trigger.queue) => {
                return missing(&source.function, &trigger.queue, "queue");
            }
            Trigger::Stream(trigger)
                if template.tables.get(&trigger.table).is_none_or(|it| it.stream.is_none()) =>
            {
                return missing(&source.function, &trigger.table, "table with a stream");
            }
            Trigger::Rotation(trigger) if !template.secrets.contains_key(&trigger.secret) => {
                return missing(&source.name, &trigger.secret, "secret");
            }
            Trigger::Rotation(trigger) if !rotated.insert(&trigger.secret) => {
                return Err(TemplateError::in_resource(
                    &source.name,
                    "SecretId",
                    "a secret with another rotation",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
