//! Dead letters: the poison that was sent, and messages that have failed as often as their queue allows.

use std::collections::BTreeMap;

use sam_template::Template;

use crate::evidence::Sends;
use crate::world::{Cause, Event, Happened, Oracle, SENT, View};

/// Checks at rest that dead-letter queues have the poison that a workload has sent, and otherwise only
/// messages that were delivered as often as their queue allows. Without a fault there are none: a
/// consumer that fails without one always fails.
///
/// Poison is a message of [`Client::send_message`](crate::world::Client::send_message) with a mark in
/// its body: no consumer can read it. A dead letter of a stream is allowed if records were given up.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    /// The part of a body that marks poison.
    mark: String,
    /// The source queue of each dead-letter queue, and its maximum of receives.
    redrives: BTreeMap<String, (String, u32)>,
    sends: Sends,
    /// The ids of the messages with a body.
    ids: BTreeMap<String, Vec<String>>,
    /// The deliveries of a message, by its id.
    deliveries: BTreeMap<String, u32>,
    /// The messages of operators, with their queues.
    poison: Vec<(String, String)>,
    /// Whether records of a stream were given up.
    given_up: bool,
    /// Whether a fault was drawn.
    had_faults: bool,
}

impl DeadLetters {
    /// Its name.
    pub const NAME: &'static str = "only poison in dead letters";

    /// The check of the template's dead-letter queues. A body with `mark` is poison.
    pub fn of(template: &Template, mark: &str) -> Self {
        let redrives = template.queues.values().filter_map(|queue| {
            let redrive = queue.redrive.as_ref()?;
            let source = (queue.logical_id.clone(), redrive.max_receive_count);
            Some((redrive.dead_letter_queue.clone(), source))
        });
        Self {
            mark: mark.to_owned(),
            redrives: redrives.collect(),
            sends: Sends::default(),
            ids: BTreeMap::new(),
            deliveries: BTreeMap::new(),
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
        for sent in self.sends.taken(event) {
            self.ids.entry(sent.body).or_default().push(sent.id);
        }
        match &event.what {
            Happened::Invoked { cause: Cause::Messages(_, ids), .. }
            | Happened::Refused { cause: Cause::Messages(_, ids), .. } => {
                for id in ids {
                    *self.deliveries.entry(id.clone()).or_default() += 1;
                }
            }
            Happened::Noted { name, value, .. } if name == SENT => {
                let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
                self.poison.push((text("queue"), text("body")));
            }
            Happened::GivenUp { .. } => self.given_up = true,
            Happened::Drawn { .. } => self.had_faults = true,
            _ => {}
        }
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
    fn check(&self, dead: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
        for (queue, body) in
            dead.iter().flat_map(|(queue, all)| all.iter().map(move |it| (queue, it)))
        {
            let Some((source, most)) = self.redrives.get(queue) else {
                if self.given_up {
                    continue;
                }
                return Err(format!("{queue} has {body}, but no record was given up"));
            };
            let is_poison = self.is_poison(body);
            if !is_poison && !self.had_faults {
                return Err(format!("{queue} has {body}, but there was no fault"));
            }
            if !is_poison && self.deliveries_of(body) < *most {
                let count = self.deliveries_of(body);
                return Err(format!("{queue} has {body} after {count} deliveries by {source}"));
            }
        }
        for (source, body) in self.poison.iter().filter(|(_, body)| self.is_poison(body)) {
            let queue =
                self.redrives.iter().find(|(_, (it, _))| it == source).map(|(dead, _)| dead);
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

    /// The most deliveries of a message with this body.
    fn deliveries_of(&self, body: &str) -> u32 {
        let ids = self.ids.get(body).into_iter().flatten();
        ids.filter_map(|id| self.deliveries.get(id)).copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Resources:
  Dead: {Type: 'AWS::SQS::Queue'}
  Queue: {Type: 'AWS::SQS::Queue', Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}}
";

    #[test]
    fn too_few_deliveries_a_failure_without_a_fault_and_a_lost_poison_are_found() {
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        let mut oracle = DeadLetters::of(&template, "poison");
        oracle.ids.insert("body".to_owned(), vec!["m".to_owned()]);
        let dead = |bodies: &[&str]| {
            let bodies = bodies.iter().map(|body| (*body).to_owned()).collect();
            BTreeMap::from([("Dead".to_owned(), bodies)])
        };
        oracle.had_faults = true;
        oracle.check(&dead(&["body"])).unwrap_err();
        oracle.had_faults = false;
        oracle.deliveries.insert("m".to_owned(), 3);
        oracle.check(&dead(&["body"])).unwrap_err();
        assert!(oracle.check(&dead(&["poison-1"])).is_ok());
        oracle.had_faults = true;
        assert!(oracle.check(&dead(&["body", "poison-1"])).is_ok());
        oracle.poison.push(("Queue".to_owned(), "poison-2".to_owned()));
        oracle.check(&dead(&["poison-1"])).unwrap_err();
        assert!(oracle.check(&dead(&["poison-2"])).is_ok());
    }
}
