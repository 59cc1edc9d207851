//! Queues: the simulated ones and the emulator's SQS, on tokio's paused clock.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::services::sqs::QueueDefinition;
use simulation::services::{Called, Permissions, Services, WireRequest};

use super::emulator_queues::Theirs;
use super::shrink::shrunk;
use super::{first_seed, operations};

/// The operations on one pair of engines, which begin empty.
const ROUND: usize = 40;
/// The messages of a round: one receive call returns all of them, so their order does not matter.
const MESSAGES_MAX: usize = 8;

/// An operation on a queue.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Send {
        queue: usize,
        number: usize,
        delay_s: u64,
    },
    Receive {
        queue: usize,
        visibility_s: Option<u64>,
    },
    /// Of the receive call with this number for the message.
    Delete {
        queue: usize,
        number: usize,
        receive: u32,
    },
    Change {
        queue: usize,
        number: usize,
        receive: u32,
        visibility_s: u64,
    },
    Count {
        queue: usize,
    },
    Pass {
        seconds: u64,
    },
}

/// The standard queue, the FIFO queue, and their dead-letter queues.
pub(super) const QUEUES: [&str; 4] = ["dead", "dead.fifo", "q", "q.fifo"];

pub(super) fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}
pub(super) const RECEIVE_COUNT_MAX: u32 = 3;

fn generated(random: &mut impl Random) -> Vec<Operation> {
    let mut sent = 0;
    let mut list = Vec::new();
    for _ in 0..ROUND {
        let queue = random.index(QUEUES.len());
        let number = random.index(sent.max(1));
        let receive = 1 + u32::try_from(random.below(3)).unwrap();
        list.push(match random.below(10) {
            0..=2 if sent < MESSAGES_MAX => {
                sent += 1;
                let queue = 2 + random.index(2);
                let delay_s = if queue == 2 && random.below(3) == 0 { 3 } else { 0 };
                Operation::Send { queue, number: sent - 1, delay_s }
            }
            3 | 4 => {
                let visibility_s = [None, Some(1), Some(5)][random.index(3)];
                Operation::Receive { queue, visibility_s }
            }
            5 | 6 => Operation::Delete { queue, number, receive },
            7 => {
                let visibility_s = [0, 2, 20][random.index(3)];
                Operation::Change { queue, number, receive, visibility_s }
            }
            8 => Operation::Count { queue },
            _ => Operation::Pass { seconds: 1 + random.below(12) },
        });
    }
    list
}

/// The receipt handles of an engine, by queue, message and receive.
pub(super) type Handles = BTreeMap<(usize, usize, u32), String>;

