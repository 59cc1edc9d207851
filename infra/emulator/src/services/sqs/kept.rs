//! The queues' messages in the data directory. Each send, receive and deletion is a line.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::message_log::message_of;
use super::parcels;
use crate::services::lines::{LineFile, State};

/// The file's name.
pub(super) const FILE_NAME: &str = "queues.jsonl";

/// The interval within which a FIFO queue recognises repeated messages, in milliseconds.
const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;

/// The open file.
pub(super) type KeptFile = LineFile<Messages>;

/// A change of the queues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Line {
    /// A message was sent. A repetition has the id of the first send.
    Sent(Box<Message>),
    /// A message was received from this queue: its own, or its dead-letter queue.
    Received { queue: String, id: String, at_ms: i64 },
    /// A message was deleted.
    Deleted { id: String },
    /// All messages of a queue were deleted.
    Purged { queue: String },
    /// A deduplication id was used.
    FirstSend(FirstSend),
}

/// A message that is in a queue. Queues have their physical names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) queue: String,
    pub(super) body: String,
    /// The sender's attributes, in SQS's form, or null.
    #[serde(default)]
    pub(super) attributes: Value,
    pub(super) group: Option<String>,
    pub(super) deduplication_id: Option<String>,
    pub(super) sent_at_ms: i64,
    /// The delay after the sending; by default the queue's.
    pub(super) delay_s: Option<u32>,
    /// The number of receives from its present queue.
    pub(super) receive_count: u32,
    pub(super) first_received_at_ms: Option<i64>,
    /// The queue that it was in before it became a dead letter.
    pub(super) dead_letter_source: Option<String>,
}

/// The first send of a message to a FIFO queue, which repetitions are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstSend {
    pub(super) id: String,
    pub(super) queue: String,
    pub(super) deduplication_id: String,
    pub(super) at_ms: i64,
}

/// The messages that are in the queues.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// In the order of sending.
    messages: BTreeMap<u64, Message>,
    /// The position of each message in that order, by id.
    positions: HashMap<String, u64>,
    /// The number of messages so far.
    came: u64,
    /// By message id, of messages that are deleted, too.
    first_sends: HashMap<String, FirstSend>,
    /// The time of the last send.
    last_ms: i64,
}

impl Message {
    /// Moves it to a dead-letter queue. There, a FIFO queue deduplicates it by its id.
    pub(super) fn move_to(&mut self, dead_letter_queue: &str) {
        self.dead_letter_source = Some(mem::replace(&mut self.queue, dead_letter_queue.to_owned()));
        self.deduplication_id = self.deduplication_id.as_ref().map(|_| self.id.clone());
        self.delay_s = Some(0);
        self.receive_count = 0;
        self.first_received_at_ms = None;
    }
}

impl Messages {
    /// All messages, in the order of sending.
    pub(super) fn all(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    /// The first sends within the deduplication interval before this time, oldest first.
    pub(super) fn first_sends(&self, now_ms: i64) -> Vec<&FirstSend> {
        let first_sends = self.first_sends.values();
        let mut recent: Vec<_> =
            first_sends.filter(|first| now_ms - first.at_ms < DEDUPLICATION_MS).collect();
        recent.sort_by_key(|first| first.at_ms);
        recent
    }

    fn sent(&mut self, message: Message) {
        let id = &message.id;
        if self.positions.contains_key(id) || self.first_sends.contains_key(id) {
            return;
        }
        self.last_ms = self.last_ms.max(message.sent_at_ms);
        if let Some(deduplication_id) = &message.deduplication_id {
            let first = FirstSend {
                id: id.clone(),
                queue: message.queue.clone(),
                deduplication_id: deduplication_id.clone(),
                at_ms: message.sent_at_ms,
            };
            self.first_sends.insert(id.clone(), first);
        }
        self.positions.insert(id.clone(), self.came);
        self.messages.insert(self.came, message);
        self.came += 1;
    }

    fn received(&mut self, queue: &str, id: &str, at_ms: i64) {
        let position = self.positions.get(id);
        let Some(message) = position.and_then(|position| self.messages.get_mut(position)) else {
            return;
        };
        if message.queue != queue {
            message.move_to(queue);
        }
        message.receive_count = message.receive_count.saturating_add(1);
        message.first_received_at_ms.get_or_insert(at_ms);
    }

    fn deleted(&mut self, id: &str) {
        if let Some(position) = self.positions.remove(id) {
            self.messages.remove(&position);
        }
    }

    fn purged(&mut self, queue: &str) {
        self.messages.retain(|_, message| message.queue != queue);
        self.positions.retain(|_, position| self.messages.contains_key(position));
    }
}

impl State for Messages {
    type Line = Line;

