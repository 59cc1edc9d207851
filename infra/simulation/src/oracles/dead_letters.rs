//! Dead letters: the poison that was sent, and messages that have failed as often as their queue allows.

use std::collections::BTreeMap;

use sam_template::Template;
use serde_json::Value;

use super::deliveries::{Deliveries, can_fail_a_delivery};
use crate::evidence::Sends;
use crate::world::{Cause, Event, Happened, Oracle, SENT, THROTTLED, View};

/// Checks at rest that dead-letter queues have the poison that a workload has sent, and otherwise only
/// messages that were delivered as often as their queue allows. Without a fault there are none: a
/// consumer that fails without one always fails. A fault that can fail no delivery counts as none.
///
/// Nor does a fault excuse a message that still fails minutes after its end: at least twice, if its queue
/// delivers it twice.
///
/// Poison is a message of [`Client::send_message`](crate::world::Client::send_message) with a mark in
/// its body: no consumer can read it. A dead letter of a stream is allowed if records were given up.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    /// The part of a body that marks poison.
    mark: String,
    /// The source queues of each dead-letter queue, and their maxima of receives.
    redrives: BTreeMap<String, Vec<(String, u32)>>,
    sends: Sends,
    /// The messages with a body: their queues, by logical id, and their ids.
    sent: BTreeMap<String, Vec<(String, String)>>,
    deliveries: Deliveries,
    /// The messages of operators, with their queues.
    poison: Vec<(String, String)>,
    /// Whether records of a stream were given up.
    given_up: bool,
    /// Whether a fault was drawn that can fail a delivery, or a table was overloaded.
    had_faults: bool,
}

impl DeadLetters {
    /// Its name.
    pub const NAME: &'static str = "only poison in dead letters";

    /// The check of the template's dead-letter queues. A body with `mark` is poison.
    pub fn of(template: &Template, mark: &str) -> Self {
        let mut redrives = BTreeMap::<_, Vec<_>>::new();
        for queue in template.queues.values() {
            if let Some(redrive) = &queue.redrive {
                let source = (queue.logical_id.clone(), redrive.max_receive_count);
                redrives.entry(redrive.dead_letter_queue.clone()).or_default().push(source);
            }
        }
        Self {
            mark: mark.to_owned(),
            redrives,
            sends: Sends::default(),
            sent: BTreeMap::new(),
            deliveries: Deliveries::of(template),
            poison: Vec::new(),
            given_up: false,
            had_faults: false,
        }
    }
}

impl Oracle for DeadLetters {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        self.notice(event);
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let queues: Vec<String> = view.dead_letter_queues().map(str::to_owned).collect();
        let dead: BTreeMap<String, Vec<String>> =
            queues.into_iter().map(|queue| (queue.clone(), view.messages(&queue))).collect();
        self.check(&dead)
    }
}

impl DeadLetters {
    fn notice(&mut self, event: &Event) {
        for sent in self.sends.taken(event) {
            // A logical id has no dot.
            let queue = sent.queue.trim_end_matches(".fifo").to_owned();
            self.sent.entry(sent.body).or_default().push((queue, sent.id));
        }
        match &event.what {
            Happened::Invoked { cause: Cause::Messages(_, ids), .. } => {
                self.deliveries.begin(ids, event.at);
            }
            // An environment did not start. A throttled invocation is tried again, and fails only
            // when its messages become visible.
            Happened::Refused { cause: Cause::Messages(_, ids), reason, .. }
                if reason != THROTTLED =>
            {
                self.deliveries.begin(ids, event.at);
            }
            Happened::BatchFailed { items, reason, .. } => {
                if reason == THROTTLED {
                    self.deliveries.begin(items, event.at);
                }
                self.deliveries.fail(items);
            }
            Happened::Noted { name, value, .. } if name == SENT => {
                let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
                let (queue, body) = (text("queue"), text("body"));
                self.sent.entry(body.clone()).or_default().push((queue.clone(), text("id")));
                self.poison.extend(self.is_poison(&body).then_some((queue, body)));
            }
            Happened::GivenUp { .. } => self.given_up = true,
            Happened::Drawn { fault, .. } => self.had_faults |= can_fail_a_delivery(*fault),
            Happened::Overloaded { .. } => self.had_faults = true,
            Happened::Settling => self.deliveries.settle(event.at),
            _ => {}
        }
    }

