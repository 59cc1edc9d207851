//! The embedded SQS: the template's queues and their dead-letter queues.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::{
    dispatch::SqsHandler, response::error_to_response, router::resolve_operation,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    StartError, error_responses,
    fair::{self, Fair, Line},
    groups::{self, Groups},
    message_log::{Journal, JournalEntry},
    parcels,
    physical_names::{Names, QueueName},
    queue_rules::{self, Verdict},
};
use sam_template::{ACCOUNT_ID, Queue, REGION};

/// The maximum wait of a receive, SQS's own limit.
const WAIT_S_MAX: u64 = 20;

/// The time that a waiting receive polls the embedded SQS before it checks the line again, in
/// seconds. Other receives may have added messages to the line.
const LOOK_EVERY_S: u64 = 1;

/// The queues, in memory.
pub(super) struct Queues {
    handler: RustackSqsHandler,
    journal: Mutex<Journal>,
    groups: Groups,
    fair: Fair,
}

/// The report of a queue in `GET /queues`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
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

/// A message in the format of `ReceiveMessage`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
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

/// SQS rejected the platform's own call.
#[derive(Debug, thiserror::Error)]
#[error("SQS rejected {operation}: {answer}")]
pub struct QueueError {
    operation: &'static str,
    answer: String,
}

impl Queues {
    /// Creates an SQS without queues; its queue URLs begin with `endpoint`.
    pub(super) fn new(endpoint: SocketAddr) -> Self {
        let provider = RustackSqs::new(SqsConfig {
            skip_signature_validation: true,
            default_region: REGION.to_owned(),
            account_id: ACCOUNT_ID.to_owned(),
            host: endpoint.ip().to_string(),
            port: endpoint.port(),
        });
        let handler = RustackSqsHandler::new(Arc::new(provider));
        Self {
            handler,
            journal: Mutex::default(),
            groups: Groups::default(),
            fair: Fair::default(),
        }
    }

    /// Creates a queue of the template. Its dead-letter queue may not exist yet.
    pub(super) async fn add(&self, queue: &Queue, names: &Names) -> Result<(), StartError> {
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
        if let Some(redrive) = &queue.redrive {
            let target = queue_name(names, &redrive.dead_letter_queue);
            let policy = json!({
                "deadLetterTargetArn": target.arn,
                "maxReceiveCount": redrive.max_receive_count,
            });
            attributes["RedrivePolicy"] = policy.to_string().into();
        }
        self.journal().add_queue(queue, name);
        let creation = json!({"QueueName": name.name, "Attributes": attributes});
        let created = self.ask("CreateQueue", creation).await;
        created.map(drop).map_err(StartError::Queues)
    }

    /// Handles a call as SQS does.
    pub(super) async fn call(&self, operation: &str, body: Bytes) -> Response {
        let mut input = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let refused = match queue_rules::judge(operation, &input) {
            Verdict::Refused(refused) => return error_responses::refused_by_queue(&refused),
            Verdict::Entries(refused) if refused.is_empty() => {
                let (parts, answer) = self.handle(operation, body).await.into_parts();
                return Response::from_parts(parts, Body::from(answer));
            }
            Verdict::Entries(refused) => refused,
        };
        // The valid entries go on without the others.
        if let Some(entries) = input["Entries"].as_array_mut() {
            entries.retain(|entry| !refused.iter().any(|(id, _)| entry["Id"] == **id));
            if entries.is_empty() {
                let mut answer = json!({});
                queue_rules::with_failed(&mut answer, &refused);
                return error_responses::of_queue(&answer);
            }
        }
        let (parts, answer) = self.handle(operation, input.to_string().into()).await.into_parts();
        if !parts.status.is_success() {
            return Response::from_parts(parts, Body::from(answer));
        }
        let mut answer = serde_json::from_slice(&answer).unwrap_or_default();
        queue_rules::with_failed(&mut answer, &refused);
        error_responses::of_queue(&answer)
    }

