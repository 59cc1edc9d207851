//! Message groups of standard queues (SQS fair queues). The embedded SQS rejects them, so they are
//! removed from calls and added to responses. [`line`](super::line) uses them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};

/// The maximum number of remembered messages. Older ones lose their group.
const MESSAGES_MAX: usize = 100_000;
/// The attribute.
pub(super) const GROUP: &str = "MessageGroupId";

/// The groups of the latest messages, by the messages' ids.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    groups: HashMap<String, String>,
    /// Oldest first.
    messages: VecDeque<String>,
}

/// The groups removed from a call, by entry id; the only message of `SendMessage` has no entry id.
pub(super) type Taken = Vec<(Option<String>, String)>;

/// Whether the queue of a call is FIFO.
pub(super) fn is_fifo(input: &Value) -> bool {
    input["QueueUrl"].as_str().is_some_and(|url| url.strip_suffix(".fifo").is_some())
}

/// The input of a call without its messages' groups, and these groups. `None` if there are none, or
/// the queue is FIFO: [`fifo`](super::fifo) has its groups.
pub(super) fn take_out(operation: &str, body: &Bytes) -> Option<(Bytes, Taken)> {
    if !matches!(operation, "SendMessage" | "SendMessageBatch") {
        return None;
    }
    let mut input: Value = serde_json::from_slice(body).ok()?;
    if is_fifo(&input) {
        return None;
    }
    let mut taken = Taken::new();
    let mut take = |message: &mut Value| {
        let group = message.as_object_mut()?.remove(GROUP)?.as_str()?.to_owned();
        taken.push((message["Id"].as_str().map(ToOwned::to_owned), group));
        Some(())
    };
    take(&mut input);
    for entry in input.get_mut("Entries").and_then(Value::as_array_mut).into_iter().flatten() {
        take(entry);
    }
    (!taken.is_empty()).then(|| (input.to_string().into(), taken))
}

impl Groups {
    /// Remembers the groups of the messages that a call has sent, by its response.
    pub(super) fn note(&self, taken: Taken, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        for (entry, group) in taken {
            let sent = match &entry {
                None => &answer["MessageId"],
                Some(id) => {
                    let sent = answer["Successful"].as_array();
                    let sent = sent.and_then(|all| all.iter().find(|sent| sent["Id"] == **id));
                    sent.map_or(&Value::Null, |sent| &sent["MessageId"])
                }
            };
            if let Some(message) = sent.as_str() {
                self.add(message, group);
            }
        }
    }

    /// Remembers the group of a message.
    pub(super) fn add(&self, message: &str, group: String) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.groups.insert(message.to_owned(), group);
        known.messages.push_back(message.to_owned());
        if known.messages.len() > MESSAGES_MAX
            && let Some(oldest) = known.messages.pop_front()
        {
            known.groups.remove(&oldest);
        }
    }

    /// The response of a receive, with the groups of its messages added.
    pub(super) fn put_back(&self, answer: Bytes) -> Bytes {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.groups.is_empty() {
            return answer;
        }
        let Ok(mut told) = serde_json::from_slice::<Value>(&answer) else { return answer };
        for message in told.get_mut("Messages").and_then(Value::as_array_mut).into_iter().flatten()
        {
            let group = message["MessageId"].as_str().and_then(|id| known.groups.get(id));
            if let Some(group) = group {
                message["Attributes"][GROUP] = json!(group);
            }
        }
        told.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_a_standard_queue_are_removed_and_added_back() {
        let input = json!({ "QueueUrl": "http://127.0.0.1/0/work", "Entries": [
            { "Id": "0", "MessageBody": "a", "MessageGroupId": "one" },
            { "Id": "1", "MessageBody": "b" },
            { "Id": "2", "MessageBody": "c", "MessageGroupId": "two" },
        ] });
        let (body, taken) = take_out("SendMessageBatch", &input.to_string().into()).unwrap();
        assert!(!String::from_utf8_lossy(&body).contains(GROUP));
        let groups = Groups::default();
        let sent = json!({ "Successful": [
            { "Id": "0", "MessageId": "m0" }, { "Id": "1", "MessageId": "m1" },
        ], "Failed": [{ "Id": "2" }] });
        groups.note(taken, sent.to_string().as_bytes());
        let received = json!({ "Messages": [
            { "MessageId": "m0", "Attributes": { "ApproximateReceiveCount": "1" } },
            { "MessageId": "m1", "Attributes": {} },
        ] });
        let told = groups.put_back(received.to_string().into());
        let told: Value = serde_json::from_slice(&told).unwrap();
        let attributes = json!({ "ApproximateReceiveCount": "1", "MessageGroupId": "one" });
        assert_eq!(told["Messages"][0]["Attributes"], attributes);
        assert_eq!(told["Messages"][1], received["Messages"][1]);
    }

    #[test]
    fn the_groups_of_a_fifo_queue_are_left() {
        let input = json!({
            "QueueUrl": "http://127.0.0.1/0/work.fifo", "MessageBody": "a", "MessageGroupId": "one",
        });
        assert_eq!(take_out("SendMessage", &input.to_string().into()), None);
        let receive = json!({ "QueueUrl": "http://127.0.0.1/0/work", "MessageGroupId": "one" });
        assert_eq!(take_out("ReceiveMessage", &receive.to_string().into()), None);
    }

    #[test]
    fn the_oldest_groups_are_forgotten_at_the_limit() {
        let groups = Groups::default();
        for number in 0..=MESSAGES_MAX {
            let sent = json!({ "MessageId": number.to_string() }).to_string();
            groups.note(vec![(None, "one".to_owned())], sent.as_bytes());
        }
        let known = groups.0.lock().unwrap();
        assert_eq!((known.groups.len(), known.messages.len()), (MESSAGES_MAX, MESSAGES_MAX));
        assert!(!known.groups.contains_key("0"));
    }
}
