//! The queues of the template and their dead-letter queues, in the embedded SQS.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use sam_template::Queue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::embedded::Sqs;
use super::message_log::{Content, JournalEntry, QueuedMessage};
use super::rules::{self, Verdict};
use super::time::Time;
use crate::clock::Clock;
use crate::services::error::{QueueError, StartError};
use crate::services::error_responses;
use crate::services::physical_names::{Names, QueueName};

/// The maximum wait of a receive, SQS's own limit.
const WAIT_S_MAX: u64 = 20;

/// The queues, in memory. Their messages may also be kept in a file.
pub(crate) struct Queues {
    pub(super) sqs: Arc<Sqs>,
    pub(super) time: Time,
    clock: Clock,
    /// The offset of the clock that the queues have followed so far, in seconds.
    followed_s: Mutex<u32>,
}

/// The report of a queue in `GET /queues`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QueueReport {
    /// The queue's logical id.
    pub queue: String,
    /// Visible messages.
    pub visible: u64,
    /// Received messages that are not yet deleted.
    pub in_flight: u64,
    /// Delayed messages.
    pub delayed: u64,
    /// The dead-letter queue, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<String>,
    /// The first messages, oldest first, in any state.
    pub messages: Vec<JournalEntry>,
}

/// The numbers of a queue's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueCount {
    pub(crate) visible: u64,
    pub(crate) in_flight: u64,
    pub(crate) delayed: u64,
}

/// A message in the format of `ReceiveMessage`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// The message's id.
    pub message_id: String,
    /// The handle for its deletion.
    pub receipt_handle: String,
    /// Its body.
    pub body: String,
    /// The body's MD5 in hexadecimal.
    #[serde(rename = "MD5OfBody")]
    pub md5_of_body: String,
    /// The attributes' MD5 in hexadecimal, if it has any.
    #[serde(rename = "MD5OfMessageAttributes")]
    pub md5_of_message_attributes: Option<String>,
    /// SQS's attributes: `ApproximateReceiveCount`, `SentTimestamp`, `MessageGroupId`, …
    pub attributes: Map<String, Value>,
    /// The sender's attributes.
    pub message_attributes: Map<String, Value>,
}

