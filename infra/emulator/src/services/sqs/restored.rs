//! The identities of restored messages. The embedded SQS gives them new ids and times; callers see
//! the former ones.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// The attribute of a dead letter: the ARN of the queue that it was in before.
const SOURCE: &str = "DeadLetterQueueSourceArn";

/// The restored messages.
#[derive(Debug, Default)]
pub(super) struct Restored(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By the embedded SQS's ids.
    identities: HashMap<String, Identity>,
    /// The embedded SQS's ids, by the former ones.
    embedded: HashMap<String, String>,
}

/// The former identity of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) sent_at_ms: i64,
    pub(super) first_received_at_ms: Option<i64>,
    pub(super) deduplication_id: Option<String>,
    /// For a dead letter, the ARN of the queue that it was in before.
    pub(super) source_arn: Option<String>,
}

impl Restored {
    /// Adds a message, by the id that the embedded SQS has given it.
    pub(super) fn add(&self, embedded_id: &str, identity: Identity) {
        let mut known = self.known();
        known.embedded.insert(identity.id.clone(), embedded_id.to_owned());
        known.identities.insert(embedded_id.to_owned(), identity);
    }

    /// The input of a call with the receipt handles that the embedded SQS knows; `None` if nothing
    /// changes.
    pub(super) fn to_embedded(&self, operation: &str, body: &Bytes) -> Option<Bytes> {
        let known = self.known();
        let is_change = operation.starts_with("Delete") || operation.starts_with("Change");
        if !is_change || known.embedded.is_empty() {
            return None;
        }
        let mut input: Value = serde_json::from_slice(body).ok()?;
        match input.get_mut("Entries").and_then(Value::as_array_mut) {
            Some(entries) => {
                for entry in entries {
                    rename(entry, |id| known.embedded.get(id));
                }
            }
            None => rename(&mut input, |id| known.embedded.get(id)),
        }
        Some(input.to_string().into())
    }

