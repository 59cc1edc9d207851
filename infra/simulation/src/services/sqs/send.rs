//! `SendMessage` and `SendMessageBatch`.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::definition::BYTES_MAX;
use super::errors::{invalid_value, missing, out_of_range, too_long_batch};
use super::message::{Attributes, Message, check, digest, digest_of, drawn_id, hexadecimal, size};
use super::queue::Queue;
use super::{Call, Sqs, batch_answer, check_entries, of_entry};
use crate::Millis;
use crate::services::wire::{AwsError, parsed};

/// The maximum delay, in seconds.
const DELAY_S_MAX: i64 = 900;
/// SQS's limit for a group id and a deduplication id; they are ASCII.
const ID_BYTES_MAX: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessageBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<BatchEntry>,
}

#[derive(Deserialize)]
struct BatchEntry {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    entry: Entry,
}

/// A message to be sent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Attributes,
    #[serde(default)]
    message_system_attributes: Attributes,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

impl Entry {
    fn body(&self) -> &str {
        self.message_body.as_deref().unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        size(self.body(), &self.message_attributes)
    }
}

impl Sqs {
    pub(super) fn send_message(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: SendMessage = parsed(body)?;
        let name = self.permitted(&request.queue_url, "SendMessage", call)?;
        sent(self.queue(&name)?, request.entry, call)
    }

    pub(super) fn send_message_batch(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: SendMessageBatch = parsed(body)?;
        let name = self.permitted(&request.queue_url, "SendMessage", call)?;
        check_entries(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let bytes: usize = request.entries.iter().map(|entry| entry.entry.bytes()).sum();
        if bytes > BYTES_MAX {
            return Err(too_long_batch(bytes));
        }
        let queue = self.queue(&name)?;
        let results = request.entries.into_iter().map(|BatchEntry { id, entry }| {
            let result = of_entry(call, |call| sent(queue, entry, call));
            (id, result)
        });
        Ok(batch_answer(results.collect()))
    }
}

fn sent(queue: &mut Queue, entry: Entry, call: &mut Call<'_>) -> Result<Json, AwsError> {
    check(entry.body(), &entry.message_attributes)?;
    let bytes_max = queue.definition.message_bytes_max;
    if entry.bytes() > bytes_max {
        return Err(invalid_value(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} \
             bytes."
        )));
    }
    let is_fifo = queue.definition.is_fifo();
    let delay = match entry.delay_seconds {
        None => queue.definition.delay,
        Some(delay) if is_fifo && delay != 0 => {
            return Err(out_of_range(
                delay,
                "DelaySeconds",
                "The request include parameter that is not valid for this queue type.",
            ));
        }
        Some(_) if is_fifo => queue.definition.delay,
        Some(delay) if (0..=DELAY_S_MAX).contains(&delay) => Millis::seconds(delay.unsigned_abs()),
        Some(delay) => {
            return Err(out_of_range(
                delay,
                "DelaySeconds",
                "DelaySeconds must be >= 0 and <= 900.",
            ));
        }
    };
    let deduplication = deduplication(queue, &entry)?;
    let digest_of_body = digest(entry.body());
    let digest_of_attributes = digest_of(&entry.message_attributes);
    let repeated = deduplication.as_deref().and_then(|id| queue.repeated(id, call.now));
    let (id, sequence) = if let Some(sent) = repeated {
        (sent.id, sent.sequence)
    } else {
        let trace = entry.message_system_attributes.get("AWSTraceHeader");
        let message = Message {
            id: drawn_id(call.random),
            trace: trace.and_then(|trace| trace.string_value.clone()),
            body: entry.message_body.unwrap_or_default(),
            attributes: entry.message_attributes,
            group: entry.message_group_id,
            deduplication,
            sequence: None,
            sent_at: call.now,
            kept_from: call.now,
            visible_at: call.now + delay,
            is_received: false,
            received_at: None,
            first_received_at: None,
            receive_count: 0,
            source: None,
        };
        let id = message.id.clone();
        (id, queue.push(message, call.now))
    };
    let mut answer = json!({ "MessageId": id, "MD5OfMessageBody": digest_of_body });
    if let Some(digest) = digest_of_attributes {
        answer["MD5OfMessageAttributes"] = json!(digest);
    }
    if let Some(sequence) = sequence {
        answer["SequenceNumber"] = json!(sequence);
    }
    Ok(answer)
}

/// An error if a group or deduplication id has a length or a character that SQS refuses.
fn check_ids(entry: &Entry) -> Result<(), AwsError> {
    let ids = [
        ("MessageGroupId", &entry.message_group_id),
        ("MessageDeduplicationId", &entry.message_deduplication_id),
    ];
    for (name, id) in ids {
        let Some(id) = id else { continue };
        if !(1..=ID_BYTES_MAX).contains(&id.len()) || !id.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(invalid_value(format!(
                "Value {id} for parameter {name} is invalid. Reason: {name} can only include \
                 alphanumeric and punctuation characters. 1 to {ID_BYTES_MAX} in length."
            )));
        }
    }
    Ok(())
}

/// The deduplication id of a message; only FIFO queues have them.
fn deduplication(queue: &Queue, entry: &Entry) -> Result<Option<String>, AwsError> {
    check_ids(entry)?;
    if !queue.definition.is_fifo() {
        if let Some(id) = &entry.message_deduplication_id {
            return Err(invalid_value(format!(
                "Value {id} for parameter MessageDeduplicationId is invalid. Reason: The request \
                 include parameter that is not valid for this queue type."
            )));
        }
        return Ok(None);
    }
    if entry.message_group_id.is_none() {
        return Err(missing("MessageGroupId"));
    }
    match &entry.message_deduplication_id {
        Some(id) => Ok(Some(id.clone())),
        None if queue.definition.content_based_deduplication => {
            Ok(Some(hexadecimal(&Sha256::digest(entry.body().as_bytes()))))
        }
        None => Err(invalid_value(
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        )),
    }
}
