//! Message groups of FIFO queues. The embedded SQS returns one message of a group at a time. So it
//! gets each message in a separate group, and [`line`](super::line) keeps the order of the
//! sender's groups.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde_json::Value;

use super::groups::{GROUP, is_fifo};

/// The number of groups that the embedded SQS has got.
#[derive(Debug, Default)]
pub(super) struct Numbers(AtomicU64);

impl Numbers {
    /// The input of a call in which each message has its own group; `None` if nothing changes. The
    /// group begins with a number, because the embedded SQS returns groups in the order of their
    /// names. The sender's group follows.
    pub(super) fn separate(&self, operation: &str, body: &Bytes) -> Option<Bytes> {
        if !matches!(operation, "SendMessage" | "SendMessageBatch") {
            return None;
        }
        let mut input: Value = serde_json::from_slice(body).ok()?;
        if !is_fifo(&input) {
            return None;
        }
        let change = |message: &mut Value| {
            if let Some(Value::String(group)) = message.get_mut(GROUP) {
                *group = format!("{:020} {group}", self.0.fetch_add(1, Ordering::Relaxed));
            }
        };
        match input.get_mut("Entries").and_then(Value::as_array_mut) {
            Some(entries) => entries.iter_mut().for_each(change),
            None => change(&mut input),
        }
        Some(input.to_string().into())
    }
}

/// The response of a receive with the senders' groups, by the call's input; `None` if nothing
/// changes.
pub(super) fn unite(input: &Bytes, answer: &Bytes) -> Option<Bytes> {
    let input: Value = serde_json::from_slice(input).ok()?;
    if !is_fifo(&input) {
        return None;
    }
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    for message in answer.get_mut("Messages")?.as_array_mut()? {
        let group = message.get_mut("Attributes").and_then(|all| all.get_mut(GROUP));
        // A group has no spaces.
        if let Some(Value::String(group)) = group
            && let Some((_, given)) = group.split_once(' ')
        {
            *group = given.to_owned();
        }
    }
    Some(answer.to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_message_of_a_fifo_queue_has_its_own_group_in_the_embedded_sqs() {
        let numbers = Numbers::default();
        let url = "http://127.0.0.1/0/work.fifo";
        let separate = |operation: &str, input: Value| -> Value {
            let input = numbers.separate(operation, &input.to_string().into()).unwrap();
            serde_json::from_slice(&input).unwrap()
        };
        let one = separate("SendMessage", json!({ "QueueUrl": url, "MessageGroupId": "a" }));
        assert_eq!(one[GROUP], "00000000000000000000 a");
        let entries = json!([{ "MessageGroupId": "a" }, { "MessageGroupId": "b" }, {}]);
        let several = separate("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries }));
        assert_eq!(several["Entries"][0][GROUP], "00000000000000000001 a");
        assert_eq!(several["Entries"][1][GROUP], "00000000000000000002 b");
        assert_eq!(several["Entries"][2], json!({}));

        let message = json!({ "Attributes": { "MessageGroupId": several["Entries"][1][GROUP] } });
        let answer = json!({ "Messages": [message, {}] }).to_string().into();
        let united = unite(&json!({ "QueueUrl": url }).to_string().into(), &answer).unwrap();
        let united: Value = serde_json::from_slice(&united).unwrap();
        assert_eq!(united["Messages"][0]["Attributes"][GROUP], "b");
    }

    #[test]
    fn a_call_to_a_standard_queue_is_unchanged() {
        let input = json!({ "QueueUrl": "http://127.0.0.1/0/work", "MessageGroupId": "a" });
        let input = input.to_string().into();
        assert_eq!(Numbers::default().separate("SendMessage", &input), None);
        assert_eq!(unite(&input, &Bytes::from_static(b"{\"Messages\": []}")), None);
    }
}
