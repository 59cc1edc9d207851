//! The embedded SQS, completed by fair queues, message groups, messages of a megabyte, a record of
//! all messages, and a file that keeps them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::response::error_to_response;
use rustack_sqs_http::router::resolve_operation;
use sam_template::{ACCOUNT_ID, REGION};
use serde_json::{Value, json};
use tokio::sync;
use tokio::time::Instant;
use uuid::Uuid;

use super::fair::{self, Fair, Line};
use super::groups::{self, Groups};
use super::kept::{self, KeptFile};
use super::message_log::Journal;
use super::parcels;
use super::restored::Restored;
use super::time::Pending;
use super::timestamps::Moves;
use crate::clock::Clock;
use crate::services::error::DataError;

/// The time that a waiting receive polls the embedded SQS before it checks the line again, in
/// seconds. Other receives may have added messages to the line.
const LOOK_EVERY_S: u64 = 1;

/// The embedded SQS. Its calls run in the runtime of its [`Time`](super::time::Time).
pub(super) struct Sqs {
    handler: RustackSqsHandler,
    journal: Mutex<Journal>,
    /// A call other than a receive holds it, so that its lines have the order of the queues.
    kept: OnceLock<sync::Mutex<KeptFile>>,
    pub(super) restored: Restored,
    groups: Groups,
    fair: Fair,
    pending: Pending,
    pub(super) moves: Moves,
}

impl Sqs {
    /// Creates an SQS without queues; its queue URLs begin with `endpoint`. It notes the durations
    /// that its calls start.
    pub(super) fn new(endpoint: SocketAddr, clock: &Clock, pending: Pending) -> Self {
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
            journal: Mutex::new(Journal::new(clock.clone())),
            kept: OnceLock::new(),
            restored: Restored::default(),
            groups: Groups::default(),
            fair: Fair::default(),
            pending,
            moves: Moves::default(),
        }
    }

    /// Keeps the messages in a file from now on.
    pub(super) fn keep_in(&self, file: KeptFile) {
        // A platform starts once; keeping the first file is harmless.
        let _ = self.kept.set(sync::Mutex::new(file));
    }

    /// Adds the group of a message of an earlier run to a standard queue.
    pub(super) fn add_group(&self, queue_url: &str, message_id: &str, group: String) {
        self.fair.add(queue_url);
        self.groups.add(message_id, group);
    }

    /// Handles a call.
    pub(super) async fn handle(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
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
            let mut answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
            line.note(operation, &input, &answer);
            if operation == "GetQueueAttributes" {
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
            // Not a pending duration: a held message stays held when the clock moves.
            let answer = self.rustack("ReceiveMessage", fetch.into()).await;
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
        let input = input.to_string();
        if let Err(error) =
            self.keep(None, "ReceiveMessage", input.as_bytes(), response.body()).await
        {
            return not_kept(&error);
        }
        self.journal().note("ReceiveMessage", input.as_bytes(), response.body());
        response
    }

    /// Lets the embedded SQS handle a call, and notes its effect.
    async fn embedded(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let held = match self.kept.get() {
            // A receive may wait for the send of another call.
            Some(kept) if operation != "ReceiveMessage" => Some(kept.lock().await),
            _ => None,
        };
        let original = body.clone();
        let (body, taken) = groups::take_out(operation, &body).unwrap_or((body, Vec::new()));
        if !taken.is_empty()
            && let Ok(input) = serde_json::from_slice::<Value>(&body)
        {
            self.fair.add(input["QueueUrl"].as_str().unwrap_or_default());
        }
        let response = self.embedded_unnoted(operation, body.clone()).await;
        let (parts, mut answer) = response.into_parts();
        if parts.status.is_success() {
            if let Err(error) = self.keep(held, operation, &original, &answer).await {
                return not_kept(&error);
            }
            self.journal().note(operation, &original, &answer);
            self.groups.note(taken, &answer);
            if operation == "ReceiveMessage" {
                answer = self.groups.put_back(answer);
            }
        }
        http::Response::from_parts(parts, answer)
    }

    /// Keeps the effect of a successful call.
    async fn keep(
        &self,
        held: Option<sync::MutexGuard<'_, KeptFile>>,
        operation: &str,
        input: &[u8],
        answer: &[u8],
    ) -> Result<(), DataError> {
        let Some(kept) = self.kept.get() else { return Ok(()) };
        let input = serde_json::from_slice(input).unwrap_or_default();
        let answer = serde_json::from_slice(answer).unwrap_or_default();
        let lines = kept::lines(operation, &input, &answer, Timestamp::now().as_millisecond());
        if lines.is_empty() {
            return Ok(());
        }
        let mut file = match held {
            Some(file) => file,
            None => kept.lock().await,
        };
        file.append(&lines)
    }

    /// Lets the embedded SQS handle a call that is neither recorded nor kept.
    pub(super) async fn embedded_unnoted(
        &self,
        operation: &str,
        body: Bytes,
    ) -> http::Response<Bytes> {
        let response = self.rustack(operation, body.clone()).await;
        if response.status().is_success() {
            self.pending.note(&serde_json::from_slice(&body).unwrap_or_default());
        }
        response
    }

    async fn rustack(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let renamed = self.restored.to_embedded(operation, &body).unwrap_or_else(|| body.clone());
        let packed = parcels::pack(operation, &renamed).unwrap_or(renamed);
        let answered = match resolve_operation(&target_header(operation)) {
            Ok(known) => self.handler.handle_operation(known, packed).await,
            Err(error) => Err(error),
        };
        let response =
            answered.unwrap_or_else(|error| error_to_response(&error, &Uuid::new_v4().to_string()));
        let (mut parts, answer) = response.into_parts();
        let mut answer = answer.collect().await.expect("the response is in memory").to_bytes();
        if parts.status.is_success() {
            answer = parcels::unpack(operation, &body, &answer).unwrap_or(answer);
            answer = self.restored.to_caller(operation, &body, &answer).unwrap_or(answer);
            if operation == "ReceiveMessage" {
                answer = self.moves.translate(answer);
            }
            // Its length may have changed.
            parts.headers.remove(CONTENT_LENGTH);
        }
        http::Response::from_parts(parts, answer)
    }

    /// The record of all messages.
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        // The journal only serves inspection; an incomplete entry is acceptable.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A successful response.
fn answered(answer: &Value) -> http::Response<Bytes> {
    let answer = Bytes::from(answer.to_string());
    let response = http::Response::builder().header(CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(answer).expect("the header is a constant")
}

/// The response to a call whose effect cannot be kept. The platform ends.
fn not_kept(error: &DataError) -> http::Response<Bytes> {
    let body = json!({"__type": "com.amazonaws.sqs#InternalFailure", "message": error.to_string()});
    let mut response = answered(&body);
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn target_header(operation: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(target) = format!("AmazonSQS.{operation}").parse() {
        headers.insert("x-amz-target", target);
    }
    headers
}
