//! `/activity/queues`: the queues, their messages without receiving them, and the redrive of
//! dead-letter queues.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use bytes::Bytes;
use jiff::Timestamp;
use sam_template::{Queue, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::activity::MessageOrigin;
use crate::activity::redaction::Redaction;
use crate::console::reading::{body, query};
use crate::control::{Control, ControlError};
use crate::services::{
    MessageState, MovedMessage, QueueReport, QueuedMessage, RedriveError, Redriven, StoreError,
};
use crate::text::cut;

/// The messages by default, and at most.
const MESSAGES: usize = 25;
const MESSAGES_MAX: usize = 100;

/// The characters of a body that are shown.
const BODY_MAX: usize = 64 * 1024;

/// A queue of the template with its counts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct QueueView {
    /// Its logical id.
    name: String,
    fifo: bool,
    visible: u64,
    in_flight: u64,
    delayed: u64,
    /// When the oldest message was sent.
    oldest_at: Option<Timestamp>,
    visibility_timeout_s: u64,
    dead_letter_queue: Option<String>,
    /// The number of receives after which a message becomes a dead letter.
    max_receive_count: Option<u32>,
    /// The queues whose dead-letter queue it is. If there are any, its messages can be redriven.
    dead_letters_of: Vec<String>,
    /// The functions that get its messages.
    consumers: Vec<String>,
}

/// `GET /activity/queues`
pub(super) async fn list(State(control): State<Control>) -> Result<Json<Value>, ControlError> {
    let reports = control.stores.queues().await?;
    let queues = reports.into_iter().filter_map(|report| {
        let queue = control.template.queues.get(&report.queue)?;
        Some(QueueView::of(report, queue, &control))
    });
    Ok(Json(json!({"queues": queues.collect::<Vec<_>>()})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MessagesQuery {
    limit: Option<usize>,
}

/// A message that is in a queue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageView {
    message_id: String,
    /// The body without secrets, pretty-printed if it is JSON, at most 64 KiB of it.
    body: String,
    body_bytes: usize,
    sent_at: Timestamp,
    receive_count: u32,
    state: MessageState,
    /// When it can be received; `null` if it can be now.
    visible_at: Option<Timestamp>,
    attributes: Value,
    group: Option<String>,
    deduplication_id: Option<String>,
    /// The queue that it was in before it became a dead letter.
    dead_letter_source: Option<String>,
    /// The id of the request that sent it.
    sent_by: Option<String>,
    /// The id whose journey it is part of.
    journey: Option<String>,
}

/// `GET /activity/queues/{queue}/messages?limit=`: the oldest messages, at most 100.
pub(super) async fn messages(
    State(control): State<Control>,
    Path(queue): Path<String>,
    asked: Result<Query<MessagesQuery>, QueryRejection>,
) -> Result<Json<Value>, ControlError> {
    let Query(asked) = asked.map_err(query)?;
    let count_max = asked.limit.unwrap_or(MESSAGES).clamp(1, MESSAGES_MAX);
    let messages = control.stores.peek(&queue, count_max).await.map_err(StoreError::from)?;
    let messages = messages.into_iter().map(|message| {
        let origin = control.functions.activity().message(&message.entry.message_id);
        MessageView::of(message, origin, control.functions.activity().redaction())
    });
    Ok(Json(json!({"messages": messages.collect::<Vec<_>>()})))
}

/// The body of a redrive; without one, all messages are meant.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RedriveInput {
    message_id: Option<String>,
}

/// The result of a redrive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RedrivenView {
    /// The number of moved messages.
    moved: usize,
    /// The number of messages that stay, since their queue is not known.
    left: usize,
    messages: Vec<MovedView>,
}

/// A moved message, which has a new id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MovedView {
    dead_letter_id: String,
    message_id: String,
    /// The queue where it is now.
    queue: String,
}

