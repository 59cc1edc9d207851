//! The held messages of FIFO queues and of standard queues with message groups (SQS fair queues).
//!
//! The embedded SQS serves messages in order of arrival. This module takes them as soon as they are
//! visible, holds them, and serves them in SQS's order. A held message is in flight in the embedded
//! SQS. Its visibility timeout begins when it is served, and the reported counts are corrected.
//!
//! A FIFO queue returns as many messages of a group as possible, in order. It returns no message of
//! a group of which an earlier receive has messages in flight. In a fair queue, a noisy group does
//! not delay the others. A group is noisy if it occupies many consumers.
//!
//! Sources: "Amazon SQS FIFO delivery logic" and "How Amazon SQS fair queues work" in the developer
//! guide. SQS measures a group's share of the messages in flight and of the consumers' time. Only
//! the first is emulated.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::futures::Notified;
use tokio::sync::{self, Notify};
use tokio::time::Instant;

use super::groups::{GROUP, is_fifo};
use super::message_log::{message_of, succeeded};

/// A group is noisy if it has at least this many messages in flight,
const NOISY_MIN: usize = 30;
/// and more than this fraction (one in ten) of the queue's.
const NOISY_PART: usize = 10;

/// The FIFO queues and the queues with message groups, by their names.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<HashMap<String, Arc<Line>>>);

impl Lines {
    /// The line of a FIFO queue, or of a queue that has received a message with a group.
    pub(super) fn of(&self, input: &Value) -> Option<Arc<Line>> {
        let queue = name_of(input["QueueUrl"].as_str()?);
        let line = || Arc::new(Line { is_fifo: true, ..Line::default() });
        if is_fifo(input) {
            return Some(Arc::clone(self.lines().entry(queue).or_insert_with(line)));
        }
        self.lines().get(&queue).cloned()
    }