    fn add(&mut self, line: Line) {
        match line {
            Line::Sent(message) => self.sent(*message),
            Line::Received { queue, id, at_ms } => self.received(&queue, &id, at_ms),
            Line::Deleted { id } => self.deleted(&id),
            Line::Purged { queue } => self.purged(&queue),
            Line::FirstSend(first) => {
                self.last_ms = self.last_ms.max(first.at_ms);
                self.first_sends.insert(first.id.clone(), first);
            }
        }
    }

    /// The messages come before the first sends: a message after its first send is a repetition.
    fn lines(&self) -> Vec<Line> {
        let messages = self.all().map(|message| Line::Sent(Box::new(message.clone())));
        let first_sends = self.first_sends(self.last_ms).into_iter().cloned().map(Line::FirstSend);
        messages.chain(first_sends).collect()
    }
}

/// The lines of a successful call, by its input and its response.
pub(super) fn lines(operation: &str, input: &Value, answer: &Value, at_ms: i64) -> Vec<Line> {
    let queue = input["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next());
    let Some(queue) = queue.map(ToOwned::to_owned) else { return Vec::new() };
    match operation {
        "SendMessage" => sent(&queue, input, answer, at_ms).into_iter().collect(),
        "SendMessageBatch" => list(&answer["Successful"])
            .filter_map(|result| {
                let entry = list(&input["Entries"]).find(|entry| entry["Id"] == result["Id"])?;
                sent(&queue, entry, result, at_ms)
            })
            .collect(),
        "ReceiveMessage" => list(&answer["Messages"])
            .filter_map(|message| {
                let id = message["MessageId"].as_str()?.to_owned();
                Some(Line::Received { queue: queue.clone(), id, at_ms })
            })
            .collect(),
        "DeleteMessage" => deleted(input).into_iter().collect(),
        "DeleteMessageBatch" => list(&answer["Successful"])
            .filter_map(|result| {
                list(&input["Entries"]).find(|entry| entry["Id"] == result["Id"]).and_then(deleted)
            })
            .collect(),
        "PurgeQueue" | "DeleteQueue" => vec![Line::Purged { queue }],
        _ => Vec::new(),
    }
}

fn sent(queue: &str, message: &Value, result: &Value, at_ms: i64) -> Option<Line> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let body = text(&message["MessageBody"])?;
    let deduplication_id = queue.strip_suffix(".fifo").map(|_| {
        let given = text(&message["MessageDeduplicationId"]);
        // Without one, the embedded SQS takes the hash of the body that it gets.
        given.unwrap_or_else(|| {
            parcels::hex(&Sha256::digest(parcels::embedded_body(&body).as_bytes()))
        })
    });
    let delay_s = message["DelaySeconds"].as_u64().and_then(|delay_s| delay_s.try_into().ok());
    let message = Message {
        id: text(&result["MessageId"])?,
        queue: queue.to_owned(),
        body,
        attributes: message["MessageAttributes"].clone(),
        group: text(&message["MessageGroupId"]),
        deduplication_id,
        sent_at_ms: at_ms,
        delay_s,
        receive_count: 0,
        first_received_at_ms: None,
        dead_letter_source: None,
    };
    Some(Line::Sent(Box::new(message)))
}

fn deleted(entry: &Value) -> Option<Line> {
    Some(Line::Deleted { id: message_of(&entry["ReceiptHandle"])? })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
