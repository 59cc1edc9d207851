//! Restores kept messages to the embedded SQS, which has no call for it. Each message is sent again,
//! and received as often as before; [`Restored`](super::restored::Restored) gives it its former id
//! and times.
//!
//! A message that was received and not deleted becomes visible. After its last receive it is a dead
//! letter, as after its visibility timeout.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sam_template::{Queue, Template};
use serde_json::{Value, json};
use uuid::Uuid;

use super::kept::{FILE_NAME, FirstSend, KeptFile, Line, Message, Messages};
use super::message_log::{Content, JournalEntry};
use super::queues::{Queues, queue_name};
use super::restored::Identity;
use crate::services::error::{QueueError, StartError};
use crate::services::lines::DataFailure;
use crate::services::physical_names::{Names, QueueName};

/// The visibility timeout of received messages until all are restored: SQS's maximum, in seconds.
const PARKED_S: u32 = 43_200;

/// The maximum receives of one message. Only a queue without dead letters has messages with more.
const RECEIVES_MAX: u32 = 1_000;

/// The retention of messages whose queue the template no longer has: SQS's maximum.
const RETENTION_MAX: Duration = Duration::from_hours(14 * 24);

impl Queues {
    /// Restores the messages that earlier runs have kept in a directory, and keeps them there from
    /// now on. All queues exist.
    ///
    /// # Errors
    /// If the file cannot be used, or the embedded SQS rejects a message.
    pub(crate) async fn keep_in(
        &self,
        directory: &Path,
        failure: &DataFailure,
        template: &Template,
        names: &Names,
    ) -> Result<(), StartError> {
        let unusable = |source| StartError::Data { path: directory.to_owned(), source };
        let opened = KeptFile::open(directory, FILE_NAME, failure);
        let (mut file, messages) = opened.map_err(unusable)?;
        let expired = restore(self, &messages, template, names).await;
        let expired = expired.map_err(StartError::Queues)?;
        let deletions: Vec<_> = expired.into_iter().map(|id| Line::Deleted { id }).collect();
        file.append(&deletions).map_err(|error| unusable(io::Error::other(error)))?;
        self.sqs.keep_in(file);
        Ok(())
    }
}

/// Restores messages of earlier runs. Returns the ids of messages older than their queue's
/// retention period.
///
/// # Errors
/// If the embedded SQS rejects a message.
async fn restore(
    queues: &Queues,
    kept: &Messages,
    template: &Template,
    names: &Names,
) -> Result<Vec<String>, QueueError> {
    let places = template.queues.values().map(|queue| {
        let name = queue_name(names, &queue.logical_id);
        (name.name.as_str(), Place { queue, name })
    });
    let now_ms = Timestamp::now().as_millisecond();
    let restorer = Restorer { queues, names, places: places.collect(), now_ms };
    restorer.restore_deduplication(kept).await?;

    let (expired, current): (Vec<_>, Vec<_>) =
        kept.all().map(|message| restorer.placed(message)).partition(|it| restorer.is_expired(it));
    let current: Vec<_> =
        current.into_iter().filter(|it| restorer.places.contains_key(it.queue.as_str())).collect();
    // A receive takes any visible message. So these come first, each of them hidden before the next.
    let mut parked = HashMap::new();
    for message in current.iter().filter(|message| message.receive_count > 0) {
        parked.insert(&message.id, restorer.send_and_receive(message).await?);
    }
    for message in &current {
        match parked.get(&message.id) {
            None => {
                restorer.send(message).await?;
            }
            Some(Some(receipt_handle)) => restorer.release(message, receipt_handle).await?,
            Some(None) => {}
        }
    }
    Ok(expired.into_iter().map(|message| message.id).collect())
}

struct Restorer<'a> {
    queues: &'a Queues,
    names: &'a Names,
    /// By physical name.
    places: HashMap<&'a str, Place<'a>>,
    now_ms: i64,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    queue: &'a Queue,
    name: &'a QueueName,
}

