//! Queues: the simulated ones and the emulator's SQS, on tokio's paused clock.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use simulation::Millis;
use simulation::random::Seeded;
use simulation::services::sqs::QueueDefinition;
use simulation::services::{Called, Permissions, Services, WireRequest};

use super::emulator_queues::Theirs;
use super::queue_operations::{
    Handles, Operation, QUEUES, RECEIVE_COUNT_MAX, ROUND, dead_letters_of, generated, is_fifo,
    outcome, queue_of, request,
};
use super::shrink::shrunk;
use super::tally::Tally;
use super::{first_seed, operations};

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
fn difference(list: &[Operation], tally: &mut Tally) -> Option<(Operation, Json, Json)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mut ours, mut theirs) = (Ours::new(), Theirs::new().await);
        for (index, operation) in list.iter().enumerate() {
            if ours.is_open(operation) {
                continue;
            }
            let (our, their) = (ours.perform(operation), theirs.perform(operation).await);
            tally.compared();
            if our != their {
                let Some(reason) = explained(operation, &our, &their) else {
                    return Some((operation.clone(), our, their));
                };
                tally.explained(reason);
                if matches!(reason, Explained::AfterDeadLetter) {
                    // The contents differ from here on.
                    tally.left_out(list.len() - index - 1);
                    return None;
                }
            }
        }
        None
    })
}

#[test]
fn simulated_queues_are_like_the_emulators() {
    let rounds = operations().div_ceil(ROUND);
    let mut tally = Tally::default();
    for round in 0..u64::try_from(rounds).unwrap() {
        let seed = first_seed() + round;
        let list = generated(&mut Seeded::new(seed));
        if difference(&list, &mut tally).is_none() {
            continue;
        }
        let again = |list: &[Operation]| difference(list, &mut Tally::default());
        let list = shrunk(list, |list| again(list).is_some());
        let (operation, ours, theirs) = again(&list).unwrap();
        let list: Vec<String> = list.iter().map(|it| format!("{it:?}")).collect();
        panic!(
            "seed {seed}: a difference in {operation:?}\nours: {ours}\ntheirs: {theirs}\nafter\n{}",
            list.join("\n")
        );
    }
    tally.end("queues");
}
