//! The state of a queue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::definition::QueueDefinition;
use super::delivery::Receive;
use super::message::Message;
use crate::Millis;
use crate::random::Random;
use crate::services::account::{ACCOUNT_ID, REGION};
use crate::services::call::CallId;
use crate::services::freedom::Freedom;

/// How long a deduplication id is remembered.
const DEDUPLICATION: Millis = Millis::seconds(300);
/// The next messages from which a standard queue draws one, if it reorders.
const WINDOW: usize = 10;

/// A queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) definition: QueueDefinition,
    /// By number, in the order of sending.
    pub(super) messages: BTreeMap<u64, Message>,
    next: u64,
    /// The last messages by deduplication id.
    sent: BTreeMap<String, Sent>,
    /// Receive calls that wait.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) created_at: Millis,
}

/// A message that was sent with a deduplication id.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    at: Millis,
    pub(super) id: String,
    pub(super) sequence: Option<String>,
}

/// A receive call that waits for a message.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) id: CallId,
    pub(super) until: Millis,
    pub(super) receive: Receive,
}

impl Queue {
    pub(super) fn new(definition: QueueDefinition, now: Millis) -> Self {
        Self {
            definition,
            messages: BTreeMap::new(),
            next: 1,
            sent: BTreeMap::new(),
            waiting: VecDeque::new(),
            created_at: now,
        }
    }

    pub(super) fn url(name: &str) -> String {
        format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}")
    }

    pub(super) fn arn(name: &str) -> String {
        format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}")
    }

    /// The message that was sent with this deduplication id in the last five minutes.
    pub(super) fn repeated(&mut self, id: &str, now: Millis) -> Option<Sent> {
        self.sent.retain(|_, sent| now.since(sent.at) < DEDUPLICATION);
        self.sent.get(id).cloned()
    }

    /// Adds a message. A FIFO queue numbers it.
    pub(super) fn push(&mut self, mut message: Message, now: Millis) -> Option<String> {
        let number = self.next;
        self.next += 1;
        if self.definition.is_fifo() {
            message.sequence =
                Some(format!("{:020}", 10_000_000_000_000_000_000_u64.saturating_add(number)));
        }
        let sequence = message.sequence.clone();
        if let Some(deduplication) = &message.deduplication {
            let sent = Sent { at: now, id: message.id.clone(), sequence: sequence.clone() };
            self.sent.insert(deduplication.clone(), sent);
        }
        self.messages.insert(number, message);
        sequence
    }

    /// Deletes the messages that are older than the retention.
    pub(super) fn expire(&mut self, now: Millis) {
        let retention = self.definition.retention;
        self.messages.retain(|_, message| now.since(message.kept_from) < retention);
    }

    pub(super) fn in_flight(&self, now: Millis) -> usize {
        self.messages.values().filter(|message| message.is_in_flight(now)).count()
    }

    /// How many more messages may be in flight.
    pub(super) fn room(&self, now: Millis) -> usize {
        self.definition.in_flight_max.saturating_sub(self.in_flight(now))
    }

    /// The next messages to deliver, at most so many, in the order of their delivery.
    pub(super) fn next_messages(
        &self,
        count: usize,
        now: Millis,
        freedom: &Freedom,
        random: &mut dyn Random,
    ) -> Vec<u64> {
        if self.definition.is_fifo() || !freedom.reorders {
            return self.ready(now).take(count).collect();
        }
        let mut ready: Vec<u64> = self.ready(now).collect();
        let mut drawn = Vec::new();
        while drawn.len() < count && !ready.is_empty() {
            drawn.push(ready.remove(random.index(ready.len().min(WINDOW))));
        }
        drawn
    }

    /// All messages that may be delivered now, in the order of sending.
    fn ready(&self, now: Millis) -> impl Iterator<Item = u64> {
        let is_fifo = self.definition.is_fifo();
        // A message that is hidden blocks the rest of its group.
        let mut blocked: BTreeSet<&str> = BTreeSet::new();
        if is_fifo {
            let in_flight = self.messages.values().filter(|message| message.is_in_flight(now));
            blocked.extend(in_flight.filter_map(|message| message.group.as_deref()));
        }
        self.messages.iter().filter_map(move |(number, message)| {
            let is_visible = message.visible_at <= now;
            if is_fifo {
                let group = message.group.as_deref().unwrap_or_default();
                if blocked.contains(group) {
                    return None;
                }
                if !is_visible {
                    blocked.insert(group);
                }
            }
            is_visible.then_some(*number)
        })
    }

    /// Whether a message may be delivered now. Each call asks this about each polled queue.
    fn has_ready(&self, now: Millis) -> bool {
        self.ready(now).next().is_some()
    }

    /// When a waiting call may end: a message is there, or the wait is over.
    pub(super) fn next_event_at(&self, now: Millis) -> Option<Millis> {
        let ends = self.waiting.iter().map(|waiting| waiting.until).min()?;
        if self.has_ready(now) && self.room(now) > 0 {
            return Some(now);
        }
        let visible = self.messages.values().map(|message| message.visible_at);
        Some(visible.filter(|at| *at > now).min().map_or(ends, |at| at.min(ends)))
    }
}
