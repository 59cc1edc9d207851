//! The permissions that a function needs for its event source. As on AWS, a source cannot be
//! created if its function's policy does not allow all of them.

use crate::services::Names;
use sam_template::{EventSource, Trigger};

/// The actions of a queue's consumer.
const OF_QUEUE: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// The actions of a stream's reader.
const OF_STREAM: [&str; 4] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// The actions that a source needs, with the ARNs of their resources.
pub(super) fn needed(source: &EventSource, names: &Names) -> Vec<(&'static str, String)> {
    let queue = |id: &str| names.queue(id).map(|queue| queue.arn.clone()).unwrap_or_default();
    match &source.trigger {
        Trigger::Queue(trigger) => OF_QUEUE.map(|action| (action, queue(&trigger.queue))).to_vec(),
        Trigger::Stream(trigger) => {
            let stream = names.table(&trigger.table).and_then(|table| table.stream_arn.clone());
            let stream = stream.unwrap_or_default();
            let mut needed = OF_STREAM.map(|action| (action, stream.clone())).to_vec();
            let failures = trigger.on_failure_queue.iter();
            needed.extend(failures.map(|failures| ("sqs:SendMessage", queue(failures))));
            needed
        }
        Trigger::Schedule(_) | Trigger::Rotation(_) => Vec::new(),
    }
}