    fn check(&self, dead: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
        for (queue, body) in
            dead.iter().flat_map(|(queue, all)| all.iter().map(move |it| (queue, it)))
        {
            let sources = self.redrives.get(queue).map(Vec::as_slice).unwrap_or_default();
            if sources.is_empty() || is_of_stream(body) {
                if self.given_up {
                    continue;
                }
                return Err(format!("{queue} has {body}, but no record was given up"));
            }
            if self.is_poison(body) {
                continue;
            }
            if !self.had_faults {
                return Err(format!("{queue} has {body}, but there was no fault"));
            }
            let counts: Vec<_> =
                sources.iter().map(|it| (it, self.deliveries(&it.0, body))).collect();
            if counts.iter().all(|((_, most), count)| count < most) {
                let counts = counts.iter().map(|((it, _), count)| format!("{count} by {it}"));
                let counts = counts.collect::<Vec<_>>().join(", ");
                return Err(format!("{queue} has {body} after too few deliveries: {counts}"));
            }
            let late = sources.iter().filter_map(|it| self.late_failures(&it.0, body, it.1));
            if let Some(count) = late.max() {
                let when = "minutes after the end of faults";
                return Err(format!(
                    "{queue} has {body}, which still failed {when}: {count} times"
                ));
            }
        }
        for (source, body) in &self.poison {
            let is_of = |all: &[(String, u32)]| all.iter().any(|(it, _)| it == source);
            let queue = self.redrives.iter().find(|(_, all)| is_of(all)).map(|(dead, _)| dead);
            let found = queue.and_then(|queue| dead.get(queue));
            if !found.is_some_and(|bodies| bodies.contains(body)) {
                return Err(format!("{body} was sent to {source}, and is no dead letter"));
            }
        }
        Ok(())
    }

    fn is_poison(&self, body: &str) -> bool {
        body.contains(&self.mark)
    }

    /// The most deliveries of a message of this queue with this body.
    fn deliveries(&self, source: &str, body: &str) -> u32 {
        let counts = self.ids(source, body).map(|id| self.deliveries.count(id));
        counts.max().unwrap_or_default()
    }

    /// The most late failures of such a message, if they are no chance.
    fn late_failures(&self, source: &str, body: &str, most: u32) -> Option<u32> {
        let ids = self.ids(source, body);
        ids.filter_map(|id| self.deliveries.late_failures(id, most)).max()
    }

    /// The ids of the messages of this queue with this body.
    fn ids(&self, source: &str, body: &str) -> impl Iterator<Item = &String> {
        let sent = self.sent.get(body).into_iter().flatten();
        sent.filter(move |(queue, _)| queue == source).map(|(_, id)| id)
    }
}

/// Whether Lambda has sent the message, about records of a stream that it has given up.
fn is_of_stream(body: &str) -> bool {
    serde_json::from_str(body).is_ok_and(|body: Value| body["DDBStreamBatchInfo"].is_object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Millis;
    use crate::world::Fault;

    const TEMPLATE: &str = "Resources:
  Dead: {Type: 'AWS::SQS::Queue'}
  Queue: {Type: 'AWS::SQS::Queue', Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}}
  Urgent: {Type: 'AWS::SQS::Queue', Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1}}}
