//! `ReceiveMessage`.

use serde::Deserialize;
use serde_json::Value as Json;

use super::delivery::{Receive, answer, shown};
use super::errors::{out_of_range, over_limit};
use super::message::Message;
use super::queue::{Queue, Waiting};
use super::{Answer, Call, Sqs};
use crate::Millis;
use crate::random::Random;
use crate::services::freedom::Freedom;
use crate::services::wire::{AwsError, parsed};

/// The maximum visibility timeout, in seconds.
pub(super) const VISIBILITY_S_MAX: i64 = 43_200;
/// The maximum wait, in seconds.
const WAIT_S_MAX: i64 = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

impl Sqs {
    pub(super) fn receive_message(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Answer, AwsError> {
        let request: ReceiveMessage = parsed(body)?;
        let name = self.permitted(&request.queue_url, "ReceiveMessage", call)?;
        let queue = self.queue(&name)?;
        let wait = match request.wait_time_seconds {
            None => queue.definition.receive_wait,
            Some(wait) => within(wait, WAIT_S_MAX, "WaitTimeSeconds")?,
        };
        let visibility = match request.visibility_timeout {
            None => queue.definition.visibility_timeout,
            Some(timeout) => within(timeout, VISIBILITY_S_MAX, "VisibilityTimeout")?,
        };
        let count = request.max_number_of_messages.unwrap_or(1);
        let count = usize::try_from(count).ok().filter(|count| (1..=10).contains(count));
        let count = count.ok_or_else(|| {
            let wanted = request.max_number_of_messages.unwrap_or_default();
            let reason = "Must be between 1 and 10, if provided.";
            out_of_range(wanted, "MaxNumberOfMessages", reason)
        })?;
        let is_long = wait > Millis(0);
        queue.expire(call.now);
        let is_full = queue.room(call.now) == 0;
        if is_full && !is_long && !queue.definition.is_fifo() {
            return Err(over_limit());
        }
        let mut system = request.attribute_names;
        system.extend(request.message_system_attribute_names);
        let attributes = request.message_attribute_names;
        let receive = Receive { count, visibility, system, attributes, is_long };
        let (now, random) = (call.now, &mut *call.random);
        let messages = self.received(&name, &receive, now, call.freedom, random);
        if messages.is_empty() && is_long {
            let until = call.now + wait;
            self.queue(&name)?.waiting.push_back(Waiting { id: call.id, until, receive });
            return Ok(Answer::Later(until));
        }
        Ok(Answer::Now(answer(messages)))
    }

    /// Takes messages of a queue. Messages received too often go to the dead-letter queue.
    pub(super) fn received(
        &mut self,
        name: &str,
        receive: &Receive,
        now: Millis,
        freedom: &Freedom,
        random: &mut dyn Random,
    ) -> Vec<Json> {
        let mut received = Vec::new();
        let mut dead = Vec::new();
        let Some(queue) = self.queues.get_mut(name) else { return received };
        queue.expire(now);
        let room = queue.room(now);
        let redrive = queue.definition.redrive.clone();
        let is_fifo = queue.definition.is_fifo();
        let is_dead = |message: &Message| {
            redrive.as_ref().is_some_and(|it| message.receive_count >= it.receive_count_max)
        };
        loop {
            let count = receive.count.min(room) - received.len();
            let numbers = queue.next_messages(count, now, freedom, random);
            let mut has_moved = false;
            for number in numbers {
                let Some(message) = queue.messages.get_mut(&number) else { continue };
                if is_dead(message) {
                    dead.extend(queue.messages.remove(&number));
                    has_moved = true;
                    if is_fifo {
                        // The next message of the group follows: the order is found again.
                        break;
                    }
                    continue;
                }
                if !receive.is_long && random.happens(freedom.missed) {
                    if is_fifo {
                        break;
                    }
                    continue;
                }
                take(message, receive.visibility, now);
                if !is_fifo && random.happens(freedom.duplicates) {
                    message.visible_at = now + random.up_to(receive.visibility);
                }
                received.push(shown(name, number, message, receive));
            }
            // In the place of dead messages, others may be received.
            if !has_moved || received.len() >= receive.count.min(room) {
                break;
            }
        }
        if let Some(redrive) = redrive {
            self.give_up(name, &redrive.dead_letter_queue, dead, now);
        }
        received
    }

    /// Moves messages to the dead-letter queue.
    fn give_up(&mut self, from: &str, to: &str, dead: Vec<Message>, now: Millis) {
        let Some(dead_letters) = self.queues.get_mut(to) else { return };
        for mut message in dead {
            message.visible_at = now;
            message.is_received = false;
            message.received_at = None;
            message.source = Some(Queue::arn(from));
            if dead_letters.definition.is_fifo() {
                message.kept_from = now;
                // As SQS does: sent again within five minutes, it is no repetition of the first sending.
                message.deduplication = Some(message.id.clone());
            }
            dead_letters.push(message, now);
        }
    }
}

/// A number of seconds from 0 to a maximum.
fn within(seconds: i64, max: i64, parameter: &str) -> Result<Millis, AwsError> {
    if (0..=max).contains(&seconds) {
        return Ok(Millis::seconds(seconds.unsigned_abs()));
    }
    let reason = format!("Must be >= 0 and <= {max}, if provided.");
    Err(out_of_range(seconds, parameter, &reason))
}

fn take(message: &mut Message, visibility: Millis, now: Millis) {
    message.is_received = true;
    message.received_at = Some(now);
    message.first_received_at.get_or_insert(now);
    message.receive_count += 1;
    message.visible_at = now + visibility;
}
