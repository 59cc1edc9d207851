//! The embedded SQS, completed by fair queues, message groups, messages of a megabyte, and a record
//! of all messages.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use http_body_util::BodyExt;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::response::error_to_response;
use rustack_sqs_http::router::resolve_operation;
use sam_template::{ACCOUNT_ID, REGION};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::fair::{self, Fair, Line};
use super::groups::{self, Groups};
use super::message_log::Journal;
use super::parcels;
use super::time::Pending;
use super::timestamps::Moves;
use crate::clock::Clock;

/// The time that a waiting receive polls the embedded SQS before it checks the line again, in
/// seconds. Other receives may have added messages to the line.
const LOOK_EVERY_S: u64 = 1;

/// The embedded SQS. Its calls run in the runtime of its [`Time`](super::time::Time).
pub(super) struct Sqs {
    handler: RustackSqsHandler,
    journal: Mutex<Journal>,
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
            groups: Groups::default(),
            fair: Fair::default(),
            pending,
            moves: Moves::default(),
        }
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
        let (parts, mut answer) = response.into_parts();
        if parts.status.is_success() {
            self.journal().note(operation, &body, &answer);
            self.groups.note(taken, &answer);
            if operation == "ReceiveMessage" {
                answer = self.groups.put_back(answer);
            }
        }
        http::Response::from_parts(parts, answer)
    }

    /// Lets the embedded SQS handle a call that the journal does not note.
    async fn embedded_unnoted(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let response = self.rustack(operation, body.clone()).await;
        if response.status().is_success() {
            self.pending.note(&serde_json::from_slice(&body).unwrap_or_default());
        }
        response
    }

    async fn rustack(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let packed = parcels::pack(operation, &body).unwrap_or_else(|| body.clone());
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

fn target_header(operation: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(target) = format!("AmazonSQS.{operation}").parse() {
        headers.insert("x-amz-target", target);
    }
    headers
}