    /// Makes a standard queue a fair queue.
    pub(super) fn add(&self, queue_url: &str) {
        self.lines().entry(name_of(queue_url)).or_default();
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The held and in-flight messages of a queue.
#[derive(Debug, Default)]
pub(super) struct Line {
    is_fifo: bool,
    state: Mutex<State>,
    /// The call whose turn it is holds it. A receive does not hold it while it waits.
    turn: sync::Mutex<()>,
    /// A waiting receive may have a message.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The number of messages of a standard queue so far.
    came: u64,
    /// The held messages, as the embedded SQS returned them, by sequence or arrival number.
    waiting: BTreeMap<u64, Value>,
    /// The numbers of each group's held messages; no group is empty.
    groups: HashMap<String, BTreeSet<u64>>,
    /// The messages in flight, by their ids.
    in_flight: HashMap<String, InFlight>,
    /// The noisy groups. A group leaves when none of its messages is held.
    noisy: HashSet<String>,
}

#[derive(Debug)]
struct InFlight {
    group: String,
    receipt_handle: String,
    /// The end of its visibility timeout.
    until: Instant,
}

impl Line {
    /// Waits until no other call uses the line.
    pub(super) async fn turn(&self) -> sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Ends at the next change after this call.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Adds messages that became visible. A message that returns to a FIFO queue gets its former
    /// place.
    pub(super) fn take_in(&self, messages: Vec<Value>) {
        let mut state = self.state();
        for message in messages {
            let place = sequence_of(&message).unwrap_or(state.came);
            state.came += 1;
            state.in_flight.remove(id_of(&message));
            state.groups.entry(group_of(&message)).or_default().insert(place);
            state.waiting.insert(place, message);
        }
    }

    /// Returns the next messages, in flight for `timeout`. All messages that became visible until
    /// `as_of` are held.
    pub(super) fn give(&self, count_max: usize, timeout: Duration, as_of: Instant) -> Vec<Value> {
        let mut state = self.state();
        state.in_flight.retain(|_, it| it.until > as_of);
        let blocked: HashSet<String> = if self.is_fifo {
            state.in_flight.values().map(|it| it.group.clone()).collect()
        } else {
            HashSet::new()
        };
        let mut given: Vec<Value> = Vec::new();
        while given.len() < count_max {
            let group = if self.is_fifo {
                state.next_ordered(&blocked, given.last())
            } else {
                state.next_fair()
            };
            let Some((group, message)) = group.and_then(|group| state.pop(group)) else { break };
            let receipt_handle = handle_of(&message).to_owned();
            let in_flight = InFlight { group, receipt_handle, until: Instant::now() + timeout };
            state.in_flight.insert(id_of(&message).to_owned(), in_flight);
            given.push(message);
        }
        given
    }

    /// The number of held messages.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Updates the state after a successful operation, of a batch by the entries that succeeded.
    pub(super) fn note(&self, operation: &str, input: &Value, output: &Value) {
        let entries: Vec<&Value> = if input["Entries"].is_array() {
            succeeded(input, output).map(|(entry, _)| entry).collect()
        } else {
            vec![input]
        };
        match operation {
            "SendMessage" | "SendMessageBatch" => {}
            "PurgeQueue" | "DeleteQueue" => *self.state() = State::default(),
            "DeleteMessage" | "DeleteMessageBatch" => {
                for entry in entries {
                    self.deleted(entry);
                }
            }
            "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch" => {
                for entry in entries {
                    self.hidden(entry);
                }
            }
            _ => return,
        }
        self.changed.notify_waiters();
    }

    /// A message is gone, by its receipt handle. The handle of an earlier receive has no effect.
    pub(super) fn deleted(&self, entry: &Value) {
        let id = message_of(&entry["ReceiptHandle"]).unwrap_or_default();
        let mut state = self.state();
        if state.in_flight.get(&id).is_some_and(|it| it.receipt_handle == handle_of(entry)) {
            state.in_flight.remove(&id);
        }
    }

    /// The visibility timeout of a message begins, after it began in the embedded SQS.
    pub(super) fn hidden(&self, entry: &Value) {
        let id = message_of(&entry["ReceiptHandle"]).unwrap_or_default();
        let timeout = entry["VisibilityTimeout"].as_u64().unwrap_or_default();
        if let Some(it) = self.state().in_flight.get_mut(&id) {
            it.until = Instant::now() + Duration::from_secs(timeout);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next group of a FIFO queue: the one of the last message, then the one with the oldest
    /// message.
    fn next_ordered(&self, blocked: &HashSet<String>, last: Option<&Value>) -> Option<String> {
        let last = last.map(group_of);
        let free = self.groups.iter().filter(|(group, _)| !blocked.contains(*group));
        let next =
            free.min_by_key(|(group, places)| (last.as_ref() != Some(group), places.first()));
        next.map(|(group, _)| group.clone())
    }

    /// The next group of a fair queue. Messages of quiet groups come first, in order of arrival.
    /// Then come the noisy groups, the one with the fewest messages in flight first.
    fn next_fair(&mut self) -> Option<String> {
        let counts = self.in_flight_by_group();
        let all = self.in_flight.len();
        let is_noisy = |count: usize| count >= NOISY_MIN && count * NOISY_PART > all;
        let noisy = counts.iter().filter(|(_, count)| is_noisy(**count));
        let noisy: Vec<String> = noisy.map(|(group, _)| group.clone()).collect();
        self.noisy.extend(noisy);
        self.noisy.retain(|group| self.groups.contains_key(group));
        let rank = |group: &String, places: &BTreeSet<u64>| {
            let in_flight = if self.noisy.contains(group) { counts.get(group) } else { None };
            let first = places.first().copied();
            (self.noisy.contains(group), in_flight.copied().unwrap_or_default(), first)
        };
        let next = self.groups.iter().min_by_key(|(group, places)| rank(group, places));
        next.map(|(group, _)| group.clone())
    }

    /// Removes the first held message of a group.
    fn pop(&mut self, group: String) -> Option<(String, Value)> {
        let places = self.groups.get_mut(&group)?;
        let place = places.pop_first()?;
        if places.is_empty() {
            self.groups.remove(&group);
            self.noisy.remove(&group);
        }
        Some((group, self.waiting.remove(&place)?))
    }

    fn in_flight_by_group(&self) -> HashMap<String, usize> {
        self.in_flight.values().fold(HashMap::new(), |mut counts, it| {
            *counts.entry(it.group.clone()).or_default() += 1;
            counts
        })
    }
}

/// A receive of all visible messages from the embedded SQS, with a visibility timeout for the time
/// that they may be held.
pub(super) fn fetch(queue_url: &Value) -> Value {
    json!({
        "QueueUrl": queue_url,
        "MaxNumberOfMessages": 10,
        "WaitTimeSeconds": 0,
        "VisibilityTimeout": 43_200,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    })
}

/// Corrects the response of `GetQueueAttributes`: held messages count as visible.
pub(super) fn with_waiting(answer: &mut Value, waiting: usize) {
    let mut change = |name: &str, change: &dyn Fn(usize) -> usize| {
        let count = answer["Attributes"].get_mut(name);
        let count = count.and_then(|count| Some((count.as_str()?.parse().ok()?, count)));
        if let Some((old, count)) = count {
            *count = change(old).to_string().into();
        }
    };
    change("ApproximateNumberOfMessages", &|visible| visible + waiting);
    change("ApproximateNumberOfMessagesNotVisible", &|hidden| hidden.saturating_sub(waiting));
}

fn id_of(message: &Value) -> &str {
    message["MessageId"].as_str().unwrap_or_default()
}

fn handle_of(message: &Value) -> &str {
    message["ReceiptHandle"].as_str().unwrap_or_default()
}

/// The number of a message in its FIFO queue.
fn sequence_of(message: &Value) -> Option<u64> {
    message["Attributes"]["SequenceNumber"].as_str()?.parse().ok()
}

fn name_of(queue_url: &str) -> String {
    queue_url.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A message without a group forms its own group.
fn group_of(message: &Value) -> String {
    let group = message["Attributes"][GROUP].as_str();
    group.map_or_else(|| format!("message {}", id_of(message)), |group| format!("group {group}"))
}

#[cfg(test)]
mod tests;
