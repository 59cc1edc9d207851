//! A record of the queues' messages. It shows messages without receiving them, which neither SQS
//! nor the embedded SQS can do.

mod peek;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

pub use self::peek::{MessageState, QueuedMessage};
use crate::clock::Clock;
use crate::services::physical_names::QueueName;
use sam_template::Queue;

/// The maximum number of recorded messages over all queues. Only the oldest are shown, so new ones
/// are ignored when the journal is full.
const MESSAGES_MAX: usize = 10_000;

/// The maximum number of remembered deletions.
const DELETIONS_MAX: usize = 1_000;

/// The number of shown messages per queue.
const SHOWN_MAX: usize = 10;

/// Messages sent and not yet deleted.
///
/// Operations are noted after their response. So a receive, or even a deletion, may be noted before
/// the message's sending.
#[derive(Debug)]
pub(super) struct Journal {
    clock: Clock,
    queues: HashMap<String, QueueFacts>,
    /// By message id.
    messages: HashMap<String, Message>,
    /// The number of recorded messages so far.
    entered: u64,
    /// The ids of the latest deleted messages.
    deleted: VecDeque<String>,
}

#[derive(Debug)]
struct QueueFacts {
    visibility_timeout: Duration,
    delay: Duration,
    /// The dead-letter queue's logical id and physical name, and its `maxReceiveCount`.
    dead_letters: Option<(String, String, u32)>,
}

#[derive(Debug)]
struct Message {
    /// Its position in the order of recording.
    number: u64,
    queue: String,
    entry: JournalEntry,
    content: Content,
    delayed_until: Instant,
    hidden_until: Instant,
    /// The physical name of the queue that it was in before it became a dead letter.
    source: Option<String>,
}

/// The parts of a message besides its body.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Content {
    /// The sender's attributes in SQS's form, or null.
    pub(super) attributes: Value,
    pub(super) group: Option<String>,
    pub(super) deduplication_id: Option<String>,
    /// The physical name of the queue that it was in before it became a dead letter.
    pub(super) source: Option<String>,
}

/// A message that is in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JournalEntry {
    /// Its id.
    pub message_id: String,
    /// Its unchanged body.
    pub body: String,
    /// The time of sending.
    pub sent_at: Timestamp,
    /// The number of receives from its present queue.
    pub receive_count: u32,
}