/// The request of an operation; none if it needs a handle that is not there.
pub(super) fn request(
    operation: &Operation,
    urls: &[String],
    handles: &Handles,
) -> Option<(&'static str, Json)> {
    Some(match operation {
        Operation::Send { queue, number, delay_s } => {
            let mut send = json!({ "QueueUrl": urls[*queue], "MessageBody": number.to_string() });
            if is_fifo(QUEUES[*queue]) {
                send["MessageGroupId"] = json!("a");
                // Two numbers have one id: the second is dropped within five minutes.
                send["MessageDeduplicationId"] = json!((number / 2 * 2).to_string());
            } else {
                send["DelaySeconds"] = json!(delay_s);
            }
            ("SendMessage", send)
        }
        Operation::Receive { queue, visibility_s } => {
            // The emulator's SQS delivers one message of a group at a time. SQS delivers several.
            let count = if is_fifo(QUEUES[*queue]) { 1 } else { 10 };
            let mut receive = json!({
                "QueueUrl": urls[*queue], "MaxNumberOfMessages": count, "WaitTimeSeconds": 0,
                "AttributeNames": ["ApproximateReceiveCount", "MessageGroupId"],
            });
            if let Some(seconds) = visibility_s {
                receive["VisibilityTimeout"] = json!(seconds);
            }
            ("ReceiveMessage", receive)
        }
        Operation::Delete { queue, number, receive } => {
            let handle = handles.get(&(*queue, *number, *receive))?;
            ("DeleteMessage", json!({ "QueueUrl": urls[*queue], "ReceiptHandle": handle }))
        }
        Operation::Change { queue, number, receive, visibility_s } => {
            let handle = handles.get(&(*queue, *number, *receive))?;
            (
                "ChangeMessageVisibility",
                json!({
                    "QueueUrl": urls[*queue], "ReceiptHandle": handle, "VisibilityTimeout": visibility_s,
                }),
            )
        }
        Operation::Count { queue } => (
            "GetQueueAttributes",
            json!({
                "QueueUrl": urls[*queue],
                "AttributeNames": [
                    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            }),
        ),
        Operation::Pass { .. } => return None,
    })
}

/// The part that two engines must have in common: the type of the error, or the contents. The messages were
/// received `before` times in another queue, if the engine counts that.
pub(super) fn outcome(
    queue: usize,
    before: u32,
    status: u16,
    body: &Json,
    handles: &mut Handles,
) -> Json {
    if status != 200 {
        let kind = body["__type"].as_str().unwrap_or_default();
        return json!(kind.rsplit('#').next());
    }
    let Some(messages) = body.get("Messages").and_then(Json::as_array) else {
        let mut rest = body.clone();
        if let Some(members) = rest.as_object_mut() {
            for member in ["MessageId", "SequenceNumber", "Messages"] {
                members.remove(member);
            }
        }
        return rest;
    };
    let mut received = Vec::new();
    for message in messages {
        let count = message["Attributes"]["ApproximateReceiveCount"].as_str().unwrap_or_default();
        let number: usize = message["Body"].as_str().unwrap_or_default().parse().unwrap();
        let handle = message["ReceiptHandle"].as_str().unwrap_or_default().to_owned();
        let count = count.parse::<u32>().unwrap() - before;
        handles.insert((queue, number, count), handle);
        received.push(json!([
            number,
            count,
            message["Attributes"]["MessageGroupId"],
            message["MD5OfBody"]
        ]));
    }
    if !is_fifo(QUEUES[queue]) {
        received.sort_by_key(ToString::to_string);
    }
    json!(received)
}

struct Ours {
    services: Services,
    random: Seeded,
    now: Millis,
    urls: Vec<String>,
    handles: Handles,
    /// When the visibility timeouts of receipt handles end.
    ends: BTreeMap<(usize, usize, u32), Millis>,
}

impl Ours {
    fn new() -> Self {
        let mut services = Services::default();
        services.grant("test", Permissions::everything());
        let urls = QUEUES.map(|name| {
            let mut queue = QueueDefinition::new(name).with_visibility_timeout(Millis::seconds(10));
            if let Some(dead_letters) = dead_letters_of(name) {
                queue = queue.with_redrive(dead_letters, RECEIVE_COUNT_MAX);
            }
            services.add_queue(queue).unwrap()
        });
        let now = Millis::seconds(1_800_000_000);
        let random = Seeded::new(0);
        let (urls, handles) = (urls.to_vec(), Handles::new());
        Self { services, random, now, urls, handles, ends: BTreeMap::new() }
    }

    fn perform(&mut self, operation: &Operation) -> Json {
        if let Operation::Pass { seconds } = operation {
            self.now = self.now + Millis::seconds(*seconds);
            return Json::Null;
        }
        let Some((name, body)) = request(operation, &self.urls, &self.handles) else {
            return Json::Null;
        };
        let (target, text) = (format!("AmazonSQS.{name}"), body.to_string());
        let request =
            WireRequest { caller: "test", target: Some(&target), path: "/", body: text.as_bytes() };
        match self.services.call(self.now, &mut self.random, request) {
            Called::AtOnce(response) => {
                let queue = queue_of(operation);
                if response.status == 200 {
                    self.note(operation, &response.json());
                }
                outcome(queue, before(queue), response.status, &response.json(), &mut self.handles)
            }
            Called::CompletesAt(at, _) => panic!("{name} ends at {at:?}"),
        }
    }
}

/// SQS counts the receives of a message in all queues. The emulator's begins again.
fn before(queue: usize) -> u32 {
    if dead_letters_of(QUEUES[queue]).is_none() { RECEIVE_COUNT_MAX } else { 0 }
}

impl Ours {
    /// Notes the end of a visibility timeout.
    fn note(&mut self, operation: &Operation, answer: &Json) {
        let until = |seconds: u64| self.now + Millis::seconds(seconds);
        match operation {
            Operation::Receive { queue, visibility_s } => {
                let ends = until(visibility_s.unwrap_or(10));
                for message in answer["Messages"].as_array().into_iter().flatten() {
                    let count = message["Attributes"]["ApproximateReceiveCount"].as_str();
                    let number = message["Body"].as_str();
                    let count = count.unwrap().parse::<u32>().unwrap() - before(*queue);
                    self.ends.insert((*queue, number.unwrap().parse().unwrap(), count), ends);
                }
            }
            Operation::Change { queue, number, receive, visibility_s } => {
                self.ends.insert((*queue, *number, *receive), until(*visibility_s));
            }
            _ => {}
        }
    }

    /// Whether the operation deletes by a handle after its visibility timeout. A standard queue may
    /// delete the message or not.
    fn is_open(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Delete { queue, number, receive } => {
                let ends = self.ends.get(&(*queue, *number, *receive));
                !is_fifo(QUEUES[*queue]) && ends.is_some_and(|ends| *ends <= self.now)
            }
            _ => false,
        }
    }
}