    /// The response to a call with the former identities, by the call's input; `None` if nothing
    /// changes.
    pub(super) fn to_caller(&self, operation: &str, body: &Bytes, answer: &Bytes) -> Option<Bytes> {
        let known = self.known();
        let has_ids = matches!(operation, "ReceiveMessage" | "SendMessage" | "SendMessageBatch");
        if !has_ids || known.identities.is_empty() {
            return None;
        }
        let mut answer: Value = serde_json::from_slice(answer).ok()?;
        match operation {
            "ReceiveMessage" => {
                let input: Value = serde_json::from_slice(body).unwrap_or_default();
                let messages = answer.get_mut("Messages").and_then(Value::as_array_mut);
                for message in messages.into_iter().flatten() {
                    known.show(message, is_source_wanted(&input));
                }
            }
            "SendMessage" => known.show_id(&mut answer),
            _ => {
                let sent = answer.get_mut("Successful").and_then(Value::as_array_mut);
                sent.into_iter().flatten().for_each(|sent| known.show_id(sent));
            }
        }
        Some(answer.to_string().into())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Gives a received message its former identity.
    fn show(&self, message: &mut Value, is_source_wanted: bool) {
        let id = message["MessageId"].as_str().unwrap_or_default().to_owned();
        let Some(identity) = self.identities.get(&id) else { return };
        message["MessageId"] = json!(identity.id);
        rename(message, |it| (it == id).then_some(&identity.id));
        let has_moved = !message["Attributes"][SOURCE].is_null();
        let mut replace = |name: &str, value: Option<String>| {
            let shown = message.get_mut("Attributes").and_then(|all| all.get_mut(name));
            if let (Some(shown), Some(value)) = (shown, value) {
                *shown = value.into();
            }
        };
        let is_fifo = identity.deduplication_id.is_some();
        if !(has_moved && is_fifo) {
            replace("SentTimestamp", Some(identity.sent_at_ms.to_string()));
        }
        // In this run, it has become a dead letter: the embedded SQS has reset the other attributes.
        if has_moved {
            replace("MessageDeduplicationId", Some(identity.id.clone()));
            return;
        }
        let first_received_at_ms = identity.first_received_at_ms.map(|ms| ms.to_string());
        replace("ApproximateFirstReceiveTimestamp", first_received_at_ms);
        replace("MessageDeduplicationId", identity.deduplication_id.clone());
        if let Some(arn) = identity.source_arn.as_ref().filter(|_| is_source_wanted) {
            message["Attributes"][SOURCE] = json!(arn);
        }
    }

    /// Gives the response to a repeated send the id of the first one.
    fn show_id(&self, sent: &mut Value) {
        let identity = sent["MessageId"].as_str().and_then(|id| self.identities.get(id));
        if let Some(identity) = identity {
            sent["MessageId"] = json!(identity.id);
        }
    }
}

fn is_source_wanted(input: &Value) -> bool {
    let lists = ["AttributeNames", "MessageSystemAttributeNames"];
    let mut names = lists.iter().filter_map(|list| input[*list].as_array()).flatten();
    names.any(|name| name == "All" || name == SOURCE)
}

/// Replaces the message id in the receipt handle of a message or an entry, unless the id is unknown.
fn rename<'a>(entry: &mut Value, renamed: impl Fn(&str) -> Option<&'a String>) {
    let Some(handle) = entry.get_mut("ReceiptHandle") else { return };
    let decoded = handle.as_str().and_then(|handle| STANDARD.decode(handle).ok());
    let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else { return };
    if let Some((id, rest)) = text.split_once(':')
        && let Some(id) = renamed(id)
    {
        *handle = STANDARD.encode(format!("{id}:{rest}")).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(id: &str) -> String {
        STANDARD.encode(format!("{id}:1:2"))
    }

    fn restored() -> Restored {
        let restored = Restored::default();
        let identity = Identity {
            id: "former".to_owned(),
            sent_at_ms: 5,
            first_received_at_ms: Some(6),
            deduplication_id: Some("d".to_owned()),
            source_arn: Some("arn".to_owned()),
        };
        restored.add("new", identity);
        restored
    }

    fn received(restored: &Restored, input: &Value, answer: &Value) -> Value {
        let (input, answer) = (input.to_string().into(), answer.to_string().into());
        let answer = restored.to_caller("ReceiveMessage", &input, &answer).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    #[test]
    fn a_received_message_has_its_former_identity() {
        let attributes = json!({
            "SentTimestamp": "8", "ApproximateFirstReceiveTimestamp": "9",
            "ApproximateReceiveCount": "3", "MessageDeduplicationId": "other",
        });
        let other = json!({ "MessageId": "other", "ReceiptHandle": handle("other") });
        let answer = json!({ "Messages": [
            { "MessageId": "new", "ReceiptHandle": handle("new"), "Attributes": attributes }, other,
        ] });
        let input = json!({ "MessageSystemAttributeNames": ["All"] });

        let shown = received(&restored(), &input, &answer);

        assert_eq!(shown["Messages"][0]["MessageId"], "former");
        assert_eq!(shown["Messages"][0]["ReceiptHandle"], handle("former"));
        let attributes = json!({
            "SentTimestamp": "5", "ApproximateFirstReceiveTimestamp": "6",
            "ApproximateReceiveCount": "3", "MessageDeduplicationId": "d",
            "DeadLetterQueueSourceArn": "arn",
        });
        assert_eq!(shown["Messages"][0]["Attributes"], attributes);
        assert_eq!(shown["Messages"][1], other);
    }

    #[test]
    fn attributes_that_were_not_asked_for_are_not_added() {
        let answer =
            json!({ "Messages": [{ "MessageId": "new", "ReceiptHandle": handle("new") }] });
        let shown = received(&restored(), &json!({}), &answer);
        assert!(shown["Messages"][0].get("Attributes").is_none(), "{shown}");
    }

    #[test]
    fn a_fifo_message_that_becomes_a_dead_letter_has_the_times_of_its_new_queue() {
        let attributes = json!({ "SentTimestamp": "8", "DeadLetterQueueSourceArn": "new arn" });
        let answer = json!({ "Messages": [
            { "MessageId": "new", "ReceiptHandle": handle("new"), "Attributes": attributes },
        ] });
        let shown = received(&restored(), &json!({ "AttributeNames": ["All"] }), &answer);
        assert_eq!(shown["Messages"][0]["Attributes"], attributes);
        assert_eq!(shown["Messages"][0]["MessageId"], "former");
    }

    #[test]
    fn receipt_handles_of_calls_are_the_embedded_ones() {
        let restored = restored();
        let renamed = |operation: &str, input: Value| {
            let input = restored.to_embedded(operation, &input.to_string().into()).unwrap();
            serde_json::from_slice::<Value>(&input).unwrap()
        };
        let one = renamed("DeleteMessage", json!({ "ReceiptHandle": handle("former") }));
        assert_eq!(one["ReceiptHandle"], handle("new"));
        let entries = json!({ "Entries": [
            { "ReceiptHandle": handle("former") }, { "ReceiptHandle": handle("other") },
        ] });
        let entries = renamed("ChangeMessageVisibilityBatch", entries);
        assert_eq!(entries["Entries"][0]["ReceiptHandle"], handle("new"));
        assert_eq!(entries["Entries"][1]["ReceiptHandle"], handle("other"));
        assert_eq!(restored.to_embedded("SendMessage", &Bytes::from_static(b"{}")), None);
        assert_eq!(Restored::default().to_embedded("DeleteMessage", &Bytes::new()), None);
    }

    #[test]
    fn a_repeated_send_is_answered_with_the_former_id() {
        let restored = restored();
        let answered = |operation: &str, answer: Value| {
            let answer = answer.to_string().into();
            let answer = restored.to_caller(operation, &Bytes::new(), &answer).unwrap();
            serde_json::from_slice::<Value>(&answer).unwrap()
        };
        let one = answered("SendMessage", json!({ "MessageId": "new" }));
        assert_eq!(one["MessageId"], "former");
        let several = json!({ "Successful": [{ "MessageId": "other" }, { "MessageId": "new" }] });
        let several = answered("SendMessageBatch", several);
        assert_eq!(several["Successful"][0]["MessageId"], "other");
        assert_eq!(several["Successful"][1]["MessageId"], "former");
    }
}