impl Journal {
    /// A journal without queues, which notes the times of this clock.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            queues: HashMap::new(),
            messages: HashMap::new(),
            entered: 0,
            deleted: VecDeque::new(),
        }
    }

    /// Adds a queue; `dead_letters` is the name of its dead-letter queue.
    pub(super) fn add_queue(
        &mut self,
        queue: &Queue,
        name: &QueueName,
        dead_letters: Option<&QueueName>,
    ) {
        let dead_letters = queue.redrive.as_ref().zip(dead_letters).map(|(redrive, name)| {
            (redrive.dead_letter_queue.clone(), name.name.clone(), redrive.max_receive_count)
        });
        let (visibility_timeout, delay) = (queue.visibility_timeout, queue.delay);
        let facts = QueueFacts { visibility_timeout, delay, dead_letters };
        self.queues.insert(name.name.clone(), facts);
    }

    pub(super) fn dead_letter_queue(&self, queue: &str) -> Option<&str> {
        let (id, ..) = self.queues.get(queue)?.dead_letters.as_ref()?;
        Some(id)
    }

    /// The oldest messages of a queue, within the runtime of SQS.
    pub(super) fn first_messages(&self, queue: &str) -> Vec<JournalEntry> {
        let now = Instant::now();
        let here = self.messages.values().filter(|message| self.place(message, now) == queue);
        let mut here: Vec<&Message> = here.collect();
        here.sort_unstable_by_key(|message| message.number);
        here.truncate(SHOWN_MAX);
        here.into_iter().map(|message| message.entry.clone()).collect()
    }

    /// Updates the journal after a successful operation.
    pub(super) fn note(&mut self, operation: &str, input: &[u8], output: &[u8]) {
        let input: Value = serde_json::from_slice(input).unwrap_or_default();
        let output: Value = serde_json::from_slice(output).unwrap_or_default();
        let queue = input["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next());
        let Some(queue) = queue else {
            return;
        };
        match operation {
            "SendMessage" => self.sent(queue, &output, &input),
            "SendMessageBatch" => {
                for (entry, result) in succeeded(&input, &output) {
                    self.sent(queue, result, entry);
                }
            }
            "ReceiveMessage" => {
                let timeout = input["VisibilityTimeout"].as_u64().map(Duration::from_secs);
                for message in list(&output["Messages"]) {
                    self.received(queue, message, timeout);
                }
            }
            "DeleteMessage" => self.deleted(&input["ReceiptHandle"]),
            "DeleteMessageBatch" => {
                for (entry, _) in succeeded(&input, &output) {
                    self.deleted(&entry["ReceiptHandle"]);
                }
            }
            "ChangeMessageVisibility" => self.hidden(&input),
            "ChangeMessageVisibilityBatch" => {
                succeeded(&input, &output).for_each(|(entry, _)| self.hidden(entry));
            }
            "PurgeQueue" => self.messages.retain(|_, message| message.queue != queue),
            _ => {}
        }
    }

    /// The queue that shows a message. After its last receive, that is the dead-letter queue once
    /// the message is not in flight; the queue itself moves it later.
    fn place<'a>(&'a self, message: &'a Message, now: Instant) -> &'a str {
        let facts = self.queues.get(&message.queue);
        match facts.and_then(|facts| facts.dead_letters.as_ref()) {
            Some((_, name, receives_max))
                if message.entry.receive_count >= *receives_max && message.hidden_until <= now =>
            {
                name
            }
            _ => &message.queue,
        }
    }

    /// Records a message by the input that sent it.
    fn sent(&mut self, queue: &str, result: &Value, input: &Value) {
        let delay = self.queues.get(queue).map(|facts| facts.delay);
        let delay = input["DelaySeconds"].as_u64().map(Duration::from_secs).or(delay);
        let body = &input["MessageBody"];
        self.record(queue, result, body, Content::sent(input), delay.unwrap_or_default());
    }

    /// Records a message, unless it is known or already deleted.
    fn record(
        &mut self,
        queue: &str,
        message: &Value,
        body: &Value,
        content: Content,
        delay: Duration,
    ) {
        let (Some(id), Some(body)) = (message["MessageId"].as_str(), body.as_str()) else {
            return;
        };
        let is_gone = self.deleted.iter().any(|deleted| deleted == id);
        if is_gone || self.messages.contains_key(id) || self.messages.len() == MESSAGES_MAX {
            return;
        }
        let entry = JournalEntry {
            message_id: id.to_owned(),
            body: body.to_owned(),
            sent_at: self.clock.now(),
            receive_count: 0,
        };
        self.enter(queue, entry, content, delay);
    }

    /// Records a message of an earlier run, within the runtime of SQS.
    pub(super) fn restore(
        &mut self,
        queue: &str,
        entry: JournalEntry,
        content: Content,
        delay: Duration,
    ) {
        if self.messages.len() < MESSAGES_MAX {
            self.enter(queue, entry, content, delay);
        }
    }

    fn enter(&mut self, queue: &str, entry: JournalEntry, mut content: Content, delay: Duration) {
        let (id, now) = (entry.message_id.clone(), Instant::now());
        let message = Message {
            number: self.entered,
            queue: queue.to_owned(),
            entry,
            source: content.source.take(),
            content,
            delayed_until: now + delay,
            hidden_until: now,
        };
        self.entered += 1;
        self.messages.insert(id, message);
    }

    fn received(&mut self, queue: &str, received: &Value, timeout: Option<Duration>) {
        let content = Content::received(received);
        self.record(queue, received, &received["Body"], content, Duration::ZERO);
        let facts = self.queues.get(queue).map(|facts| facts.visibility_timeout);
        let timeout = timeout.or(facts).unwrap_or_default();
        let id = received["MessageId"].as_str().unwrap_or_default();
        let Some(message) = self.messages.get_mut(id) else {
            return;
        };
        if message.queue != queue {
            message.source = Some(std::mem::replace(&mut message.queue, queue.to_owned()));
            message.entry.receive_count = 0;
        }
        message.entry.receive_count += 1;
        message.hidden_until = Instant::now() + timeout;
    }

    fn deleted(&mut self, receipt_handle: &Value) {
        if let Some(id) = message_of(receipt_handle) {
            self.forget(id);
        }
    }

    /// Removes a message. A later send of it is a repetition, and is ignored.
    pub(super) fn forget(&mut self, id: String) {
        self.messages.remove(&id);
        if self.deleted.len() == DELETIONS_MAX {
            self.deleted.pop_front();
        }
        self.deleted.push_back(id);
    }

    fn hidden(&mut self, input: &Value) {
        let timeout = input["VisibilityTimeout"].as_u64().map(Duration::from_secs);
        let id = message_of(&input["ReceiptHandle"]).unwrap_or_default();
        if let (Some(message), Some(timeout)) = (self.messages.get_mut(&id), timeout) {
            message.hidden_until = Instant::now() + timeout;
        }
    }
}

