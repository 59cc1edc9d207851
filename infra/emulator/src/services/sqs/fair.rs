//! SQS fair queues: in a standard queue with message groups, a noisy group does not delay the
//! others. A group is noisy if it occupies many consumers.
//!
//! The embedded SQS serves messages in order of arrival. This module takes them as soon as they are
//! visible, holds them, and serves them in SQS's order. A held message is in flight in the embedded
//! SQS. Its visibility timeout begins when it is served, and the reported counts are corrected.
//!
//! Source: "How Amazon SQS fair queues work" in the developer guide. SQS measures a group's share
//! of the messages in flight and of the consumers' time. Only the first is emulated.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::groups::GROUP;
use super::message_log::{message_of, succeeded};

/// A group is noisy if it has at least this many messages in flight,
const NOISY_MIN: usize = 30;
/// and more than this fraction (one in ten) of the queue's.
const NOISY_PART: usize = 10;

/// The queues with message groups, by their URLs.
#[derive(Debug, Default)]
pub(super) struct Fair(Mutex<HashMap<String, Arc<Line>>>);

impl Fair {
    /// The line of a queue that has received a message with a group.
    pub(super) fn line(&self, input: &Value) -> Option<Arc<Line>> {
        self.lines().get(input["QueueUrl"].as_str()?).cloned()
    }

