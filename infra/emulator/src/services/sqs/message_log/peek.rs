//! The messages of one queue with their states, without receiving them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{Journal, JournalEntry, Message};

/// A message that is in a queue, with its state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedMessage {
    /// Its id, body, time of sending and number of receives.
    #[serde(flatten)]
    pub entry: JournalEntry,
    /// Whether it can be received.
    pub state: MessageState,
    /// The time on the platform's clock at which it can be received; `None` if it can be now.
    pub visible_at: Option<Timestamp>,
    /// The sender's attributes, each value as text; bytes are in base64.
    pub attributes: BTreeMap<String, String>,
    /// Its message group.
    pub group: Option<String>,
    /// Its deduplication id, if the sender has set one.
    pub deduplication_id: Option<String>,
    /// The logical id of the queue that it was in before it became a dead letter. A message that was
    /// sent to a dead-letter queue has none.
    pub dead_letter_source: Option<String>,
}

/// Whether a message can be received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum MessageState {
    /// It can be received.
    Visible,
    /// It was received, and its visibility timeout has not passed.
    InFlight,
    /// Its delay has not passed.
    Delayed,
}

impl Journal {
    /// The oldest messages of a queue, within the runtime of SQS. A source queue has its physical
    /// name.
    pub(in crate::services::sqs) fn peek(
        &self,
        queue: &str,
        count_max: usize,
    ) -> Vec<QueuedMessage> {
        let (now, today) = (Instant::now(), self.clock.now());
        let here = self.messages.values().filter(|message| self.place(message, now) == queue);
        let mut here: Vec<&Message> = here.collect();
        here.sort_unstable_by_key(|message| message.number);
        here.truncate(count_max);
        here.into_iter().map(|message| message.shown(queue, now, today)).collect()
    }

    /// The number of messages of a queue, within the runtime of SQS.
    pub(in crate::services::sqs) fn count(&self, queue: &str) -> usize {
        let now = Instant::now();
        self.messages.values().filter(|message| self.place(message, now) == queue).count()
    }

    /// The physical names of the queues whose dead letters a queue gets.
    pub(in crate::services::sqs) fn sources_of(&self, queue: &str) -> Vec<String> {
        let is_source = |facts: &super::QueueFacts| {
            facts.dead_letters.as_ref().is_some_and(|(_, name, _)| name == queue)
        };
        let sources = self.queues.iter().filter(|(_, facts)| is_source(facts));
        let mut sources: Vec<String> = sources.map(|(name, _)| name.clone()).collect();
        sources.sort_unstable();
        sources
    }

    /// Whether a queue has dead letters that it has not moved yet, and no message that a receive
    /// would return. Within the runtime of SQS.
    pub(in crate::services::sqs) fn has_only_dead_letters(&self, queue: &str) -> bool {
        let now = Instant::now();
        let here = self.messages.values().filter(|message| message.queue == queue);
        let (dead, alive): (Vec<_>, Vec<_>) =
            here.partition(|message| self.place(message, now) != queue);
        let is_visible = |message: &&Message| message.state(now).0 == MessageState::Visible;
        !dead.is_empty() && !alive.iter().any(is_visible)
    }

    /// Takes back the last receive of a message.
    pub(in crate::services::sqs) fn take_back_receive(&mut self, id: &str) {
        if let Some(message) = self.messages.get_mut(id) {
            message.entry.receive_count = message.entry.receive_count.saturating_sub(1);
        }
    }
}

impl Message {
    fn shown(&self, queue: &str, now: Instant, today: Timestamp) -> QueuedMessage {
        let (state, left) = self.state(now);
        let has_moved = self.queue != queue;
        QueuedMessage {
            entry: self.entry.clone(),
            state,
            visible_at: left.and_then(|left| today.checked_add(left).ok()),
            attributes: attributes(&self.content.attributes),
            group: self.content.group.clone(),
            deduplication_id: self.content.deduplication_id.clone(),
            dead_letter_source: if has_moved {
                Some(self.queue.clone())
            } else {
                self.source.clone()
            },
        }
    }

    /// Its state, and the time until it can be received.
    fn state(&self, now: Instant) -> (MessageState, Option<Duration>) {
        let left = |until: Instant| until.checked_duration_since(now).filter(|it| !it.is_zero());
        match (left(self.delayed_until), left(self.hidden_until)) {
            (Some(left), _) => (MessageState::Delayed, Some(left)),
            (_, Some(left)) => (MessageState::InFlight, Some(left)),
            _ => (MessageState::Visible, None),
        }
    }
}

/// The values of attributes as text.
fn attributes(attributes: &Value) -> BTreeMap<String, String> {
    let all = attributes.as_object().into_iter().flatten();
    let text = |(name, value): (&String, &Value)| {
        let value = value["StringValue"].as_str().or_else(|| value["BinaryValue"].as_str())?;
        Some((name.clone(), value.to_owned()))
    };
    all.filter_map(text).collect()
}