impl Queues {
    /// Creates an SQS without queues; its queue URLs begin with `endpoint`.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub(crate) fn new(endpoint: SocketAddr, clock: &Clock) -> io::Result<Self> {
        let time = Time::start()?;
        let sqs = Arc::new(Sqs::new(endpoint, clock, time.pending()));
        Ok(Self { sqs, time, clock: clock.clone(), followed_s: Mutex::new(clock.offset_s()) })
    }

    /// Follows a move of the clock: delays, visibility timeouts and deduplication intervals that have
    /// passed on it end. A call waits for the end of another one, which may follow the same move.
    pub(crate) async fn follow_clock(&self) {
        let mut followed_s = self.followed_s.lock().await;
        let offset_s = self.clock.offset_s();
        let passed_s = offset_s.saturating_sub(*followed_s);
        if passed_s > 0 {
            self.sqs.moves.note(offset_s).await;
            self.time.pass(Duration::from_secs(passed_s.into())).await;
            *followed_s = offset_s;
        }
    }

    /// Creates a queue of the template. Its dead-letter queue may not exist yet.
    pub(crate) async fn add(&self, queue: &Queue, names: &Names) -> Result<(), StartError> {
        let name = queue_name(names, &queue.logical_id);
        let mut attributes = json!({
            "DelaySeconds": queue.delay.as_secs().to_string(),
            "MessageRetentionPeriod": queue.retention.as_secs().to_string(),
            "ReceiveMessageWaitTimeSeconds": queue.receive_wait.as_secs().to_string(),
            "VisibilityTimeout": queue.visibility_timeout.as_secs().to_string(),
        });
        if queue.fifo {
            attributes["FifoQueue"] = "true".into();
            attributes["ContentBasedDeduplication"] =
                queue.content_based_deduplication.to_string().into();
        }
        let redrive = queue.redrive.as_ref();
        let dead_letters = redrive.map(|redrive| queue_name(names, &redrive.dead_letter_queue));
        if let Some((redrive, target)) = redrive.zip(dead_letters) {
            let policy = json!({
                "deadLetterTargetArn": target.arn,
                "maxReceiveCount": redrive.max_receive_count,
            });
            attributes["RedrivePolicy"] = policy.to_string().into();
        }
        self.sqs.journal().add_queue(queue, name, dead_letters);
        // The embedded SQS does not get it: a kept message may be larger than a size lowered since.
        self.sqs.sizes.set(&name.name, queue.message_bytes_max);
        let creation = json!({"QueueName": name.name, "Attributes": attributes});
        let created = self.ask("CreateQueue", creation).await;
        created.map(drop).map_err(StartError::Queues)
    }

    /// Handles a call as SQS does.
    pub(crate) async fn call(&self, operation: &str, body: Bytes) -> Response {
        let mut input = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let refused = match rules::judge(operation, &input, self.sqs.sizes.of(&input)) {
            Verdict::Refused(refused) => return error_responses::refused_by_queue(&refused),
            Verdict::Entries(refused) if refused.is_empty() => {
                let (parts, answer) = self.handle(operation, body).await.into_parts();
                return Response::from_parts(parts, Body::from(answer));
            }
            Verdict::Entries(refused) => refused,
        };
        // The valid entries go on without the others.
        if let Some(entries) = input.get_mut("Entries").and_then(Value::as_array_mut) {
            entries.retain(|entry| !refused.iter().any(|(id, _)| entry["Id"] == **id));
            if entries.is_empty() {
                let mut answer = json!({});
                rules::with_failed(&mut answer, &refused);
                return error_responses::of_queue(&answer);
            }
        }
        let (parts, answer) = self.handle(operation, input.to_string().into()).await.into_parts();
        if !parts.status.is_success() {
            return Response::from_parts(parts, Body::from(answer));
        }
        let mut answer = serde_json::from_slice(&answer).unwrap_or_default();
        rules::with_failed(&mut answer, &refused);
        error_responses::of_queue(&answer)
    }

    /// Receives up to ten messages, waiting for the first one.
    ///
    /// # Errors
    /// If the queue does not exist.
    pub(crate) async fn receive(
        &self,
        queue: &QueueName,
        count_max: usize,
        wait_s: u64,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        let answer = self.ask(
            "ReceiveMessage",
            json!({
                "QueueUrl": queue.url,
                "MaxNumberOfMessages": count_max.clamp(1, 10),
                "WaitTimeSeconds": wait_s.min(WAIT_S_MAX),
                "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
            }),
        );
        let messages = answer.await?["Messages"].take();
        // Without messages, the response has no list.
        Ok(serde_json::from_value(messages).unwrap_or_default())
    }

    /// Deletes messages by their receipt handles.
    ///
    /// # Errors
    /// If the queue does not exist.
    pub(crate) async fn delete(
        &self,
        queue: &QueueName,
        receipt_handles: &[&str],
    ) -> Result<(), QueueError> {
        for receipt_handle in receipt_handles {
            let deletion = json!({"QueueUrl": queue.url, "ReceiptHandle": receipt_handle});
            self.ask("DeleteMessage", deletion).await?;
        }
        Ok(())
    }

    /// Sends a message. Returns its id.
    ///
    /// # Errors
    /// If the queue does not exist or the message is too large.
    pub(crate) async fn send(&self, queue: &QueueName, body: &str) -> Result<String, QueueError> {
        let message = json!({"QueueUrl": queue.url, "MessageBody": body});
        let answer = self.ask("SendMessage", message).await?;
        Ok(answer["MessageId"].as_str().unwrap_or_default().to_owned())
    }

    /// The state of every queue, with its first messages, without receiving them.
    pub(crate) async fn reports(&self, names: &Names) -> Result<Vec<QueueReport>, QueueError> {
        let mut reports = Vec::new();
        for (logical_id, queue) in names.queues() {
            let QueueCount { visible, in_flight, delayed } = self.count(queue).await?;
            let (dead_letter_queue, messages) = self.recorded(&queue.name).await;
            reports.push(QueueReport {
                queue: logical_id.to_owned(),
                visible,
                in_flight,
                delayed,
                dead_letter_queue,
                messages,
            });
        }
        Ok(reports)
    }

    /// The numbers of every queue's messages, by its logical id.
    pub(crate) async fn counts(
        &self,
        names: &Names,
    ) -> Result<BTreeMap<String, QueueCount>, QueueError> {
        let mut counts = BTreeMap::new();
        for (logical_id, queue) in names.queues() {
            counts.insert(logical_id.to_owned(), self.count(queue).await?);
        }
        Ok(counts)
    }

    async fn count(&self, queue: &QueueName) -> Result<QueueCount, QueueError> {
        let question = json!({"QueueUrl": queue.url, "AttributeNames": ["All"]});
        let attributes = self.ask("GetQueueAttributes", question).await?["Attributes"].take();
        let count = |name: &str| {
            attributes[name].as_str().and_then(|count| count.parse().ok()).unwrap_or_default()
        };
        Ok(QueueCount {
            visible: count("ApproximateNumberOfMessages"),
            in_flight: count("ApproximateNumberOfMessagesNotVisible"),
            delayed: count("ApproximateNumberOfMessagesDelayed"),
        })
    }

    /// A queue's dead-letter queue and its first messages, by the journal.
    async fn recorded(&self, queue: &str) -> (Option<String>, Vec<JournalEntry>) {
        let (sqs, queue) = (Arc::clone(&self.sqs), queue.to_owned());
        let recorded = async move {
            let journal = sqs.journal();
            let dead_letters = journal.dead_letter_queue(&queue).map(ToOwned::to_owned);
            (dead_letters, journal.first_messages(&queue))
        };
        self.time.run(recorded).await
    }

    /// The oldest messages of a queue in any state, without receiving them.
    pub(crate) async fn peek(
        &self,
        names: &Names,
        queue: &QueueName,
        count_max: usize,
    ) -> Vec<QueuedMessage> {
        let (sqs, queue) = (Arc::clone(&self.sqs), queue.name.clone());
        let peek = async move { sqs.journal().peek(&queue, count_max) };
        let mut messages = self.time.run(peek).await;
        for message in &mut messages {
            let source = message.dead_letter_source.take();
            let source = source.and_then(|source| names.queue_called(&source));
            message.dead_letter_source = source.map(ToOwned::to_owned);
        }
        messages
    }

    /// Records a message of an earlier run for the reports.
    pub(super) async fn restore_entry(
        &self,
        queue: &str,
        entry: JournalEntry,
        content: Content,
        delay: Duration,
    ) {
        let (sqs, queue) = (Arc::clone(&self.sqs), queue.to_owned());
        let restore = async move { sqs.journal().restore(&queue, entry, content, delay) };
        self.time.run(restore).await;
    }

    /// Lets time pass on the embedded SQS's clock.
    pub(super) async fn pass(&self, duration: Duration) {
        self.time.pass(duration).await;
    }

    /// Makes a call that is neither recorded nor kept.
    pub(super) async fn ask_embedded(
        &self,
        operation: &'static str,
        input: Value,
    ) -> Result<Value, QueueError> {
        let sqs = Arc::clone(&self.sqs);
        let body = Bytes::from(input.to_string());
        read(
            operation,
            self.time.run(async move { sqs.embedded_unnoted(operation, body).await }).await,
        )
    }

    /// Handles a call by the queues' own time.
    async fn handle(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let (sqs, operation) = (Arc::clone(&self.sqs), operation.to_owned());
        self.time.run(async move { sqs.handle(&operation, body).await }).await
    }

    pub(super) async fn ask(
        &self,
        operation: &'static str,
        input: Value,
    ) -> Result<Value, QueueError> {
        read(operation, self.handle(operation, input.to_string().into()).await)
    }
}

/// The response of a call, in which an error is one.
fn read(operation: &'static str, response: http::Response<Bytes>) -> Result<Value, QueueError> {
    let body = response.body();
    if response.status().is_success() {
        // Some operations have an empty response.
        return Ok(serde_json::from_slice(body).unwrap_or(Value::Null));
    }
    Err(QueueError { operation, answer: String::from_utf8_lossy(body).into_owned() })
}

pub(super) fn queue_name<'a>(names: &'a Names, logical_id: &str) -> &'a QueueName {
    names.queue(logical_id).expect("the template names only queues it has")
}
