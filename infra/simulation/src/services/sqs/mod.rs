//! SQS: standard and FIFO queues.

mod attributes;
mod change;
mod definition;
mod delivery;
mod errors;
mod message;
mod queue;
mod receive;
mod send;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub use self::definition::{QueueDefinition, Redrive};
use self::errors::no_queue;
pub(super) use self::message::drawn_id;
use self::queue::Queue;
use super::call::{Answer, Call, CallId, Finished};
use super::freedom::Freedom;
use super::wire::AwsError;
use crate::Millis;
use crate::random::Random;

/// The queues of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Sqs {
    queues: BTreeMap<String, Queue>,
    /// The last time that the queues know.
    now: Millis,
}

impl Sqs {
    pub(super) fn add(
        &mut self,
        definition: QueueDefinition,
        now: Millis,
    ) -> Result<String, String> {
        let name = definition.name.clone();
        if self.queues.contains_key(&name) {
            return Err(format!("there is a queue {name} already"));
        }
        if let Some(redrive) = &definition.redrive {
            let dead_letters = self.queues.get(&redrive.dead_letter_queue);
            let dead_letters = dead_letters
                .ok_or_else(|| format!("there is no queue {}", redrive.dead_letter_queue))?;
            if dead_letters.definition.is_fifo() != definition.is_fifo() {
                return Err(format!("{name} and its dead-letter queue are of two types"));
            }
        }
        self.queues.insert(name.clone(), Queue::new(definition, now));
        Ok(Queue::url(&name))
    }

    /// Performs an operation.
    pub(super) fn call(
        &mut self,
        operation: &str,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Answer, AwsError> {
        self.now = self.now.max(call.now);
        let answer = match operation {
            "SendMessage" => self.send_message(body, call),
            "SendMessageBatch" => self.send_message_batch(body, call),
            "ReceiveMessage" => return self.receive_message(body, call),
            "DeleteMessage" => self.delete_message(body, call),
            "DeleteMessageBatch" => self.delete_message_batch(body, call),
            "ChangeMessageVisibility" => self.change_message_visibility(body, call),
            "ChangeMessageVisibilityBatch" => self.change_message_visibility_batch(body, call),
            "GetQueueAttributes" => self.get_queue_attributes(body, call),
            "GetQueueUrl" => self.get_queue_url(body, call),
            _ => Err(AwsError::new("InvalidAction", format!("{operation} is not simulated"))),
        };
        answer.map(Answer::Now)
    }

    /// The time at which a waiting call may end.
    pub(super) fn next_event_at(&self) -> Option<Millis> {
        self.queues.values().filter_map(|queue| queue.next_event_at(self.now)).min()
    }

    /// Tries to end the waiting call whose turn it is.
    pub(super) fn advance(
        &mut self,
        now: Millis,
        freedom: &Freedom,
        random: &mut dyn Random,
    ) -> Option<Finished> {
        self.now = self.now.max(now);
        let due = |queue: &Queue| queue.next_event_at(now).is_some_and(|at| at <= now);
        let name = self.queues.iter().find(|(_, queue)| due(queue))?.0.clone();
        let queue = self.queues.get_mut(&name)?;
        // The call whose wait is over ends first; another takes the message.
        let over = queue.waiting.iter().position(|waiting| waiting.until <= now);
        let waiting = queue.waiting.remove(over.unwrap_or(0))?;
        let messages = self.received(&name, &waiting.receive, now, freedom, random);
        if messages.is_empty() && waiting.until > now {
            // Messages went to the dead-letter queue, and none was left.
            self.queues.get_mut(&name)?.waiting.push_front(waiting);
            return None;
        }
        Some(Finished { id: waiting.id, result: Ok(delivery::answer(messages)) })
    }

    pub(super) fn abandon(&mut self, call: CallId) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|waiting| waiting.id != call);
        }
    }

    /// The bodies of all messages, in the order of sending.
    pub(super) fn bodies(&self, name: &str) -> Vec<String> {
        let messages = self.queues.get(name).into_iter().flat_map(|queue| queue.messages.values());
        messages.map(|message| message.body.clone()).collect()
    }

    /// The name of the queue of a URL, if the caller may perform the action on it.
    fn permitted(&self, url: &str, action: &str, call: &Call<'_>) -> Result<String, AwsError> {
        let name = url.rsplit('/').next().unwrap_or_default();
        call.access.check(&format!("sqs:{action}"), name)?;
        if self.queues.contains_key(name) { Ok(name.to_owned()) } else { Err(no_queue()) }
    }

    fn queue(&mut self, name: &str) -> Result<&mut Queue, AwsError> {
        self.queues.get_mut(name).ok_or_else(no_queue)
    }
}

/// The answer to a batch: the results of its entries.
fn batch_answer(results: Vec<(String, Result<Json, AwsError>)>) -> Json {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(mut entry) => {
                entry["Id"] = Json::String(id);
                successful.push(entry);
            }
            Err(error) => failed.push(serde_json::json!({
                "Id": id, "Code": error.code, "Message": error.message,
                "SenderFault": error.status < 500,
            })),
        }
    }
    let mut answer = serde_json::json!({ "Successful": successful });
    if !failed.is_empty() {
        answer["Failed"] = Json::Array(failed);
    }
    answer
}

/// Performs an entry of a batch, unless the queue uses its freedom to refuse it.
fn of_entry(
    call: &mut Call<'_>,
    perform: impl FnOnce(&mut Call<'_>) -> Result<Json, AwsError>,
) -> Result<Json, AwsError> {
    if call.random.happens(call.freedom.failed_entries) {
        return Err(errors::not_performed());
    }
    perform(call)
}

/// Checks the ids of the entries of a batch.
fn check_entries<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), AwsError> {
    let count = ids.len();
    if count == 0 {
        return Err(errors::empty_batch());
    }
    if count > 10 {
        return Err(errors::too_many_entries(count));
    }
    let mut seen = Vec::new();
    for id in ids {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 80 || !id.bytes().all(is_letter) {
            return Err(errors::invalid_id());
        }
        if seen.contains(&id) {
            return Err(errors::repeated_id(id));
        }
        seen.push(id);
    }
    Ok(())
}
