//! The groups of messages in standard queues (SQS's fair queues), which the embedded SQS refuses: they
//! are taken out on the way in and put back on the way out. [`fair`](super::fair) serves by them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};

/// How many messages are remembered; the oldest are forgotten, and then have no group.
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

/// Groups that were taken out of a call, by the ids of its entries; the only message of a call has
/// none.
pub(super) type Taken = Vec<(Option<String>, String)>;

/// The input of a call without the groups of its messages, and these. `None` where there are none, as
/// in every call to a FIFO queue, which knows groups by itself.
pub(super) fn take_out(operation: &str, body: &Bytes) -> Option<(Bytes, Taken)> {
    if !matches!(operation, "SendMessage" | "SendMessageBatch") {
        return None;
    }
    let mut input: Value = serde_json::from_slice(body).ok()?;
    if input["QueueUrl"].as_str()?.strip_suffix(".fifo").is_some() {
        return None;
    }
    let mut taken = Taken::new();
    let mut take = |message: &mut Value| {
        let group = message.as_object_mut()?.remove(GROUP)?.as_str()?.to_owned();
        taken.push((message["Id"].as_str().map(ToOwned::to_owned), group));
        Some(())
    };
    take(&mut input);
    for entry in input["Entries"].as_array_mut().into_iter().flatten() {
        take(entry);
    }
    (!taken.is_empty()).then(|| (input.to_string().into(), taken))
}

impl Groups {
    /// Remembers the groups of the messages that a call has sent, by its answer.
    pub(super) fn note(&self, taken: Taken, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (entry, group) in taken {
            let sent = match &entry {
                None => &answer["MessageId"],
                Some(id) => {
                    let sent = answer["Successful"].as_array();
                    let sent = sent.and_then(|all| all.iter().find(|sent| sent["Id"] == **id));
                    sent.map_or(&Value::Null, |sent| &sent["MessageId"])
                }
            };
            let Some(message) = sent.as_str() else { continue };
            known.groups.insert(message.to_owned(), group);
            known.messages.push_back(message.to_owned());
            if known.messages.len() > MESSAGES_MAX
                && let Some(oldest) = known.messages.pop_front()
            {
                known.groups.remove(&oldest);
            }
        }
    }

    /// The answer of a receive with the groups of its messages, as SQS tells them.
    pub(super) fn put_back(&self, answer: Bytes) -> Bytes {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.groups.is_empty() {
            return answer;
        }
        let Ok(mut told) = serde_json::from_slice::<Value>(&answer) else { return answer };
        for message in told["Messages"].as_array_mut().into_iter().flatten() {
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
    fn the_groups_of_a_standard_queue_are_taken_out_and_put_back() {
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
    fn a_fifo_queue_keeps_its_groups_to_itself() {
        let input = json!({
            "QueueUrl": "http://127.0.0.1/0/work.fifo", "MessageBody": "a", "MessageGroupId": "one",
        });
        assert_eq!(take_out("SendMessage", &input.to_string().into()), None);
        let receive = json!({ "QueueUrl": "http://127.0.0.1/0/work", "MessageGroupId": "one" });
        assert_eq!(take_out("ReceiveMessage", &receive.to_string().into()), None);
    }

    #[test]
    fn only_so_many_groups_are_remembered() {
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