    /// Receives up to ten messages, waiting for the first one.
    ///
    /// # Errors
    /// If the queue does not exist.
    pub(super) async fn receive(
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
    pub(super) async fn delete(
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

    /// Sends a message.
    ///
    /// # Errors
    /// If the queue does not exist or the message is too large.
    pub(super) async fn send(&self, queue: &QueueName, body: &str) -> Result<(), QueueError> {
        let message = json!({"QueueUrl": queue.url, "MessageBody": body});
        self.ask("SendMessage", message).await.map(drop)
    }

    /// The state of every queue, with its first messages, without receiving them.
    pub(super) async fn reports(&self, names: &Names) -> Result<Vec<QueueReport>, QueueError> {
        let mut reports = Vec::new();
        for (logical_id, queue) in names.queues() {
            let question = json!({"QueueUrl": queue.url, "AttributeNames": ["All"]});
            let attributes = self.ask("GetQueueAttributes", question).await?["Attributes"].take();
            let count = |name: &str| {
                attributes[name].as_str().and_then(|count| count.parse().ok()).unwrap_or_default()
            };
            let journal = self.journal();
            reports.push(QueueReport {
                queue: logical_id.to_owned(),
                visible: count("ApproximateNumberOfMessages"),
                in_flight: count("ApproximateNumberOfMessagesNotVisible"),
                delayed: count("ApproximateNumberOfMessagesDelayed"),
                dead_letter_queue: journal.dead_letter_queue(&queue.name).map(ToOwned::to_owned),
                messages: journal.first_messages(&queue.name),
            });
        }
        Ok(reports)
    }

    async fn ask(&self, operation: &'static str, input: Value) -> Result<Value, QueueError> {
        let response = self.handle(operation, input.to_string().into()).await;
        let body = response.body();
        if response.status().is_success() {
            // Some operations have an empty response.
            return Ok(serde_json::from_slice(body).unwrap_or(Value::Null));
        }
        Err(QueueError { operation, answer: String::from_utf8_lossy(body).into_owned() })
    }

    async fn handle(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let input = serde_json::from_slice(&body).unwrap_or_default();
        let line = self.fair.line(&input);
        if operation == "ReceiveMessage"
            && let Some(line) = &line
        {
            return self.receive_fairly(line, &input).await;
        }
        let response = self.embedded(operation, body).await;
        if let Some(line) = &line
            && response.status().is_success()
        {
            line.note(operation, &input);
            if operation == "GetQueueAttributes" {
                let mut answer = serde_json::from_slice(response.body()).unwrap_or_default();
                fair::with_waiting(&mut answer, line.waiting());
                return answered(&answer);
            }
        }
        response
    }

    /// Handles a receive from a queue with message groups. It always returns all attributes.
    async fn receive_fairly(&self, line: &Line, input: &Value) -> http::Response<Bytes> {
        let asked = json!({"QueueUrl": input["QueueUrl"], "AttributeNames": ["All"]}).to_string();
        let settings = self.embedded("GetQueueAttributes", asked.into()).await;
        let settings: Value = serde_json::from_slice(settings.body()).unwrap_or_default();
        let seconds = |parameter: &str, attribute: &str| {
            let set = settings["Attributes"][attribute].as_str().and_then(|set| set.parse().ok());
            Duration::from_secs(input[parameter].as_u64().or(set).unwrap_or_default())
        };
        let hidden = seconds("VisibilityTimeout", "VisibilityTimeout");
        let end = Instant::now() + seconds("WaitTimeSeconds", "ReceiveMessageWaitTimeSeconds");
        let count_max = input["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        let mut wait_s = 0;
        loop {
            if let Err(refused) = self.fetch(line, &input["QueueUrl"], wait_s).await {
                return refused;
            }
            let given = line.give(usize::try_from(count_max).unwrap_or(usize::MAX), hidden);
            if !given.is_empty() || Instant::now() >= end {
                return self.given(input, hidden, given).await;
            }
            wait_s = LOOK_EVERY_S;
        }
    }

    /// Moves all visible messages to the line, waiting up to this time for the first one.
    async fn fetch(
        &self,
        line: &Line,
        queue_url: &Value,
        mut wait_s: u64,
    ) -> Result<(), http::Response<Bytes>> {
        loop {
            let fetch = fair::fetch(queue_url, wait_s).to_string();
            wait_s = 0;
            let answer = self.embedded_unnoted("ReceiveMessage", fetch.into()).await;
            if !answer.status().is_success() {
                return Err(answer);
            }
            let answer = self.groups.put_back(answer.into_body());
            let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            match answer["Messages"].take() {
                Value::Array(messages) if !messages.is_empty() => line.take_in(messages),
                _ => return Ok(()),
            }
        }
    }

    /// Starts the visibility timeout of served messages. A message that was deleted meanwhile is
    /// left out.
    async fn given(
        &self,
        input: &Value,
        hidden: Duration,
        given: Vec<Value>,
    ) -> http::Response<Bytes> {
        let mut messages = Vec::new();
        for message in given {
            let change = json!({
                "QueueUrl": input["QueueUrl"],
                "ReceiptHandle": message["ReceiptHandle"],
                "VisibilityTimeout": hidden.as_secs(),
            });
            let change = change.to_string().into();
            let changed = self.embedded_unnoted("ChangeMessageVisibility", change).await;
            if changed.status().is_success() {
                messages.push(message);
            }
        }
        let answer = if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) };
        let response = answered(&answer);
        self.journal().note("ReceiveMessage", input.to_string().as_bytes(), response.body());
        response
    }

    /// Lets the embedded SQS handle a call, and notes its effect.
    async fn embedded(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let (body, taken) = groups::take_out(operation, &body).unwrap_or((body, Vec::new()));
        if !taken.is_empty()
            && let Ok(input) = serde_json::from_slice::<Value>(&body)
        {
            self.fair.add(input["QueueUrl"].as_str().unwrap_or_default());
        }
        let response = self.embedded_unnoted(operation, body.clone()).await;
        let (mut parts, mut answer) = response.into_parts();
        if parts.status.is_success() {
            self.journal().note(operation, &body, &answer);
            self.groups.note(taken, &answer);
            if operation == "ReceiveMessage" {
                answer = self.groups.put_back(answer);
                // Its length may have changed.
                parts.headers.remove(CONTENT_LENGTH);
            }
        }
        http::Response::from_parts(parts, answer)
    }

    async fn embedded_unnoted(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let packed = parcels::pack(operation, &body).unwrap_or_else(|| body.clone());
        let answered = match resolve_operation(&target_header(operation)) {
            Ok(known) => self.handler.handle_operation(known, packed).await,
            Err(error) => Err(error),
        };
        let response =
            answered.unwrap_or_else(|error| error_to_response(&error, &Uuid::new_v4().to_string()));
        let (mut parts, answer) = response.into_parts();
        let mut answer = answer.collect().await.expect("the response is in memory").to_bytes();
        if parts.status.is_success()
            && let Some(unpacked) = parcels::unpack(operation, &body, &answer)
        {
            answer = unpacked;
            parts.headers.remove(CONTENT_LENGTH);
        }
        http::Response::from_parts(parts, answer)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        // The journal only serves inspection; an incomplete entry is acceptable.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn queue_name<'a>(names: &'a Names, logical_id: &str) -> &'a QueueName {
    names.queue(logical_id).expect("the template names only queues it has")
}

/// A successful response.
fn answered(answer: &Value) -> http::Response<Bytes> {
    let answer = Bytes::from(answer.to_string());
    let response = http::Response::builder().header(CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(answer).expect("the header is a constant")
}

fn target_header(operation: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(target) = format!("AmazonSQS.{operation}").parse() {
        headers.insert("x-amz-target", target);
    }
    headers
}