impl Restorer<'_> {
    /// Sends a substitute for each message that repetitions are compared with, at the same intervals
    /// on the embedded SQS's clock, and deletes it.
    async fn restore_deduplication(&self, kept: &Messages) -> Result<(), QueueError> {
        let mut before_ms = None;
        for first in kept.first_sends(self.now_ms) {
            let Some(Place { queue: Queue { fifo: true, .. }, name }) =
                self.places.get(first.queue.as_str())
            else {
                continue;
            };
            self.pass(before_ms, first.at_ms).await;
            before_ms = Some(first.at_ms);
            self.send_substitute(first, &name.url).await?;
        }
        self.pass(before_ms, self.now_ms).await;
        Ok(())
    }

    async fn send_substitute(&self, first: &FirstSend, url: &str) -> Result<(), QueueError> {
        let substitute = json!({
            "QueueUrl": url,
            "MessageBody": "substitute",
            "MessageGroupId": "substitutes",
            "MessageDeduplicationId": first.deduplication_id,
        });
        let sent = self.queues.ask_embedded("SendMessage", substitute).await?;
        let identity = Identity { id: first.id.clone(), ..Identity::default() };
        self.queues.sqs.restored.add(text(&sent["MessageId"]), identity);
        self.queues.sqs.journal().forget(first.id.clone());
        let Some(receipt_handle) = self.receive(url, PARKED_S).await? else { return Ok(()) };
        let deletion = json!({"QueueUrl": url, "ReceiptHandle": receipt_handle});
        self.queues.ask_embedded("DeleteMessage", deletion).await.map(drop)
    }

    /// Lets the time between two sends pass on the embedded SQS's clock.
    async fn pass(&self, from_ms: Option<i64>, to_ms: i64) {
        let passed_ms = from_ms.map_or(0, |from_ms| to_ms.saturating_sub(from_ms));
        if let Ok(passed_ms @ 1..) = u64::try_from(passed_ms) {
            self.queues.pass(Duration::from_millis(passed_ms)).await;
        }
    }

    /// The message in the queue that it belongs to now: after its last receive, the dead-letter
    /// queue.
    fn placed(&self, message: &Message) -> Message {
        let mut message = message.clone();
        let place = self.places.get(message.queue.as_str());
        if let Some(redrive) = place.and_then(|place| place.queue.redrive.as_ref())
            && message.receive_count >= redrive.max_receive_count
        {
            message.move_to(&queue_name(self.names, &redrive.dead_letter_queue).name);
        }
        message
    }

    fn is_expired(&self, message: &Message) -> bool {
        let place = self.places.get(message.queue.as_str());
        let retention = place.map_or(RETENTION_MAX, |place| place.queue.retention);
        let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        self.now_ms.saturating_sub(message.sent_at_ms) >= retention_ms
    }

    /// Sends a message and receives it as often as before. Returns its receipt handle.
    async fn send_and_receive(&self, message: &Message) -> Result<Option<String>, QueueError> {
        let url = self.send(message).await?;
        let receives = message.receive_count.min(RECEIVES_MAX);
        for _ in 1..receives {
            self.receive(url, 0).await?;
        }
        self.receive(url, PARKED_S).await
    }

    /// Makes a received message visible.
    async fn release(&self, message: &Message, receipt_handle: &str) -> Result<(), QueueError> {
        let url = &self.places[message.queue.as_str()].name.url;
        let change =
            json!({"QueueUrl": url, "ReceiptHandle": receipt_handle, "VisibilityTimeout": 0});
        self.queues.ask_embedded("ChangeMessageVisibility", change).await.map(drop)
    }

    /// Sends a message. Returns its queue's URL.
    async fn send(&self, message: &Message) -> Result<&str, QueueError> {
        let Place { queue, name } = self.places[message.queue.as_str()];
        let mut input = json!({"QueueUrl": name.url, "MessageBody": message.body});
        if message.attributes.is_object() {
            input["MessageAttributes"] = message.attributes.clone();
        }
        if queue.fifo {
            input["MessageGroupId"] = json!(message.group);
            // Repetitions are compared with the substitute.
            input["MessageDeduplicationId"] = Uuid::new_v4().to_string().into();
        } else {
            input["DelaySeconds"] = self.delay_left_s(message, queue).into();
        }
        let delay = Duration::from_secs(input["DelaySeconds"].as_u64().unwrap_or_default());
        let sent = self.queues.ask_embedded("SendMessage", input).await?;
        self.queues.sqs.restored.add(text(&sent["MessageId"]), self.identity(message));
        if let Some(group) = message.group.as_ref().filter(|_| !queue.fifo) {
            self.queues.sqs.add_group(&name.url, &message.id, group.clone());
        }
        let entry = JournalEntry {
            message_id: message.id.clone(),
            body: message.body.clone(),
            sent_at: Timestamp::from_millisecond(message.sent_at_ms).unwrap_or_default(),
            receive_count: message.receive_count,
        };
        let content = Content {
            attributes: message.attributes.clone(),
            group: message.group.clone(),
            deduplication_id: message.deduplication_id.clone(),
            source: message.dead_letter_source.clone(),
        };
        self.queues.restore_entry(&name.name, entry, content, delay).await;
        Ok(&name.url)
    }

    fn delay_left_s(&self, message: &Message, queue: &Queue) -> i64 {
        if message.receive_count > 0 {
            return 0;
        }
        let delay_s = message.delay_s.map_or(queue.delay.as_secs(), u64::from);
        let delay_ms = i64::try_from(delay_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        let left_ms = message.sent_at_ms.saturating_add(delay_ms).saturating_sub(self.now_ms);
        // Rounded up: a message is never early.
        (left_ms.clamp(0, 900_000) + 999) / 1000
    }

    fn identity(&self, message: &Message) -> Identity {
        let mut queues = self.names.queues();
        let source = message.dead_letter_source.as_ref();
        let source = source.and_then(|source| queues.find(|(_, queue)| queue.name == *source));
        Identity {
            id: message.id.clone(),
            sent_at_ms: message.sent_at_ms,
            first_received_at_ms: message.first_received_at_ms,
            deduplication_id: message.deduplication_id.clone(),
            source_arn: source.map(|(_, queue)| queue.arn.clone()),
        }
    }

    /// Receives one message. Returns its receipt handle.
    async fn receive(&self, url: &str, hidden_s: u32) -> Result<Option<String>, QueueError> {
        let input = json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": 1,
            "WaitTimeSeconds": 0,
            "VisibilityTimeout": hidden_s,
        });
        let received = self.queues.ask_embedded("ReceiveMessage", input).await?;
        let receipt_handle = received["Messages"][0]["ReceiptHandle"].as_str();
        Ok(receipt_handle.map(ToOwned::to_owned))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