/// `POST /activity/queues/{queue}/redrive`: moves the messages of a dead-letter queue to their
/// queues.
pub(super) async fn redrive(
    State(control): State<Control>,
    Path(queue): Path<String>,
    input: Bytes,
) -> Result<Json<Value>, ControlError> {
    let input: RedriveInput = body(&input)?;
    let redriven = control.stores.redrive(&queue, input.message_id.as_deref()).await;
    Ok(Json(json!(RedrivenView::from(redriven.map_err(not_moved)?))))
}

fn not_moved(error: RedriveError) -> ControlError {
    match error {
        RedriveError::NoSuch(error) => StoreError::from(error).into(),
        RedriveError::Queues(error) => StoreError::from(error).into(),
        error => ControlError::new(StatusCode::CONFLICT, error.to_string()),
    }
}

impl QueueView {
    fn of(report: QueueReport, queue: &Queue, control: &Control) -> Self {
        let template = &control.template;
        let leads_here = |other: &&Queue| {
            other.redrive.as_ref().is_some_and(|it| it.dead_letter_queue == report.queue)
        };
        let sources = template.queues.values().filter(leads_here);
        let consumers = template.event_sources.iter().filter(
            |source| matches!(&source.trigger, Trigger::Queue(it) if it.queue == report.queue),
        );
        Self {
            fifo: queue.fifo,
            visible: report.visible,
            in_flight: report.in_flight,
            delayed: report.delayed,
            oldest_at: report.messages.first().map(|message| message.sent_at),
            visibility_timeout_s: queue.visibility_timeout.as_secs(),
            max_receive_count: queue.redrive.as_ref().map(|redrive| redrive.max_receive_count),
            dead_letters_of: sources.map(|queue| queue.logical_id.clone()).collect(),
            consumers: consumers.map(|source| source.function.clone()).collect(),
            dead_letter_queue: report.dead_letter_queue,
            name: report.queue,
        }
    }
}

impl MessageView {
    fn of(message: QueuedMessage, origin: Option<MessageOrigin>, redaction: &Redaction) -> Self {
        let QueuedMessage { entry, .. } = message;
        let attributes: BTreeMap<String, String> = message.attributes;
        Self {
            body: shown(&entry.body, redaction),
            body_bytes: entry.body.len(),
            message_id: entry.message_id,
            sent_at: entry.sent_at,
            receive_count: entry.receive_count,
            state: message.state,
            visible_at: message.visible_at,
            attributes: redaction.json(json!(attributes)),
            group: message.group.map(|group| redaction.text(&group)),
            deduplication_id: message.deduplication_id.map(|id| redaction.text(&id)),
            dead_letter_source: message.dead_letter_source,
            journey: origin.as_ref().map(|origin| origin.journey.clone()),
            sent_by: origin.and_then(|origin| origin.request),
        }
    }
}

/// A body without secrets, cut.
fn shown(body: &str, redaction: &Redaction) -> String {
    let shown = match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(_) | Value::Array(_)) => {
            redaction.body(Some("application/json"), body.as_bytes()).unwrap_or_default()
        }
        _ => redaction.plain(body),
    };
    cut(&shown, BODY_MAX, "…")
}

impl From<Redriven> for RedrivenView {
    fn from(redriven: Redriven) -> Self {
        let moved = |it: MovedMessage| MovedView {
            dead_letter_id: it.dead_letter_id,
            message_id: it.message_id,
            queue: it.queue,
        };
        Self {
            moved: redriven.moved.len(),
            left: redriven.left,
            messages: redriven.moved.into_iter().map(moved).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_body_in_base64_with_a_secret_is_hidden() {
        let encoded = |body: &str| STANDARD.encode(body);
        let redaction = Redaction::new();
        assert_eq!(shown(&encoded(r#"{"password":"hush"}"#), &redaction), "•••");
        let public = encoded(r#"{"orderId":"o-1"}"#);
        assert_eq!(shown(&public, &redaction), public);
    }
}
