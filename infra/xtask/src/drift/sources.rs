//! Event sources: the source of a consumer's records, and their dead-letter queue.

use sam_template::{Function, QueueTrigger, RotationTrigger, StreamTrigger, Template, Trigger};
use tooling::descriptions::{Description, Kind, Source};

use super::logical_id;

/// AWS's recommendation for queues that invoke functions: six times the function's timeout.
const VISIBILITY_PER_TIMEOUT: u32 = 6;

pub(super) fn complaints(
    template: &Template,
    function: &Function,
    description: &Description,
) -> Vec<String> {
    let triggers: Vec<&Trigger> = template
        .event_sources
        .iter()
        .filter(|source| source.function == function.logical_id)
        .map(|source| &source.trigger)
        .collect();
    if description.kind == Kind::Rotation {
        return rotation(description, &triggers);
    }
    match (&description.source, triggers.as_slice()) {
        (None, []) | (Some(Source::Schedule), [Trigger::Schedule(_)]) => Vec::new(),
        (Some(Source::Queue(name)), [Trigger::Queue(trigger)]) => {
            queue(template, function, name, trigger, description.deliveries_max)
        }
        (Some(Source::Stream(name)), [Trigger::Stream(trigger)]) => stream(name, trigger),
        (wanted, found) => {
            vec![format!("has {} event sources, but consumes {wanted:?}", found.len())]
        }
    }
}

fn queue(
    template: &Template,
    function: &Function,
    name: &str,
    trigger: &QueueTrigger,
    deliveries_max: Option<u32>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let wanted = logical_id(name, "Queue");
    if trigger.queue != wanted {
        complaints.push(format!("event source {}, but consumes {wanted}", trigger.queue));
    }
    if !trigger.report_batch_item_failures {
        complaints.push("batch setting: one failed record redelivers its whole batch".to_owned());
    }
    if let Some(queue) = template.queues.get(&trigger.queue) {
        let least = function.timeout * VISIBILITY_PER_TIMEOUT;
        if queue.visibility_timeout < least {
            complaints.push(format!(
                "visibility timeout of {} is too short: {} s, at least {} s",
                trigger.queue,
                queue.visibility_timeout.as_secs(),
                least.as_secs()
            ));
        }
        let given_up = queue.redrive.as_ref().map(|redrive| redrive.max_receive_count);
        if let (Some(wanted), Some(found)) = (deliveries_max, given_up)
            && found != wanted
        {
            complaints.push(format!(
                "{} has maxReceiveCount {found}, but its retry back-off needs {wanted}",
                trigger.queue
            ));
        }
    }
    complaints
}

fn stream(name: &str, trigger: &StreamTrigger) -> Vec<String> {
    let mut complaints = Vec::new();
    let wanted = logical_id(name, "Table");
    if trigger.table != wanted {
        complaints.push(format!("event source {}, but consumes {wanted}", trigger.table));
    }
    if !trigger.report_batch_item_failures {
        complaints.push("batch setting: one failed record redelivers its whole batch".to_owned());
    }
    if trigger.on_failure_queue.is_none() {
        complaints.push("it has no on-failure destination".to_owned());
    }
    complaints
}

/// Checks that a rotation is triggered for the secret that it rotates.
fn rotation(description: &Description, triggers: &[&Trigger]) -> Vec<String> {
    let rotated = &description.uses.rotated_secrets;
    let wanted: Vec<_> = rotated.iter().map(|secret| logical_id(secret, "Secret")).collect();
    let found = triggers.iter().map(|trigger| match trigger {
        Trigger::Rotation(RotationTrigger { secret, .. }) => secret.clone(),
        other => format!("{other:?}"),
    });
    let found: Vec<_> = found.collect();
    if found == wanted {
        Vec::new()
    } else {
        vec![format!("rotates {}, but is made for {}", found.join(", "), wanted.join(", "))]
    }
}

/// Checks that every queue which invokes a function has a dead-letter queue.
pub(super) fn dead_letters(template: &Template) -> Vec<String> {
    let consumed = template.event_sources.iter().filter_map(|source| match &source.trigger {
        Trigger::Queue(trigger) => template.queues.get(&trigger.queue),
        Trigger::Stream(_) | Trigger::Schedule(_) | Trigger::Rotation(_) => None,
    });
    let without = consumed.filter(|queue| queue.redrive.is_none());
    without.map(|queue| format!("{}: no dead-letter queue", queue.logical_id)).collect()
}
