//! `DeleteMessage` and `ChangeMessageVisibility`, and their batches.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::delivery::numbers_of;
use super::errors::{
    expired_handle, gone, invalid_handle, invalid_value, not_in_flight, out_of_range,
};
use super::queue::Queue;
use super::receive::VISIBILITY_S_MAX;
use super::{Call, Sqs, batch_answer, check_entries, of_entry};
use crate::Millis;
use crate::services::wire::{AwsError, parsed};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Batch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl Sqs {
    pub(super) fn delete_message(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: DeleteMessage = parsed(body)?;
        let name = self.permitted(&request.queue_url, "DeleteMessage", call)?;
        deleted(self.queue(&name)?, &request.receipt_handle, call)
    }

    pub(super) fn delete_message_batch(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: Batch = parsed(body)?;
        let name = self.permitted(&request.queue_url, "DeleteMessage", call)?;
        check_entries(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let queue = self.queue(&name)?;
        let results = request.entries.into_iter().map(|entry| {
            let result = deleted(queue, &entry.receipt_handle, call);
            (entry.id, result)
        });
        Ok(batch_answer(results.collect()))
    }

    pub(super) fn change_message_visibility(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: ChangeMessageVisibility = parsed(body)?;
        let name = self.permitted(&request.queue_url, "ChangeMessageVisibility", call)?;
        changed(self.queue(&name)?, &request.receipt_handle, request.visibility_timeout, call)
    }

    pub(super) fn change_message_visibility_batch(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: Batch = parsed(body)?;
        let name = self.permitted(&request.queue_url, "ChangeMessageVisibility", call)?;
        check_entries(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let queue = self.queue(&name)?;
        let results = request.entries.into_iter().map(|entry| {
            let timeout = entry.visibility_timeout.unwrap_or(0);
            let handle = &entry.receipt_handle;
            let result = of_entry(call, |call| changed(queue, handle, timeout, call));
            (entry.id, result)
        });
        Ok(batch_answer(results.collect()))
    }
}

/// Deletes a message. With a handle that is not its last, a standard queue may keep it. With one
/// whose visibility timeout is over, a FIFO queue refuses.
fn deleted(queue: &mut Queue, handle: &str, call: &mut Call<'_>) -> Result<Json, AwsError> {
    let numbers = numbers_of(&queue.definition.name, handle);
    let (number, receive) = numbers.ok_or_else(|| invalid_handle(handle))?;
    let is_fifo = queue.definition.is_fifo();
    // A message that is gone is deleted.
    let Some(message) = queue.messages.get_mut(&number) else { return Ok(json!({})) };
    let is_last = message.receive_count == receive;
    if is_fifo && (!is_last || !message.is_in_flight(call.now)) {
        return Err(expired_handle(handle));
    }
    if !is_fifo {
        let is_deleted = is_last || call.random.happens(call.freedom.old_handles);
        if !is_deleted || call.random.happens(call.freedom.undeleted) {
            return Ok(json!({}));
        }
    }
    queue.messages.remove(&number);
    Ok(json!({}))
}

/// Changes how long a message is hidden from now.
fn changed(
    queue: &mut Queue,
    handle: &str,
    timeout: i64,
    call: &mut Call<'_>,
) -> Result<Json, AwsError> {
    let numbers = numbers_of(&queue.definition.name, handle);
    let (number, receive) = numbers.ok_or_else(|| invalid_handle(handle))?;
    if !(0..=VISIBILITY_S_MAX).contains(&timeout) {
        let reason = format!("Must be between 0 and {VISIBILITY_S_MAX}, if provided.");
        return Err(out_of_range(timeout, "VisibilityTimeout", &reason));
    }
    queue.expire(call.now);
    let message = queue.messages.get_mut(&number).ok_or_else(|| gone(handle))?;
    if message.receive_count != receive || !message.is_in_flight(call.now) {
        return Err(not_in_flight());
    }
    let until = call.now + Millis::seconds(timeout.unsigned_abs());
    let received_at = message.received_at.unwrap_or(call.now);
    if until.since(received_at) > Millis::seconds(VISIBILITY_S_MAX.unsigned_abs()) {
        return Err(invalid_value(format!(
            "Value {timeout} for parameter VisibilityTimeout is invalid. Reason: Total \
             VisibilityTimeout for the message is beyond the limit [{VISIBILITY_S_MAX} seconds]."
        )));
    }
    message.visible_at = until;
    Ok(json!({}))
}
