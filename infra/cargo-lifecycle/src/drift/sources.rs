//! Event sources: their kinds, and what a person configures: rotations, and the queues' visibility
//! timeouts.

use sam_template::{Function, QueueTrigger, RotationTrigger, Template, Trigger};
use tooling::descriptions::{Description, Kind, Source};

use crate::codegen::names::logical_id;

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
        (None, [])
        | (Some(Source::Stream(_)), [Trigger::Stream(_)])
        // A person chooses its trigger, and the template's model does not have all kinds.
        | (Some(Source::Event(_)), _) => Vec::new(),
        (Some(Source::Schedule(wanted)), [Trigger::Schedule(found)])
            if found.expression == wanted.expression =>
        {
            Vec::new()
        }
        (Some(Source::Queue(_)), [Trigger::Queue(trigger)]) => {
            visibility(template, function, trigger).into_iter().collect()
        }
        (wanted, found) => {
            vec![format!("has the event sources {found:?}, but consumes {wanted:?}")]
        }
    }
}

/// Checks that a queue's messages stay hidden for as long as a batch may take.
fn visibility(template: &Template, function: &Function, trigger: &QueueTrigger) -> Option<String> {
    let queue = template.queues.get(&trigger.queue)?;
    let least = function.timeout * VISIBILITY_PER_TIMEOUT;
    (queue.visibility_timeout < least).then(|| {
        format!(
            "visibility timeout of {} is too short: {} s, at least {} s",
            trigger.queue,
            queue.visibility_timeout.as_secs(),
            least.as_secs()
        )
    })
}

/// Checks that a rotation is triggered for the secret that it rotates.
fn rotation(description: &Description, triggers: &[&Trigger]) -> Vec<String> {
    let rotated = &description.resources.rotated_secrets;
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