impl Content {
    /// The parts of the input of a send.
    fn sent(input: &Value) -> Self {
        let text = |name: &str| input[name].as_str().map(ToOwned::to_owned);
        Self {
            attributes: input["MessageAttributes"].clone(),
            group: text("MessageGroupId"),
            deduplication_id: text("MessageDeduplicationId"),
            source: None,
        }
    }

    /// The parts of a received message, as far as the receiver asked for them.
    fn received(message: &Value) -> Self {
        let text = |name: &str| message["Attributes"][name].as_str().map(ToOwned::to_owned);
        let source = text("DeadLetterQueueSourceArn");
        Self {
            attributes: message["MessageAttributes"].clone(),
            group: text("MessageGroupId"),
            deduplication_id: text("MessageDeduplicationId"),
            source: source.and_then(|arn| arn.rsplit(':').next().map(ToOwned::to_owned)),
        }
    }
}

/// The embedded SQS builds a receipt handle from the message's id, the time and a random part.
pub(super) fn message_of(receipt_handle: &Value) -> Option<String> {
    message_of_handle(receipt_handle.as_str()?)
}

/// The id of the message of a receipt handle.
pub(crate) fn message_of_handle(receipt_handle: &str) -> Option<String> {
    let decoded = STANDARD.decode(receipt_handle).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split(':').next().map(ToOwned::to_owned)
}

/// The entries of a batch that succeeded, each with its result.
pub(super) fn succeeded<'a>(
    input: &'a Value,
    output: &'a Value,
) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    list(&output["Successful"]).filter_map(move |result| {
        let entry = list(&input["Entries"]).find(|entry| entry["Id"] == result["Id"])?;
        Some((entry, result))
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "http://localhost/000000000000/jobs";

    /// A journal in which two messages, `one` and `two`, were sent to `jobs`.
    fn journal() -> Journal {
        let mut journal = Journal::new(Clock::fixed());
        let entry = |id: &str| json!({ "Id": id, "MessageBody": id });
        let result = |id: &str| json!({ "Id": id, "MessageId": id });
        let refused = json!([{ "Id": "three", "Code": "InternalError" }]);
        note(
            &mut journal,
            "SendMessageBatch",
            &json!([entry("one"), entry("two"), entry("three")]),
            &json!({ "Successful": [result("one"), result("two")], "Failed": refused }),
        );
        journal
    }

    fn note(journal: &mut Journal, operation: &str, entries: &Value, output: &Value) {
        let input = json!({ "QueueUrl": QUEUE, "Entries": entries });
        journal.note(operation, input.to_string().as_bytes(), output.to_string().as_bytes());
    }

    fn handles() -> Value {
        let entry = |id: &str| json!({ "Id": id, "ReceiptHandle": STANDARD.encode(format!("{id}:0:0")), "VisibilityTimeout": 900 });
        json!([entry("one"), entry("two")])
    }

    #[test]
    fn a_message_whose_deletion_failed_in_a_batch_is_shown() {
        let mut journal = journal();
        let output = json!({ "Successful": [{ "Id": "two" }], "Failed": [{ "Id": "one" }] });
        note(&mut journal, "DeleteMessageBatch", &handles(), &output);
        let shown = journal.first_messages("jobs");
        assert_eq!(shown.iter().map(|it| it.message_id.as_str()).collect::<Vec<_>>(), ["one"]);
    }

    #[test]
    fn a_message_whose_change_failed_in_a_batch_keeps_its_visibility() {
        let mut journal = journal();
        let output = json!({ "Successful": [{ "Id": "two" }], "Failed": [{ "Id": "one" }] });
        note(&mut journal, "ChangeMessageVisibilityBatch", &handles(), &output);
        let is_hidden = |id: &str| journal.messages[id].hidden_until > Instant::now();
        assert_eq!([is_hidden("one"), is_hidden("two")], [false, true]);
    }
}