pub(super) fn dead_letters_of(name: &str) -> Option<&'static str> {
    match name {
        "q" => Some("dead"),
        "q.fifo" => Some("dead.fifo"),
        _ => None,
    }
}

pub(super) fn queue_of(operation: &Operation) -> usize {
    match operation {
        Operation::Send { queue, .. }
        | Operation::Receive { queue, .. }
        | Operation::Delete { queue, .. }
        | Operation::Change { queue, .. }
        | Operation::Count { queue } => *queue,
        Operation::Pass { .. } => 0,
    }
}

/// A known difference of the emulator's SQS.
#[derive(Debug, Clone, Copy)]
enum Explained {
    /// A receipt handle of a FIFO queue ends with its visibility timeout. The emulator's SQS
    /// answers that the message is deleted, and keeps it.
    ExpiredHandle,
    /// After a message has gone to the dead letters, the same call receives the next one of its
    /// group. The emulator's SQS delivers it by the next call.
    AfterDeadLetter,
    /// The visibility timeout of a message that is gone is an invalid parameter. For the emulator's
    /// SQS, the message is not in flight.
    GoneMessage,
}

fn explained(operation: &Operation, ours: &Json, theirs: &Json) -> Option<Explained> {
    match operation {
        Operation::Delete { queue, .. }
            if is_fifo(QUEUES[*queue])
                && *ours == "InvalidParameterValue"
                && *theirs == json!({}) =>
        {
            Some(Explained::ExpiredHandle)
        }
        Operation::Receive { queue, .. }
            if is_fifo(QUEUES[*queue]) && ours.is_array() && *theirs == json!({}) =>
        {
            Some(Explained::AfterDeadLetter)
        }
        Operation::Change { .. }
            if *ours == "InvalidParameterValue" && *theirs == "MessageNotInflight" =>
        {
            Some(Explained::GoneMessage)
        }
        _ => None,
    }
}

/// The first difference: the operation and the outcomes.
fn difference(list: &[Operation]) -> Option<(Operation, Json, Json)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mut ours, mut theirs) = (Ours::new(), Theirs::new().await);
        for operation in list {
            if ours.is_open(operation) {
                continue;
            }
            let (our, their) = (ours.perform(operation), theirs.perform(operation).await);
            if our != their {
                match explained(operation, &our, &their) {
                    // The contents are still the same.
                    Some(Explained::ExpiredHandle | Explained::GoneMessage) => {}
                    Some(Explained::AfterDeadLetter) => return None,
                    None => return Some((operation.clone(), our, their)),
                }
            }
        }
        None
    })
}

#[test]
fn simulated_queues_are_like_the_emulators() {
    let rounds = operations().div_ceil(ROUND);
    for round in 0..u64::try_from(rounds).unwrap() {
        let seed = first_seed() + round;
        let list = generated(&mut Seeded::new(seed));
        if difference(&list).is_none() {
            continue;
        }
        let list = shrunk(list, |list| difference(list).is_some());
        let (operation, ours, theirs) = difference(&list).unwrap();
        let list: Vec<String> = list.iter().map(|it| format!("{it:?}")).collect();
        panic!(
            "seed {seed}: a difference in {operation:?}\nours: {ours}\ntheirs: {theirs}\nafter\n{}",
            list.join("\n")
        );
    }
}
