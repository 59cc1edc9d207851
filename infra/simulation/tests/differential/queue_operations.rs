//! Operations on queues: their requests, and the part of a response that two engines must have in common.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use simulation::random::Random;

/// The operations on one pair of engines, which begin empty.
pub(super) const ROUND: usize = 40;
/// The messages of a round: one receive call returns all of them, so their order does not matter.
const MESSAGES_MAX: usize = 8;

/// An operation on a queue.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Send {
        queue: usize,
        number: usize,
        delay_s: u64,
    },
    Receive {
        queue: usize,
        visibility_s: Option<u64>,
    },
    /// Of the receive call with this number for the message.
    Delete {
        queue: usize,
        number: usize,
        receive: u32,
    },
    Change {
        queue: usize,
        number: usize,
        receive: u32,
        visibility_s: u64,
    },
    Count {
        queue: usize,
    },
    Pass {
        seconds: u64,
    },
}

/// The standard queue, the FIFO queue, and their dead-letter queues.
pub(super) const QUEUES: [&str; 4] = ["dead", "dead.fifo", "q", "q.fifo"];

pub(super) fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}
pub(super) const RECEIVE_COUNT_MAX: u32 = 3;

/// The operations of a round.
pub(super) fn generated(random: &mut impl Random) -> Vec<Operation> {
    let mut sent = 0;
    let mut list = Vec::new();
    for _ in 0..ROUND {
        let queue = random.index(QUEUES.len());
        let number = random.index(sent.max(1));
        let receive = 1 + u32::try_from(random.below(3)).unwrap();
        list.push(match random.below(10) {
            0..=2 if sent < MESSAGES_MAX => {
                sent += 1;
                let queue = 2 + random.index(2);
                let delay_s = if queue == 2 && random.below(3) == 0 { 3 } else { 0 };
                Operation::Send { queue, number: sent - 1, delay_s }
            }
            3 | 4 => {
                let visibility_s = [None, Some(1), Some(5)][random.index(3)];
                Operation::Receive { queue, visibility_s }
            }
            5 | 6 => Operation::Delete { queue, number, receive },
            7 => {
                let visibility_s = [0, 2, 20][random.index(3)];
                Operation::Change { queue, number, receive, visibility_s }
            }
            8 => Operation::Count { queue },
            _ => Operation::Pass { seconds: 1 + random.below(12) },
        });
    }
    list
}

/// The receipt handles of an engine, by queue, message and receive.
pub(super) type Handles = BTreeMap<(usize, usize, u32), String>;

/// The request of an operation; none if it needs a handle that is not there.
pub(super) fn request(
    operation: &Operation,
    urls: &[String],
    handles: &Handles,
) -> Option<(&'static str, Json)> {
    Some(match operation {
        Operation::Send { queue, number, delay_s } => {
            let mut send = json!({ "QueueUrl": urls[*queue], "MessageBody": number.to_string() });
            if is_fifo(QUEUES[*queue]) {
                send["MessageGroupId"] = json!("a");
                // Two numbers have one id: the second is dropped within five minutes.
                send["MessageDeduplicationId"] = json!((number / 2 * 2).to_string());
            } else {
                send["DelaySeconds"] = json!(delay_s);
            }
            ("SendMessage", send)
        }
        Operation::Receive { queue, visibility_s } => {
            // The SQS inside the emulator delivers one message of a group at a time. SQS and the
            // emulator deliver several.
            let count = if is_fifo(QUEUES[*queue]) { 1 } else { 10 };
            let mut receive = json!({
                "QueueUrl": urls[*queue], "MaxNumberOfMessages": count, "WaitTimeSeconds": 0,
                "AttributeNames": ["ApproximateReceiveCount", "MessageGroupId"],
            });
            if let Some(seconds) = visibility_s {
                receive["VisibilityTimeout"] = json!(seconds);
            }
            ("ReceiveMessage", receive)
        }
        Operation::Delete { queue, number, receive } => {
            let handle = handles.get(&(*queue, *number, *receive))?;
            ("DeleteMessage", json!({ "QueueUrl": urls[*queue], "ReceiptHandle": handle }))
        }
        Operation::Change { queue, number, receive, visibility_s } => {
            let handle = handles.get(&(*queue, *number, *receive))?;
            (
                "ChangeMessageVisibility",
                json!({
                    "QueueUrl": urls[*queue], "ReceiptHandle": handle, "VisibilityTimeout": visibility_s,
                }),
            )
        }
        Operation::Count { queue } => (
            "GetQueueAttributes",
            json!({
                "QueueUrl": urls[*queue],
                "AttributeNames": [
                    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            }),
        ),
        Operation::Pass { .. } => return None,
    })
}

/// The part that two engines must have in common: the type of the error, or the contents. The messages were
/// received `before` times in another queue, if the engine counts that.
pub(super) fn outcome(
    queue: usize,
    before: u32,
    status: u16,
    body: &Json,
    handles: &mut Handles,
) -> Json {
    if status != 200 {
        let kind = body["__type"].as_str().unwrap_or_default();
        return json!(kind.rsplit('#').next());
    }
    let Some(messages) = body.get("Messages").and_then(Json::as_array) else {
        let mut rest = body.clone();
        if let Some(members) = rest.as_object_mut() {
            for member in ["MessageId", "SequenceNumber", "Messages"] {
                members.remove(member);
            }
        }
        return rest;
    };
    let mut received = Vec::new();
    for message in messages {
        let count = message["Attributes"]["ApproximateReceiveCount"].as_str().unwrap_or_default();
        let number: usize = message["Body"].as_str().unwrap_or_default().parse().unwrap();
        let handle = message["ReceiptHandle"].as_str().unwrap_or_default().to_owned();
        let count = count.parse::<u32>().unwrap() - before;
        handles.insert((queue, number, count), handle);
        received.push(json!([
            number,
            count,
            message["Attributes"]["MessageGroupId"],
            message["MD5OfBody"]
        ]));
    }
    if !is_fifo(QUEUES[queue]) {
        received.sort_by_key(ToString::to_string);
    }
    json!(received)
}

pub(super) fn dead_letters_of(name: &str) -> Option<&'static str> {
    match name {
        "q" => Some("dead"),
        "q.fifo" => Some("dead.fifo"),
        _ => None,
    }
}

pub(super) fn queue_of(operation: &Operation) -> usize {
    match operation {
        Operation::Send { queue, .. }
        | Operation::Receive { queue, .. }
        | Operation::Delete { queue, .. }
        | Operation::Change { queue, .. }
        | Operation::Count { queue } => *queue,
        Operation::Pass { .. } => 0,
    }
}
