//! The embedded SQS, completed by message groups, messages of a megabyte, a record of all messages,
//! and a file that keeps them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
use uuid::Uuid;

use super::fifo::{self, Numbers};
use super::groups::{self, Groups};
use super::kept::{self, KeptFile};
use super::line::{self, Lines};
use super::message_log::Journal;
use super::parcels::{self, Sizes};
use super::restored::Restored;
use super::time::Pending;
use super::timestamps::Moves;
use crate::clock::Clock;
use crate::services::error::DataError;

/// The embedded SQS. Its calls run in the runtime of its [`Time`](super::time::Time).
pub(super) struct Sqs {
    handler: RustackSqsHandler,
    journal: Mutex<Journal>,
    /// A call other than a receive holds it, so that its lines have the order of the queues.
    kept: OnceLock<sync::Mutex<KeptFile>>,
    pub(super) restored: Restored,
    pub(super) groups: Groups,
    numbers: Numbers,
    lines: Lines,
    pending: Pending,
    pub(super) moves: Moves,
    pub(super) sizes: Sizes,
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
            numbers: Numbers::default(),
            lines: Lines::default(),
            pending,
            moves: Moves::default(),
            sizes: Sizes::default(),
        }
    }

    /// Keeps the messages in a file from now on.
    pub(super) fn keep_in(&self, file: KeptFile) {
        // A platform starts once; keeping the first file is harmless.
        let _ = self.kept.set(sync::Mutex::new(file));
    }

    /// Adds the group of a message of an earlier run to a standard queue.
    pub(super) fn add_group(&self, queue_url: &str, message_id: &str, group: String) {
        self.lines.add(queue_url);
        self.groups.add(message_id, group);
    }

    /// Handles a call.
    pub(super) async fn handle(
        self: &Arc<Self>,
        operation: &str,
        body: Bytes,
    ) -> http::Response<Bytes> {
        let input = serde_json::from_slice(&body).unwrap_or_default();
        let Some(line) = self.lines.of(&input) else {
            return self.embedded(operation, body).await;
        };
        if operation == "ReceiveMessage" {
            return self.receive(&line, &input).await;
        }
        let _turn = line.turn().await;
        let response = self.embedded(operation, body).await;
        if !response.status().is_success() {
            return response;
        }
        let mut answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        line.note(operation, &input, &answer);
        if operation == "GetQueueAttributes" {
            line::with_waiting(&mut answer, line.waiting());
            return answered(&answer);
        }
        response
    }

    /// Lets the embedded SQS handle a call, and notes its effect.
    pub(super) async fn embedded(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
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
            self.lines.add(input["QueueUrl"].as_str().unwrap_or_default());
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
    pub(super) async fn keep(
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

    pub(super) async fn rustack(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let renamed = self.restored.to_embedded(operation, &body).unwrap_or_else(|| body.clone());
        let packed = parcels::pack(operation, &renamed).unwrap_or(renamed);
        let packed = self.numbers.separate(operation, &packed).unwrap_or(packed);
        let answered = match resolve_operation(&target_header(operation)) {
            Ok(known) => self.handler.handle_operation(known, packed).await,
            Err(error) => Err(error),
        };
        let response =
            answered.unwrap_or_else(|error| error_to_response(&error, &Uuid::new_v4().to_string()));
        let (mut parts, answer) = response.into_parts();
        let mut answer = answer.collect().await.expect("the response is in memory").to_bytes();
        if parts.status.is_success() {
            answer = parcels::unpack(operation, &body, &answer, &self.sizes).unwrap_or(answer);
            answer = self.restored.to_caller(operation, &body, &answer).unwrap_or(answer);
            if operation == "ReceiveMessage" {
                answer = fifo::unite(&body, &answer).unwrap_or(answer);
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
pub(super) fn answered(answer: &Value) -> http::Response<Bytes> {
    let answer = Bytes::from(answer.to_string());
    let response = http::Response::builder().header(CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(answer).expect("the header is a constant")
}

/// The response to a call whose effect cannot be kept. The platform ends.
pub(super) fn not_kept(error: &DataError) -> http::Response<Bytes> {
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