";

    fn oracle() -> DeadLetters {
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        DeadLetters { had_faults: true, ..DeadLetters::of(&template, "poison") }
    }

    fn notice(oracle: &mut DeadLetters, what: Happened) {
        oracle.notice(&Event { number: 0, at: Millis(0), what });
    }

    /// An operator sends a message. Its id is its body.
    fn send(oracle: &mut DeadLetters, queue: &str, body: &str) {
        let value = json!({ "queue": queue, "body": body, "id": body });
        notice(oracle, Happened::Noted { operation: 0, name: SENT.to_owned(), value });
    }

    fn cause(id: &str) -> Cause {
        Cause::Messages("Queue".to_owned(), vec![id.to_owned()])
    }

    fn deliver(oracle: &mut DeadLetters, id: &str) {
        let [invocation, environment, function] = ["i", "F#1", "F"].map(str::to_owned);
        let cause = cause(id);
        notice(oracle, Happened::Invoked { invocation, environment, function, cause });
    }

    fn refuse(oracle: &mut DeadLetters, id: &str, reason: &str) {
        let (function, cause, reason) = ("F".to_owned(), cause(id), reason.to_owned());
        notice(oracle, Happened::Refused { function, cause, reason });
    }

    fn fail(oracle: &mut DeadLetters, id: &str, reason: &str) {
        let [source, function, reason] = ["Queue", "F", reason].map(str::to_owned);
        let items = vec![id.to_owned()];
        notice(oracle, Happened::BatchFailed { source, function, items, reason });
    }

    fn dead(bodies: &[&str]) -> BTreeMap<String, Vec<String>> {
        let bodies = bodies.iter().map(|body| (*body).to_owned()).collect();
        BTreeMap::from([("Dead".to_owned(), bodies)])
    }

    #[test]
    fn too_few_deliveries_a_failure_without_a_fault_and_a_lost_poison_are_found() {
        let mut oracle = oracle();
        send(&mut oracle, "Queue", "body");
        for count in 0..3 {
            let error = oracle.check(&dead(&["body"])).unwrap_err();
            assert!(error.contains(&format!("{count} by Queue, 0 by Urgent")), "{error}");
            deliver(&mut oracle, "body");
        }
        oracle.check(&dead(&["body", "poison-1"])).unwrap();
        oracle.had_faults = false;
        oracle.check(&dead(&["body"])).unwrap_err();
        oracle.check(&dead(&["poison-1"])).unwrap();
        send(&mut oracle, "Queue", "poison-2");
        oracle.check(&dead(&["poison-1"])).unwrap_err();
        oracle.check(&dead(&["poison-2"])).unwrap();
    }

    #[test]
    fn queues_that_share_a_dead_letter_queue_have_their_own_maximum() {
        let mut oracle = oracle();
        for queue in ["Queue", "Urgent"] {
            send(&mut oracle, queue, queue);
            deliver(&mut oracle, queue);
        }
        oracle.check(&dead(&["Urgent"])).unwrap();
        oracle.check(&dead(&["Queue"])).unwrap_err();
        for queue in ["Queue", "Urgent"] {
            send(&mut oracle, queue, &format!("poison of {queue}"));
        }
        oracle.check(&dead(&["poison of Queue", "poison of Urgent"])).unwrap();
    }

    #[test]
    fn a_message_about_given_up_records_may_be_in_the_dead_letter_queue_of_a_queue() {
        let mut oracle = oracle();
        let letter = json!({ "DDBStreamBatchInfo": { "batchSize": 1 } }).to_string();
        oracle.check(&dead(&[&letter])).unwrap_err();
        oracle.given_up = true;
        oracle.check(&dead(&[&letter])).unwrap();
        oracle.check(&dead(&["body"])).unwrap_err();
    }

    #[test]
    fn a_throttled_invocation_counts_when_its_messages_become_visible() {
        let mut oracle = oracle();
        send(&mut oracle, "Queue", "body");
        for _ in 0..9 {
            refuse(&mut oracle, "body", THROTTLED);
        }
        oracle.check(&dead(&["body"])).unwrap_err();
        fail(&mut oracle, "body", THROTTLED);
        refuse(&mut oracle, "body", "Runtime.ExitError");
        fail(&mut oracle, "body", "Runtime.ExitError");
        oracle.check(&dead(&["body"])).unwrap_err();
        deliver(&mut oracle, "body");
        fail(&mut oracle, "body", "the function reported them");
        oracle.check(&dead(&["body"])).unwrap();
    }

    #[test]
    fn a_fault_that_can_fail_no_delivery_excuses_no_dead_letter() {
        let mut oracle = DeadLetters { had_faults: false, ..oracle() };
        send(&mut oracle, "Queue", "body");
        for _ in 0..3 {
            deliver(&mut oracle, "body");
        }
        for (fault, is_excused) in
            [(Fault::DuplicateBatch, false), (Fault::LateSchedule, false), (Fault::Death, true)]
        {
            notice(&mut oracle, Happened::Drawn { fault, place: "F".to_owned() });
            assert_eq!(oracle.check(&dead(&["body"])).is_ok(), is_excused, "{fault}");
        }
    }

    #[test]
    fn a_message_that_still_fails_minutes_after_the_faults_is_found() {
        let [invocation, environment, function] = ["i", "F#1", "F"].map(str::to_owned);
        let cause = cause("body");
        let invoked = Happened::Invoked { invocation, environment, function, cause };
        for (late, is_excused) in [(1, true), (2, false)] {
            let mut oracle = oracle();
            send(&mut oracle, "Queue", "body");
            notice(&mut oracle, Happened::Settling);
            for number in 0..3 {
                let at = Millis::hours(u64::from(number >= 3 - late));
                oracle.notice(&Event { number: 0, at, what: invoked.clone() });
                fail(&mut oracle, "body", "Runtime.ExitError");
            }
            let checked = oracle.check(&dead(&["body"]));
            assert_eq!(checked.is_ok(), is_excused, "{late} late failures: {checked:?}");
        }
    }
}
