//! Queues and streams: no message is lost or delivered twice at once, and none blocks the others.

use serde_json::Value;

use super::stack::{Resource, Stack};
use super::words;

/// Fourteen days, the maximum: an operator has this time to look at dead letters.
const DEAD_LETTERS_KEPT_S: u64 = 1_209_600;
/// AWS's recommendation for queues that invoke functions: six times the function's timeout.
const VISIBILITY_PER_TIMEOUT: u64 = 6;

pub(super) fn complaints(main: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for queue in main.resources("AWS::SQS::Queue") {
        if !words::is_of_creation(queue.property("/QueueName")) {
            complaints.push(format!(
                "{}: its name cannot be reused for a minute after deletion",
                queue.id
            ));
        }
        if !queue.is("/SqsManagedSseEnabled", true) {
            complaints.push(format!("{}: is not encrypted", queue.id));
        }
        if let Some(dead) = words::referred(queue.property("/RedrivePolicy/deadLetterTargetArn")) {
            complaints.extend(dead_letters(main, queue.id, dead));
        }
    }
    for mapping in main.resources("AWS::Lambda::EventSourceMapping") {
        complaints.extend(consumed(main, mapping));
    }
    complaints
}

fn dead_letters(main: Stack<'_>, of: &str, id: &str) -> Option<String> {
    let queue = main.resources("AWS::SQS::Queue").find(|queue| queue.id == id);
    let Some(queue) = queue else { return Some(format!("{of}: its dead-letter queue is missing")) };
    let kept_s = queue.property("/MessageRetentionPeriod").as_u64();
    (kept_s != Some(DEAD_LETTERS_KEPT_S))
        .then(|| format!("{id}: keeps dead letters for less than 14 days"))
}

fn consumed(main: Stack<'_>, mapping: Resource<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    let reports = words::each(mapping.property("/FunctionResponseTypes"));
    if !reports.into_iter().any(|kind| kind == "ReportBatchItemFailures") {
        complaints.push(format!("{}: one failed record redelivers its batch", mapping.id));
    }
    let source = mapping.property("/EventSourceArn");
    if let Some(queue) = main.named("AWS::SQS::Queue", source) {
        complaints.extend(queue_of(main, mapping, queue));
    } else {
        let given_up = mapping.property("/DestinationConfig/OnFailure/Destination");
        match words::referred(given_up) {
            Some(id) => complaints.extend(dead_letters(main, mapping.id, id)),
            None => complaints.push(format!("{}: has no on-failure destination", mapping.id)),
        }
    }
    complaints
}

fn queue_of(main: Stack<'_>, mapping: Resource<'_>, queue: Resource<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    if queue.property("/RedrivePolicy").is_null() {
        complaints.push(format!("{}: has no dead-letter queue", queue.id));
    }
    let seconds = |value: &Value| value.as_u64().unwrap_or(0);
    let function = main.function(mapping.property("/FunctionName"));
    let timeout_s = function.map_or(0, |function| seconds(function.property("/Timeout")));
    let window_s = seconds(mapping.property("/MaximumBatchingWindowInSeconds"));
    let least_s = VISIBILITY_PER_TIMEOUT * timeout_s + window_s;
    if timeout_s == 0 {
        complaints.push(format!("{}: invokes no function of the template", mapping.id));
    } else if seconds(queue.property("/VisibilityTimeout")) < least_s {
        complaints.push(format!("{}: its visibility timeout is below {least_s} s", queue.id));
    }
    complaints
}