    /// Makes a queue a fair queue.
    pub(super) fn add(&self, queue_url: &str) {
        if !self.lines().contains_key(queue_url) {
            self.lines().insert(queue_url.to_owned(), Arc::default());
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The held and in-flight messages of a fair queue.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of messages so far.
    came: u64,
    /// The held messages, as the embedded SQS returned them, by arrival number.
    waiting: BTreeMap<u64, Value>,
    /// The arrival numbers of each group's held messages, oldest first; no group is empty.
    groups: HashMap<String, VecDeque<u64>>,
    /// By message id: the group of each message in flight, and the end of its visibility timeout.
    in_flight: HashMap<String, (String, Instant)>,
    /// The noisy groups. A group leaves when none of its messages is held.
    noisy: HashSet<String>,
}

impl Line {
    /// Adds messages that became visible.
    pub(super) fn take_in(&self, messages: Vec<Value>) {
        let mut state = self.state();
        for message in messages {
            let (place, group) = (state.came, group_of(&message));
            state.came += 1;
            state.in_flight.remove(id_of(&message));
            state.groups.entry(group).or_default().push_back(place);
            state.waiting.insert(place, message);
        }
    }

    /// Returns the next messages, in flight for `timeout`. Messages of quiet groups come first, in
    /// order of arrival. Then come the noisy groups, the one with the fewest messages in flight
    /// first.
    pub(super) fn give(&self, count_max: usize, timeout: Duration) -> Vec<Value> {
        let mut state = self.state();
        let now = Instant::now();
        state.in_flight.retain(|_, (_, until)| *until > now);
        let mut given = Vec::new();
        while given.len() < count_max
            && let Some(message) = state.next()
        {
            let (id, group) = (id_of(&message).to_owned(), group_of(&message));
            state.in_flight.insert(id, (group, now + timeout));
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
        let mut state = self.state();
        match operation {
            "PurgeQueue" => *state = State::default(),
            "DeleteMessage" | "DeleteMessageBatch" => entries.iter().for_each(|entry| {
                let id = message_of(&entry["ReceiptHandle"]).unwrap_or_default();
                state.in_flight.remove(&id);
            }),
            "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch" => {
                for entry in entries {
                    let id = message_of(&entry["ReceiptHandle"]).unwrap_or_default();
                    let timeout = entry["VisibilityTimeout"].as_u64().unwrap_or_default();
                    if let Some((_, until)) = state.in_flight.get_mut(&id) {
                        *until = Instant::now() + Duration::from_secs(timeout);
                    }
                }
            }
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> Option<Value> {
        let counts = self.in_flight_by_group();
        let all = self.in_flight.len();
        let is_noisy = |count: usize| count >= NOISY_MIN && count * NOISY_PART > all;
        let noisy = counts.iter().filter(|(_, count)| is_noisy(**count));
        let noisy: Vec<String> = noisy.map(|(group, _)| group.clone()).collect();
        self.noisy.extend(noisy);
        self.noisy.retain(|group| self.groups.contains_key(group));
        let rank = |group: &String, places: &VecDeque<u64>| {
            let in_flight = if self.noisy.contains(group) { counts.get(group) } else { None };
            (self.noisy.contains(group), in_flight.copied().unwrap_or_default(), places[0])
        };
        let (group, _) = self.groups.iter().min_by_key(|(group, places)| rank(group, places))?;
        let group = group.clone();
        let places = self.groups.get_mut(&group)?;
        let place = places.pop_front()?;
        if places.is_empty() {
            self.groups.remove(&group);
            self.noisy.remove(&group);
        }
        self.waiting.remove(&place)
    }

    fn in_flight_by_group(&self) -> HashMap<String, usize> {
        self.in_flight.values().fold(HashMap::new(), |mut counts, (group, _)| {
            *counts.entry(group.clone()).or_default() += 1;
            counts
        })
    }
}

/// A receive of all visible messages from the embedded SQS, with a visibility timeout for the time
/// that they may be held.
pub(super) fn fetch(queue_url: &Value, wait_s: u64) -> Value {
    json!({
        "QueueUrl": queue_url,
        "MaxNumberOfMessages": 10,
        "WaitTimeSeconds": wait_s,
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

/// A message without a group forms its own group.
fn group_of(message: &Value) -> String {
    let group = message["Attributes"][GROUP].as_str();
    group.map_or_else(|| format!("message {}", id_of(message)), |group| format!("group {group}"))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const HIDDEN: Duration = Duration::from_mins(2);

    fn message(group: &str, number: usize) -> Value {
        json!({ "MessageId": format!("{group}-{number}"), "Attributes": { "MessageGroupId": group } })
    }

    fn ids(messages: &[Value]) -> Vec<&str> {
        messages.iter().map(id_of).collect()
    }

    /// A line with this many messages of one group, all older than one message of another group.
    fn line(count: usize) -> Line {
        let line = Line::default();
        line.take_in((0..count).map(|number| message("loud", number)).collect());
        line.take_in(vec![message("quiet", 0)]);
        line
    }

    #[test]
    fn a_group_with_30_messages_in_flight_is_served_after_others() {
        let line = line(100);
        assert!(ids(&line.give(29, HIDDEN)).iter().all(|id| id.starts_with("loud")));
        assert_eq!(ids(&line.give(2, HIDDEN)), ["loud-29", "quiet-0"]);
        assert_eq!(ids(&line.give(1, HIDDEN)), ["loud-30"], "no other group has messages");
    }

    #[test]
    fn a_group_with_fewer_than_30_messages_in_flight_keeps_its_place() {
        let line = line(100);
        line.give(20, HIDDEN);
        assert_eq!(ids(&line.give(1, HIDDEN)), ["loud-20"]);
    }

    #[test]
    fn a_group_stays_noisy_while_its_messages_wait() {
        let line = line(31);
        let given = line.give(30, HIDDEN);
        assert_eq!(ids(&line.give(1, HIDDEN)), ["quiet-0"]);
        for message in &given {
            let handle = STANDARD.encode(format!("{}:0:0", id_of(message)));
            line.note("DeleteMessage", &json!({ "ReceiptHandle": handle }), &json!({}));
        }
        line.take_in(vec![message("quiet", 1)]);
        assert_eq!(ids(&line.give(2, HIDDEN)), ["quiet-1", "loud-30"]);
        line.take_in(vec![message("loud", 31), message("quiet", 2)]);
        assert_eq!(ids(&line.give(2, HIDDEN)), ["loud-31", "quiet-2"]);
    }

    #[test]
    fn a_message_whose_deletion_failed_in_a_batch_stays_in_flight() {
        let line = line(31);
        let given = line.give(30, HIDDEN);
        let handles =
            given.iter().map(|message| STANDARD.encode(format!("{}:0:0", id_of(message))));
        let entries = handles.enumerate();
        let entries = entries.map(|(id, it)| json!({ "Id": id.to_string(), "ReceiptHandle": it }));
        let batch = json!({ "Entries": entries.collect::<Vec<_>>() });
        line.note("DeleteMessageBatch", &batch, &json!({ "Successful": [], "Failed": [] }));
        line.take_in(vec![message("quiet", 1)]);
        assert_eq!(ids(&line.give(2, HIDDEN)), ["quiet-0", "quiet-1"]);
        line.note("DeleteMessageBatch", &batch, &json!({ "Successful": [{ "Id": "0" }] }));
        assert_eq!(line.state().in_flight.len(), 31);
    }

    #[test]
    fn of_noisy_groups_the_one_with_fewer_in_flight_is_served_first() {
        let line = Line::default();
        line.take_in((0..50).map(|number| message("louder", number)).collect());
        line.give(40, HIDDEN);
        line.take_in((0..50).map(|number| message("loud", number)).collect());
        assert!(ids(&line.give(30, HIDDEN)).iter().all(|id| id.starts_with("loud-")));
        assert_eq!(ids(&line.give(1, HIDDEN)), ["loud-30"]);
    }

    #[test]
    fn messages_without_a_group_are_never_noisy() {
        let bare = |number: usize| json!({ "MessageId": number.to_string(), "Attributes": {} });
        let line = Line::default();
        line.take_in((0..40).map(bare).chain([message("quiet", 0)]).collect());
        line.give(35, HIDDEN);
        assert_eq!(ids(&line.give(10, HIDDEN)), ["35", "36", "37", "38", "39", "quiet-0"]);
    }
}
