//! Messages as receive calls return them.

use serde_json::{Map, Value as Json, json};

use super::message::{Message, digest, digest_of};
use crate::Millis;

/// The parameters of a receive call.
#[derive(Debug, Clone)]
pub(super) struct Receive {
    pub(super) count: usize,
    pub(super) visibility: Millis,
    /// The names of system attributes.
    pub(super) system: Vec<String>,
    pub(super) attributes: Vec<String>,
    pub(super) is_long: bool,
}

/// The receipt handle of the last receive of a message.
fn handle(queue: &str, number: u64, receive_count: u32) -> String {
    format!("{queue}/{number}/{receive_count}")
}

/// The number of a message, and the number of the receive, of a receipt handle of the queue.
pub(super) fn numbers_of(queue: &str, handle: &str) -> Option<(u64, u32)> {
    let (number, receive) = handle.strip_prefix(queue)?.strip_prefix('/')?.split_once('/')?;
    Some((number.parse().ok()?, receive.parse().ok()?))
}

pub(super) fn answer(messages: Vec<Json>) -> Json {
    if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) }
}

/// A message as a receive call returns it.
pub(super) fn shown(queue: &str, number: u64, message: &Message, receive: &Receive) -> Json {
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": handle(queue, number, message.receive_count),
        "MD5OfBody": digest(&message.body),
        "Body": message.body,
    });
    let is_wanted = |name: &str| receive.system.iter().any(|it| it == "All" || it == name);
    let system = system_attributes(message).into_iter().filter(|(name, _)| is_wanted(name));
    let system: Map<String, Json> =
        system.map(|(name, value)| (name.to_owned(), Json::String(value))).collect();
    if !system.is_empty() {
        shown["Attributes"] = Json::Object(system);
    }
    let is_wanted = |name: &str| {
        receive.attributes.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(beginning) => name.starts_with(beginning),
            None => wanted == "All" || wanted == name,
        })
    };
    let attributes = message.attributes.iter().filter(|(name, _)| is_wanted(name));
    let attributes: Vec<_> = attributes.collect();
    if let Some(digest) = digest_of(attributes.iter().copied()) {
        shown["MD5OfMessageAttributes"] = json!(digest);
        let attributes = attributes.into_iter().map(|(name, value)| (name.clone(), json!(value)));
        shown["MessageAttributes"] = Json::Object(attributes.collect());
    }
    shown
}

fn system_attributes(message: &Message) -> Vec<(&'static str, String)> {
    let first = message.first_received_at.unwrap_or_default();
    let mut attributes = vec![
        ("SenderId", "AIDASIMULATION".to_owned()),
        ("SentTimestamp", message.sent_at.0.to_string()),
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("ApproximateFirstReceiveTimestamp", first.0.to_string()),
    ];
    for (name, value) in [
        ("MessageGroupId", &message.group),
        ("MessageDeduplicationId", &message.deduplication),
        ("SequenceNumber", &message.sequence),
        ("AWSTraceHeader", &message.trace),
        ("DeadLetterQueueSourceArn", &message.source),
    ] {
        attributes.extend(value.clone().map(|value| (name, value)));
    }
    attributes
}
